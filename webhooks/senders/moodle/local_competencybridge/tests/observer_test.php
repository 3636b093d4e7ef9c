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

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/badgeslib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');

/**
 * Tests of what is noted in the outbox when things happen in Moodle.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\observer
 * @covers \local_competencybridge\outbox
 */
final class observer_test extends \advanced_testcase {
    /**
     * The rows of the outbox, without ids and times.
     *
     * @param string $kind only of this kind
     * @return array[] each [userid, courseid, cmid, itemid, badgeid]
     */
    private function noted(string $kind): array {
        global $DB;
        $rows = $DB->get_records(outbox::TABLE, ['kind' => $kind], 'id');
        return array_values(array_map(static function (\stdClass $row): array {
            return [
                (int) $row->userid, (int) $row->courseid, (int) $row->cmid, (int) $row->itemid, (int) $row->badgeid,
            ];
        }, $rows));
    }

    /**
     * The plugin's generator.
     *
     * @return \local_competencybridge_generator
     */
    private function maker(): \local_competencybridge_generator {
        return $this->getDataGenerator()->get_plugin_generator('local_competencybridge');
    }

    /**
     * A course that is completed is noted, with a rising id and the time.
     */
    public function test_course_completed(): void {
        global $DB;
        $this->resetAfterTest();
        $course = $this->maker()->course();
        $before = outbox::last_id();
        $user = $this->maker()->completed($course, 1700000000);
        $this->assertSame([[(int) $user->id, (int) $course->id, 0, 0, 0]], $this->noted('course_completed'));
        $row = $DB->get_record(outbox::TABLE, ['kind' => 'course_completed']);
        $this->assertGreaterThan($before, $row->id);
        // When it was noted, not when it was completed: that may be years ago.
        $this->assertEqualsWithDelta(time(), $row->timecreated, 60);
    }

    /**
     * The completion of an activity is noted in both directions.
     */
    public function test_module_completed(): void {
        $this->resetAfterTest();
        $course = $this->maker()->course();
        $page = $this->getDataGenerator()->create_module(
            'page',
            ['course' => $course->id, 'completion' => COMPLETION_TRACKING_MANUAL]
        );
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $this->setUser($user);
        $cm = get_fast_modinfo($course)->get_cm($page->cmid);
        $completion = new \completion_info($course);
        $completion->update_state($cm, COMPLETION_COMPLETE, $user->id);
        $completion->update_state($cm, COMPLETION_INCOMPLETE, $user->id);
        $row = [(int) $user->id, (int) $course->id, (int) $page->cmid, 0, 0];
        $this->assertSame([$row, $row], $this->noted('module_completed'));
    }

