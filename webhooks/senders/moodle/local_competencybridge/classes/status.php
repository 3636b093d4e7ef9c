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
 * What the profile page of a user says about their competencies, as the bridge told it.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class status {
    /** @var string its table */
    public const TABLE = 'local_competencybridge_stat';

    /** @var string[] the states that a line can have */
    public const STATES = ['current', 'due', 'gap', 'none'];

    /**
     * Whether something can be a link on a page. One without a host is none: Moodle's own class for
     * addresses takes it for a fault, and nobody could open that profile any more.
     *
     * @param string $url
     * @return bool
     */
    public static function is_link(string $url): bool {
        return preg_match('~^https?://~i', $url) && clean_param($url, PARAM_URL) !== ''
            && (string) parse_url($url, PHP_URL_HOST) !== '';
    }

    /**
     * Sets the status of users.
     *
     * @param array[] $statuses each with userid, url, updated, lines; no lines remove it
     * @return array[] each with userid, result
     */
    public static function set(array $statuses): array {
        global $DB;
        $userids = array_values(array_unique(array_column($statuses, 'userid')));
        if (!$userids) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal($userids, SQL_PARAMS_NAMED);
        $users = $DB->get_records_select('user', "id $in AND deleted = 0", $params, '', 'id');
        $known = [];
        foreach ($DB->get_records_select(self::TABLE, "userid $in", $params) as $row) {
            $known[$row->userid] = $row;
        }
        $transaction = $DB->start_delegated_transaction();
        $results = [];
        foreach ($statuses as $status) {
            $userid = $status['userid'];
            $result = 'nouser';
            if (isset($users[$userid])) {
                $result = self::set_one($status, $known) ? 'set' : 'unchanged';
            }
            $results[] = ['userid' => $userid, 'result' => $result];
        }
        $transaction->allow_commit();
        return $results;
    }

    /**
     * Sets the status of a user who exists.
     *
     * @param array $status
     * @param \stdClass[] $known rows by user id; kept up to date
     * @return bool whether anything changed
     */
    private static function set_one(array $status, array &$known): bool {
        global $DB;
        $userid = $status['userid'];
        $row = $known[$userid] ?? null;
        if (!$status['lines']) {
            if ($row) {
                $DB->delete_records(self::TABLE, ['id' => $row->id]);
                unset($known[$userid]);
            }
            return (bool) $row;
        }
        $new = (object) [
            'userid' => $userid,
            'url' => $status['url'],
            'statuslines' => json_encode($status['lines'], JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES),
            'timestatus' => $status['updated'],
            'timemodified' => time(),
        ];
        if (!$row) {
            $new->id = $DB->insert_record(self::TABLE, $new);
        } else {
            $new->id = $row->id;
            $same = $row->url === $new->url && $row->statuslines === $new->statuslines
                && $row->timestatus == $new->timestatus;
            if ($same) {
                return false;
            }
            $DB->update_record(self::TABLE, $new);
        }
        $known[$userid] = $new;
        return true;
    }

    /**
     * The status of a user.
     *
     * @param int $userid
     * @return array|null url, updated, lines; null where there is none
     */
    public static function get(int $userid): ?array {
        global $DB;
        $row = $DB->get_record(self::TABLE, ['userid' => $userid]);
        if (!$row) {
            return null;
        }
        return [
            'url' => $row->url,
            'updated' => (int) $row->timestatus,
            'lines' => json_decode($row->statuslines, true) ?: [],
        ];
    }

    /**
     * Removes the status of users.
     *
     * @param int[] $userids
     */
    public static function remove(array $userids): void {
        global $DB;
        $DB->delete_records_list(self::TABLE, 'userid', $userids);
    }
}
