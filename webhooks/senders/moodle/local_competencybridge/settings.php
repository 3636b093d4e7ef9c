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
 * The settings, and the page that tries the connection.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

if ($hassiteconfig) {
    $ADMIN->add('localplugins', new admin_category(
        'local_competencybridge_folder',
        new lang_string('pluginname', 'local_competencybridge')
    ));
    $settings = new admin_settingpage('local_competencybridge', new lang_string('settings', 'local_competencybridge'));
    if ($ADMIN->fulltree) {
        $settings->add(new admin_setting_heading(
            'local_competencybridge/intro',
            '',
            new lang_string('settingsintro', 'local_competencybridge', [
                'service' => (new moodle_url('/admin/settings.php', ['section' => 'externalservices']))->out(),
                'test' => (new moodle_url('/local/competencybridge/test.php'))->out(),
            ])
        ));
        $settings->add(new admin_setting_configcheckbox(
            'local_competencybridge/webhookon',
            new lang_string('webhookon', 'local_competencybridge'),
            new lang_string('webhookon_desc', 'local_competencybridge'),
            0
        ));
        $settings->add(new admin_setting_configtext(
            'local_competencybridge/webhookurl',
            new lang_string('webhookurl', 'local_competencybridge'),
            new lang_string('webhookurl_desc', 'local_competencybridge'),
            '',
            PARAM_URL,
            60
        ));
        $settings->add(new \local_competencybridge\admin\setting_secret(
            'local_competencybridge/secret',
            new lang_string('secret', 'local_competencybridge'),
            new lang_string('secret_desc', 'local_competencybridge'),
            ''
        ));
        $settings->add(new \local_competencybridge\admin\setting_secret(
            'local_competencybridge/secretold',
            new lang_string('secretold', 'local_competencybridge'),
            new lang_string('secretold_desc', 'local_competencybridge'),
            ''
        ));
        $settings->add(new admin_setting_configtext(
            'local_competencybridge/retention',
            new lang_string('retention', 'local_competencybridge'),
            new lang_string('retention_desc', 'local_competencybridge'),
            \local_competencybridge\outbox::RETENTION,
            PARAM_INT,
            5
        ));
        $roles = [0 => new lang_string('badgeroledefault', 'local_competencybridge')];
        foreach (role_fix_names(get_all_roles(), context_system::instance(), ROLENAME_ORIGINAL) as $role) {
            $roles[$role->id] = $role->localname;
        }
        $settings->add(new admin_setting_configselect(
            'local_competencybridge/badgerole',
            new lang_string('badgerole', 'local_competencybridge'),
            new lang_string('badgerole_desc', 'local_competencybridge'),
            0,
            $roles
        ));
    }
    $ADMIN->add('local_competencybridge_folder', $settings);
    $ADMIN->add('local_competencybridge_folder', new admin_externalpage(
        'local_competencybridge_test',
        new lang_string('test', 'local_competencybridge'),
        new moodle_url('/local/competencybridge/test.php')
    ));
    // The page was added above: Moodle shall not add it a second time.
    $settings = null;
}
