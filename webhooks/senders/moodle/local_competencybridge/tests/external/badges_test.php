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

use core_badges\badge;
use core_external\external_api;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/badgeslib.php');
require_once($CFG->dirroot . '/badges/lib/awardlib.php');

/**
 * Tests of the badges: made, awarded, renewed, revoked and listed.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\badges
 * @covers \local_competencybridge\issuing
 * @covers \local_competencybridge\external\save_badges
 * @covers \local_competencybridge\external\award_badges
 * @covers \local_competencybridge\external\renew_badges
 * @covers \local_competencybridge\external\revoke_badges
 * @covers \local_competencybridge\external\list_badges
 */
final class badges_test extends \advanced_testcase {
    /** @var \stdClass the service user */
    private $service;

    /**
     * Begins as the service user.
     */
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->service = $this->getDataGenerator()->get_plugin_generator('local_competencybridge')->service_user();
    }

    /**
     * Saves one badge.
     *
     * @param array $fields what differs
     * @return array
     */
    private function save(array $fields = []): array {
        $badge = $fields + [
            'key' => 'core', 'name' => 'Core', 'description' => 'Shown and verified', 'image' => '', 'criteria_text' => 'By two',
        ];
        return external_api::clean_returnvalue(save_badges::execute_returns(), save_badges::execute([$badge]))['badges'][0];
    }

    /**
     * Awards the badge to one user.
     *
     * @param int $userid
     * @param int $expires
     * @param string $class award_badges or renew_badges
     * @return array
     */
    private function award(int $userid, int $expires = 0, string $class = award_badges::class): array {
        $award = ['key' => 'core', 'userid' => $userid, 'expires' => $expires];
        return external_api::clean_returnvalue($class::execute_returns(), $class::execute([$award]))['results'][0];
    }

    /**
     * Revokes the badge from one user.
     *
     * @param int $userid
     * @return array
     */
    private function revoke(int $userid): array {
        $revocation = ['key' => 'core', 'userid' => $userid, 'reason' => 'Verified in error'];
        return external_api::clean_returnvalue(
            revoke_badges::execute_returns(),
            revoke_badges::execute([$revocation])
        )['results'][0];
    }

    /**
     * Lists badges.
     *
     * @param mixed ...$arguments
     * @return array
     */
    private function list_all(...$arguments): array {
        return external_api::clean_returnvalue(list_badges::execute_returns(), list_badges::execute(...$arguments));
    }

    /**
     * Runs the task by which Moodle awards badges.
     */
    private function cron(): void {
        ob_start();
        (new \core\task\badges_cron_task())->execute();
        ob_end_clean();
    }

    /**
     * A new user's id.
     *
     * @return int
     */
    private function user(): int {
        return (int) $this->getDataGenerator()->create_user()->id;
    }

    /**
     * A badge is made once, active, with an image and a manual criterion and no other.
     */
    public function test_save(): void {
        global $DB;
        $saved = $this->save();
        $this->assertSame([true, true, true], [$saved['created'], $saved['changed'], $saved['active']]);
        $badge = new badge($saved['id']);
        $this->assertEquals(BADGE_TYPE_SITE, $badge->type);
        $this->assertSame(['Core', 'Shown and verified'], [$badge->name, $badge->description]);
        $this->assertEqualsCanonicalizing(
            [BADGE_CRITERIA_TYPE_OVERALL, BADGE_CRITERIA_TYPE_MANUAL],
            array_keys($badge->criteria)
        );
        $this->assertSame('By two', $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL]->description);
        $image = get_file_storage()->get_file(
            \context_system::instance()->id,
            'badges',
            'badgeimage',
            $saved['id'],
            '/',
            'f1.png'
        );
        $this->assertNotFalse($image);

        $again = $this->save();
        $this->assertSame([$saved['id'], false, false, true], [
            $again['id'], $again['created'], $again['changed'], $again['active'],
        ]);
        $this->assertSame(1, $DB->count_records('badge'));
    }

    /**
     * What differs is changed, also after it was awarded and when somebody disabled it; the rest stays.
     */
    public function test_save_changes(): void {
        $saved = $this->save();
        $this->award($this->user());
        $this->assertTrue($this->save(['name' => 'Core 2'])['changed']);
        $this->assertTrue($this->save(['name' => 'Core 2', 'criteria_text' => 'By three'])['changed']);
        $badge = new badge($saved['id']);
        $this->assertSame('Core 2', $badge->name);
        $this->assertSame('By three', $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL]->description);
        $this->assertTrue($badge->is_locked());
        $badge->set_status(BADGE_STATUS_INACTIVE_LOCKED);
        $found = $this->save(['name' => 'Core 2', 'criteria_text' => 'By three']);
        $this->assertSame([true, true], [$found['changed'], $found['active']]);
        $this->assertFalse($this->save(['name' => 'Core 2', 'criteria_text' => 'By three'])['changed']);
    }

    /**
     * An image is set when it is another, kept when none is given, and refused when it is none.
     */
    public function test_image(): void {
        global $CFG;
        $png = base64_encode(file_get_contents($CFG->dirroot . '/badges/tests/behat/badge.png'));
        $saved = $this->save();
        $file = function () use ($saved): string {
            return get_file_storage()->get_file(
                \context_system::instance()->id,
                'badges',
                'badgeimage',
                $saved['id'],
                '/',
                'f3.png'
            )->get_contenthash();
        };
        $default = $file();
        $this->assertTrue($this->save(['image' => $png])['changed']);
        $this->assertNotSame($default, $file());
        $this->assertFalse($this->save(['image' => $png])['changed']);
        $this->assertFalse($this->save(['image' => ''])['changed']);
        $this->assertNotSame($default, $file());
        foreach (['%%%', base64_encode('GIF89a'), base64_encode(str_repeat('x', 2000000))] as $bad) {
            try {
                $this->save(['key' => 'other', 'image' => $bad]);
                $this->fail('Not an image.');
            } catch (\moodle_exception $e) {
                $this->assertSame('errorimage', $e->errorcode);
            }
        }
        $this->assertSame(['core'], array_column($this->list_all()['badges'], 'key'));
    }

    /**
     * A badge that somebody deleted is made anew, whether what was issued was deleted with it or kept.
     *
     * @dataProvider deletions
     * @param bool $archive
     */
    public function test_deleted_by_hand(bool $archive): void {
        $saved = $this->save();
        $user = $this->user();
        $this->award($user);
        (new badge($saved['id']))->delete($archive);
        $this->assertSame([[false, false]], array_map(static function (array $badge): array {
            return [$badge['exists'], $badge['active']];
        }, $this->list_all()['badges']));
        $this->assertSame('nobadge', $this->award($user)['result']);
        $again = $this->save();
        $this->assertTrue($again['created']);
        $this->assertNotSame($saved['id'], $again['id']);
        $this->assertSame('awarded', $this->award($user)['result']);
    }

    /**
     * The two ways to delete a badge.
     *
     * @return array
     */
    public static function deletions(): array {
        return [[true], [false]];
    }

    /**
     * A badge is awarded once, with its expiry in the row, the event and nowhere in the badge itself.
     */
    public function test_award(): void {
        global $DB;
        $saved = $this->save();
        $user = $this->user();
        $expires = time() + YEARSECS;
        $events = $this->redirectEvents();
        $result = $this->award($user, $expires);
        $this->assertSame(['awarded', $expires, ''], [$result['result'], $result['expires'], $result['message']]);
        $awarded = array_values(array_filter($events->get_events(), static function ($event): bool {
            return $event instanceof \core\event\badge_awarded;
        }));
        $this->assertSame($expires, $awarded[0]->other['dateexpire']);
        $events->close();
        $row = $DB->get_record('badge_issued', ['badgeid' => $saved['id'], 'userid' => $user], '*', MUST_EXIST);
        $this->assertEquals([$expires, $result['hash']], [$row->dateexpire, $row->uniquehash]);
        $badge = new badge($saved['id']);
        $this->assertEmpty($badge->expiredate);
        $this->assertTrue($badge->is_locked());
        $this->assertSame(1, $DB->count_records('badge_manual_award', ['recipientid' => $user]));

        $again = $this->award($user, $expires);
        $this->assertSame(['unchanged', $result['hash'], $result['issued']], [
            $again['result'], $again['hash'], $again['issued'],
        ]);
        // The expiry of one is not that of the next.
        $this->assertSame(0, $this->award($this->user())['expires']);
        $this->cron();
        $this->assertSame(2, $this->list_all()['total']);
    }

    /**
     * Nobody is told twice: another expiry sends no message.
     */
    public function test_messages(): void {
        $this->preventResetByRollback();
        $this->save();
        $user = $this->user();
        $sink = $this->redirectMessages();
        $this->award($user, time() + 1000);
        $this->assertCount(1, $sink->get_messages());
        $sink->clear();
        $this->award($user, time() + 2000);
        $this->assertCount(0, $sink->get_messages());
    }

    /**
     * A badge that is valid keeps its day of issue when it is renewed; an expired one is issued anew; both their link.
     */
    public function test_renew(): void {
        global $DB;
        $this->save();
        $user = $this->user();
        $first = $this->award($user, time() + 1000);
        $yesterday = time() - DAYSECS;
        $DB->set_field('badge_issued', 'dateissued', $yesterday, ['userid' => $user]);
        $later = time() + YEARSECS;
        $events = $this->redirectEvents();
        $renewed = $this->award($user, $later, renew_badges::class);
        $this->assertSame(['renewed', $yesterday, $later, $first['hash']], [
            $renewed['result'], $renewed['issued'], $renewed['expires'], $renewed['hash'],
        ]);
        $this->assertContainsOnlyInstancesOf(\local_competencybridge\event\badge_renewed::class, $events->get_events());
        $this->assertSame('unchanged', $this->award($user, $later, renew_badges::class)['result']);

        $DB->set_field('badge_issued', 'dateexpire', time() - 5, ['userid' => $user]);
        $renewed = $this->award($user, $later);
        $this->assertSame(['renewed', $later, $first['hash']], [
            $renewed['result'], $renewed['expires'], $renewed['hash'],
        ]);
        $this->assertGreaterThan($yesterday, $renewed['issued']);
        // What is inside the image agrees.
        $image = get_file_storage()->get_file(
            \context_user::instance($user)->id,
            'badges',
            'userbadge',
            $this->list_all()['badges'][0]['id'],
            '/',
            $first['hash'] . '.png'
        )->get_content();
        $this->assertStringContainsString(date('Y', $later), $image);
        $this->assertSame(0, $this->award($user, 0)['expires']);
    }

    /**
     * Who does not hold the badge is not renewed; who does not exist, or was deleted, gets none.
     */
    public function test_refusals(): void {
        $this->assertSame('nobadge', $this->award($this->user())['result']);
        $saved = $this->save();
        $this->assertSame('notheld', $this->award($this->user(), 0, renew_badges::class)['result']);
        $this->assertSame('nouser', $this->award(99999999)['result']);
        $this->assertSame('nouser', $this->award((int) guest_user()->id)['result']);
        $gone = $this->getDataGenerator()->create_user();
        delete_user($gone);
        $this->assertSame('deleted', $this->award((int) $gone->id)['result']);
        (new badge($saved['id']))->set_status(BADGE_STATUS_INACTIVE);
        $refused = $this->award($this->user());
        $this->assertSame('nobadge', $refused['result']);
        $this->assertStringContainsString('disabled', $refused['message']);
        $this->assertSame(0, $this->list_all()['total']);
    }

    /**
     * What is revoked is gone, and Moodle does not award it again; it can be awarded anew.
     */
    public function test_revoke(): void {
        global $DB;
        $saved = $this->save();
        $user = $this->user();
        $this->award($user, time() + 1000);
        $events = $this->redirectEvents();
        $this->assertSame('revoked', $this->revoke($user)['result']);
        $triggered = $events->get_events();
        $classes = array_map('get_class', $triggered);
        $this->assertContains(\core\event\badge_revoked::class, $classes);
        $this->assertContains(\local_competencybridge\event\badge_withdrawn::class, $classes);
        $this->assertStringContainsString('Verified in error', end($triggered)->get_description());
        $events->close();
        $this->cron();
        $traces = ['badge_issued' => 'userid', 'badge_manual_award' => 'recipientid', 'badge_criteria_met' => 'userid'];
        foreach ($traces as $table => $field) {
            $this->assertSame(0, $DB->count_records($table, [$field => $user]), $table);
        }
        $this->assertSame('nothing', $this->revoke($user)['result']);
        $this->assertSame('nouser', $this->revoke(99999999)['result']);
        $this->assertSame('awarded', $this->award($user)['result']);
        $this->assertTrue((new badge($saved['id']))->is_issued($user));
    }

    /**
     * Badges that are not the bridge's cannot be revoked through it, and other holders are left alone.
     */
    public function test_revoke_only_ours(): void {
        $this->save();
        [$one, $two] = [$this->user(), $this->user()];
        $this->award($one);
        $this->award($two);
        $generator = $this->getDataGenerator()->get_plugin_generator('core_badges');
        $foreign = $generator->create_badge(['name' => 'Theirs', 'type' => BADGE_TYPE_SITE, 'status' => BADGE_STATUS_ACTIVE]);
        $foreign->issue($one, true);
        $this->revoke($one);
        $this->assertTrue((new badge($foreign->id))->is_issued($one));
        $this->assertSame([$two], array_column($this->list_all()['issued'], 'userid'));
    }

    /**
     * Where somebody added a criterion by hand, the answer warns that Moodle may award it again.
     */
    public function test_other_criteria(): void {
        $saved = $this->save();
        $cohort = $this->getDataGenerator()->create_cohort();
        \award_criteria::build(['criteriatype' => BADGE_CRITERIA_TYPE_COHORT, 'badgeid' => $saved['id']])
            ->save(['agg' => BADGE_CRITERIA_AGGREGATION_ALL, 'cohort_cohorts' => [$cohort->id]]);
        $user = $this->user();
        $this->award($user);
        $this->assertStringContainsString('other criteria', $this->revoke($user)['message']);
    }

    /**
     * What was awarded by hand is listed as such, and counts as held.
     */
    public function test_by_hand(): void {
        $saved = $this->save();
        [$ours, $byhand] = [$this->user(), $this->user()];
        $this->award($ours);
        $badge = new badge($saved['id']);
        $role = array_key_first($badge->criteria[BADGE_CRITERIA_TYPE_MANUAL]->params);
        process_manual_award($byhand, get_admin()->id, $role, $saved['id']);
        badges_award_handle_manual_criteria_review((object) [
            'crit' => $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL], 'userid' => $byhand,
        ]);
        $this->assertSame([$ours => true, $byhand => false], array_column($this->list_all()['issued'], 'ours', 'userid'));
        $this->assertSame('unchanged', $this->award($byhand)['result']);
        $this->assertSame('revoked', $this->revoke($byhand)['result']);
        $this->cron();
        $this->assertSame([$ours], array_column($this->list_all()['issued'], 'userid'));
    }

    /**
     * Pages follow each other; keys and users narrow the rows and the total alike.
     */
    public function test_list(): void {
        $this->save();
        $this->save(['key' => 'other', 'name' => 'Other']);
        $users = [$this->user(), $this->user(), $this->user()];
        foreach ($users as $user) {
            $this->award($user);
        }
        award_badges::execute([['key' => 'other', 'userid' => $users[0], 'expires' => 0]]);
        $first = $this->list_all(0, 3);
        $second = $this->list_all($first['next'], 3);
        $this->assertSame([3, true, 1, false, 4, 4], [
            count($first['issued']), $first['more'], count($second['issued']), $second['more'],
            $first['total'], $second['total'],
        ]);
        $this->assertSame(1, $this->list_all(0, 10, ['other'])['total']);
        $this->assertSame(['other'], array_column($this->list_all(0, 10, ['other'])['badges'], 'key'));
        $this->assertSame(2, $this->list_all(0, 10, [], [$users[0]])['total']);
    }

    /**
     * One call does not hold up all others for an hour.
     *
     * @dataProvider too_many
     * @param string $class
     * @param array $row
     */
    public function test_too_many(string $class, array $row): void {
        try {
            $class::execute(array_fill(0, 1001, $row));
            $this->fail('It is refused.');
        } catch (\moodle_exception $e) {
            $this->assertSame('errortoomany', $e->errorcode);
        }
    }

    /**
     * The functions that take lists.
     *
     * @return array
     */
    public static function too_many(): array {
        $award = ['key' => 'core', 'userid' => 1, 'expires' => 0];
        return [
            [award_badges::class, $award], [renew_badges::class, $award],
            [revoke_badges::class, ['key' => 'core', 'userid' => 1]],
            [save_badges::class, ['key' => 'core', 'name' => 'Core', 'description' => 'Core']],
            [set_status::class, ['userid' => 1, 'updated' => 1]],
        ];
    }

    /**
     * All five are refused without the capability.
     *
     * @dataProvider functions
     * @param string $class
     * @param array $arguments
     */
    public function test_capability(string $class, array $arguments): void {
        $this->getDataGenerator()->get_plugin_generator('local_competencybridge')->service_user(['readchanges', 'setstatus']);
        $this->expectException(\required_capability_exception::class);
        $class::execute(...$arguments);
    }

    /**
     * The functions and what they need.
     *
     * @return array
     */
    public static function functions(): array {
        return [
            [save_badges::class, [[]]], [award_badges::class, [[]]], [renew_badges::class, [[]]],
            [revoke_badges::class, [[]]], [list_badges::class, []],
        ];
    }
}
