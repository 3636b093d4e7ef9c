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

namespace local_competencybridge\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\transform;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use local_competencybridge\issuing;
use local_competencybridge\outbox;
use local_competencybridge\status;

/**
 * What this plugin keeps about people, and how they get it or have it deleted.
 *
 * Everything is kept in the context of the user whom it is about.
 *
 * @package    local_competencybridge
 * @copyright  2026 The Competency Bridge maintainers
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /** @var string[] the tables that hold something about people, each with a field userid */
    private const TABLES = [outbox::TABLE, issuing::MARKS, status::TABLE];

    /**
     * What is kept, and what leaves this site.
     *
     * @param collection $collection
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        $collection->add_database_table(outbox::TABLE, [
            'kind' => 'privacy:metadata:out:kind',
            'userid' => 'privacy:metadata:out:userid',
            'courseid' => 'privacy:metadata:out:courseid',
            'cmid' => 'privacy:metadata:out:cmid',
            'itemid' => 'privacy:metadata:out:itemid',
            'badgeid' => 'privacy:metadata:out:badgeid',
            'timecreated' => 'privacy:metadata:out:timecreated',
        ], 'privacy:metadata:out');
        $collection->add_database_table(issuing::MARKS, [
            'issuedid' => 'privacy:metadata:award:issuedid',
            'userid' => 'privacy:metadata:award:userid',
            'badgeid' => 'privacy:metadata:award:badgeid',
            'timecreated' => 'privacy:metadata:award:timecreated',
        ], 'privacy:metadata:award');
        $collection->add_database_table(status::TABLE, [
            'userid' => 'privacy:metadata:stat:userid',
            'url' => 'privacy:metadata:stat:url',
            'statuslines' => 'privacy:metadata:stat:statuslines',
            'timestatus' => 'privacy:metadata:stat:timestatus',
            'timemodified' => 'privacy:metadata:stat:timemodified',
        ], 'privacy:metadata:stat');
        $collection->add_external_location_link('bridge', [
            'username' => 'privacy:metadata:bridge:username',
            'idnumber' => 'privacy:metadata:bridge:idnumber',
            'email' => 'privacy:metadata:bridge:email',
            'fullname' => 'privacy:metadata:bridge:fullname',
            'account' => 'privacy:metadata:bridge:account',
            'completions' => 'privacy:metadata:bridge:completions',
            'grades' => 'privacy:metadata:bridge:grades',
            'badges' => 'privacy:metadata:bridge:badges',
        ], 'privacy:metadata:bridge');
        $collection->add_subsystem_link('core_badges', [], 'privacy:metadata:core_badges');
        return $collection;
    }

    /**
     * Where something about a user is kept.
     *
     * @param int $userid
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        $contextlist = new contextlist();
        foreach (self::TABLES as $table) {
            $contextlist->add_from_sql(
                "SELECT ctx.id
                   FROM {context} ctx
                  WHERE ctx.contextlevel = :level AND ctx.instanceid = :userid
                        AND EXISTS (SELECT 1 FROM {{$table}} t WHERE t.userid = ctx.instanceid)",
                ['level' => CONTEXT_USER, 'userid' => $userid]
            );
        }
        return $contextlist;
    }

    /**
     * About whom something is kept in a context.
     *
     * @param userlist $userlist
     */
    public static function get_users_in_context(userlist $userlist) {
        $context = $userlist->get_context();
        if ($context->contextlevel != CONTEXT_USER) {
            return;
        }
        foreach (self::TABLES as $table) {
            $userlist->add_from_sql(
                'userid',
                "SELECT userid FROM {{$table}} WHERE userid = :userid",
                ['userid' => $context->instanceid]
            );
        }
    }

    /**
     * Gives a user what is kept about them.
     *
     * @param approved_contextlist $contextlist
     */
    public static function export_user_data(approved_contextlist $contextlist) {
        global $DB;
        $userid = $contextlist->get_user()->id;
        foreach ($contextlist->get_contexts() as $context) {
            if ($context->contextlevel != CONTEXT_USER || $context->instanceid != $userid) {
                continue;
            }
            $status = status::get($userid);
            if ($status) {
                $status['updated'] = transform::datetime($status['updated']);
                self::export($context, 'profilecategory', $status);
            }
            $marks = $DB->get_records(issuing::MARKS, ['userid' => $userid], 'id', 'id, badgeid, timecreated');
            if ($marks) {
                self::export($context, 'privacy:awards', ['awards' => self::with_times($marks)]);
            }
            $changes = $DB->get_records(outbox::TABLE, ['userid' => $userid], 'id');
            if ($changes) {
                self::export($context, 'privacy:changes', ['changes' => self::with_times($changes)]);
            }
        }
    }

    /**
     * Deletes everything about everybody in a context.
     *
     * @param \context $context
     */
    public static function delete_data_for_all_users_in_context(\context $context) {
        if ($context->contextlevel == CONTEXT_USER) {
            self::delete((int) $context->instanceid);
        }
    }

    /**
     * Deletes what is kept about a user.
     *
     * @param approved_contextlist $contextlist
     */
    public static function delete_data_for_user(approved_contextlist $contextlist) {
        $userid = (int) $contextlist->get_user()->id;
        foreach ($contextlist->get_contexts() as $context) {
            if ($context->contextlevel == CONTEXT_USER && $context->instanceid == $userid) {
                self::delete($userid);
            }
        }
    }

    /**
     * Deletes what is kept about several users in a context.
     *
     * @param approved_userlist $userlist
     */
    public static function delete_data_for_users(approved_userlist $userlist) {
        $context = $userlist->get_context();
        if ($context->contextlevel == CONTEXT_USER && in_array($context->instanceid, $userlist->get_userids())) {
            self::delete((int) $context->instanceid);
        }
    }

    /**
     * Deletes what is kept about a user.
     *
     * @param int $userid
     */
    private static function delete(int $userid): void {
        global $DB;
        foreach (self::TABLES as $table) {
            $DB->delete_records($table, ['userid' => $userid]);
        }
    }

    /**
     * Writes a part of what is kept.
     *
     * @param \context $context
     * @param string $heading name of a string
     * @param array $data
     */
    private static function export(\context $context, string $heading, array $data): void {
        $path = [
            get_string('pluginname', 'local_competencybridge'),
            get_string($heading, 'local_competencybridge'),
        ];
        writer::with_context($context)->export_data($path, (object) $data);
    }

    /**
     * Rows with their times in words.
     *
     * @param \stdClass[] $rows
     * @return \stdClass[]
     */
    private static function with_times(array $rows): array {
        foreach ($rows as $row) {
            $row->timecreated = transform::datetime($row->timecreated);
        }
        return array_values($rows);
    }
}
