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

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/completionlib.php');

/**
 * Tests of reading all completions page by page.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\external\get_completions
 * @covers \local_competencybridge\external\get_activities
 * @covers \local_competencybridge\facts
 */
final class snapshot_test extends \advanced_testcase {
    /** @var \local_competencybridge_generator */
    private $maker;

    /**
     * Whatever a test makes goes afterwards.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->maker = $this->getDataGenerator()->get_plugin_generator('local_competencybridge');
    }

    /**
     * Reads all pages of completions.
     *
     * @param int $limit
     * @param int $courseid
     * @param int $userid
     * @return array [completions, pages]
     */
    private function completions(int $limit, int $courseid = 0, int $userid = 0): array {
        $after = 0;
        $found = [];
        $pages = [];
        do {
            $page = external_api::clean_returnvalue(
                get_completions::execute_returns(),
                get_completions::execute($after, $limit, $courseid, $userid)
            );
            $pages[] = $page;
            $found = array_merge($found, $page['completions']);
            $after = $page['next'];
        } while ($page['more']);
        return [$found, $pages];
    }

    /**
     * Every completion is there once, of deleted, suspended and unenrolled users too, and the total says so.
     */
    public function test_completions(): void {
        global $DB;
        $this->setAdminUser();
        $course = $this->maker->course();
        $users = [];
        foreach (['present', 'suspended', 'unenrolled', 'deleted'] as $i => $name) {
            $users[$name] = $this->maker->completed($course, 1700000000 + $i, ['username' => $name]);
        }
        $begun = $this->getDataGenerator()->create_and_enrol($course);
        $DB->insert_record('course_completions', (object) ['userid' => $begun->id, 'course' => $course->id]);
        $DB->set_field('user', 'suspended', 1, ['id' => $users['suspended']->id]);
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual'], '*', MUST_EXIST);
        enrol_get_plugin('manual')->unenrol_user($instance, $users['unenrolled']->id);
        delete_user($users['deleted']);
        $this->maker->service_user();

        [$found, $pages] = $this->completions(3);
        $this->assertCount(2, $pages);
        $this->assertSame([4, 4], array_column($pages, 'total'));
        $byuser = array_column($found, null, 'userid');
        foreach (array_values($users) as $i => $user) {
            $this->assertSame(1700000000 + $i, $byuser[$user->id]['timecompleted']);
        }
        $this->assertSame([true, true, false, false], array_column($found, 'enrolled'));
        $told = array_column(array_merge($pages[0]['users'], $pages[1]['users']), null, 'id');
        $this->assertTrue($told[$users['suspended']->id]['suspended']);
        $this->assertTrue($told[$users['deleted']->id]['deleted']);
        $this->assertSame('', $told[$users['deleted']->id]['email']);
        $this->assertSame('suspended', $told[$users['suspended']->id]['username']);
        $this->assertSame(\local_competencybridge\outbox::last_id(), $pages[0]['last_id']);
    }

    /**
     * A completion of which Moodle does not know when is there, with time 0.
     */
    public function test_undated(): void {
        global $DB;
        $course = $this->maker->course();
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $DB->insert_record('course_completions', (object) [
            'userid' => $user->id, 'course' => $course->id, 'timecompleted' => 0,
        ]);
        $this->maker->service_user();
        [$found] = $this->completions(10);
        $this->assertSame([0], array_column($found, 'timecompleted'));
    }

    /**
     * Filters narrow the rows and the total alike; an empty answer ends where it began.
     */
    public function test_filters(): void {
        $one = $this->maker->course();
        $two = $this->maker->course();
        $user = $this->maker->completed($one, 1700000000);
        $this->maker->completed($two, 1700000001);
        $this->maker->service_user();
        foreach ([[(int) $one->id, 0], [0, (int) $user->id]] as $filter) {
            [$found, $pages] = $this->completions(10, ...$filter);
            $this->assertSame([(int) $user->id], array_column($found, 'userid'));
            $this->assertSame(1, $pages[0]['total']);
        }
        $empty = get_completions::execute(99999999);
        $this->assertSame([[], 99999999, false, 2], [
            $empty['completions'], $empty['next'], $empty['more'], $empty['total'],
        ]);
    }

