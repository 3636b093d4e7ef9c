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

use core_user\output\myprofile\manager;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/local/competencybridge/lib.php');
require_once($CFG->dirroot . '/user/profile/lib.php');

/**
 * Tests of the section on the profile page.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers ::local_competencybridge_myprofile_navigation
 */
final class profile_test extends \advanced_testcase {
    /**
     * The page as it is shown.
     *
     * @param \stdClass $user whose profile it is
     * @param bool $own whether they look at it themselves
     * @return string HTML
     */
    private function page(\stdClass $user, bool $own): string {
        global $PAGE;
        $PAGE->set_url('/user/profile.php');
        return $PAGE->get_renderer('core_user', 'myprofile')->render(manager::build_tree($user, $own));
    }

    /**
     * The user sees it, and those who may; nobody else does. What the bridge said is text, not HTML.
     */
    public function test_section(): void {
        $this->resetAfterTest();
        $user = $this->getDataGenerator()->create_user();
        status::set([[
            'userid' => (int) $user->id,
            'url' => 'https://bridge.example.org/me?a=1&b=2',
            'updated' => 1700000000,
            'lines' => [
                ['title' => 'Level <1>', 'text' => 'until May & "later"', 'state' => 'current'],
                ['title' => 'Core', 'text' => '', 'state' => 'none'],
            ],
        ]]);
        $this->setUser($user);
        $page = $this->page($user, true);
        $this->assertStringContainsString('Competency status', $page);
        $this->assertStringContainsString('Level &lt;1&gt;', $page);
        $this->assertStringContainsString('<strong>Current</strong> – until May &amp; &quot;later&quot;', $page);
        $this->assertStringContainsString('href="https://bridge.example.org/me?a=1&amp;b=2"', $page);

        $other = $this->getDataGenerator()->create_user();
        $this->setUser($other);
        $this->assertStringNotContainsString('Competency status', $this->page($user, false));

        $role = $this->getDataGenerator()->create_role();
        assign_capability('local/competencybridge:viewstatus', CAP_ALLOW, $role, \context_system::instance());
        role_assign($role, $other->id, \context_user::instance($user->id));
        $this->assertStringContainsString('Competency status', $this->page($user, false));
    }

    /**
     * Without a status there is no section.
     */
    public function test_nothing(): void {
        $this->resetAfterTest();
        $user = $this->getDataGenerator()->create_user();
        $this->setUser($user);
        $this->assertStringNotContainsString('Competency status', $this->page($user, true));
    }
}
