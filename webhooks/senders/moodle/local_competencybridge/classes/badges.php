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
 * The site badges of the bridge: each is found again by its key, and has a manual criterion and no other.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class badges {
    /** @var string its table */
    public const TABLE = 'local_competencybridge_badge';

    /** @var int the most bytes that an image may have */
    public const IMAGE_BYTES = 1048576;

    /**
     * Badges of the bridge, with what Moodle has of them.
     *
     * @param string[] $keys only these, none for all
     * @return \stdClass[] by key: id (of the badge), badgekey, imagehash, recordid, name, status, present (bool)
     */
    public static function find(array $keys = []): array {
        global $DB;
        [$in, $params] = ['', []];
        if ($keys) {
            [$in, $params] = $DB->get_in_or_equal(array_values(array_unique($keys)), SQL_PARAMS_NAMED);
            $in = "WHERE k.badgekey $in";
        }
        $sql = "SELECT k.badgekey, k.id AS recordid, k.badgeid AS id, k.imagehash, b.name, b.status,
                       b.id AS present
                  FROM {" . self::TABLE . "} k
                  LEFT JOIN {badge} b ON b.id = k.badgeid
                  $in
              ORDER BY k.badgekey";
        $found = $DB->get_records_sql($sql, $params);
        foreach ($found as $row) {
            // A badge that somebody deleted while keeping what was issued is archived: nobody can get it any more.
            $row->present = $row->present !== null && $row->status != BADGE_STATUS_ARCHIVED;
        }
        return $found;
    }

    /**
     * Whether a badge of the bridge can be awarded.
     *
     * @param \stdClass $row as find() gives it
     * @return bool
     */
    public static function is_active(\stdClass $row): bool {
        return $row->present && in_array($row->status, [BADGE_STATUS_ACTIVE, BADGE_STATUS_ACTIVE_LOCKED]);
    }

    /**
     * Makes a badge, or makes the one that is there as it should be.
     *
     * @param array $wanted key, name, description, image (bytes of a PNG, '' to keep it or for the default),
     *                      criteria_text
     * @return array key, id, created, changed, active
     */
    public static function save(array $wanted): array {
        global $DB;
        $row = self::find([$wanted['key']])[$wanted['key']] ?? null;
        $created = !$row || !$row->present;
        $transaction = $DB->start_delegated_transaction();
        if ($created) {
            $badge = self::create($wanted['name'], $wanted['description']);
            $changed = true;
        } else {
            $badge = new badge($row->id);
            $changed = self::update($badge, $wanted['name'], $wanted['description']);
        }
        $changed = self::ensure_criteria($badge, $wanted['criteria_text']) || $changed;

        $hash = $wanted['image'] === '' ? '' : hash('sha256', $wanted['image']);
        $keephash = $created ? $hash : ($hash ?: $row->imagehash);
        if ($created || ($hash !== '' && $hash !== $row->imagehash)) {
            self::set_image($badge, $wanted['image']);
            $changed = true;
        }
        $now = time();
        $record = ['badgekey' => $wanted['key'], 'badgeid' => $badge->id, 'imagehash' => $keephash, 'timemodified' => $now];
        if (!$row) {
            $DB->insert_record(self::TABLE, (object) ($record + ['timecreated' => $now]));
        } else if ($changed) {
            $DB->update_record(self::TABLE, (object) ($record + ['id' => $row->recordid]));
        }
        $badge = new badge($badge->id);
        if (!$badge->is_active()) {
            $badge->set_status($badge->is_locked() ? BADGE_STATUS_ACTIVE_LOCKED : BADGE_STATUS_ACTIVE);
            $changed = true;
        }
        $transaction->allow_commit();
        return [
            'key' => $wanted['key'],
            'id' => (int) $badge->id,
            'created' => $created,
            'changed' => $changed,
            'active' => $badge->is_active(),
        ];
    }

    /**
     * The role that may award the badges of the bridge by hand.
     *
     * @return int
     */
    public static function role_id(): int {
        global $DB;
        $chosen = (int) get_config('local_competencybridge', 'badgerole');
        if ($chosen && $DB->record_exists('role', ['id' => $chosen])) {
            return $chosen;
        }
        $managers = get_archetype_roles('manager') ?: get_all_roles();
        return (int) reset($managers)->id;
    }

    /**
     * Makes a new site badge, not yet active.
     *
     * @param string $name
     * @param string $description
     * @return badge
     */
    private static function create(string $name, string $description): badge {
        global $CFG, $DB, $SITE, $USER;
        $url = parse_url($CFG->wwwroot);
        $data = (object) [
            'name' => $name,
            'version' => '',
            'language' => get_newuser_language(),
            'description' => $description,
            'imageauthorname' => '',
            'imageauthoremail' => '',
            'imageauthorurl' => '',
            'imagecaption' => '',
            'issuername' => empty($CFG->badges_defaultissuername) ? $SITE->fullname : $CFG->badges_defaultissuername,
            'issuerurl' => $url['scheme'] . '://' . $url['host'],
            'issuercontact' => empty($CFG->badges_defaultissuercontact) ? '' : $CFG->badges_defaultissuercontact,
            'expiry' => 0,
        ];
        if (method_exists(badge::class, 'create_badge')) {
            // Moodle 4.5 and later; from 5.0 on an image has no author.
            return badge::create_badge($data);
        }
        unset($data->expiry);
        $now = time();
        $data->type = BADGE_TYPE_SITE;
        $data->timecreated = $now;
        $data->timemodified = $now;
        $data->usercreated = $USER->id;
        $data->usermodified = $USER->id;
        $data->messagesubject = get_string('messagesubject', 'badges');
        $data->message = get_string(
            'messagebody',
            'badges',
            \html_writer::link($CFG->wwwroot . '/badges/mybadges.php', get_string('managebadges', 'badges'))
        );
        $data->attachment = 1;
        $data->notification = BADGE_MESSAGE_NEVER;
        $data->status = BADGE_STATUS_INACTIVE;
        $id = $DB->insert_record('badge', $data);
        \core\event\badge_created::create(['objectid' => $id, 'context' => \context_system::instance()])->trigger();
        return new badge($id);
    }

    /**
     * Gives a badge its name and description.
     *
     * @param badge $badge
     * @param string $name
     * @param string $description
     * @return bool whether anything changed
     */
    private static function update(badge $badge, string $name, string $description): bool {
        global $USER;
        if ($badge->name === $name && (string) $badge->description === $description) {
            return false;
        }
        $badge->name = $name;
        $badge->description = $description;
        $badge->usermodified = $USER->id;
        $badge->save();
        return true;
    }

    /**
     * Sees to it that a badge has its manual criterion with its text. Criteria that people added are left alone.
     *
     * @param badge $badge
     * @param string $text
     * @return bool whether anything changed
     */
    private static function ensure_criteria(badge $badge, string $text): bool {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/badges/criteria/award_criteria.php');
        $changed = false;
        if (empty($badge->criteria[BADGE_CRITERIA_TYPE_OVERALL])) {
            \award_criteria::build(['criteriatype' => BADGE_CRITERIA_TYPE_OVERALL, 'badgeid' => $badge->id])
                ->save(['agg' => BADGE_CRITERIA_AGGREGATION_ALL]);
            $changed = true;
        }
        if (empty($badge->criteria[BADGE_CRITERIA_TYPE_MANUAL])) {
            $role = self::role_id();
            \award_criteria::build(['criteriatype' => BADGE_CRITERIA_TYPE_MANUAL, 'badgeid' => $badge->id])
                ->save([
                    'agg' => BADGE_CRITERIA_AGGREGATION_ANY,
                    "role_$role" => $role,
                    'description' => ['text' => $text, 'format' => FORMAT_PLAIN],
                ]);
            $changed = true;
        } else if ((string) $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL]->description !== $text) {
            $DB->update_record('badge_criteria', (object) [
                'id' => $badge->criteria[BADGE_CRITERIA_TYPE_MANUAL]->id,
                'description' => $text,
                'descriptionformat' => FORMAT_PLAIN,
            ]);
            $changed = true;
        }
        return $changed;
    }

    /**
     * Sets the image of a badge.
     *
     * @param badge $badge
     * @param string $image bytes of a PNG, '' for the default image
     */
    private static function set_image(badge $badge, string $image): void {
        if ($image === '') {
            $image = file_get_contents(dirname(__DIR__) . '/pix/badge.png');
        }
        $path = make_request_directory() . '/badge.png';
        file_put_contents($path, $image);
        badges_process_badge_image($badge, $path);
    }

    /**
     * Checks an image.
     *
     * @param string $base64 '' for none
     * @return string bytes
     * @throws \moodle_exception where it is not a PNG, or too large
     */
    public static function decode_image(string $base64): string {
        if ($base64 === '') {
            return '';
        }
        $image = base64_decode($base64, true);
        if ($image === false || strlen($image) > self::IMAGE_BYTES) {
            throw new \moodle_exception('errorimage', 'local_competencybridge');
        }
        $info = @getimagesizefromstring($image);
        if (!$info || $info[2] !== IMAGETYPE_PNG || $info[0] > 2048 || $info[1] > 2048) {
            throw new \moodle_exception('errorimage', 'local_competencybridge');
        }
        return $image;
    }
}
