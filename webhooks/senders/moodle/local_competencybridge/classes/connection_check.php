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

use core\output\notification;

/**
 * Tries the connection to the bridge for an administrator, and says what came back and what to do.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class connection_check {
    /**
     * Whether there is anything to try.
     *
     * @return bool
     */
    public static function is_possible(): bool {
        return webhook::url() !== '' && webhook::secrets();
    }

    /**
     * What stands in the way, before anything is sent.
     *
     * @return string[] HTML
     */
    public static function warnings(): array {
        $settings = (new \moodle_url('/admin/settings.php', ['section' => 'local_competencybridge']))->out();
        if (webhook::url() === '') {
            return [get_string('testnourl', 'local_competencybridge', $settings)];
        }
        $warnings = [];
        if (!webhook::secrets()) {
            $warnings[] = get_string('testnosecret', 'local_competencybridge', $settings);
        }
        if (webhook::is_blocked()) {
            $warnings[] = self::blocked();
        }
        if (stripos(webhook::url(), 'https://') !== 0) {
            $warnings[] = get_string('testnohttps', 'local_competencybridge', $settings);
        }
        if (!webhook::is_on() && self::is_possible()) {
            $warnings[] = get_string('testoff', 'local_competencybridge', $settings);
        }
        return $warnings;
    }

    /**
     * Sends a ping.
     *
     * @return \stdClass type (of a notification), text (HTML)
     */
    public static function run(): \stdClass {
        if (!self::is_possible() || webhook::is_blocked()) {
            return (object) [
                'type' => notification::NOTIFY_ERROR,
                'text' => get_string('testnotsent', 'local_competencybridge'),
            ];
        }
        return self::judge(webhook::ping());
    }

    /**
     * Says what an answer means.
     *
     * @param \stdClass $answer code, body, error
     * @return \stdClass type (of a notification), text (HTML)
     */
    public static function judge(\stdClass $answer): \stdClass {
        $told = json_decode($answer->body, true);
        $ok = $answer->code === 200 && is_array($told) && !empty($told['ok']);
        if ($ok) {
            $site = get_config('local_competencybridge', 'site');
            $known = (string) ($told['site'] ?? '');
            if ($known !== '' && $known !== $site) {
                $a = ['source' => s((string) ($told['source'] ?? '')), 'known' => s($known), 'site' => s($site)];
                return (object) [
                    'type' => notification::NOTIFY_WARNING,
                    'text' => get_string('testothersite', 'local_competencybridge', $a),
                ];
            }
            return (object) [
                'type' => notification::NOTIFY_SUCCESS,
                'text' => get_string('testok', 'local_competencybridge', s((string) ($told['source'] ?? ''))),
            ];
        }
        $a = ['code' => $answer->code, 'error' => s($answer->error), 'time' => userdate(time(), '', 'UTC')];
        $byclass = [0 => 'testnoanswer', 2 => 'testnotbridge', 3 => 'testredirect'];
        $bycode = [401 => 'test401', 404 => 'test404', 503 => 'test503'];
        $key = $bycode[$answer->code] ?? $byclass[intdiv($answer->code, 100)] ?? 'testother';
        return (object) [
            'type' => notification::NOTIFY_ERROR,
            'text' => get_string($key, 'local_competencybridge', $a),
        ];
    }

    /**
     * Where things stand, for people.
     *
     * @return string[] HTML by name
     */
    public static function state(): array {
        $config = get_config('local_competencybridge');
        $never = get_string('never');
        $failure = json_decode((string) ($config->lastfailure ?? ''), true);
        return [
            get_string('statesite', 'local_competencybridge') => s($config->site),
            get_string('stateurl', 'local_competencybridge') => s(webhook::url()) ?: '–',
            get_string('stateon', 'local_competencybridge') => webhook::is_on() ? get_string('yes') : get_string('no'),
            get_string('statelast', 'local_competencybridge') => outbox::last_id(),
            get_string('statesince', 'local_competencybridge') => userdate(outbox::complete_since()),
            get_string('stateannounced', 'local_competencybridge') => (int) ($config->announced ?? 0),
            get_string('statesuccess', 'local_competencybridge') =>
                empty($config->lastsuccess) ? $never : userdate($config->lastsuccess),
            get_string('statefailure', 'local_competencybridge') => $failure
                ? userdate($failure[0]) . ': ' . s($failure[1] ? "HTTP $failure[1]" : $failure[2])
                : $never,
        ];
    }

    /**
     * That Moodle's own rules forbid the address, and where they are.
     *
     * @return string HTML
     */
    private static function blocked(): string {
        return get_string('testblocked', 'local_competencybridge', [
            'url' => s(webhook::url()),
            'page' => (new \moodle_url('/admin/settings.php', ['section' => 'httpsecurity']))->out(),
        ]);
    }
}
