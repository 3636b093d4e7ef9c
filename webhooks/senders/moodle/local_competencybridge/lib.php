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
 * The section on the profile page.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

use core_user\output\myprofile\category;
use core_user\output\myprofile\node;
use core_user\output\myprofile\tree;
use local_competencybridge\status;

/**
 * Adds what the bridge said of the competencies of a user to their profile page.
 *
 * @param tree $tree
 * @param stdClass $user whose profile it is
 * @param bool $iscurrentuser whether they look at it themselves
 * @param stdClass|null $course
 */
function local_competencybridge_myprofile_navigation(tree $tree, $user, $iscurrentuser, $course) {
    if (isguestuser($user) || !empty($user->deleted)) {
        return;
    }
    if (!$iscurrentuser && !has_capability('local/competencybridge:viewstatus', context_user::instance($user->id))) {
        return;
    }
    $status = status::get($user->id);
    if (!$status) {
        return;
    }
    $name = 'competencybridge';
    $tree->add_category(new category($name, get_string('profilecategory', 'local_competencybridge'), 'contact'));
    foreach ($status['lines'] as $i => $line) {
        $words = [];
        if (in_array($line['state'], ['current', 'due', 'gap'], true)) {
            $words[] = html_writer::tag('strong', get_string('state' . $line['state'], 'local_competencybridge'));
        }
        if ($line['text'] !== '') {
            $words[] = s($line['text']);
        }
        $tree->add_node(new node($name, "line$i", s($line['title']), null, null, implode(' – ', $words) ?: '–'));
    }
    $tree->add_node(new node(
        $name,
        'updated',
        get_string('profileupdated', 'local_competencybridge'),
        null,
        null,
        userdate($status['updated'])
    ));
    if (status::is_link($status['url'])) {
        $open = get_string('profileopen', 'local_competencybridge');
        $tree->add_node(new node($name, 'open', $open, null, new moodle_url($status['url'])));
    }
}
