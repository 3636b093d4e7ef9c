"""What administrators and time do to a Moodle's people and courses, as the real one does it.

Acts on a site's tables: reset, unlock and delete, unenrol, suspend, delete, rename, merge, restore.
"""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.demo.moodle.state import Site

#: What a backup of the database holds.
_TABLES = (
    "users", "categories", "courses", "enrolments", "completions", "modules",
    "activity_completions", "cohorts", "badges", "issued", "frameworks", "competencies",
    "user_competencies", "course_competencies", "reports", "user_filters", "plugin",
)  # fmt: skip


def reset_course(site: Site, courseid: int) -> None:
    """Reset a course: every completion is deleted, of its activities too; enrolments stay."""
    unlock_and_delete(site, courseid)
    _clear_activities(site, courseid)
    site.happened("course_reset", courseid=courseid)


def _clear_activities(site: Site, courseid: int) -> None:
    inside = {module.cmid for module in site.modules.values() if module.courseid == courseid}
    for key in [key for key in site.activity_completions if key[1] in inside]:
        del site.activity_completions[key]


def unlock_and_delete(site: Site, courseid: int) -> None:
    """Unlock the completion settings of a course and delete what was completed. No event tells."""
    for key in [key for key in site.completions if key[1] == courseid]:
        del site.completions[key]


def uncomplete(site: Site, userid: int, courseid: int) -> None:
    """Delete one completion, as a yearly refresher does before the course is taken again."""
    site.completions.pop((userid, courseid), None)


def unenrol(site: Site, userid: int, courseid: int) -> None:
    """End every enrolment; the completion row stays, but no report shows it."""
    site.enrolments = [
        one for one in site.enrolments if (one.userid, one.courseid) != (userid, courseid)
    ]
    site.happened("unenrolled", userid=userid, courseid=courseid)


def suspend_enrolment(site: Site, userid: int, courseid: int) -> None:
    """Suspend somebody in one course: reports go on showing them there, other functions do not."""
    for one in site.enrolments_of(userid, courseid):
        one.status = "Suspended"


def suspend(site: Site, userid: int, *, suspended: bool = True) -> None:
    """Suspend an account, or let it in again. Enrolments are not touched."""
    site.users[userid].suspended = suspended
    site.happened("user_updated", userid=userid)


def delete_user(site: Site, userid: int) -> None:
    """Delete as Moodle does: the row stays, scrambled; enrolments and memberships go."""
    user = site.users[userid]
    user.deleted = True
    name = user.username
    user.username = f"{user.email}.{site.now}"
    user.email = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    user.idnumber = ""
    site.enrolments = [one for one in site.enrolments if one.userid != userid]
    for cohort in site.cohorts.values():
        if userid in cohort.members:
            cohort.members.remove(userid)
    site.happened("user_deleted", userid=userid)


def change_user(site: Site, userid: int, **fields: Any) -> None:
    """Change an account's email, idnumber, username or names."""
    for name, value in fields.items():
        setattr(site.users[userid], name, value)
    site.happened("user_updated", userid=userid)


def change_course(site: Site, courseid: int, **fields: Any) -> None:
    """Change a course's fullname, shortname or idnumber."""
    for name, value in fields.items():
        setattr(site.courses[courseid], name, value)
    site.happened("course_updated", courseid=courseid)


def delete_course(site: Site, courseid: int) -> None:
    """Delete a course, with its enrolments and completions."""
    unlock_and_delete(site, courseid)
    _clear_activities(site, courseid)
    site.modules = {k: one for k, one in site.modules.items() if one.courseid != courseid}
    site.enrolments = [one for one in site.enrolments if one.courseid != courseid]
    del site.courses[courseid]
    site.happened("course_deleted", courseid=courseid)


def remove_module(site: Site, cmid: int) -> None:
    """Take an activity out of its course; what was completed of it goes with it."""
    for key in [key for key in site.activity_completions if key[1] == cmid]:
        del site.activity_completions[key]
    del site.modules[cmid]


def merge_users(site: Site, userid: int, into: int) -> None:
    """As the plugin "Merge user accounts" does: what `into` lacks goes over to it."""
    for one in list(site.enrolments):
        if one.userid == userid:
            site.enrolments.remove(one)
            site.enrol(into, one.courseid, one.method)
    for key in [key for key in site.completions if key[0] == userid]:
        row = site.completions.pop(key)
        row.userid = into
        site.completions.setdefault((into, key[1]), row)
    suspend(site, userid)


def backup(site: Site) -> dict[str, Any]:
    """A copy of the database as it stands."""
    return {name: copy.deepcopy(getattr(site, name)) for name in _TABLES}


def restore(site: Site, saved: dict[str, Any]) -> None:
    """Put the database back: what came since is gone, and its numbers are given anew."""
    for name, rows in copy.deepcopy(saved).items():
        setattr(site, name, rows)
