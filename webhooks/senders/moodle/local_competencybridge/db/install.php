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

/**
 * What is settled once, at installation.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Gives this site the random name by which the bridge knows it, and notes from when the outbox holds everything.
 *
 * @return bool
 */
function xmldb_local_competencybridge_install() {
    set_config('site', bin2hex(random_bytes(16)), 'local_competencybridge');
    set_config('completesince', time(), 'local_competencybridge');
    return true;
}
