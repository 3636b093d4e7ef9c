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

/**
 * The events that are noted in the outbox.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$observers = [
    [
        'eventname' => '\core\event\course_completed',
        'callback' => '\local_competencybridge\observer::course_completed',
    ],
    [
        'eventname' => '\core\event\course_module_completion_updated',
        'callback' => '\local_competencybridge\observer::course_module_completion_updated',
    ],
    [
        'eventname' => '\core\event\user_graded',
        'callback' => '\local_competencybridge\observer::user_graded',
    ],
    [
        'eventname' => '\core\event\user_enrolment_deleted',
        'callback' => '\local_competencybridge\observer::user_enrolment_deleted',
    ],
    [
        'eventname' => '\core\event\user_deleted',
        'callback' => '\local_competencybridge\observer::user_deleted',
    ],
    [
        'eventname' => '\core\event\user_updated',
        'callback' => '\local_competencybridge\observer::user_updated',
    ],
    [
        'eventname' => '\core\event\course_updated',
        'callback' => '\local_competencybridge\observer::course_updated',
    ],
    [
        'eventname' => '\core\event\course_deleted',
        'callback' => '\local_competencybridge\observer::course_deleted',
    ],
    [
        'eventname' => '\core\event\course_reset_ended',
        'callback' => '\local_competencybridge\observer::course_reset_ended',
    ],
    [
        'eventname' => '\core\event\badge_awarded',
        'callback' => '\local_competencybridge\observer::badge_awarded',
    ],
    [
        'eventname' => '\core\event\badge_revoked',
        'callback' => '\local_competencybridge\observer::badge_revoked',
    ],
];
