<?php
// This file is part of Moodle - https://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

namespace local_competencybridge\external;

use core_external\external_api;
use core_external\external_function_parameters;
use core_external\external_single_structure;
use core_external\external_value;
use local_competencybridge\facts;
use local_competencybridge\outbox;

/**
 * All course completions, page by page; of deleted, suspended and unenrolled users too.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_completions extends external_api {
    /**
     * Where to start, how many, and of what.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'after' => new external_value(PARAM_INT, 'Only ids above this', VALUE_DEFAULT, 0),
            'limit' => new external_value(PARAM_INT, 'At most so many, up to 1000', VALUE_DEFAULT, structures::MOST),
            'courseid' => new external_value(PARAM_INT, 'Of this course only; 0 for all', VALUE_DEFAULT, 0),
            'userid' => new external_value(PARAM_INT, 'Of this user only; 0 for all', VALUE_DEFAULT, 0),
        ]);
    }

    /**
     * Reads a page.
     *
     * @param int $after
     * @param int $limit
     * @param int $courseid
     * @param int $userid
     * @return array
     */
    public static function execute(
        int $after = 0,
        int $limit = structures::MOST,
        int $courseid = 0,
        int $userid = 0
    ): array {
        [
            'after' => $after, 'limit' => $limit, 'courseid' => $courseid, 'userid' => $userid,
        ] = self::validate_parameters(
            self::execute_parameters(),
            ['after' => $after, 'limit' => $limit, 'courseid' => $courseid, 'userid' => $userid]
        );
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:readchanges', $context);

        $limit = structures::limit($limit);
        // Before the rows: what changes while they are read is then found in the outbox.
        $lastid = outbox::last_id();
        [$completions, $total] = facts::completions($after, $limit + 1, $courseid, $userid);
        $more = count($completions) > $limit;
        $completions = array_slice($completions, 0, $limit);
        return [
            'site' => (string) get_config('local_competencybridge', 'site'),
            'now' => time(),
            'last_id' => $lastid,
            'total' => $total,
            'more' => $more,
            'next' => $completions ? end($completions)['id'] : $after,
            'completions' => $completions,
            'users' => facts::users(array_column($completions, 'userid')),
            'courses' => facts::courses(array_column($completions, 'courseid')),
        ];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'site' => structures::value(PARAM_ALPHANUM, 'Random name of this site'),
            'now' => structures::value(PARAM_INT, 'Time here (epoch)'),
            'last_id' => structures::value(PARAM_INT, 'Highest id in the outbox before the rows were read'),
            'total' => structures::value(PARAM_INT, 'How many all pages hold'),
            'more' => structures::value(PARAM_BOOL, 'Whether there are more pages'),
            'next' => structures::value(PARAM_INT, 'Give this as "after" for the next page'),
            'completions' => structures::completions(),
            'users' => structures::users(),
            'courses' => structures::courses(),
        ]);
    }
}
