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
use local_competencybridge\outbox;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');

/**
 * Tests of the status and the feed of changes.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\external\get_status
 * @covers \local_competencybridge\external\get_changes
 * @covers \local_competencybridge\facts
 */
final class changes_test extends \advanced_testcase {
    /** @var \local_competencybridge_generator */
    private $maker;

    /**
     * Starts with an empty outbox.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->maker = $this->getDataGenerator()->get_plugin_generator('local_competencybridge');
    }

    /**
     * Calls the feed.
     *
     * @param mixed ...$arguments
     * @return array
     */
    private function changes(...$arguments): array {
        return external_api::clean_returnvalue(get_changes::execute_returns(), get_changes::execute(...$arguments));
    }

    /**
     * The status tells the caller's own capabilities.
     */
    public function test_status(): void {
        $this->maker->service_user(['readchanges']);
        set_config('site', 'abc', 'local_competencybridge');
        $last = outbox::last_id();
        $status = external_api::clean_returnvalue(get_status::execute_returns(), get_status::execute());
        $this->assertSame(1, $status['api']);
        $this->assertSame('abc', $status['site']);
        $this->assertSame($last, $status['last_id']);
        $this->assertSame([true, false, false, false], [
            $status['can_read'], $status['can_award'], $status['can_set_status'], $status['webhook'],
        ]);
        $this->assertSame(get_config('local_competencybridge', 'version'), $status['plugin']);
    }

    /**
     * The feed is refused without its capability.
     */
    public function test_capability(): void {
        $this->maker->service_user(['managebadges', 'setstatus']);
        $this->expectException(\required_capability_exception::class);
        get_changes::execute();
    }

    /**
     * A completed course comes with the exact time, the user and the course.
     */
    public function test_completed(): void {
        $course = $this->maker->course(['idnumber' => 'C-1', 'fullname' => 'Level 1 & 2']);
        $user = $this->maker->completed($course, 1700000001, ['idnumber' => 'ESR1', 'email' => 'a@example.org']);
        $this->maker->service_user();
        $found = $this->changes();
        $change = array_values(array_filter($found['changes'], static function (array $change): bool {
            return $change['kind'] === 'course_completed';
        }))[0];
        $this->assertSame([(int) $user->id, (int) $course->id], [$change['userid'], $change['courseid']]);
        [$completion] = $found['completions'];
        $this->assertSame(1700000001, $completion['timecompleted']);
        $this->assertTrue($completion['enrolled']);
        $this->assertNull($completion['grade']);
        $users = array_column($found['users'], null, 'id');
        $this->assertSame(['ESR1', 'a@example.org', false], [
            $users[$user->id]['idnumber'], $users[$user->id]['email'], $users[$user->id]['deleted'],
        ]);
        $this->assertSame('Level 1 & 2', array_column($found['courses'], 'fullname', 'id')[$course->id]);
        $this->assertSame([], $found['absent']);
        $this->assertSame($found['now'] - 900, $found['settled']);
    }

    /**
     * The state is that of now: what was undone since is named as absent, once.
     */
    public function test_absent(): void {
        global $DB;
        $course = $this->maker->course();
        $user = $this->maker->completed($course, 1700000000);
        outbox::add(outbox::COURSE_COMPLETED, ['userid' => $user->id, 'courseid' => $course->id]);
        $DB->delete_records('course_completions', ['userid' => $user->id]);
        $this->maker->service_user();
        $found = $this->changes();
        $this->assertSame([], $found['completions']);
        $this->assertSame([[
            'kind' => 'completion', 'userid' => (int) $user->id, 'courseid' => (int) $course->id, 'cmid' => 0,
        ]], $found['absent']);
    }

