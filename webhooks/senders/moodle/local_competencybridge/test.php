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
 * Tries the connection to the bridge, and says in words what came back and what to do.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

require_once('../../config.php');
require_once($CFG->libdir . '/adminlib.php');

use local_competencybridge\connection_check;

// Whoever may change the settings of the site may look here.
admin_externalpage_setup('local_competencybridge_test');

$said = null;
if (optional_param('send', false, PARAM_BOOL)) {
    require_sesskey();
    $said = connection_check::run();
}

echo $OUTPUT->header();
echo $OUTPUT->heading(get_string('test', 'local_competencybridge'));
if ($said) {
    echo $OUTPUT->notification($said->text, $said->type, false);
}
foreach (connection_check::warnings() as $warning) {
    echo $OUTPUT->notification($warning, \core\output\notification::NOTIFY_WARNING, false);
}
echo html_writer::tag('p', get_string('testintro', 'local_competencybridge'));
if (connection_check::is_possible()) {
    echo $OUTPUT->single_button(
        new moodle_url('/local/competencybridge/test.php', ['send' => 1]),
        get_string('testsend', 'local_competencybridge'),
        'post'
    );
}
$table = new html_table();
$table->caption = get_string('state', 'local_competencybridge');
$table->attributes['class'] = 'generaltable mt-4';
foreach (connection_check::state() as $name => $value) {
    $header = new html_table_cell($name);
    $header->header = true;
    $header->scope = 'row';
    $table->data[] = [$header, $value];
}
echo html_writer::table($table);
echo $OUTPUT->footer();
