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

use local_competencybridge\task\announce_changes;

/**
 * Tests of telling the bridge that something changed.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\webhook
 * @covers \local_competencybridge\connection_check
 */
final class webhook_test extends \advanced_testcase {
    /**
     * Switches it on.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $secret = 'whsec_' . base64_encode(str_repeat('s', 32));
        set_config('webhookon', 1, 'local_competencybridge');
        set_config('webhookurl', 'https://bridge.example.org/hooks/moodle/moodle', 'local_competencybridge');
        set_config('secret', $secret, 'local_competencybridge');
    }

    /**
     * Notes a change as an observer does.
     */
    private function change(): void {
        outbox::add(outbox::USER_UPDATED, ['userid' => 5]);
        webhook::wake();
    }

    /**
     * How many tasks wait or run.
     *
     * @return int
     */
    private function tasks(): int {
        return count(\core\task\manager::get_adhoc_tasks('\\' . announce_changes::class));
    }

    /**
     * One task for all changes until it starts; what changes after that gets another.
     */
    public function test_one_task_for_all(): void {
        global $DB;
        $this->change();
        $this->change();
        $this->assertSame(1, $this->tasks());
        $DB->set_field('task_adhoc', 'timestarted', time(), ['classname' => '\\' . announce_changes::class]);
        $this->change();
        $this->change();
        $this->assertSame(2, $this->tasks());
    }

    /**
     * Switched off, without an address or without a secret, nothing is queued.
     *
     * @dataProvider missing
     * @param string $name of a setting
     */
    public function test_off(string $name): void {
        set_config($name, '', 'local_competencybridge');
        $this->assertFalse(webhook::is_on());
        $this->change();
        $this->assertSame(0, $this->tasks());
        $this->expectOutputRegex('/switched off/');
        (new announce_changes())->execute();
    }

    /**
     * What it does not work without.
     *
     * @return array
     */
    public static function missing(): array {
        return [['webhookon'], ['webhookurl'], ['secret']];
    }

    /**
     * A message names the stretch of the outbox, and nobody; delivered once, it is not sent again.
     */
    public function test_announce(): void {
        $this->change();
        $this->change();
        $last = outbox::last_id();
        $sent = [];
        $send = static function (string $id, string $body) use (&$sent): \stdClass {
            $sent[] = [$id, json_decode($body, true)];
            return (object) ['code' => 202, 'body' => '', 'error' => ''];
        };
        $this->assertSame(1, webhook::announce($send));
        [[$id, $body]] = $sent;
        $this->assertStringStartsWith('msg_', $id);
        $this->assertEqualsWithDelta(time(), $body['sent'], 60);
        unset($body['sent']);
        $this->assertSame([
            'site' => get_config('local_competencybridge', 'site'),
            'kind' => 'changes',
            'first' => $last - 1,
            'last' => $last,
            'count' => 2,
        ], $body);
        $this->change();
        webhook::announce($send);
        $this->assertCount(2, $sent);
        $this->assertSame([$last + 1, $last + 1, 1], [$sent[1][1]['first'], $sent[1][1]['last'], $sent[1][1]['count']]);
    }

    /**
     * What could not be delivered is sent again as it was, then what came after it.
     */
    public function test_again(): void {
        $this->change();
        $sent = [];
        $code = 503;
        $send = static function (string $id, string $body) use (&$sent, &$code): \stdClass {
            $sent[] = [$id, $body];
            return (object) ['code' => $code, 'body' => '', 'error' => ''];
        };
        try {
            webhook::announce($send);
            $this->fail('A message that was not delivered fails the task.');
        } catch (\moodle_exception $e) {
            $this->assertStringContainsString('HTTP 503', $e->getMessage());
        }
        $this->change();
        $code = 202;
        $this->assertSame(2, webhook::announce($send));
        $this->assertSame($sent[0], $sent[1]);
        $this->assertNotSame($sent[1][0], $sent[2][0]);
        $this->assertSame(json_decode($sent[1][1])->last + 1, json_decode($sent[2][1])->first);
    }

