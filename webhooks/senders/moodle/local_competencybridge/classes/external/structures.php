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

namespace local_competencybridge\external;

use core_external\external_multiple_structure;
use core_external\external_single_structure;
use core_external\external_value;

/**
 * The shapes that several web service functions share.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class structures {
    /** @var int the most rows that one call gives or takes */
    public const MOST = 1000;

    /**
     * A limit as asked for, within what is allowed.
     *
     * @param int $limit
     * @return int
     */
    public static function limit(int $limit): int {
        return min(self::MOST, max(1, $limit));
    }

    /**
     * Refuses a call that asks for more than one may: it would hold up everybody else's.
     *
     * @param array $asked
     * @throws \moodle_exception
     */
    public static function at_most(array $asked): void {
        if (count($asked) > self::MOST) {
            throw new \moodle_exception('errortoomany', 'local_competencybridge', '', self::MOST);
        }
    }

    /**
     * A value that is always there.
     *
     * @param string $type a PARAM_ constant
     * @param string $description
     * @return external_value
     */
    public static function value(string $type, string $description): external_value {
        return new external_value($type, $description);
    }

    /**
     * A value that is always there, or null.
     *
     * @param string $type a PARAM_ constant
     * @param string $description
     * @return external_value
     */
    public static function nullable(string $type, string $description): external_value {
        return new external_value($type, $description, VALUE_REQUIRED, null, NULL_ALLOWED);
    }

    /**
     * Course completions.
     *
     * @return external_multiple_structure
     */
    public static function completions(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'id' => self::value(PARAM_INT, 'Id of the completion'),
            'userid' => self::value(PARAM_INT, 'Id of the user'),
            'courseid' => self::value(PARAM_INT, 'Id of the course'),
            'timecompleted' => self::value(PARAM_INT, 'When (epoch); 0: completed, but it is not known when'),
            'grade' => self::nullable(PARAM_FLOAT, 'Course grade from 0 to 1; null: none that the learner may see'),
            'enrolled' => self::value(PARAM_BOOL, 'Whether the user has an enrolment in the course'),
        ]));
    }

    /**
     * Activity completions and grades.
     *
     * @return external_multiple_structure
     */
    public static function activities(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'id' => self::value(PARAM_INT, 'Id of the completion; 0 where only a grade tells it'),
            'userid' => self::value(PARAM_INT, 'Id of the user'),
            'courseid' => self::value(PARAM_INT, 'Id of the course'),
            'cmid' => self::value(PARAM_INT, 'Id of the activity'),
            'state' => self::value(PARAM_INT, '1 complete, 2 passed, 3 failed, 0 incomplete but graded'),
            'time' => self::value(PARAM_INT, 'When it was completed, else graded (epoch)'),
            'grade' => self::nullable(PARAM_FLOAT, 'Grade from 0 to 1; null: none that the learner may see'),
            'passed' => self::nullable(PARAM_BOOL, 'Whether the grade reaches the grade to pass; null: there is none'),
        ]));
    }

    /**
     * Users.
     *
     * @return external_multiple_structure
     */
    public static function users(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'id' => self::value(PARAM_INT, 'Id of the user'),
            'username' => self::value(PARAM_RAW, 'Username; empty for a deleted user'),
            'idnumber' => self::value(PARAM_RAW, 'ID number; empty for a deleted user'),
            'email' => self::value(PARAM_RAW, 'Email address; empty for a deleted user'),
            'fullname' => self::value(PARAM_RAW, 'Full name'),
            'suspended' => self::value(PARAM_BOOL, 'Whether the account is suspended'),
            'deleted' => self::value(PARAM_BOOL, 'Whether the account was deleted'),
            'confirmed' => self::value(PARAM_BOOL, 'Whether the account was confirmed'),
        ]));
    }

    /**
     * Courses.
     *
     * @return external_multiple_structure
     */
    public static function courses(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'id' => self::value(PARAM_INT, 'Id of the course'),
            'idnumber' => self::value(PARAM_RAW, 'ID number'),
            'shortname' => self::value(PARAM_RAW, 'Short name'),
            'fullname' => self::value(PARAM_RAW, 'Full name'),
            'category' => self::value(PARAM_RAW, 'Name of the category'),
            'visible' => self::value(PARAM_BOOL, 'Whether learners see the course'),
        ]));
    }

    /**
     * Activities of courses.
     *
     * @return external_multiple_structure
     */
    public static function modules(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'cmid' => self::value(PARAM_INT, 'Id of the activity'),
            'courseid' => self::value(PARAM_INT, 'Id of its course'),
            'modname' => self::value(PARAM_PLUGIN, 'Kind, such as quiz'),
            'name' => self::value(PARAM_RAW, 'Name'),
            'idnumber' => self::value(PARAM_RAW, 'ID number'),
        ]));
    }

    /**
     * What award_badges and renew_badges take.
     *
     * @return external_multiple_structure
     */
    public static function awards(): external_multiple_structure {
        return new external_multiple_structure(new external_single_structure([
            'key' => self::value(PARAM_RAW, 'Key of the badge, as given to save_badges'),
            'userid' => self::value(PARAM_INT, 'Id of the user'),
            'expires' => self::value(PARAM_INT, 'When it expires (epoch); 0: never'),
        ]));
    }

    /**
     * What award_badges and renew_badges give.
     *
     * @return external_single_structure
     */
    public static function awarded(): external_single_structure {
        return new external_single_structure([
            'results' => new external_multiple_structure(new external_single_structure([
                'key' => self::value(PARAM_RAW, 'Key of the badge'),
                'userid' => self::value(PARAM_INT, 'Id of the user'),
                'result' => self::value(
                    PARAM_ALPHA,
                    'awarded, renewed, unchanged, nouser, deleted (the user), nobadge, or notheld (renewing only)'
                ),
                'issued' => self::value(PARAM_INT, 'When it was issued (epoch); 0 where it is not'),
                'expires' => self::value(PARAM_INT, 'When it expires (epoch); 0: never'),
                'hash' => self::value(PARAM_ALPHANUM, 'Public name of the issued badge; empty where there is none'),
                'message' => self::value(PARAM_TEXT, 'Why not, in words; empty where it was done'),
            ])),
        ]);
    }
}
