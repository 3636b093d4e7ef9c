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
 * Web service functions, and the ready-made service that holds what the bridge calls.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$functions = [
    'local_competencybridge_get_status' => [
        'classname' => 'local_competencybridge\external\get_status',
        'description' => 'What this plugin is, how far its outbox goes, and what the caller may do.',
        'type' => 'read',
    ],
    'local_competencybridge_get_changes' => [
        'classname' => 'local_competencybridge\external\get_changes',
        'description' => 'Changes since a point of the outbox, with the present state of what they name.',
        'type' => 'read',
        'capabilities' => 'local/competencybridge:readchanges',
    ],
    'local_competencybridge_get_completions' => [
        'classname' => 'local_competencybridge\external\get_completions',
        'description' => 'All course completions, page by page.',
        'type' => 'read',
        'capabilities' => 'local/competencybridge:readchanges',
    ],
    'local_competencybridge_get_activities' => [
        'classname' => 'local_competencybridge\external\get_activities',
        'description' => 'All activity completions, page by page.',
        'type' => 'read',
        'capabilities' => 'local/competencybridge:readchanges',
    ],
    'local_competencybridge_save_badges' => [
        'classname' => 'local_competencybridge\external\save_badges',
        'description' => 'Makes or updates the site badges of the bridge.',
        'type' => 'write',
        'capabilities' => 'local/competencybridge:managebadges',
    ],
    'local_competencybridge_award_badges' => [
        'classname' => 'local_competencybridge\external\award_badges',
        'description' => 'Awards badges of the bridge, or gives those that are held another expiry.',
        'type' => 'write',
        'capabilities' => 'local/competencybridge:managebadges',
    ],
    'local_competencybridge_renew_badges' => [
        'classname' => 'local_competencybridge\external\renew_badges',
        'description' => 'Gives badges of the bridge that are held another expiry.',
        'type' => 'write',
        'capabilities' => 'local/competencybridge:managebadges',
    ],
    'local_competencybridge_revoke_badges' => [
        'classname' => 'local_competencybridge\external\revoke_badges',
        'description' => 'Revokes badges of the bridge.',
        'type' => 'write',
        'capabilities' => 'local/competencybridge:managebadges',
    ],
    'local_competencybridge_list_badges' => [
        'classname' => 'local_competencybridge\external\list_badges',
        'description' => 'Who holds the badges of the bridge, page by page.',
        'type' => 'read',
        'capabilities' => 'local/competencybridge:managebadges',
    ],
    'local_competencybridge_set_status' => [
        'classname' => 'local_competencybridge\external\set_status',
        'description' => 'Sets what the profile pages of users say about their competencies.',
        'type' => 'write',
        'capabilities' => 'local/competencybridge:setstatus',
    ],
];

$services = [
    // Names of services are unique, and "Competency Bridge" may be one that somebody made by hand.
    'Competency Bridge (plugin)' => [
        'shortname' => 'local_competencybridge',
        'functions' => array_merge(array_keys($functions), [
            // Core functions that the bridge falls back on. Each still needs its own capability.
            'core_webservice_get_site_info',
            'core_reportbuilder_list_reports',
            'core_reportbuilder_retrieve_report',
            'core_reportbuilder_set_filters',
            'core_reportbuilder_filters_reset',
            'core_calendar_get_timestamps',
            'tool_mobile_call_external_functions',
            'core_cohort_search_cohorts',
            'core_cohort_get_cohort_members',
            'core_cohort_add_cohort_members',
            'core_cohort_delete_cohort_members',
            'core_badges_get_user_badges',
            'core_competency_grade_competency',
            'core_competency_list_competency_frameworks',
            'core_competency_list_competencies',
            'tool_lp_data_for_user_competency_summary',
            'core_course_get_courses_by_field',
            'core_enrol_get_enrolled_users',
            'core_completion_get_course_completion_status',
        ]),
        'restrictedusers' => 1,
        'enabled' => 1,
        'downloadfiles' => 0,
        'uploadfiles' => 0,
    ],
];