    /**
     * A page takes the same number of queries however many rows it holds.
     */
    public function test_queries(): void {
        global $DB;
        $course = $this->maker->course();
        $page = $this->getDataGenerator()->create_module('page', ['course' => $course->id]);
        $queries = [];
        foreach ([1, 12] as $number) {
            for ($i = 0; $i < $number; $i++) {
                $user = $this->maker->completed($course, 1700000000);
                $DB->insert_record('course_modules_completion', (object) [
                    'coursemoduleid' => $page->cmid, 'userid' => $user->id, 'completionstate' => 1, 'timemodified' => 5,
                ]);
            }
            $this->maker->service_user();
            get_completions::execute();
            get_activities::execute();
            $before = $DB->perf_get_reads();
            $this->assertCount($number === 1 ? 1 : 13, get_completions::execute()['completions']);
            $this->assertCount($number === 1 ? 1 : 13, get_activities::execute()['activities']);
            $queries[] = $DB->perf_get_reads() - $before;
        }
        $this->assertSame($queries[0], $queries[1]);
    }

    /**
     * Activity completions page by page, by kind; those that are not complete are left out.
     */
    public function test_activities(): void {
        global $DB;
        $course = $this->maker->course();
        $page = $this->getDataGenerator()->create_module('page', ['course' => $course->id, 'name' => 'Reading']);
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $course->id, 'grade' => 10]);
        $user = $this->getDataGenerator()->create_and_enrol($course);
        $other = $this->getDataGenerator()->create_and_enrol($course);
        $states = [[$page, $user, 1], [$quiz, $user, 3], [$quiz, $other, 0]];
        foreach ($states as $i => [$module, $who, $state]) {
            $DB->insert_record('course_modules_completion', (object) [
                'coursemoduleid' => $module->cmid, 'userid' => $who->id, 'completionstate' => $state,
                'timemodified' => 1700000000 + $i,
            ]);
        }
        $item = \grade_item::fetch(['itemtype' => 'mod', 'itemmodule' => 'quiz', 'iteminstance' => $quiz->id,
            'courseid' => $course->id]);
        $item->gradepass = 8;
        $item->update();
        $item->update_final_grade($user->id, 4);
        $this->maker->service_user();
        $first = external_api::clean_returnvalue(get_activities::execute_returns(), get_activities::execute(0, 1));
        $this->assertSame([1, 2, true], [count($first['activities']), $first['total'], $first['more']]);
        $this->assertSame(
            [1, 1700000000, null],
            [$first['activities'][0]['state'], $first['activities'][0]['time'], $first['activities'][0]['grade']]
        );
        $this->assertSame('Reading', $first['modules'][0]['name']);
        $second = get_activities::execute($first['next'], 1);
        $this->assertSame([3, 0.4, false], [
            $second['activities'][0]['state'], $second['activities'][0]['grade'], $second['activities'][0]['passed'],
        ]);
        $this->assertFalse($second['more']);
        $pages = get_activities::execute(0, 10, 0, 0, ['page']);
        $this->assertSame([1, [(int) $page->cmid]], [$pages['total'], array_column($pages['activities'], 'cmid')]);
    }

    /**
     * Both are refused without the capability.
     *
     * @dataProvider functions
     * @param string $class
     */
    public function test_capability(string $class): void {
        $this->maker->service_user(['managebadges', 'setstatus']);
        $this->expectException(\required_capability_exception::class);
        $class::execute();
    }

    /**
     * The two functions.
     *
     * @return array
     */
    public static function functions(): array {
        return [[get_completions::class], [get_activities::class]];
    }
}
