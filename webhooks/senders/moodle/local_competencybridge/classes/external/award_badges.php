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
use local_competencybridge\issuing;

/**
 * Awards badges of the bridge, or gives those that are held the expiry that is wanted.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class award_badges extends external_api {
    /**
     * Who shall hold what, until when.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters(['awards' => structures::awards()]);
    }

    /**
     * Awards them.
     *
     * @param array[] $awards
     * @return array
     */
    public static function execute(array $awards): array {
        ['awards' => $awards] = self::validate_parameters(self::execute_parameters(), ['awards' => $awards]);
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:managebadges', $context);
        structures::at_most($awards);
        return ['results' => issuing::award($awards, false)];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return structures::awarded();
    }
}
