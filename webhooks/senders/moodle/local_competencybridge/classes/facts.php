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

/**
 * Reads facts of completions, activities, users, courses and modules, each kind in one query for a whole page.
 *
 * Grades that are hidden from the learner are not told: they count as none.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class facts {
    /** @var string columns of a course completion and its grade; the joins are in COMPLETION_JOINS */
    private const COMPLETION_COLUMNS = "cc.id, cc.userid, cc.course AS courseid, cc.timecompleted,
               gg.finalgrade, gg.hidden AS gradehidden, gi.hidden AS itemhidden,
               CASE WHEN gi.calculation IS NULL THEN gg.rawgrademin ELSE gi.grademin END AS lowest,
               CASE WHEN gi.calculation IS NULL THEN gg.rawgrademax ELSE gi.grademax END AS highest";

    /** @var string from a completion to the grade of its course */
    private const COMPLETION_JOINS = "LEFT JOIN {grade_items} gi ON gi.courseid = cc.course AND gi.itemtype = 'course'
          LEFT JOIN {grade_grades} gg ON gg.itemid = gi.id AND gg.userid = cc.userid";

    /** @var string from an activity and a user to the grade that completion looks at */
    private const ACTIVITY_JOINS = "JOIN {modules} m ON m.id = cm.module
          LEFT JOIN {grade_items} gi ON gi.courseid = cm.course AND gi.itemtype = 'mod' AND gi.itemmodule = m.name
               AND gi.iteminstance = cm.instance AND gi.itemnumber = COALESCE(cm.completiongradeitemnumber, 0)";

    /** @var string columns of an activity's grade */
    private const ACTIVITY_COLUMNS = "gi.gradepass, gi.grademin AS lowest, gi.grademax AS highest, gi.hidden AS itemhidden,
               gg.finalgrade, gg.hidden AS gradehidden, gg.timemodified AS gradetime, gg.timecreated AS gradecreated";

    /**
     * A page of course completions, by id.
     *
     * @param int $after only ids above this
     * @param int $limit at most so many
     * @param int $courseid of this course only, 0 for all
     * @param int $userid of this user only, 0 for all
     * @return array [list of completions, total of all pages]
     */
    public static function completions(int $after, int $limit, int $courseid, int $userid): array {
        global $DB;
        $where = 'cc.timecompleted IS NOT NULL';
        $params = [];
        if ($courseid) {
            $where .= ' AND cc.course = :courseid';
            $params['courseid'] = $courseid;
        }
        if ($userid) {
            $where .= ' AND cc.userid = :userid';
            $params['userid'] = $userid;
        }
        $total = $DB->count_records_sql("SELECT COUNT(cc.id) FROM {course_completions} cc WHERE $where", $params);
        $sql = "SELECT " . self::COMPLETION_COLUMNS . "
                  FROM {course_completions} cc
                  " . self::COMPLETION_JOINS . "
                 WHERE $where AND cc.id > :after
              ORDER BY cc.id";
        $rows = $DB->get_recordset_sql($sql, $params + ['after' => $after], 0, $limit);
        $found = [];
        foreach ($rows as $row) {
            $found[$row->id] = self::completion($row);
        }
        $rows->close();
        return [array_values(self::with_enrolments($found)), $total];
    }

    /**
     * The completions of the pairs of user and course that a stretch of the outbox names.
     *
     * @param int $first id in the outbox
     * @param int $last id in the outbox
     * @return array completions by "userid-courseid"
     */
    public static function completions_named(int $first, int $last): array {
        global $DB;
        [$kinds, $params] = $DB->get_in_or_equal(
            [outbox::COURSE_COMPLETED, outbox::UNENROLLED, outbox::GRADE],
            SQL_PARAMS_NAMED,
            'kind'
        );
        $sql = "SELECT " . self::COMPLETION_COLUMNS . "
                  FROM (SELECT DISTINCT userid, courseid
                          FROM {" . outbox::TABLE . "}
                         WHERE id >= :first AND id <= :last AND kind $kinds) named
                  JOIN {course_completions} cc ON cc.userid = named.userid AND cc.course = named.courseid
                  " . self::COMPLETION_JOINS . "
                 WHERE cc.timecompleted IS NOT NULL";
        $rows = $DB->get_recordset_sql($sql, $params + ['first' => $first, 'last' => $last]);
        $found = [];
        foreach ($rows as $row) {
            $found[$row->userid . '-' . $row->courseid] = self::completion($row);
        }
        $rows->close();
        return self::with_enrolments($found);
    }

    /**
     * A page of activity completions, by id.
     *
     * @param int $after only ids above this
     * @param int $limit at most so many
     * @param int $courseid of this course only, 0 for all
     * @param int $userid of this user only, 0 for all
     * @param string[] $modnames only activities of these kinds, none for all
     * @return array [list of activities, total of all pages]
     */
    public static function activities(int $after, int $limit, int $courseid, int $userid, array $modnames): array {
        global $DB;
        $where = 'cmc.completionstate BETWEEN 1 AND 3';
        $params = [];
        if ($courseid) {
            $where .= ' AND cm.course = :courseid';
            $params['courseid'] = $courseid;
        }
        if ($userid) {
            $where .= ' AND cmc.userid = :userid';
            $params['userid'] = $userid;
        }
        if ($modnames) {
            [$in, $inparams] = $DB->get_in_or_equal($modnames, SQL_PARAMS_NAMED, 'modname');
            $where .= " AND m.name $in";
            $params += $inparams;
        }
        $from = "{course_modules_completion} cmc
                  JOIN {course_modules} cm ON cm.id = cmc.coursemoduleid";
        $total = $DB->count_records_sql(
            "SELECT COUNT(cmc.id) FROM $from JOIN {modules} m ON m.id = cm.module WHERE $where",
            $params
        );
        $sql = "SELECT cmc.id, cmc.userid, cm.course AS courseid, cm.id AS cmid, cmc.completionstate,
                       cmc.timemodified, " . self::ACTIVITY_COLUMNS . "
                  FROM $from
                  " . self::ACTIVITY_JOINS . "
                  LEFT JOIN {grade_grades} gg ON gg.itemid = gi.id AND gg.userid = cmc.userid
                 WHERE $where AND cmc.id > :after
              ORDER BY cmc.id";
        $rows = $DB->get_recordset_sql($sql, $params + ['after' => $after], 0, $limit);
        $found = [];
        foreach ($rows as $row) {
            $found[$row->id] = self::activity($row);
        }
        $rows->close();
        return [array_values($found), $total];
    }

    /**
     * The activities of the pairs of user and activity that a stretch of the outbox names, complete or graded.
     *
     * @param int $first id in the outbox
     * @param int $last id in the outbox
     * @return array activities by "userid-cmid"
     */
    public static function activities_named(int $first, int $last): array {
        global $DB;
        $out = '{' . outbox::TABLE . '}';
        $sql = "SELECT cmc.id, named.userid, cm.course AS courseid, cm.id AS cmid, cmc.completionstate,
                       cmc.timemodified, " . self::ACTIVITY_COLUMNS . "
                  FROM (SELECT o1.userid, o1.cmid
                          FROM $out o1
                         WHERE o1.id >= :first1 AND o1.id <= :last1 AND o1.kind = :module
                         UNION
                        SELECT o2.userid, cm2.id AS cmid
                          FROM $out o2
                          JOIN {grade_items} gi2 ON gi2.id = o2.itemid AND gi2.itemtype = 'mod'
                          JOIN {modules} m2 ON m2.name = gi2.itemmodule
                          JOIN {course_modules} cm2 ON cm2.module = m2.id AND cm2.instance = gi2.iteminstance
                               AND cm2.course = gi2.courseid
                         WHERE o2.id >= :first2 AND o2.id <= :last2 AND o2.kind = :grade) named
                  JOIN {course_modules} cm ON cm.id = named.cmid
                  " . self::ACTIVITY_JOINS . "
                  LEFT JOIN {grade_grades} gg ON gg.itemid = gi.id AND gg.userid = named.userid
                  LEFT JOIN {course_modules_completion} cmc ON cmc.coursemoduleid = cm.id
                       AND cmc.userid = named.userid
                 WHERE cmc.completionstate BETWEEN 1 AND 3 OR gg.finalgrade IS NOT NULL";
        $rows = $DB->get_recordset_sql($sql, [
            'first1' => $first, 'last1' => $last, 'module' => outbox::MODULE_COMPLETED,
            'first2' => $first, 'last2' => $last, 'grade' => outbox::GRADE,
        ]);
        $found = [];
        foreach ($rows as $row) {
            $activity = self::activity($row);
            // A hidden grade without a completion tells nothing.
            if ($activity['state'] || $activity['grade'] !== null) {
                $found[$row->userid . '-' . $row->cmid] = $activity;
            }
        }
        $rows->close();
        return $found;
    }

    /**
     * What grade items are of.
     *
     * @param int[] $itemids
     * @return \stdClass[] by item id: itemtype and cmid (null for what is not of an activity); deleted items are missing
     */
    public static function grade_items(array $itemids): array {
        global $DB;
        if (!$itemids) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal(array_unique($itemids), SQL_PARAMS_NAMED);
        $sql = "SELECT gi.id, gi.itemtype, cm.id AS cmid
                  FROM {grade_items} gi
                  LEFT JOIN {modules} m ON m.name = gi.itemmodule
                  LEFT JOIN {course_modules} cm ON cm.module = m.id AND cm.instance = gi.iteminstance
                       AND cm.course = gi.courseid
                 WHERE gi.id $in";
        return $DB->get_records_sql($sql, $params);
    }

    /**
     * Facts of users. What Moodle put in place of the username and address of a deleted user is left out.
     *
     * @param int[] $userids
     * @return array[] list
     */
    public static function users(array $userids): array {
        global $DB;
        $found = [];
        $names = implode(', ', \core_user\fields::get_name_fields());
        foreach (array_chunk(array_unique($userids), 1000) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $rows = $DB->get_records_select(
                'user',
                "id $in",
                $params,
                'id',
                "id, username, idnumber, email, suspended, deleted, confirmed, $names"
            );
            foreach ($rows as $row) {
                $found[] = [
                    'id' => (int) $row->id,
                    'username' => $row->deleted ? '' : $row->username,
                    'idnumber' => $row->deleted ? '' : $row->idnumber,
                    'email' => $row->deleted ? '' : $row->email,
                    'fullname' => fullname($row, true),
                    'suspended' => (bool) $row->suspended,
                    'deleted' => (bool) $row->deleted,
                    'confirmed' => (bool) $row->confirmed,
                ];
            }
        }
        return $found;
    }

    /**
     * Facts of courses. Courses that were deleted are missing.
     *
     * @param int[] $courseids
     * @return array[] list
     */
    public static function courses(array $courseids): array {
        global $DB;
        $found = [];
        foreach (array_chunk(array_unique($courseids), 1000) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $sql = "SELECT c.id, c.idnumber, c.shortname, c.fullname, c.visible, ca.name AS category
                      FROM {course} c
                      LEFT JOIN {course_categories} ca ON ca.id = c.category
                     WHERE c.id $in
                  ORDER BY c.id";
            foreach ($DB->get_records_sql($sql, $params) as $row) {
                $found[] = [
                    'id' => (int) $row->id,
                    'idnumber' => (string) $row->idnumber,
                    'shortname' => self::plain($row->shortname),
                    'fullname' => self::plain($row->fullname),
                    'category' => self::plain((string) $row->category),
                    'visible' => (bool) $row->visible,
                ];
            }
        }
        return $found;
    }

    /**
     * Facts of activities; one query for each kind of activity among them. Those that were deleted are missing.
     *
     * @param int[] $cmids
     * @return array[] list
     */
    public static function modules(array $cmids): array {
        global $DB;
        $rows = [];
        foreach (array_chunk(array_unique($cmids), 1000) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $sql = "SELECT cm.id, cm.course, cm.instance, cm.idnumber, m.name AS modname
                      FROM {course_modules} cm
                      JOIN {modules} m ON m.id = cm.module
                     WHERE cm.id $in
                  ORDER BY cm.id";
            $rows += $DB->get_records_sql($sql, $params);
        }
        $instances = [];
        foreach ($rows as $row) {
            $instances[$row->modname][] = $row->instance;
        }
        $names = [];
        foreach ($instances as $modname => $ids) {
            $names[$modname] = [];
            foreach (array_chunk(array_unique($ids), 1000) as $chunk) {
                $names[$modname] += $DB->get_records_list($modname, 'id', $chunk, '', 'id, name');
            }
        }
        $found = [];
        foreach ($rows as $row) {
            $found[] = [
                'cmid' => (int) $row->id,
                'courseid' => (int) $row->course,
                'modname' => $row->modname,
                'name' => self::plain($names[$row->modname][$row->instance]->name ?? ''),
                'idnumber' => (string) $row->idnumber,
            ];
        }
        return $found;
    }

    /**
     * A completion as the web service tells it.
     *
     * @param \stdClass $row
     * @return array
     */
    private static function completion(\stdClass $row): array {
        return [
            'id' => (int) $row->id,
            'userid' => (int) $row->userid,
            'courseid' => (int) $row->courseid,
            'timecompleted' => (int) $row->timecompleted,
            'grade' => self::fraction($row),
        ];
    }

    /**
     * Completions with whether their users have an enrolment in their courses, of any kind and state.
     *
     * @param array[] $completions
     * @return array[]
     */
    private static function with_enrolments(array $completions): array {
        global $DB;
        if (!$completions) {
            return [];
        }
        // A query of its own: as part of the one above, PostgreSQL reads all enrolments of the site for each page.
        [$in, $params] = $DB->get_in_or_equal(array_column($completions, 'id'), SQL_PARAMS_NAMED);
        $sql = "SELECT DISTINCT cc.id
                  FROM {course_completions} cc
                  JOIN {enrol} e ON e.courseid = cc.course
                  JOIN {user_enrolments} ue ON ue.enrolid = e.id AND ue.userid = cc.userid
                 WHERE cc.id $in";
        $enrolled = array_flip($DB->get_fieldset_sql($sql, $params));
        foreach ($completions as &$completion) {
            $completion['enrolled'] = isset($enrolled[$completion['id']]);
        }
        return $completions;
    }

    /**
     * An activity as the web service tells it.
     *
     * @param \stdClass $row
     * @return array
     */
    private static function activity(\stdClass $row): array {
        $grade = self::fraction($row);
        $state = (int) $row->completionstate;
        $complete = $state >= 1 && $state <= 3;
        // The smallest pass mark that Moodle itself takes for one.
        $haspass = $grade !== null && $row->gradepass > 0.000009;
        return [
            'id' => $complete ? (int) $row->id : 0,
            'userid' => (int) $row->userid,
            'courseid' => (int) $row->courseid,
            'cmid' => (int) $row->cmid,
            'state' => $complete ? $state : 0,
            'time' => (int) ($complete ? $row->timemodified : ($row->gradetime ?? $row->gradecreated)),
            'grade' => $grade,
            'passed' => $haspass ? $row->finalgrade >= $row->gradepass : null,
        ];
    }

    /**
     * A grade as a fraction of its range.
     *
     * @param \stdClass $row with finalgrade, lowest, highest, itemhidden, gradehidden
     * @return float|null 0 to 1; null where there is none or the learner may not see it
     */
    private static function fraction(\stdClass $row): ?float {
        if ($row->finalgrade === null || $row->highest <= $row->lowest) {
            return null;
        }
        foreach ([$row->itemhidden, $row->gradehidden] as $hidden) {
            // 1: hidden; above: hidden until then.
            if ($hidden == 1 || $hidden > time()) {
                return null;
            }
        }
        $fraction = ($row->finalgrade - $row->lowest) / ($row->highest - $row->lowest);
        return round(min(1.0, max(0.0, $fraction)), 5);
    }

    /**
     * A name as plain text, through the filters that this site applies to names.
     *
     * @param string $name
     * @return string
     */
    private static function plain(string $name): string {
        if ($name === '') {
            return '';
        }
        return format_string($name, true, ['context' => \context_system::instance(), 'escape' => false]);
    }
}