    /**
     * Grades of activities and courses are noted; those of other items are not.
     */
    public function test_graded(): void {
        $this->resetAfterTest();
        $course = $this->maker()->course();
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $assign = $this->getDataGenerator()->create_module('assign', ['course' => $course->id, 'grade' => 100]);
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'assign', 'iteminstance' => $assign->id,
            'courseid' => $course->id]);
        $manual = new \grade_item($this->getDataGenerator()->create_grade_item(['courseid' => $course->id]), false);
        $manual->update_final_grade($user->id, 10);
        $item->update_final_grade($user->id, 70);
        grade_regrade_final_grades($course->id);
        $courseitem = \grade_item::fetch_course_item($course->id);
        $noted = $this->noted('grade');
        $this->assertContains([(int) $user->id, (int) $course->id, 0, (int) $item->id, 0], $noted);
        $this->assertContains([(int) $user->id, (int) $course->id, 0, (int) $courseitem->id, 0], $noted);
        $this->assertNotContains([(int) $user->id, (int) $course->id, 0, (int) $manual->id, 0], $noted);
    }

    /**
     * An enrolment that ends, a course that is reset, changed and deleted.
     */
    public function test_courses_and_enrolments(): void {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/course/lib.php');
        $this->resetAfterTest();
        $this->setAdminUser();
        $course = $this->maker()->course();
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual'], '*', MUST_EXIST);
        enrol_get_plugin('manual')->unenrol_user($instance, $user->id);
        $this->assertSame([[(int) $user->id, (int) $course->id, 0, 0, 0]], $this->noted('unenrolled'));

        reset_course_userdata((object) ['id' => $course->id, 'courseid' => $course->id, 'reset_completion' => 1]);
        update_course((object) ['id' => $course->id, 'fullname' => 'Another name']);
        delete_course($course, false);
        foreach (['course_reset', 'course_updated', 'course_deleted'] as $kind) {
            $this->assertContains([0, (int) $course->id, 0, 0, 0], $this->noted($kind), $kind);
        }
    }

    /**
     * Accounts that change and are deleted; what the profile said of them goes.
     */
    public function test_users(): void {
        global $CFG;
        require_once($CFG->dirroot . '/user/lib.php');
        $this->resetAfterTest();
        $user = $this->getDataGenerator()->create_user();
        $line = ['title' => 'Level 1', 'text' => '', 'state' => 'gap'];
        status::set([['userid' => (int) $user->id, 'url' => '', 'updated' => 1, 'lines' => [$line]]]);
        user_update_user((object) ['id' => $user->id, 'email' => 'other@example.org'], false);
        delete_user($user);
        $this->assertSame([[(int) $user->id, 0, 0, 0, 0]], $this->noted('user_updated'));
        $this->assertSame([[(int) $user->id, 0, 0, 0, 0]], $this->noted('user_deleted'));
        $this->assertNull(status::get((int) $user->id));
    }

    /**
     * Badges that are awarded and revoked, by whomever.
     */
    public function test_badges(): void {
        $this->resetAfterTest();
        $this->maker()->service_user();
        $saved = badges::save(['key' => 'k', 'name' => 'B', 'description' => '', 'image' => '', 'criteria_text' => '']);
        $user = $this->getDataGenerator()->create_user();
        (new \core_badges\badge($saved['id']))->issue($user->id, true);
        issuing::revoke([['key' => 'k', 'userid' => (int) $user->id, 'reason' => '']]);
        $row = [(int) $user->id, 0, 0, 0, $saved['id']];
        $this->assertSame([$row], $this->noted('badge_awarded'));
        $this->assertSame([$row], $this->noted('badge_revoked'));
    }

    /**
     * Old changes go, the outbox says from when on it is complete, and the last id stays known.
     */
    public function test_purge(): void {
        global $DB;
        $this->resetAfterTest();
        $now = time();
        set_config('completesince', $now - 100 * DAYSECS, 'local_competencybridge');
        set_config('retention', 7, 'local_competencybridge');
        outbox::add(outbox::USER_UPDATED, ['userid' => 5]);
        outbox::add(outbox::USER_UPDATED, ['userid' => 6]);
        $last = outbox::last_id();
        $DB->set_field(outbox::TABLE, 'timecreated', $now - 8 * DAYSECS, ['userid' => 6]);
        $this->assertSame(1, outbox::purge($now));
        $this->assertSame([5], array_map('intval', $DB->get_fieldset_select(outbox::TABLE, 'userid', '1 = 1')));
        $this->assertSame($now - 7 * DAYSECS, outbox::complete_since());
        $DB->delete_records(outbox::TABLE);
        $this->assertSame($last, outbox::last_id());
        // It never says that it is complete from an earlier time than it is.
        set_config('retention', 30, 'local_competencybridge');
        outbox::purge($now);
        $this->assertSame($now - 7 * DAYSECS, outbox::complete_since());
    }

    /**
     * The scheduled task removes old changes, and marks of badges that nobody holds any more.
     */
    public function test_purge_task(): void {
        global $DB;
        $this->resetAfterTest();
        $DB->insert_record(issuing::MARKS, (object) ['issuedid' => 987654, 'userid' => 5, 'badgeid' => 6, 'timecreated' => 7]);
        $this->expectOutputRegex('/Changes removed: 0/');
        (new task\purge_outbox())->execute();
        $this->assertSame(0, $DB->count_records(issuing::MARKS));
    }
}
