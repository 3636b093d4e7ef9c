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
 * Makes what the tests of this plugin need.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class local_competencybridge_generator extends component_generator_base {
    /**
     * A user with the capabilities of the bridge's service user, in whose name the test goes on.
     *
     * @param string[] $capabilities names after "local/competencybridge:"
     * @return stdClass
     */
    public function service_user(array $capabilities = ['readchanges', 'managebadges', 'setstatus']): stdClass {
        $user = $this->datagenerator->create_user();
        $role = $this->datagenerator->create_role();
        foreach ($capabilities as $capability) {
            assign_capability("local/competencybridge:$capability", CAP_ALLOW, $role, context_system::instance());
        }
        role_assign($role, $user->id, context_system::instance());
        advanced_testcase::setUser($user);
        return $user;
    }

    /**
     * A course with completion.
     *
     * @param array $fields
     * @return stdClass
     */
    public function course(array $fields = []): stdClass {
        set_config('enablecompletion', 1);
        return $this->datagenerator->create_course($fields + ['enablecompletion' => 1]);
    }

    /**
     * A user who is enrolled in a course and completed it.
     *
     * @param stdClass $course
     * @param int $time epoch
     * @param array $fields of the user
     * @return stdClass the user
     */
    public function completed(stdClass $course, int $time, array $fields = []): stdClass {
        global $CFG;
        require_once($CFG->dirroot . '/completion/completion_completion.php');
        $user = $this->datagenerator->create_user($fields);
        $this->datagenerator->enrol_user($user->id, $course->id);
        (new completion_completion(['userid' => $user->id, 'course' => $course->id]))->mark_complete($time);
        return $user;
    }
}
