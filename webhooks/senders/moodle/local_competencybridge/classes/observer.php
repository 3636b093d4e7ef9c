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

use core\event\base;

/**
 * Notes the events of Moodle in the outbox.
 *
 * Each method costs one insert and at most one look-up. Nothing that goes wrong here may stop what the user is
 * doing, so every error ends in the developer's log.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class observer {
    /**
     * A learner completed a course.
     *
     * @param \core\event\course_completed $event
     */
    public static function course_completed(\core\event\course_completed $event): void {
        self::note(outbox::COURSE_COMPLETED, ['userid' => $event->relateduserid, 'courseid' => $event->courseid]);
    }

    /**
     * The completion of an activity changed, in either direction.
     *
     * @param \core\event\course_module_completion_updated $event
     */
    public static function course_module_completion_updated(\core\event\course_module_completion_updated $event): void {
        self::note(outbox::MODULE_COMPLETED, [
            'userid' => $event->relateduserid,
            'courseid' => $event->courseid,
            'cmid' => $event->contextinstanceid,
        ]);
    }

    /**
     * A grade changed. Only grades of whole courses and of activities matter here.
     *
     * @param \core\event\user_graded $event
     */
    public static function user_graded(\core\event\user_graded $event): void {
        // The grade that comes with the event nearly always carries its item; it is never fetched for this.
        $grade = $event->is_restored() ? null : $event->get_grade();
        $type = $grade->grade_item->itemtype ?? 'course';
        if ($type !== 'course' && $type !== 'mod') {
            return;
        }
        self::note(outbox::GRADE, [
            'userid' => $event->relateduserid,
            'courseid' => $event->courseid,
            'itemid' => $event->other['itemid'] ?? 0,
        ]);
    }

    /**
     * A user lost an enrolment in a course.
     *
     * @param \core\event\user_enrolment_deleted $event
     */
    public static function user_enrolment_deleted(\core\event\user_enrolment_deleted $event): void {
        self::note(outbox::UNENROLLED, ['userid' => $event->relateduserid, 'courseid' => $event->courseid]);
    }

    /**
     * A user was deleted: what their profile page said goes with them.
     *
     * @param \core\event\user_deleted $event
     */
    public static function user_deleted(\core\event\user_deleted $event): void {
        self::note(outbox::USER_DELETED, ['userid' => $event->objectid]);
        self::quietly(static function () use ($event): void {
            status::remove([(int) $event->objectid]);
        });
    }

    /**
     * The account of a user changed.
     *
     * @param \core\event\user_updated $event
     */
    public static function user_updated(\core\event\user_updated $event): void {
        self::note(outbox::USER_UPDATED, ['userid' => $event->objectid]);
    }

    /**
     * The settings of a course changed.
     *
     * @param \core\event\course_updated $event
     */
    public static function course_updated(\core\event\course_updated $event): void {
        self::note(outbox::COURSE_UPDATED, ['courseid' => $event->objectid]);
    }

    /**
     * A course was deleted.
     *
     * @param \core\event\course_deleted $event
     */
    public static function course_deleted(\core\event\course_deleted $event): void {
        self::note(outbox::COURSE_DELETED, ['courseid' => $event->objectid]);
    }

    /**
     * A course was reset.
     *
     * @param \core\event\course_reset_ended $event
     */
    public static function course_reset_ended(\core\event\course_reset_ended $event): void {
        self::note(outbox::COURSE_RESET, ['courseid' => $event->courseid]);
    }

    /**
     * A badge was awarded, by whomever.
     *
     * @param \core\event\badge_awarded $event
     */
    public static function badge_awarded(\core\event\badge_awarded $event): void {
        self::note(outbox::BADGE_AWARDED, ['userid' => $event->relateduserid, 'badgeid' => $event->objectid]);
    }

    /**
     * A badge was revoked, by whomever.
     *
     * @param \core\event\badge_revoked $event
     */
    public static function badge_revoked(\core\event\badge_revoked $event): void {
        self::note(outbox::BADGE_REVOKED, ['userid' => $event->relateduserid, 'badgeid' => $event->objectid]);
    }

    /**
     * Writes a change into the outbox and sees to it that the bridge is told.
     *
     * @param string $kind a constant of the class outbox
     * @param array $ids what it happened to
     */
    private static function note(string $kind, array $ids): void {
        self::quietly(static function () use ($kind, $ids): void {
            outbox::add($kind, $ids);
            webhook::wake();
        });
    }

    /**
     * Runs something without ever disturbing what Moodle is doing.
     *
     * @param callable $work
     */
    private static function quietly(callable $work): void {
        try {
            $work();
        } catch (\Throwable $e) {
            debugging('local_competencybridge: ' . $e->getMessage(), DEBUG_DEVELOPER);
        }
    }
}
