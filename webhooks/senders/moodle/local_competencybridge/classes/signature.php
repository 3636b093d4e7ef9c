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
 * Secrets and signatures of the Standard Webhooks specification (https://www.standardwebhooks.com).
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class signature {
    /** @var string what a secret begins with */
    private const PREFIX = 'whsec_';

    /**
     * The key inside a secret.
     *
     * @param string $secret "whsec_" and base64 of 24 to 64 bytes
     * @return string|null the bytes; null where it is not such a secret
     */
    public static function key(string $secret): ?string {
        $secret = trim($secret);
        if (strpos($secret, self::PREFIX) !== 0) {
            return null;
        }
        $key = base64_decode(substr($secret, strlen(self::PREFIX)), true);
        if ($key === false || strlen($key) < 24 || strlen($key) > 64) {
            return null;
        }
        return $key;
    }

    /**
     * The headers that go with a message.
     *
     * @param string $id the same at every attempt to send this message
     * @param int $timestamp of this attempt
     * @param string $body exactly as it is sent
     * @param string[] $secrets each signs; those that are not secrets do not
     * @return string[] by name
     */
    public static function headers(string $id, int $timestamp, string $body, array $secrets): array {
        $signatures = [];
        foreach ($secrets as $secret) {
            $key = self::key($secret);
            if ($key !== null) {
                $signatures[] = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
            }
        }
        return [
            'webhook-id' => $id,
            'webhook-timestamp' => (string) $timestamp,
            'webhook-signature' => implode(' ', $signatures),
        ];
    }
}
