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
use local_competencybridge\status;

/**
 * Tests of setting what profile pages say.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\external\set_status
 * @covers \local_competencybridge\status
 */
final class set_status_test extends \advanced_testcase {
    /**
     * Begins as the service user.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->getDataGenerator()->get_plugin_generator('local_competencybridge')->service_user();
    }

    /**
     * Sets the status of one user.
     *
     * @param int $userid
     * @param array $fields what differs
     * @return string the result
     */
    private function set(int $userid, array $fields = []): string {
        $status = $fields + [
            'userid' => $userid, 'url' => 'https://bridge.example.org/me', 'updated' => 1700000000,
            'lines' => [['title' => 'Level 1', 'text' => 'until May', 'state' => 'current']],
        ];
        $answer = external_api::clean_returnvalue(set_status::execute_returns(), set_status::execute([$status]));
        return $answer['results'][0]['result'];
    }

    /**
     * It is set, told to be unchanged, changed, and removed by no lines.
     */
    public function test_set(): void {
        $user = (int) $this->getDataGenerator()->create_user()->id;
        $this->assertSame('set', $this->set($user));
        $this->assertSame('unchanged', $this->set($user));
        $lines = [['title' => 'Level <2>', 'text' => 'é & "x"', 'state' => 'due']];
        $this->assertSame('set', $this->set($user, ['lines' => $lines]));
        $this->assertSame($lines, status::get($user)['lines']);
        $this->assertSame('set', $this->set($user, ['lines' => []]));
        $this->assertNull(status::get($user));
        $this->assertSame('unchanged', $this->set($user, ['lines' => []]));
    }

    /**
     * The same user twice in a call: the last one holds.
     */
    public function test_twice(): void {
        $user = (int) $this->getDataGenerator()->create_user()->id;
        $status = ['userid' => $user, 'url' => '', 'updated' => 1, 'lines' => [
            ['title' => 'A', 'text' => '', 'state' => 'gap'],
        ]];
        $second = ['updated' => 2] + $status;
        $this->assertSame(
            ['set', 'set', 'unchanged'],
            array_column(set_status::execute([$status, $second, $second])['results'], 'result')
        );
        $this->assertSame(2, status::get($user)['updated']);
    }

    /**
     * Users who do not exist, or no longer, have none.
     */
    public function test_nouser(): void {
        $gone = $this->getDataGenerator()->create_user();
        delete_user($gone);
        $this->assertSame('nouser', $this->set((int) $gone->id));
        $this->assertSame('nouser', $this->set(99999999));
    }

    /**
     * A link that is none, and a state that is none, are refused.
     *
     * @dataProvider wrong
     * @param array $fields
     * @param string $errorcode
     */
    public function test_refused(array $fields, string $errorcode): void {
        $user = (int) $this->getDataGenerator()->create_user()->id;
        try {
            $this->set($user, $fields);
            $this->fail('It is refused.');
        } catch (\moodle_exception $e) {
            $this->assertSame($errorcode, $e->errorcode);
        }
        $this->assertNull(status::get($user));
    }

    /**
     * What is refused.
     *
     * @return array
     */
    public static function wrong(): array {
        return [
            'a script' => [['url' => 'javascript:alert(1)'], 'errorlink'],
            'no host' => [['url' => 'http:///x'], 'errorlink'],
            'a file' => [['url' => 'ftp://example.org/x'], 'errorlink'],
            'a state' => [['lines' => [['title' => 'A', 'text' => '', 'state' => 'green']]], 'errorstate'],
        ];
    }

    /**
     * It is refused without the capability.
     */
    public function test_capability(): void {
        $this->getDataGenerator()->get_plugin_generator('local_competencybridge')->service_user(['readchanges']);
        $this->expectException(\required_capability_exception::class);
        set_status::execute([]);
    }
}
