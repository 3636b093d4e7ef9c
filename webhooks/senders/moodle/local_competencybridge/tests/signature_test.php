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
 * Tests of secrets and signatures.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers \local_competencybridge\signature
 */
final class signature_test extends \basic_testcase {
    /** @var string the secret of the specification's example */
    private const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

    /**
     * The example of the Standard Webhooks specification comes out as it is there.
     */
    public function test_known_vector(): void {
        $headers = signature::headers('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}', [self::SECRET]);
        $this->assertSame([
            'webhook-id' => 'msg_p5jXN8AQM9LWM0D4loKWxJek',
            'webhook-timestamp' => '1614265330',
            'webhook-signature' => 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
        ], $headers);
    }

    /**
     * While a secret is changed, both sign; the present one comes first.
     */
    public function test_two_secrets(): void {
        $new = 'whsec_' . base64_encode(str_repeat('n', 32));
        $both = signature::headers('msg_1', 1, '{}', [$new, self::SECRET])['webhook-signature'];
        $this->assertSame(
            signature::headers('msg_1', 1, '{}', [$new])['webhook-signature'] . ' ' .
                signature::headers('msg_1', 1, '{}', [self::SECRET])['webhook-signature'],
            $both
        );
    }

    /**
     * What is not a secret signs nothing.
     *
     * @dataProvider not_secrets
     * @param string $secret
     */
    public function test_not_a_secret(string $secret): void {
        $this->assertNull(signature::key($secret));
        $this->assertSame('', signature::headers('msg_1', 1, '{}', [$secret])['webhook-signature']);
    }

    /**
     * What is not a secret.
     *
     * @return array
     */
    public static function not_secrets(): array {
        return [
            'empty' => [''],
            'without its beginning' => [base64_encode(str_repeat('x', 32))],
            'not base64' => ['whsec_%%%'],
            'too short' => ['whsec_' . base64_encode(str_repeat('x', 23))],
            'too long' => ['whsec_' . base64_encode(str_repeat('x', 65))],
        ];
    }

    /**
     * The shortest and the longest secret, and one that was copied with a space.
     */
    public function test_secrets(): void {
        foreach ([24, 64] as $length) {
            $key = str_repeat('x', $length);
            $this->assertSame($key, signature::key(' whsec_' . base64_encode($key) . "\n"));
        }
    }
}
