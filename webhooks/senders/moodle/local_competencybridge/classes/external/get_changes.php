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
use local_competencybridge\facts;
use local_competencybridge\outbox;

/**
 * Changes since a point of the outbox, with the present state of everything they name.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_changes extends external_api {
    /**
     * Where to start, and how many.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters(): external_function_parameters {
        return new external_function_parameters([
            'after' => new external_value(PARAM_INT, 'Only ids above this, for paging', VALUE_DEFAULT, 0),
            'since' => new external_value(PARAM_INT, 'Only what was noted from then on (epoch)', VALUE_DEFAULT, 0),
            'limit' => new external_value(PARAM_INT, 'At most so many, up to 1000', VALUE_DEFAULT, structures::MOST),
        ]);
    }

    /**
     * Reads a page of the outbox.
     *
     * @param int $after
     * @param int $since
     * @param int $limit
     * @return array
     */
    public static function execute(int $after = 0, int $since = 0, int $limit = structures::MOST): array {
        global $DB;
        ['after' => $after, 'since' => $since, 'limit' => $limit] = self::validate_parameters(
            self::execute_parameters(),
            ['after' => $after, 'since' => $since, 'limit' => $limit]
        );
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/competencybridge:readchanges', $context);

        $now = time();
        $limit = structures::limit($limit);
        $rows = $DB->get_records_select(
            outbox::TABLE,
            'id > :after AND timecreated >= :since',
            ['after' => $after, 'since' => $since],
            'id',
            '*',
            0,
            $limit + 1
        );
        $more = count($rows) > $limit;
        $rows = array_slice($rows, 0, $limit, true);
        return [
            'site' => (string) get_config('local_competencybridge', 'site'),
            'now' => $now,
            'complete_since' => outbox::complete_since(),
            'settled' => outbox::settled($now),
            'more' => $more,
        ] + self::facts($rows);
    }

    /**
     * The changes themselves and the present state of what they name.
     *
     * @param \stdClass[] $rows of the outbox, by id
     * @return array
     */
    private static function facts(array $rows): array {
        $items = facts::grade_items(array_filter(array_column($rows, 'itemid')));
        $changes = [];
        $users = [];
        $courses = [];
        $cms = [];
        $incourse = [];
        $inactivity = [];
        foreach ($rows as $row) {
            $cmid = (int) $row->cmid;
            $item = $items[$row->itemid] ?? null;
            if ($row->kind === outbox::GRADE && $item) {
                $cmid = (int) $item->cmid;
            }
            $change = [
                'id' => (int) $row->id,
                'kind' => $row->kind,
                'time' => (int) $row->timecreated,
                'userid' => (int) $row->userid,
                'courseid' => (int) $row->courseid,
                'cmid' => $cmid,
                'itemid' => (int) $row->itemid,
                'badgeid' => (int) $row->badgeid,
            ];
            $changes[] = $change;
            $users[$change['userid']] = true;
            $courses[$change['courseid']] = true;
            $cms[$cmid] = true;
            $names = $row->kind === outbox::COURSE_COMPLETED || $row->kind === outbox::UNENROLLED;
            if ($names || ($row->kind === outbox::GRADE && $item && $item->itemtype === 'course')) {
                $incourse[$row->userid . '-' . $row->courseid] = $change;
            }
            if ($cmid && ($row->kind === outbox::MODULE_COMPLETED || $row->kind === outbox::GRADE)) {
                $inactivity[$row->userid . '-' . $cmid] = $change;
            }
        }
        unset($users[0], $courses[0], $cms[0]);

        $first = (int) (array_key_first($rows) ?? 0);
        $last = (int) (array_key_last($rows) ?? 0);
        $completions = $incourse ? array_intersect_key(facts::completions_named($first, $last), $incourse) : [];
        $activities = $inactivity ? array_intersect_key(facts::activities_named($first, $last), $inactivity) : [];
        $absent = [];
        foreach (array_diff_key($incourse, $completions) as $change) {
            $absent[] = self::absent('completion', $change, 0);
        }
        foreach (array_diff_key($inactivity, $activities) as $change) {
            $absent[] = self::absent('activity', $change, $change['cmid']);
        }
        return [
            'changes' => $changes,
            'completions' => array_values($completions),
            'activities' => array_values($activities),
            'users' => facts::users(array_keys($users)),
            'courses' => facts::courses(array_keys($courses)),
            'modules' => facts::modules(array_keys($cms)),
            'absent' => $absent,
        ];
    }

    /**
     * A pair that has nothing now.
     *
     * @param string $kind
     * @param array $change
     * @param int $cmid
     * @return array
     */
    private static function absent(string $kind, array $change, int $cmid): array {
        return [
            'kind' => $kind,
            'userid' => $change['userid'],
            'courseid' => $change['courseid'],
            'cmid' => $cmid,
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
            'complete_since' => structures::value(PARAM_INT, 'Since when the outbox holds every change (epoch)'),
            'settled' => structures::value(PARAM_INT, 'Start the next reading from this time (epoch)'),
            'more' => structures::value(PARAM_BOOL, 'Whether there are more pages'),
            'changes' => new external_multiple_structure(new external_single_structure([
                'id' => structures::value(PARAM_INT, 'Rising id'),
                'kind' => structures::value(PARAM_ALPHAEXT, 'What happened'),
                'time' => structures::value(PARAM_INT, 'When it was noted (epoch)'),
                'userid' => structures::value(PARAM_INT, 'To whom, or 0'),
                'courseid' => structures::value(PARAM_INT, 'In which course, or 0'),
                'cmid' => structures::value(PARAM_INT, 'In which activity, or 0'),
                'itemid' => structures::value(PARAM_INT, 'Which grade item, or 0'),
                'badgeid' => structures::value(PARAM_INT, 'Which badge, or 0'),
            ])),
            'completions' => structures::completions(),
            'activities' => structures::activities(),
            'users' => structures::users(),
            'courses' => structures::courses(),
            'modules' => structures::modules(),
            'absent' => new external_multiple_structure(new external_single_structure([
                'kind' => structures::value(PARAM_ALPHA, 'completion or activity'),
                'userid' => structures::value(PARAM_INT, 'Id of the user'),
                'courseid' => structures::value(PARAM_INT, 'Id of the course'),
                'cmid' => structures::value(PARAM_INT, 'Id of the activity, or 0'),
            ])),
        ]);
    }
}