    /**
     * A change that appears after one with a higher id was announced is announced too, and only once.
     */
    public function test_committed_late(): void {
        global $DB;
        $sent = [];
        $send = static function (string $id, string $body) use (&$sent): \stdClass {
            $sent[] = json_decode($body);
            return (object) ['code' => 202, 'body' => '', 'error' => ''];
        };
        $this->change();
        webhook::announce($send);
        $this->change();
        $late = $DB->get_record(outbox::TABLE, ['id' => outbox::last_id()]);
        $DB->delete_records(outbox::TABLE, ['id' => $late->id]);
        $this->change();
        webhook::announce($send);
        $this->assertSame([$late->id + 1, $late->id + 1, 1], [$sent[1]->first, $sent[1]->last, $sent[1]->count]);
        $this->assertSame(0, webhook::announce($send));
        $DB->import_record(outbox::TABLE, $late);
        $this->assertSame(1, webhook::announce($send));
        $this->assertLessThanOrEqual($late->id, $sent[2]->first);
        $this->assertGreaterThanOrEqual($late->id, $sent[2]->last);
        $this->assertSame(0, webhook::announce($send));
    }

    /**
     * What was noted while nothing was announced, also long ago, is announced when it is switched on.
     */
    public function test_switched_on_later(): void {
        global $DB;
        $this->change();
        $this->change();
        $DB->set_field_select(outbox::TABLE, 'timecreated', time() - WEEKSECS, '1 = 1');
        $sent = [];
        $send = static function (string $id, string $body) use (&$sent): \stdClass {
            $sent[] = json_decode($body);
            return (object) ['code' => 202, 'body' => '', 'error' => ''];
        };
        $this->assertSame(1, webhook::announce($send));
        $this->assertSame([outbox::last_id() - 1, 2], [$sent[0]->first, $sent[0]->count]);
        $this->assertSame(0, webhook::announce($send));
    }

    /**
     * Every answer is told in words that say what to do.
     *
     * @dataProvider answers
     * @param int $code
     * @param string $body
     * @param string $type
     * @param string $words
     */
    public function test_answers(int $code, string $body, string $type, string $words): void {
        set_config('site', 'abc', 'local_competencybridge');
        $told = connection_check::judge((object) ['code' => $code, 'body' => $body, 'error' => 'Timed <out>']);
        $this->assertSame($type, $told->type);
        $this->assertStringContainsString($words, $told->text);
        $this->assertStringNotContainsString('<', $told->text);
    }

    /**
     * Answers of a bridge, and of what is none.
     *
     * @return array
     */
    public static function answers(): array {
        return [
            'right' => [200, '{"ok": true, "source": "moodle", "site": "abc"}', 'success', 'as "moodle"'],
            'another' => [200, '{"ok": true, "source": "<b>", "site": "def"}', 'warning', 'another Moodle (def; this one is abc)'],
            'not the bridge' => [200, '<html>', 'error', 'not the bridge'],
            'taken, not answered' => [202, '', 'error', 'not the bridge'],
            'elsewhere' => [301, '', 'error', 'final address'],
            'wrong secret' => [401, '', 'error', 'secret'],
            'wrong address' => [404, '', 'error', '/hooks/moodle/'],
            'too much' => [503, '', 'error', 'in a few minutes'],
            'broken' => [500, '', 'error', 'HTTP 500'],
            'no answer' => [0, '', 'error', 'Timed &lt;out&gt;'],
        ];
    }

    /**
     * An address that Moodle's own rules forbid is not asked, and the page says where the rules are.
     */
    public function test_blocked(): void {
        set_config('webhookurl', 'https://10.1.2.3/hooks/moodle/moodle', 'local_competencybridge');
        $this->assertSame([], connection_check::warnings());
        set_config('curlsecurityblockedhosts', "10.0.0.0/8");
        $this->assertStringContainsString('section=httpsecurity', connection_check::warnings()[0]);
        $this->assertStringContainsString('Nothing was sent', connection_check::run()->text);
    }

    /**
     * Only a secret, or nothing, can be saved as one.
     */
    public function test_secret_setting(): void {
        $setting = new admin\setting_secret('local_competencybridge/secret', '', '', '');
        $this->assertNotSame('', $setting->write_setting('secret'));
        $this->assertSame('', $setting->write_setting(''));
        $this->assertSame([], webhook::secrets());
    }
}
