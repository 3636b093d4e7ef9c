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
use local_competencybridge\status;

/**
 * Sets what the profile pages of users say about their competencies.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class set_status extends external_api {
    /**
     * What to say of whom.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'statuses' => new external_multiple_structure(new external_single_structure([
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'url' => new external_value(PARAM_RAW_TRIMMED, 'Link into the bridge, or empty', VALUE_DEFAULT, ''),
                'updated' => structures::value(PARAM_INT, 'As of when the bridge says so (epoch)'),
                'lines' => new external_multiple_structure(new external_single_structure([
                    'title' => structures::value(PARAM_RAW, 'Of what, as plain text'),
                    'text' => new external_value(PARAM_RAW, 'More, as plain text', VALUE_DEFAULT, ''),
                    'state' => structures::value(PARAM_ALPHA, 'current, due, gap or none'),
                ]), 'None: the section goes', VALUE_DEFAULT, []),
            ])),
        ]);
    }

    /**
     * Sets it.
     *
     * @param array[] $statuses
     * @return array
     */
    public static function execute(array $statuses): array {
        ['statuses' => $statuses] = self::validate_parameters(self::execute_parameters(), ['statuses' => $statuses]);
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:setstatus', $context);
        structures::at_most($statuses);

        foreach ($statuses as $status) {
            if ($status['url'] !== '' && !status::is_link($status['url'])) {
                throw new \moodle_exception('errorlink', 'local_competencybridge');
            }
            foreach ($status['lines'] as $line) {
                if (!in_array($line['state'], status::STATES, true)) {
                    throw new \moodle_exception('errorstate', 'local_competencybridge');
                }
            }
        }
        return ['results' => status::set($statuses)];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'results' => new external_multiple_structure(new external_single_structure([
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'result' => structures::value(PARAM_ALPHA, 'set, unchanged or nouser'),
            ])),
        ]);
    }
}
