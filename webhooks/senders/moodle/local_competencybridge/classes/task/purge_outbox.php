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

namespace local_competencybridge\task;

use local_competencybridge\issuing;
use local_competencybridge\outbox;

/**
 * Removes old changes from the outbox, and marks of badges that nobody holds any more.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class purge_outbox extends \core\task\scheduled_task {
    /**
     * Its name, for people.
     *
     * @return string
     */
    public function get_name() {
        return get_string('taskpurge', 'local_competencybridge');
    }

    /**
     * Removes them.
     */
    public function execute() {
        global $DB;
        mtrace('Changes removed: ' . outbox::purge(time()));
        $DB->delete_records_select(issuing::MARKS, 'issuedid NOT IN (SELECT id FROM {badge_issued})');
    }
}
