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

namespace local_competencybridge;

/**
 * The outbox: what changed, as ids, in the order in which it was noted.
 *
 * An id is allotted before its transaction commits, so a row may appear after one with a higher id was already
 * read. A reader therefore starts again from the time {@see outbox::settled()}, not from the last id it saw.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class outbox {
    /** @var string its table */
    public const TABLE = 'local_competencybridge_out';

    /** @var string a learner completed a course */
    public const COURSE_COMPLETED = 'course_completed';
    /** @var string the completion of an activity changed */
    public const MODULE_COMPLETED = 'module_completed';
    /** @var string a grade of a course or an activity changed */
    public const GRADE = 'grade';
    /** @var string a user lost an enrolment */
    public const UNENROLLED = 'unenrolled';
    /** @var string a user was deleted */
    public const USER_DELETED = 'user_deleted';
    /** @var string an account changed */
    public const USER_UPDATED = 'user_updated';
    /** @var string the settings of a course changed */
    public const COURSE_UPDATED = 'course_updated';
    /** @var string a course was deleted */
    public const COURSE_DELETED = 'course_deleted';
    /** @var string a course was reset */
    public const COURSE_RESET = 'course_reset';
    /** @var string a badge was awarded */
    public const BADGE_AWARDED = 'badge_awarded';
    /** @var string a badge was revoked */
    public const BADGE_REVOKED = 'badge_revoked';

    /** @var int seconds after which no transaction that noted something can still be open */
    public const SETTLING = 15 * MINSECS;

    /** @var int days for which changes are kept unless the settings say otherwise */
    public const RETENTION = 60;

    /**
     * Notes a change.
     *
     * @param string $kind one of the constants above
     * @param array $ids userid, courseid, cmid, itemid, badgeid; what is missing or null is 0
     */
    public static function add(string $kind, array $ids): void {
        global $DB;
        $row = ['kind' => $kind, 'timecreated' => time()];
        foreach (['userid', 'courseid', 'cmid', 'itemid', 'badgeid'] as $field) {
            $row[$field] = (int) ($ids[$field] ?? 0);
        }
        $DB->insert_record(self::TABLE, (object) $row, false);
    }

    /**
     * The highest id that was ever seen, also when that row was purged since.
     *
     * @return int 0 before the first change
     */
    public static function last_id(): int {
        global $DB;
        $last = (int) $DB->get_field_sql('SELECT MAX(id) FROM {' . self::TABLE . '}');
        return max($last, (int) get_config('local_competencybridge', 'purgedid'));
    }

    /**
     * Since when the outbox holds every change.
     *
     * @return int epoch
     */
    public static function complete_since(): int {
        return (int) get_config('local_competencybridge', 'completesince');
    }

    /**
     * Up to when nothing can appear any more.
     *
     * @param int $now epoch
     * @return int epoch
     */
    public static function settled(int $now): int {
        return $now - self::SETTLING;
    }

    /**
     * Removes what is older than the retention, after noting that the outbox is complete from there on only.
     *
     * @param int $now epoch
     * @return int how many rows went
     */
    public static function purge(int $now): int {
        global $DB;
        $days = (int) (get_config('local_competencybridge', 'retention') ?: self::RETENTION);
        $cutoff = $now - max(1, $days) * DAYSECS;
        if ($cutoff <= self::complete_since()) {
            return 0;
        }
        set_config('purgedid', self::last_id(), 'local_competencybridge');
        set_config('completesince', $cutoff, 'local_competencybridge');
        $gone = $DB->count_records_select(self::TABLE, 'timecreated < ?', [$cutoff]);
        $DB->delete_records_select(self::TABLE, 'timecreated < ?', [$cutoff]);
        return $gone;
    }
}
