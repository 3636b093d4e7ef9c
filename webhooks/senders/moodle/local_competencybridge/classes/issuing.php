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

use core_badges\badge;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/badgeslib.php');

/**
 * Awards, renews, revokes and lists badges of the bridge.
 *
 * What is there is read in a few queries for a whole call; only what must change is written, each award in a
 * transaction of its own. A lock keeps two calls from doing the same at the same time.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class issuing {
    /** @var string table of the marks of what the bridge awarded */
    public const MARKS = 'local_competencybridge_award';

    /** @var int seconds to wait for another call that awards or revokes */
    private const PATIENCE = 30;

    /** @var \stdClass[] badges of the bridge, by key */
    private $badges;

    /** @var \stdClass[] users, by id: id, deleted */
    private $users = [];

    /** @var \stdClass[][] issued badges, by badge id and user id */
    private $issued = [];

    /** @var badge[] objects of Moodle, by badge id */
    private $objects = [];

    /**
     * Reads what a call is about.
     *
     * @param array[] $wanted each with key and userid
     */
    private function __construct(array $wanted) {
        global $CFG, $DB;
        $keys = array_column($wanted, 'key');
        $userids = array_values(array_unique(array_column($wanted, 'userid')));
        $this->badges = $keys ? badges::find($keys) : [];
        $badgeids = array_column($this->badges, 'id');
        if (!$userids || !$badgeids) {
            return;
        }
        [$in, $params] = $DB->get_in_or_equal($userids, SQL_PARAMS_NAMED);
        $this->users = $DB->get_records_select('user', "id $in", $params, '', 'id, deleted');
        unset($this->users[$CFG->siteguest]);
        [$inbadges, $badgeparams] = $DB->get_in_or_equal($badgeids, SQL_PARAMS_NAMED, 'badge');
        $rows = $DB->get_records_select('badge_issued', "userid $in AND badgeid $inbadges", $params + $badgeparams);
        foreach ($rows as $row) {
            $this->issued[$row->badgeid][$row->userid] = $row;
        }
    }

    /**
     * Awards badges, or gives those that are held the expiry that is wanted.
     *
     * @param array[] $awards each with key, userid, expires
     * @param bool $heldonly refuse who does not hold the badge
     * @return array[] results in the same order
     */
    public static function award(array $awards, bool $heldonly): array {
        return self::locked(static function () use ($awards, $heldonly): array {
            $call = new self($awards);
            $results = [];
            foreach ($awards as $award) {
                $results[] = $call->award_one($award, $heldonly);
            }
            return $results;
        });
    }

    /**
     * Revokes badges.
     *
     * @param array[] $revocations each with key, userid, reason
     * @return array[] results in the same order
     */
    public static function revoke(array $revocations): array {
        return self::locked(static function () use ($revocations): array {
            $call = new self($revocations);
            $results = [];
            foreach ($revocations as $revocation) {
                $results[] = $call->revoke_one($revocation);
            }
            return $results;
        });
    }

    /**
     * A page of who holds the badges of the bridge, by id.
     *
     * @param int $after only ids above this
     * @param int $limit at most so many
     * @param string[] $keys only these badges, none for all
     * @param int[] $userids only these users, none for all
     * @return array [list of issued badges, total of all pages]
     */
    public static function held(int $after, int $limit, array $keys, array $userids): array {
        global $DB;
        $where = '1 = 1';
        $params = [];
        if ($keys) {
            [$in, $inparams] = $DB->get_in_or_equal($keys, SQL_PARAMS_NAMED, 'key');
            $where .= " AND k.badgekey $in";
            $params += $inparams;
        }
        if ($userids) {
            [$in, $inparams] = $DB->get_in_or_equal($userids, SQL_PARAMS_NAMED, 'user');
            $where .= " AND bi.userid $in";
            $params += $inparams;
        }
        $from = "{badge_issued} bi JOIN {" . badges::TABLE . "} k ON k.badgeid = bi.badgeid";
        $total = $DB->count_records_sql("SELECT COUNT(bi.id) FROM $from WHERE $where", $params);
        $sql = "SELECT bi.id, k.badgekey, bi.badgeid, bi.userid, bi.dateissued, bi.dateexpire, bi.uniquehash,
                       mark.id AS mark
                  FROM $from
                  LEFT JOIN {" . self::MARKS . "} mark ON mark.issuedid = bi.id
                 WHERE $where AND bi.id > :after
              ORDER BY bi.id";
        $found = [];
        foreach ($DB->get_records_sql($sql, $params + ['after' => $after], 0, $limit) as $row) {
            $found[] = [
                'id' => (int) $row->id,
                'key' => $row->badgekey,
                'badgeid' => (int) $row->badgeid,
                'userid' => (int) $row->userid,
                'issued' => (int) $row->dateissued,
                'expires' => (int) $row->dateexpire,
                'hash' => $row->uniquehash,
                'ours' => $row->mark !== null,
            ];
        }
        return [$found, $total];
    }

    /**
     * Runs something while no other call awards or revokes.
     *
     * @param callable $work
     * @return array what it gave
     * @throws \moodle_exception where another call takes too long
     */
    public static function locked(callable $work): array {
        \core_php_time_limit::raise();
        $lock = \core\lock\lock_config::get_lock_factory('local_competencybridge')->get_lock('badges', self::PATIENCE);
        if (!$lock) {
            throw new \moodle_exception('errorbusy', 'local_competencybridge');
        }
        try {
            return $work();
        } finally {
            $lock->release();
        }
    }

    /**
     * Awards a badge, or gives the one that is held the expiry that is wanted.
     *
     * @param array $award key, userid, expires
     * @param bool $heldonly
     * @return array
     */
    private function award_one(array $award, bool $heldonly): array {
        ['key' => $key, 'userid' => $userid, 'expires' => $expires] = $award;
        $badge = $this->badges[$key] ?? null;
        if (!$badge || !$badge->present) {
            return $this->told($award, 'nobadge', null, get_string('errornobadge', 'local_competencybridge'));
        }
        $user = $this->users[$userid] ?? null;
        if (!$user) {
            return $this->told($award, 'nouser', null, get_string('errornouser', 'local_competencybridge'));
        }
        $held = $this->issued[$badge->id][$userid] ?? null;
        if ($user->deleted) {
            return $this->told($award, 'deleted', $held, get_string('errordeleted', 'local_competencybridge'));
        }
        if ($held && (int) $held->dateexpire === $expires) {
            return $this->told($award, 'unchanged', $held);
        }
        if (!$held && $heldonly) {
            return $this->told($award, 'notheld', null, get_string('errornotheld', 'local_competencybridge'));
        }
        if ($held) {
            return $this->told($award, 'renewed', $this->renew($badge, $held, $expires));
        }
        if (!badges::is_active($badge)) {
            return $this->told($award, 'nobadge', null, get_string('errorinactive', 'local_competencybridge'));
        }
        $object = $this->moodle_badge($badge->id);
        if (empty($object->criteria[BADGE_CRITERIA_TYPE_MANUAL]) || empty($object->criteria[BADGE_CRITERIA_TYPE_OVERALL])) {
            return $this->told($award, 'nobadge', null, get_string('errorcriterion', 'local_competencybridge'));
        }
        return $this->told($award, 'awarded', $this->issue($object, $userid, $expires));
    }

    /**
     * Issues a badge to somebody who does not hold it.
     *
     * @param badge $badge
     * @param int $userid
     * @param int $expires epoch, 0 for never
     * @return \stdClass the row of badge_issued
     */
    private function issue(badge $badge, int $userid, int $expires): \stdClass {
        global $DB, $USER;
        $now = time();
        $transaction = $DB->start_delegated_transaction();
        $manual = $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL];
        $roles = array_column($manual->params, 'role');
        foreach ($manual->method == BADGE_CRITERIA_AGGREGATION_ALL ? $roles : array_slice($roles, 0, 1) as $role) {
            $award = ['badgeid' => $badge->id, 'recipientid' => $userid, 'issuerrole' => $role];
            if (!$DB->record_exists('badge_manual_award', $award)) {
                $award += ['issuerid' => $USER->id, 'datemet' => $now];
                $DB->insert_record('badge_manual_award', (object) $award, false);
            }
        }
        $manual->mark_complete($userid);
        $badge->criteria[BADGE_CRITERIA_TYPE_OVERALL]->mark_complete($userid);
        // The badge itself says nothing of expiry; that of this one award is set on the object, which is never
        // saved from here on, so that the event, the image and the row all agree.
        $badge->expireperiod = null;
        $badge->expiredate = $expires ?: null;
        $badge->issue($userid);
        $issued = $DB->get_record('badge_issued', ['badgeid' => $badge->id, 'userid' => $userid], '*', MUST_EXIST);
        $DB->insert_record(self::MARKS, (object) [
            'issuedid' => $issued->id,
            'userid' => $userid,
            'badgeid' => $badge->id,
            'timecreated' => $now,
        ], false);
        $transaction->allow_commit();
        return $this->issued[$badge->id][$userid] = $issued;
    }

    /**
     * Gives a badge that is held another expiry; one that has expired counts as issued anew.
     *
     * @param \stdClass $badge as badges::find() gives it
     * @param \stdClass $held the row of badge_issued
     * @param int $expires epoch, 0 for never
     * @return \stdClass the row of badge_issued
     */
    private function renew(\stdClass $badge, \stdClass $held, int $expires): \stdClass {
        global $DB;
        $now = time();
        $transaction = $DB->start_delegated_transaction();
        if ($held->dateexpire && $held->dateexpire <= $now) {
            $held->dateissued = $now;
        }
        $held->dateexpire = $expires ?: null;
        $DB->update_record('badge_issued', (object) [
            'id' => $held->id,
            'dateissued' => $held->dateissued,
            'dateexpire' => $held->dateexpire,
        ]);
        // The image carries the dates inside it: it is made anew.
        self::remove_image($held);
        badges_bake($held->uniquehash, $badge->id, $held->userid, true);
        event\badge_renewed::create([
            'objectid' => $badge->id,
            'relateduserid' => $held->userid,
            'context' => \context_system::instance(),
            'other' => ['dateexpire' => $expires],
        ])->trigger();
        $transaction->allow_commit();
        return $held;
    }

    /**
     * Takes a badge away, and with it everything that would make Moodle award it again.
     *
     * @param array $revocation key, userid, reason
     * @return array
     */
    private function revoke_one(array $revocation): array {
        global $DB;
        ['key' => $key, 'userid' => $userid, 'reason' => $reason] = $revocation;
        $badge = $this->badges[$key] ?? null;
        $told = ['key' => $key, 'userid' => $userid, 'message' => ''];
        if (!$badge || $badge->status === null) {
            return ['result' => 'nobadge', 'message' => get_string('errornobadge', 'local_competencybridge')] + $told;
        }
        if (!isset($this->users[$userid])) {
            return ['result' => 'nouser', 'message' => get_string('errornouser', 'local_competencybridge')] + $told;
        }
        $held = $this->issued[$badge->id][$userid] ?? null;
        $transaction = $DB->start_delegated_transaction();
        $DB->delete_records('badge_manual_award', ['badgeid' => $badge->id, 'recipientid' => $userid]);
        $DB->delete_records_select(
            'badge_criteria_met',
            'userid = :userid AND critid IN (SELECT id FROM {badge_criteria} WHERE badgeid = :badgeid)',
            ['userid' => $userid, 'badgeid' => $badge->id]
        );
        if ($held) {
            $DB->delete_records('badge_issued', ['id' => $held->id]);
            $DB->delete_records(self::MARKS, ['issuedid' => $held->id]);
            self::remove_image($held);
            unset($this->issued[$badge->id][$userid]);
            $event = ['objectid' => $badge->id, 'relateduserid' => $userid, 'context' => \context_system::instance()];
            \core\event\badge_revoked::create($event)->trigger();
            event\badge_withdrawn::create($event + ['other' => ['reason' => clean_param($reason, PARAM_NOTAGS)]])->trigger();
        }
        $transaction->allow_commit();
        $ours = [BADGE_CRITERIA_TYPE_OVERALL, BADGE_CRITERIA_TYPE_MANUAL];
        if ($held && array_diff(array_keys($this->moodle_badge($badge->id)->criteria), $ours)) {
            $told['message'] = get_string('warnothercriteria', 'local_competencybridge');
        }
        return ['result' => $held ? 'revoked' : 'nothing'] + $told;
    }

    /**
     * The object that Moodle has for a badge, locked as Moodle wants it before anything is issued.
     *
     * @param int $badgeid
     * @return badge
     */
    private function moodle_badge(int $badgeid): badge {
        if (!isset($this->objects[$badgeid])) {
            $badge = new badge($badgeid);
            if ($badge->status == BADGE_STATUS_ACTIVE) {
                // Moodle does the same at the first award, and would save the expiry of that award with it.
                $badge->set_status(BADGE_STATUS_ACTIVE_LOCKED);
            }
            $this->objects[$badgeid] = $badge;
        }
        return $this->objects[$badgeid];
    }

    /**
     * Removes the image of an issued badge.
     *
     * @param \stdClass $held the row of badge_issued
     */
    private static function remove_image(\stdClass $held): void {
        $context = \context_user::instance($held->userid, IGNORE_MISSING);
        if (!$context) {
            return;
        }
        $file = get_file_storage()->get_file(
            $context->id,
            'badges',
            'userbadge',
            $held->badgeid,
            '/',
            $held->uniquehash . '.png'
        );
        if ($file) {
            $file->delete();
        }
    }

    /**
     * What came of an award, as the web service tells it.
     *
     * @param array $award
     * @param string $result
     * @param \stdClass|null $held the row of badge_issued
     * @param string $message
     * @return array
     */
    private function told(array $award, string $result, ?\stdClass $held, string $message = ''): array {
        return [
            'key' => $award['key'],
            'userid' => $award['userid'],
            'result' => $result,
            'issued' => (int) ($held->dateissued ?? 0),
            'expires' => (int) ($held->dateexpire ?? 0),
            'hash' => (string) ($held->uniquehash ?? ''),
            'message' => $message,
        ];
    }
}
