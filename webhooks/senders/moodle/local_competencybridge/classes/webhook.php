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
 * Tells the bridge that something changed, so that it reads the outbox at once.
 *
 * A message holds ids and no contents. One that could not be delivered is sent again with the same id and the
 * same stretch of the outbox; what came later goes into the next one.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class webhook {
    /** @var int seconds for a whole request */
    private const TIMEOUT = 20;

    /** @var int seconds for the connection */
    private const CONNECT_TIMEOUT = 10;

    /** @var int messages that one run of the task sends at most */
    private const ROUNDS = 20;

    /**
     * Whether changes are announced: switched on, with an address and a secret.
     *
     * @return bool
     */
    public static function is_on(): bool {
        return get_config('local_competencybridge', 'webhookon') && self::url() !== '' && self::secrets();
    }

    /**
     * The address of the bridge for this Moodle.
     *
     * @return string '' where there is none
     */
    public static function url(): string {
        return trim((string) get_config('local_competencybridge', 'webhookurl'));
    }

    /**
     * The secrets that sign, the present one first.
     *
     * @return string[]
     */
    public static function secrets(): array {
        $secrets = [];
        foreach (['secret', 'secretold'] as $name) {
            $secret = trim((string) get_config('local_competencybridge', $name));
            if (signature::key($secret) !== null) {
                $secrets[] = $secret;
            }
        }
        return $secrets;
    }

    /**
     * Whether Moodle's own rules for outgoing requests forbid the address.
     *
     * @return bool
     */
    public static function is_blocked(): bool {
        return (new \core\files\curl_security_helper())->url_is_blocked(self::url());
    }

    /**
     * Queues the task that announces changes, unless one waits already.
     */
    public static function wake(): void {
        global $DB;
        if (!self::is_on()) {
            return;
        }
        // A task that has started may have read the outbox already, so it does not count.
        $where = 'classname = :classname AND timestarted IS NULL';
        if (isset($DB->get_columns('task_adhoc')['attemptsavailable'])) {
            // From Moodle 4.4 on: 0 for a task that is not tried again.
            $where .= ' AND (attemptsavailable IS NULL OR attemptsavailable > 0)';
        }
        if (!$DB->record_exists_select('task_adhoc', $where, ['classname' => '\\' . announce_changes::class])) {
            \core\task\manager::queue_adhoc_task(new announce_changes());
        }
    }

    /**
     * Announces everything that was not announced yet.
     *
     * @param callable|null $send what sends a message: given id and body, gives what send() gives; for tests
     * @return int how many messages were delivered
     * @throws \moodle_exception where one could not be delivered
     */
    public static function announce(?callable $send = null): int {
        $send = $send ?? [self::class, 'send'];
        for ($sent = 0; $sent < self::ROUNDS; $sent++) {
            $message = json_decode((string) get_config('local_competencybridge', 'pending'), true);
            $message = $message ?: self::next_message();
            if (!$message) {
                break;
            }
            set_config('pending', json_encode($message), 'local_competencybridge');
            $answer = $send($message['id'], $message['body']);
            if ($answer->code < 200 || $answer->code > 299) {
                set_config('lastfailure', json_encode([time(), $answer->code, $answer->error]), 'local_competencybridge');
                throw new \moodle_exception('errornotdelivered', 'local_competencybridge', '', self::in_words($answer));
            }
            set_config('announced', $message['last'], 'local_competencybridge');
            set_config('window', $message['window'], 'local_competencybridge');
            set_config('lastsuccess', time(), 'local_competencybridge');
            unset_config('pending', 'local_competencybridge');
        }
        return $sent;
    }

    /**
     * Sends a signed message that announces nothing.
     *
     * @return \stdClass as send() gives it
     */
    public static function ping(): \stdClass {
        $body = ['site' => get_config('local_competencybridge', 'site'), 'kind' => 'ping', 'sent' => time()];
        return self::send(self::new_id(), json_encode($body));
    }

    /**
     * What came of a message, in a few words for the log of a task.
     *
     * @param \stdClass $answer as send() gives it
     * @return string
     */
    public static function in_words(\stdClass $answer): string {
        return $answer->code ? "HTTP $answer->code" : $answer->error;
    }

    /**
     * The next message about changes.
     *
     * A row may appear after one with a higher id was announced. So what was seen of the last minutes is counted
     * each time, and when there is more of it at the next time, those minutes are announced again.
     *
     * @return array|null id, last, window, body; null where there is nothing to tell
     */
    private static function next_message(): ?array {
        global $DB;
        $now = time();
        $announced = (int) get_config('local_competencybridge', 'announced');
        [$since, $count] = json_decode((string) get_config('local_competencybridge', 'window'), true) ?: [$now, 0];
        $settled = outbox::settled($now);
        // One statement, so that all of it is true at one instant.
        $row = $DB->get_record_sql(
            "SELECT MIN(CASE WHEN id > :announced1 THEN id ELSE NULL END) AS lowest,
                    MAX(id) AS highest,
                    SUM(CASE WHEN id > :announced2 THEN 1 ELSE 0 END) AS number,
                    MIN(CASE WHEN timecreated >= :since1 THEN id ELSE NULL END) AS lowestagain,
                    SUM(CASE WHEN id <= :announced3 AND timecreated >= :since2 THEN 1 ELSE 0 END) AS again,
                    SUM(CASE WHEN timecreated >= :settled THEN 1 ELSE 0 END) AS recent
               FROM {" . outbox::TABLE . "}
              WHERE id > :announced4 OR timecreated >= :since3",
            [
                'announced1' => $announced, 'announced2' => $announced, 'announced3' => $announced,
                'announced4' => $announced, 'since1' => $since, 'since2' => $since, 'since3' => min($since, $settled),
                'settled' => $settled,
            ]
        );
        $late = $row->again > $count;
        if (!$row->number && !$late) {
            return null;
        }
        return [
            'id' => self::new_id(),
            'last' => max($announced, (int) $row->highest),
            'window' => json_encode([$settled, (int) $row->recent]),
            'body' => json_encode([
                'site' => get_config('local_competencybridge', 'site'),
                'kind' => 'changes',
                'first' => (int) ($late ? $row->lowestagain : $row->lowest),
                'last' => (int) $row->highest,
                'count' => (int) $row->number + ($late ? (int) $row->again : 0),
                'sent' => $now,
            ]),
        ];
    }

    /**
     * Posts a message. Redirections are not followed, and Moodle's rules for outgoing requests hold.
     *
     * @param string $id
     * @param string $body
     * @return \stdClass code (0 where there was no answer), body, error
     */
    public static function send(string $id, string $body): \stdClass {
        global $CFG;
        require_once($CFG->libdir . '/filelib.php');
        $curl = new \curl();
        $headers = ['Content-Type: application/json', 'Accept: application/json'];
        foreach (signature::headers($id, time(), $body, self::secrets()) as $name => $value) {
            $headers[] = "$name: $value";
        }
        $curl->setHeader($headers);
        $answer = $curl->post(self::url(), $body, [
            'CURLOPT_TIMEOUT' => self::TIMEOUT,
            'CURLOPT_CONNECTTIMEOUT' => self::CONNECT_TIMEOUT,
            'CURLOPT_FOLLOWLOCATION' => 0,
        ]);
        $info = $curl->get_info();
        return (object) [
            'code' => (int) ($info['http_code'] ?? 0),
            'body' => (string) $answer,
            'error' => (string) $curl->error,
        ];
    }

    /**
     * A name for a message that no other has.
     *
     * @return string
     */
    private static function new_id(): string {
        return 'msg_' . bin2hex(random_bytes(16));
    }
}
