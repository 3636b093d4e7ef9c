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

namespace local_competencybridge\event;

/**
 * The bridge gave a badge that is held another expiry.
 *
 * @property-read array $other {
 *      - int dateexpire: when it expires now (epoch), 0 for never.
 * }
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class badge_renewed extends \core\event\base {
    /**
     * What this event is about.
     */
    protected function init(): void {
        $this->data['crud'] = 'u';
        $this->data['edulevel'] = self::LEVEL_OTHER;
        $this->data['objecttable'] = 'badge';
    }

    /**
     * Its name, for people.
     *
     * @return string
     */
    public static function get_name(): string {
        return get_string('eventbadgerenewed', 'local_competencybridge');
    }

    /**
     * What happened, for the log.
     *
     * @return string
     */
    public function get_description(): string {
        return "The user with id '$this->userid' renewed the badge with id '$this->objectid' of the user with id " .
            "'$this->relateduserid'. It expires at '{$this->other['dateexpire']}'.";
    }

    /**
     * Where to look.
     *
     * @return \moodle_url
     */
    public function get_url(): \moodle_url {
        return new \moodle_url('/badges/recipients.php', ['id' => $this->objectid]);
    }

    /**
     * The badge of the event, when a log is restored.
     *
     * @return array
     */
    public static function get_objectid_mapping(): array {
        return ['db' => 'badge', 'restore' => 'badge'];
    }

    /**
     * Nothing in other needs mapping.
     *
     * @return bool
     */
    public static function get_other_mapping() {
        return false;
    }
}