    /**
     * An activity that is complete and graded comes with both; one that is only graded with state 0.
     */
    public function test_activities(): void {
        $course = $this->maker->course();
        $assign = $this->getDataGenerator()->create_module('assign', [
            'course' => $course->id, 'grade' => 80, 'idnumber' => 'A-1', 'name' => 'Essay',
            'completion' => COMPLETION_TRACKING_AUTOMATIC, 'completionusegrade' => 1,
        ]);
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $course->id, 'grade' => 10]);
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'assign', 'iteminstance' => $assign->id,
            'courseid' => $course->id]);
        $item->gradepass = 50;
        $item->update();
        $item->update_raw_grade($user->id, 60);
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'quiz', 'iteminstance' => $quiz->id,
            'courseid' => $course->id]);
        $item->update_raw_grade($user->id, 5);
        $this->maker->service_user();
        $found = $this->changes();
        $activities = array_column($found['activities'], null, 'cmid');
        $essay = $activities[$assign->cmid];
        $this->assertSame([2, 0.75, true], [$essay['state'], $essay['grade'], $essay['passed']]);
        $this->assertGreaterThan(0, $essay['id']);
        $test = $activities[$quiz->cmid];
        $this->assertSame([0, 0, 0.5, null], [$test['id'], $test['state'], $test['grade'], $test['passed']]);
        $module = array_column($found['modules'], null, 'cmid')[$assign->cmid];
        $this->assertSame(['assign', 'Essay', 'A-1'], [$module['modname'], $module['name'], $module['idnumber']]);
        // The change of a grade tells which activity it was.
        $this->assertContains([(int) $assign->cmid, 'grade'], array_map(static function (array $change): array {
            return [$change['cmid'], $change['kind']];
        }, $found['changes']));
    }

    /**
     * A grade that the learner may not see is told to nobody.
     */
    public function test_hidden_grade(): void {
        $course = $this->maker->course();
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $course->id, 'grade' => 10]);
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'quiz', 'iteminstance' => $quiz->id,
            'courseid' => $course->id]);
        $item->update_raw_grade($user->id, 5);
        $item->set_hidden(1, false);
        $this->maker->service_user();
        $found = $this->changes();
        $this->assertSame([], $found['activities']);
        $this->assertContains('activity', array_column($found['absent'], 'kind'));
        $item->set_hidden(time() + 1000, false);
        $this->assertSame([], $this->changes()['activities']);
        $item->set_hidden(time() - 1000, false);
        $this->assertSame(0.5, $this->changes()['activities'][0]['grade']);
    }

    /**
     * A course grade reaches the completion; its item may be gone since.
     */
    public function test_course_grade(): void {
        $course = $this->maker->course();
        $user = $this->maker->completed($course, 1700000000);
        $manual = new \grade_item(
            $this->getDataGenerator()->create_grade_item(['courseid' => $course->id, 'grademax' => 40]),
            false
        );
        $manual->update_final_grade($user->id, 30);
        grade_regrade_final_grades($course->id);
        outbox::add(outbox::GRADE, ['userid' => $user->id, 'courseid' => $course->id, 'itemid' => 99999999]);
        $this->maker->service_user();
        $found = $this->changes();
        $this->assertSame([0.75], array_column($found['completions'], 'grade'));
    }

    /**
     * Users, courses and activities that are gone do not stop the feed; of a deleted user no address is told.
     */
    public function test_gone(): void {
        $this->setAdminUser();
        $course = $this->maker->course();
        $page = $this->getDataGenerator()->create_module('page', ['course' => $course->id]);
        $user = $this->maker->completed($course, 1700000000, ['email' => 'a@example.org']);
        outbox::add(outbox::MODULE_COMPLETED, [
            'userid' => $user->id, 'courseid' => $course->id, 'cmid' => $page->cmid,
        ]);
        delete_user($user);
        delete_course($course, false);
        $this->maker->service_user();
        $found = $this->changes();
        $this->assertSame([], $found['completions']);
        $this->assertEqualsCanonicalizing(['completion', 'activity'], array_column($found['absent'], 'kind'));
        $told = array_column($found['users'], null, 'id')[$user->id];
        $this->assertSame(['', '', '', true], [$told['email'], $told['username'], $told['idnumber'], $told['deleted']]);
        $this->assertNotContains((int) $course->id, array_column($found['courses'], 'id'));
    }

    /**
     * Pages follow each other without a gap; "since" goes by when it was noted.
     */
    public function test_paging(): void {
        global $DB;
        foreach (range(1, 5) as $i) {
            outbox::add(outbox::USER_UPDATED, ['userid' => $i]);
        }
        $this->maker->service_user();
        $DB->delete_records_select(outbox::TABLE, 'userid > 5');
        $first = $this->changes(0, 0, 2);
        $second = $this->changes(end($first['changes'])['id'], 0, 2);
        $third = $this->changes(end($second['changes'])['id'], 0, 2);
        $this->assertSame([true, true, false], [$first['more'], $second['more'], $third['more']]);
        $this->assertSame([1, 2, 3, 4, 5], array_column(
            array_merge($first['changes'], $second['changes'], $third['changes']),
            'userid'
        ));
        $DB->set_field_select(outbox::TABLE, 'timecreated', 1000, 'userid <= 3');
        $this->assertSame([4, 5], array_column($this->changes(0, 1001)['changes'], 'userid'));
    }
}
