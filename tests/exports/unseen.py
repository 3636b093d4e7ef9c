"""Shapes written after the learner was finished, on which it was not tuned at all.

Its first score on them stands in docs/booking.md as it came out.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from tests.exports.bookings import Shape
from tests.exports.making import Export, as_csv, as_xlsx, one_of, table, uk, world


def accessplanit(rng: Random) -> Export:
    """A training manager's delegate list."""
    rows = table(world(rng), {
        "Delegate": lambda s: s.person.name, "Delegate Email": lambda s: s.person.email, "Account": lambda s: s.person.agency,
        "Course Template": lambda s: s.event.title, "Course Date": lambda s: f"{s.event.start:%d/%m/%Y}", "Invoice No": lambda s: s.number,
        "Delegate Status": one_of({"came": "Attended", "part": "Attended", "missed": "Did Not Attend", "cancelled": "Cancelled", "waiting": "Provisional"}),
        "Result": one_of({"came": "Pass", "part": "Fail", "missed": "", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Delegate": "name", "Delegate Email": "email", "Account": "employer", "Course Template": "event_title",
        "Course Date": "event_date", "Delegate Status": "status",
    }, dates="day-first")  # fmt: skip


def oracle_learning(rng: Random) -> Export:
    """A personnel system's learning records."""
    rows = table(world(rng), {
        "Person Number": lambda s: s.person.staff, "Learner Display Name": lambda s: s.person.name, "Learner Work Email": lambda s: s.person.email,
        "Learning Item Title": lambda s: s.event.title, "Learning Item Number": lambda s: f"OLC{s.event.number}",
        "Assignment Status": one_of({"came": "Completed", "part": "In progress", "missed": "Not started", "cancelled": "Withdrawn", "waiting": "Not started"}),
        "Assigned Date": lambda s: f"{s.booked:%Y-%m-%d}", "Completed Date": lambda s: f"{s.event.end:%Y-%m-%d}" if s.state == "came" else "",
        "Actual Score": lambda s: s.score if s.state == "came" else "",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Person Number": "staff_number", "Learner Display Name": "name", "Learner Work Email": "email",
        "Learning Item Title": "event_title", "Learning Item Number": "event_id", "Assignment Status": "status",
        "Assigned Date": "started_on", "Completed Date": "completed_on", "Actual Score": "score",
    })  # fmt: skip


def church_safeguarding(rng: Random) -> Export:
    """A diocese's training record."""
    rows = table(world(rng), {
        "Title": "Mrs", "First Names": lambda s: s.person.first, "Surname": lambda s: s.person.last, "Parish": lambda s: s.person.agency,
        "E-mail": lambda s: s.person.email, "Module Name": lambda s: s.event.title, "Date Passed": lambda s: f"{s.event.end:%d %B %Y}",
        "Refresher Due": lambda s: f"{s.event.end + timedelta(days=1095):%d %B %Y}",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "First Names": "first_name", "Surname": "last_name", "E-mail": "email", "Module Name": "event_title",
        "Date Passed": "completed_on",
    })  # fmt: skip


def conference_badges(rng: Random) -> Export:
    """A conference's scans."""
    rows = table(world(rng), {
        "Badge ID": lambda s: f"C-{s.number}", "Forename": lambda s: s.person.first, "Surname": lambda s: s.person.last, "Company": lambda s: s.person.agency,
        "Email Address": lambda s: s.person.email, "Breakout Session": lambda s: s.event.title, "Session Date": lambda s: f"{s.event.start:%a %-d %b %Y}",
        "Scan In": lambda s: f"{s.event.start:%H:%M}" if s.state in ("came", "part") else "", "Scan Out": lambda s: f"{s.event.end:%H:%M}" if s.state == "came" else "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Badge ID": "reference", "Forename": "first_name", "Surname": "last_name", "Company": "employer", "Email Address": "email",
        "Breakout Session": "event_title", "Session Date": "event_date", "Scan In": "check_in", "Scan Out": "check_out",
    })  # fmt: skip


def fire_service(rng: Random) -> Export:
    """A workbook with a code of the course and the hours."""
    rows = table(world(rng), {
        "Service No": lambda s: s.person.staff, "Name": lambda s: f"{s.person.last}, {s.person.first}", "Station": lambda s: s.person.agency,
        "Course Code": lambda s: s.event.code, "Course Description": lambda s: s.event.title, "From": lambda s: s.event.start.date(), "To": lambda s: s.event.end.date(),
        "Attended": lambda s: "Y" if s.state in ("came", "part") else "N",
    })  # fmt: skip
    return Export(as_xlsx([["Course attendance"], [], *rows]), ".xlsx", columns={
        "Service No": "staff_number", "Name": "name", "Course Code": "event_code", "Course Description": "event_title",
        "From": "event_date", "To": "event_end", "Attended": "attended",
    })  # fmt: skip


def webinar_report(rng: Random) -> Export:
    """A webinar service: who registered, who attended, for how long."""
    rows = table(world(rng), {
        "Attended": lambda s: "Yes" if s.state in ("came", "part") else "No", "User Name": lambda s: s.person.name, "First Name": lambda s: s.person.first, "Last Name": lambda s: s.person.last,
        "Email": lambda s: s.person.email, "Registration Time": lambda s: f"{s.booked:%Y-%m-%d %H:%M:%S}", "Approval Status": "approved",
        "Join Time": lambda s: f"{s.event.start:%Y-%m-%d %H:%M:%S}" if s.state in ("came", "part") else "--", "Leave Time": lambda s: f"{s.event.end:%Y-%m-%d %H:%M:%S}" if s.state in ("came", "part") else "--",
        "Time in Session (minutes)": lambda s: s.minutes if s.state in ("came", "part") else "--", "Webinar Name": lambda s: s.event.title, "Actual Start Time": lambda s: f"{s.event.start:%Y-%m-%d %H:%M:%S}",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Attended": "attended", "User Name": "name", "First Name": "first_name", "Last Name": "last_name", "Email": "email",
        "Join Time": "check_in", "Leave Time": "check_out", "Time in Session (minutes)": "minutes",
        "Webinar Name": "event_title", "Actual Start Time": "event_date", "Approval Status": "status",
    })  # fmt: skip


def nursery_chain(rng: Random) -> Export:
    """A training matrix turned into a list."""
    rows = table(world(rng), {
        "Practitioner": lambda s: s.person.name, "Setting": lambda s: s.person.agency, "Practitioner email": lambda s: s.person.email,
        "Training": lambda s: s.event.title, "Training date": lambda s: uk(s.event.start), "Training hours": "3",
        "Attended/DNA/Cancelled": one_of({"came": "Attended", "part": "Attended", "missed": "DNA", "cancelled": "Cancelled", "waiting": ""}),
        "Evaluation returned?": lambda s: "Y" if s.score > 60 else "N",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Practitioner": "name", "Setting": "employer", "Practitioner email": "email", "Training": "event_title",
        "Training date": "event_date", "Attended/DNA/Cancelled": "status", "Evaluation returned?": "evaluated",
    }, dates="day-first")  # fmt: skip


def moodle_facetoface(rng: Random) -> Export:
    """Moodle's facetoface activity, exported by session."""
    rows = table(world(rng), {
        "Face-to-face": lambda s: s.event.title, "Session date": lambda s: f"{s.event.start:%d/%m/%Y}", "Start time": lambda s: f"{s.event.start:%I:%M %p}",
        "Finish time": lambda s: f"{s.event.end:%I:%M %p}", "First name": lambda s: s.person.first, "Last name": lambda s: s.person.last, "Email address": lambda s: s.person.email,
        "Attendance": one_of({"came": "Fully attended", "part": "Partially attended", "missed": "No show", "cancelled": "User cancelled", "waiting": "Wait-listed"}), "Grade": lambda s: "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Face-to-face": "event_title", "Session date": "event_date", "Start time": "start_time", "Finish time": "end_time",
        "First name": "first_name", "Last name": "last_name", "Email address": "email", "Attendance": "status", "Grade": "score",
    }, dates="day-first", asks=("fixed:event_title",))  # fmt: skip


def hospital_trust(rng: Random) -> Export:
    """A trust's list with the first day after the twelfth nowhere in sight."""
    rows = table(world(rng, 15, early=True), {
        "Assignment No.": lambda s: s.person.staff, "Full Name": lambda s: s.person.name, "Competence": lambda s: s.event.title,
        "Class Start": lambda s: f"{s.event.start:%d/%m/%Y %H:%M}", "Attendance": one_of({"came": "Attended", "part": "Attended", "missed": "DNA", "cancelled": "Withdrawn", "waiting": "Waitlisted"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Assignment No.": "staff_number", "Full Name": "name", "Competence": "event_title", "Class Start": "event_date", "Attendance": "status",
    }, asks=("dates",))  # fmt: skip


def voluntary_action(rng: Random) -> Export:
    """A voluntary sector's booking form, with long headings."""
    rows = table(world(rng), {
        "Booking Reference Number": lambda s: s.number, "Name of Course": lambda s: s.event.title, "Date of Course": lambda s: f"{s.event.start:%A %-d %B %Y}",
        "Participant's First Name": lambda s: s.person.first, "Participant's Surname": lambda s: s.person.last, "Participant's Email": lambda s: s.person.email,
        "Name of Organisation": lambda s: s.person.agency, "Do you have any access needs?": "", "Did they attend?": one_of({"came": "Yes", "part": "Yes", "missed": "No", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking Reference Number": "reference", "Name of Course": "event_title", "Date of Course": "event_date",
        "Participant's First Name": "first_name", "Participant's Surname": "last_name", "Participant's Email": "email",
        "Name of Organisation": "employer", "Did they attend?": "attended",
    })  # fmt: skip


UNSEEN: tuple[Shape, ...] = (
    accessplanit, oracle_learning, church_safeguarding, conference_badges, fire_service, webinar_report,
    nursery_chain, moodle_facetoface, hospital_trust, voluntary_action,
)  # fmt: skip
