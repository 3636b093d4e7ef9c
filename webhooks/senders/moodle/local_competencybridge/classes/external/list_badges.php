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
use core_external\external_multiple_structure;
use core_external\external_single_structure;
use core_external\external_value;
use local_competencybridge\badges;
use local_competencybridge\issuing;

/**
 * Who holds the badges of the bridge, page by page, however they came to hold them.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class list_badges extends external_api {
    /**
     * Where to start, how many, and of what.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'after' => new external_value(PARAM_INT, 'Only ids above this', VALUE_DEFAULT, 0),
            'limit' => new external_value(PARAM_INT, 'At most so many, up to 1000', VALUE_DEFAULT, structures::MOST),
            'keys' => new external_multiple_structure(
                new external_value(PARAM_RAW, 'Key of a badge'),
                'Only these badges; none for all',
                VALUE_DEFAULT,
                []
            ),
            'userids' => new external_multiple_structure(
                new external_value(PARAM_INT, 'Id of a user'),
                'Only these users; none for all',
                VALUE_DEFAULT,
                []
            ),
        ]);
    }

    /**
     * Reads a page.
     *
     * @param int $after
     * @param int $limit
     * @param string[] $keys
     * @param int[] $userids
     * @return array
     */
    public static function execute(
        int $after = 0,
        int $limit = structures::MOST,
        array $keys = [],
        array $userids = []
    ): array {
        ['after' => $after, 'limit' => $limit, 'keys' => $keys, 'userids' => $userids] = self::validate_parameters(
            self::execute_parameters(),
            ['after' => $after, 'limit' => $limit, 'keys' => $keys, 'userids' => $userids]
        );
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:managebadges', $context);

        $limit = structures::limit($limit);
        [$issued, $total] = issuing::held($after, $limit + 1, $keys, $userids);
        $more = count($issued) > $limit;
        $issued = array_slice($issued, 0, $limit);
        $badges = [];
        foreach (badges::find($keys) as $key => $row) {
            $badges[] = [
                'key' => (string) $key,
                'id' => (int) $row->id,
                'name' => (string) $row->name,
                'active' => badges::is_active($row),
                'exists' => $row->present,
            ];
        }
        return [
            'more' => $more,
            'next' => $issued ? end($issued)['id'] : $after,
            'total' => $total,
            'issued' => $issued,
            'badges' => $badges,
        ];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'more' => structures::value(PARAM_BOOL, 'Whether there are more pages'),
            'next' => structures::value(PARAM_INT, 'Give this as "after" for the next page'),
            'total' => structures::value(PARAM_INT, 'How many all pages hold'),
            'issued' => new external_multiple_structure(new external_single_structure([
                'id' => structures::value(PARAM_INT, 'Id of the issued badge'),
                'key' => structures::value(PARAM_RAW, 'Key of the badge'),
                'badgeid' => structures::value(PARAM_INT, 'Id of the badge'),
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'issued' => structures::value(PARAM_INT, 'When it was issued (epoch)'),
                'expires' => structures::value(PARAM_INT, 'When it expires (epoch); 0: never'),
                'hash' => structures::value(PARAM_ALPHANUM, 'Public name of the issued badge'),
                'ours' => structures::value(PARAM_BOOL, 'Whether the bridge awarded it; else somebody did by hand'),
            ])),
            'badges' => new external_multiple_structure(new external_single_structure([
                'key' => structures::value(PARAM_RAW, 'Key'),
                'id' => structures::value(PARAM_INT, 'Id of the badge'),
                'name' => structures::value(PARAM_RAW, 'Name'),
                'active' => structures::value(PARAM_BOOL, 'Whether it can be awarded'),
                'exists' => structures::value(PARAM_BOOL, 'Whether Moodle still has it'),
            ])),
        ]);
    }
}
