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

namespace local_competencybridge\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use local_competencybridge\issuing;
use local_competencybridge\outbox;
use local_competencybridge\status;

/**
 * Tests of what people are told is kept about them, and of its deletion.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\privacy\provider
 */
final class provider_test extends \core_privacy\tests\provider_testcase {
    /**
     * A user about whom everything is kept.
     *
     * @return \stdClass
     */
    private function known(): \stdClass {
        global $DB;
        $user = $this->getDataGenerator()->create_user();
        $line = ['title' => 'Level 1', 'text' => 'until May', 'state' => 'current'];
        status::set([['userid' => (int) $user->id, 'url' => 'https://b.example.org', 'updated' => 5, 'lines' => [$line]]]);
        outbox::add(outbox::COURSE_COMPLETED, ['userid' => $user->id, 'courseid' => 7]);
        $DB->insert_record(issuing::MARKS, (object) [
            'issuedid' => 1000 + $user->id, 'userid' => $user->id, 'badgeid' => 3, 'timecreated' => 9,
        ]);
        return $user;
    }

    /**
     * How many rows there are about a user.
     *
     * @param \stdClass $user
     * @return int
     */
    private function rows(\stdClass $user): int {
        global $DB;
        $number = 0;
        foreach ([outbox::TABLE, issuing::MARKS, status::TABLE] as $table) {
            $number += $DB->count_records($table, ['userid' => $user->id]);
        }
        return $number;
    }

    /**
     * Every table with a user, and what leaves the site, are named.
     */
    public function test_metadata(): void {
        $names = array_map(static function ($item): string {
            return $item->get_name();
        }, provider::get_metadata(new collection('local_competencybridge'))->get_collection());
        $this->assertEqualsCanonicalizing(
            [outbox::TABLE, issuing::MARKS, status::TABLE, 'bridge', 'core_badges'],
            $names
        );
    }

    /**
     * Everything is in the context of the user, and only there.
     */
    public function test_contexts(): void {
        $this->resetAfterTest();
        $user = $this->known();
        $other = $this->getDataGenerator()->create_user();
        $context = \context_user::instance($user->id);
        $this->assertEquals([$context->id], provider::get_contexts_for_userid($user->id)->get_contextids());
        $this->assertSame([], provider::get_contexts_for_userid($other->id)->get_contextids());
        $list = new userlist($context, 'local_competencybridge');
        provider::get_users_in_context($list);
        $this->assertEquals([$user->id], $list->get_userids());
        $list = new userlist(\context_system::instance(), 'local_competencybridge');
        provider::get_users_in_context($list);
        $this->assertSame([], $list->get_userids());
    }

    /**
     * A user is given all of it.
     */
    public function test_export(): void {
        $this->resetAfterTest();
        $user = $this->known();
        $context = \context_user::instance($user->id);
        $this->export_context_data_for_user($user->id, $context, 'local_competencybridge');
        $writer = writer::with_context($context);
        $status = $writer->get_data(['Competency Bridge', 'Competency status']);
        $this->assertSame('until May', $status->lines[0]['text']);
        $this->assertSame('https://b.example.org', $status->url);
        $this->assertEquals(3, $writer->get_data(['Competency Bridge', 'Badges awarded by the bridge'])->awards[0]->badgeid);
        $changes = $writer->get_data(['Competency Bridge', 'Changes noted for the bridge'])->changes;
        $this->assertEquals(7, $changes[0]->courseid);
    }

    /**
     * Each of the three ways to delete takes all of one user and nothing of another.
     */
    public function test_delete(): void {
        $this->resetAfterTest();
        $ways = [
            static function (\stdClass $user, \context $context): void {
                provider::delete_data_for_user(new approved_contextlist($user, 'local_competencybridge', [$context->id]));
            },
            static function (\stdClass $user, \context $context): void {
                provider::delete_data_for_users(new approved_userlist($context, 'local_competencybridge', [$user->id]));
            },
            static function (\stdClass $user, \context $context): void {
                provider::delete_data_for_all_users_in_context($context);
            },
        ];
        $other = $this->known();
        foreach ($ways as $delete) {
            $user = $this->known();
            $this->assertSame(3, $this->rows($user));
            $delete($user, \context_system::instance());
            $this->assertSame(3, $this->rows($user));
            $delete($user, \context_user::instance($user->id));
            $this->assertSame(0, $this->rows($user));
            $this->assertSame(3, $this->rows($other));
        }
    }
}
