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
use local_competencybridge\outbox;
use local_competencybridge\webhook;

/**
 * What this plugin is, how far its outbox goes, and what the caller may do.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_status extends external_api {
    /** @var int version of the contract between the bridge and this plugin */
    public const API = 1;

    /**
     * Takes nothing.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([]);
    }

    /**
     * Tells it to whoever may use the web service at all; it names nobody.
     *
     * @return array
     */
    public static function execute(): array {
        global $CFG;
        $context = \context_system::instance();
        self::validate_context($context);
        return [
            'api' => self::API,
            'plugin' => (string) get_config('local_competencybridge', 'version'),
            'moodle' => (string) $CFG->release,
            'site' => (string) get_config('local_competencybridge', 'site'),
            'now' => time(),
            'complete_since' => outbox::complete_since(),
            'last_id' => outbox::last_id(),
            'webhook' => webhook::is_on(),
            'can_read' => has_capability('local/competencybridge:readchanges', $context),
            'can_award' => has_capability('local/competencybridge:managebadges', $context),
            'can_set_status' => has_capability('local/competencybridge:setstatus', $context),
        ];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'api' => structures::value(PARAM_INT, 'Version of the contract'),
            'plugin' => structures::value(PARAM_ALPHANUMEXT, 'Version of the plugin'),
            'moodle' => structures::value(PARAM_TEXT, 'Release of Moodle'),
            'site' => structures::value(PARAM_ALPHANUM, 'Random name of this site'),
            'now' => structures::value(PARAM_INT, 'Time here (epoch)'),
            'complete_since' => structures::value(PARAM_INT, 'Since when the outbox holds every change (epoch)'),
            'last_id' => structures::value(PARAM_INT, 'Highest id in the outbox'),
            'webhook' => structures::value(PARAM_BOOL, 'Whether changes are announced to the bridge'),
            'can_read' => structures::value(PARAM_BOOL, 'Whether the caller may read changes'),
            'can_award' => structures::value(PARAM_BOOL, 'Whether the caller may manage badges'),
            'can_set_status' => structures::value(PARAM_BOOL, 'Whether the caller may set the status of users'),
        ]);
    }
}
