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
 * Makes or updates the site badges of the bridge; each is found again by its key.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class save_badges extends external_api {
    /**
     * The badges as they should be.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'badges' => new external_multiple_structure(new external_single_structure([
                'key' => structures::value(PARAM_RAW, 'Key by which it is found again'),
                'name' => structures::value(PARAM_RAW, 'Name'),
                'description' => structures::value(PARAM_RAW, 'Description'),
                'image' => new external_value(PARAM_RAW, 'PNG as base64; empty: keep, or default', VALUE_DEFAULT, ''),
                'criteria_text' => new external_value(PARAM_RAW, 'How it is earned', VALUE_DEFAULT, ''),
            ])),
        ]);
    }

    /**
     * Makes or updates them.
     *
     * @param array[] $badges
     * @return array
     */
    public static function execute(array $badges): array {
        ['badges' => $badges] = self::validate_parameters(self::execute_parameters(), ['badges' => $badges]);
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:managebadges', $context);
        structures::at_most($badges);

        // All are looked at before any is made.
        foreach ($badges as &$badge) {
            // As Moodle's own form does: tags go, the rest stays.
            foreach (['name', 'description', 'criteria_text'] as $field) {
                $badge[$field] = trim(clean_param($badge[$field], PARAM_NOTAGS));
            }
            foreach (['key', 'name'] as $field) {
                if ($badge[$field] === '' || \core_text::strlen($badge[$field]) > 255) {
                    throw new \moodle_exception('errorname', 'local_competencybridge');
                }
            }
            $badge['image'] = badges::decode_image($badge['image']);
        }
        unset($badge);
        return ['badges' => issuing::locked(static function () use ($badges): array {
            return array_map([badges::class, 'save'], $badges);
        })];
    }

    /**
     * The shape of the answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns(): external_single_structure {
        return new external_single_structure([
            'badges' => new external_multiple_structure(new external_single_structure([
                'key' => structures::value(PARAM_RAW, 'Key'),
                'id' => structures::value(PARAM_INT, 'Id of the badge'),
                'created' => structures::value(PARAM_BOOL, 'Whether it was made now'),
                'changed' => structures::value(PARAM_BOOL, 'Whether anything changed'),
                'active' => structures::value(PARAM_BOOL, 'Whether it can be awarded'),
            ])),
        ]);
    }
}
