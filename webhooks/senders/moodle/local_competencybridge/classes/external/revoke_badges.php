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
use local_competencybridge\issuing;

/**
 * Revokes badges of the bridge, so that Moodle does not award them again.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class revoke_badges extends external_api {
    /**
     * From whom what is taken, and why.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'revocations' => new external_multiple_structure(new external_single_structure([
                'key' => structures::value(PARAM_RAW, 'Key of the badge'),
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'reason' => new external_value(PARAM_RAW, 'Why, for the log', VALUE_DEFAULT, ''),
            ])),
        ]);
    }

    /**
     * Revokes them.
     *
     * @param array[] $revocations
     * @return array
     */
    public static function execute(array $revocations): array {
        ['revocations' => $revocations] = self::validate_parameters(
            self::execute_parameters(),
            ['revocations' => $revocations]
        );
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:managebadges', $context);
        structures::at_most($revocations);
        return ['results' => issuing::revoke($revocations)];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'results' => new external_multiple_structure(new external_single_structure([
                'key' => structures::value(PARAM_RAW, 'Key of the badge'),
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'result' => structures::value(PARAM_ALPHA, 'revoked, nothing, nouser or nobadge'),
                'message' => structures::value(PARAM_TEXT, 'Why not, or what to look at, in words'),
            ])),
        ]);
    }
}
