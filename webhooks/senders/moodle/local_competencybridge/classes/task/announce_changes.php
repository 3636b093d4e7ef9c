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

use local_competencybridge\webhook;

/**
 * Tells the bridge that the outbox has something new. When that fails, Moodle runs it again later and later.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class announce_changes extends \core\task\adhoc_task {
    /**
     * Its name, for people.
     *
     * @return string
     */
    public function get_name() {
        return get_string('taskannounce', 'local_competencybridge');
    }

    /**
     * Announces the changes.
     */
    public function execute() {
        if (!webhook::is_on()) {
            mtrace('Announcing changes is switched off.');
            return;
        }
        mtrace('Messages delivered: ' . webhook::announce());
    }
}
