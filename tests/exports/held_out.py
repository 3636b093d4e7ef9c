"""Shapes that the learner was not tuned on: its score on them is told as it came out."""

from __future__ import annotations

from random import Random

from tests.exports.bookings import Shape
from tests.exports.making import Export, as_csv, as_xlsx, one_of, table, uk, world


def bookwhen(rng: Random) -> Export:
    """A small booking service."""
    rows = table(world(rng), {
        "Booking ref": lambda s: f"W{s.number}", "Booked at": lambda s: f"{s.booked:%Y-%m-%d %H:%M}",
        "Entry title": lambda s: s.event.title, "Entry start": lambda s: f"{s.event.start:%Y-%m-%d %H:%M}",
        "Attendee: First name": lambda s: s.person.first, "Attendee: Last name": lambda s: s.person.last,
        "Attendee: Email": lambda s: s.person.email, "Booking status": one_of({"came": "Confirmed", "part": "Confirmed", "missed": "Confirmed", "cancelled": "Cancelled", "waiting": "Waiting list"}),
        "Attended": one_of({"came": "Yes", "part": "Yes", "missed": "No", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking ref": "reference", "Entry title": "event_title", "Entry start": "event_date",
        "Attendee: First name": "first_name", "Attendee: Last name": "last_name",
        "Attendee: Email": "email", "Booking status": "status", "Attended": "attended",
    })  # fmt: skip


def board_portal(rng: Random) -> Export:
    """A board's training portal."""
    rows = table(world(rng), {
        "Candidate": lambda s: s.person.name, "Candidate Email": lambda s: s.person.email,
        "Candidate Agency": lambda s: s.person.agency, "Scheduled Course": lambda s: s.event.title,
        "Course Start": lambda s: f"{s.event.start:%d/%m/%Y %H:%M}", "Candidate Status": one_of({"came": "Attended", "part": "Part attended", "missed": "Non-attendance", "cancelled": "Withdrawn", "waiting": "Reserve list"}),
        "Certificate Sent": lambda s: uk(s.event.end),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Candidate": "name", "Candidate Email": "email", "Candidate Agency": "employer",
        "Scheduled Course": "event_title", "Course Start": "event_date",
        "Candidate Status": "status",
    }, dates="day-first")  # fmt: skip


def with_colons(rng: Random) -> Export:
    """A report builder that puts the table's name before each column."""
    rows = table(world(rng), {
        "Booking: Ref": lambda s: s.number, "Event: Code": lambda s: s.event.code, "Event: Title": lambda s: s.event.title,
        "Event: Date": lambda s: f"{s.event.start:%d-%m-%Y}", "Delegate: Full Name": lambda s: s.person.name,
        "Delegate: Email": lambda s: s.person.email, "Attendance: Status": one_of({"came": "Attended", "part": "Left Early", "missed": "DNA", "cancelled": "Cancelled", "waiting": "Waiting"}),
        "Manager: Email": "boss@leics.example.org",
    })  # fmt: skip
    return Export(as_csv(rows, encoding="utf-8-sig"), columns={
        "Booking: Ref": "reference", "Event: Code": "event_code", "Event: Title": "event_title",
        "Event: Date": "event_date", "Delegate: Full Name": "name", "Delegate: Email": "email",
        "Attendance: Status": "status",
    }, dates="day-first")  # fmt: skip


def form_answers(rng: Random) -> Export:
    """A form that people fill in at the end of a course: its own times are not the event's."""
    rows = table(world(rng), {
        "ID": lambda s: s.number, "Start time": lambda s: f"{s.event.end:%m/%d/%y %H:%M:%S}", "Completion time": lambda s: f"{s.event.end:%m/%d/%y %H:%M:%S}",
        "Email": lambda s: s.person.email, "Name": lambda s: s.person.name,
        "Which training did you attend?": lambda s: s.event.title, "Date of training": lambda s: f"{s.event.start:%Y-%m-%d}",
        "Which organisation do you work for?": lambda s: s.person.agency,
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "ID": "reference", "Email": "email", "Name": "name", "Which training did you attend?": "event_title",
        "Date of training": "event_date", "Which organisation do you work for?": "employer",
    }, asks=("kind", "when_silent", "column:", "fixed:"))  # fmt: skip


def litmos(rng: Random) -> Export:
    """A small LMS."""
    rows = table(world(rng), {
        "Username": lambda s: f"u{s.number}", "Full Name": lambda s: s.person.name, "Email": lambda s: s.person.email,
        "Course": lambda s: s.event.title, "Percentage Complete": lambda s: 100 if s.state == "came" else 40,
        "Completed": one_of({"came": "Yes", "part": "No", "missed": "No", "cancelled": "No", "waiting": "No"}),
        "Date Completed": lambda s: f"{s.event.end:%d %b %Y}" if s.state == "came" else "", "Score": lambda s: s.score,
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Username": "username", "Full Name": "name", "Email": "email", "Course": "event_title",
        "Completed": "status", "Date Completed": "completed_on", "Score": "score",
    })  # fmt: skip


def talent(rng: Random) -> Export:
    """Another small LMS."""
    rows = table(world(rng), {
        "User": lambda s: s.person.name, "Email": lambda s: s.person.email, "Course": lambda s: s.event.title,
        "Completion status": one_of({"came": "Completed", "part": "Incomplete", "missed": "Not started", "cancelled": "Completed", "waiting": "Incomplete"}),
        "Enrolled on": lambda s: uk(s.booked), "Completed on": lambda s: uk(s.event.end) if s.state in ("came", "cancelled") else "-",
        "Time": "1h 12m", "Average score": lambda s: f"{s.score}%",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "User": "name", "Email": "email", "Course": "event_title", "Completion status": "status",
        "Enrolled on": "started_on", "Completed on": "completed_on", "Average score": "score",
    }, dates="day-first")  # fmt: skip


def compliance(rng: Random) -> Export:
    """A compliance report of e-learning."""
    rows = table(world(rng), {
        "Learner First Name": lambda s: s.person.first, "Learner Last Name": lambda s: s.person.last,
        "Learner Email": lambda s: s.person.email, "Site": lambda s: s.person.agency, "Course": lambda s: s.event.title,
        "Compliance Status": one_of({"came": "Compliant", "part": "Overdue", "missed": "Not started", "cancelled": "Compliant", "waiting": "Overdue"}),
        "Completed": lambda s: uk(s.event.end) if s.state in ("came", "cancelled") else "", "Expires": lambda s: uk(s.event.end.replace(year=2029)),
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Learner First Name": "first_name", "Learner Last Name": "last_name", "Learner Email": "email",
        "Course": "event_title", "Compliance Status": "status", "Completed": "completed_on",
    }, dates="day-first")  # fmt: skip


def school_register(rng: Random) -> Export:
    """What a school keeps of its staff's training."""
    rows = table(world(rng), {
        "Staff member": lambda s: s.person.name, "Staff code": lambda s: s.person.staff, "Training name": lambda s: s.event.title,
        "Provider": "LSCP", "Date completed": lambda s: s.event.end.date(), "Certificate number": lambda s: f"C{s.number}",
    })  # fmt: skip
    return Export(as_xlsx(rows), ".xlsx", kind="completions", columns={
        "Staff member": "name", "Staff code": "staff_number", "Training name": "event_title",
        "Date completed": "completed_on",
    })  # fmt: skip


def mixed_marks(rng: Random) -> Export:
    """A list kept by hand: yes, no and words in one column."""
    rows = table(world(rng), {
        "Trainee": lambda s: s.person.name, "Trainee email": lambda s: s.person.email, "Position": "Nurse", "Base": lambda s: s.person.agency,
        "Course attended": lambda s: s.event.title, "Date": lambda s: uk(s.event.start),
        "Attended (Y/N/Cancelled)": one_of({"came": "Y", "part": "Y", "missed": "N", "cancelled": "Cancelled", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Trainee": "name", "Trainee email": "email", "Course attended": "event_title",
        "Date": "event_date", "Attended (Y/N/Cancelled)": "attended",
    }, dates="day-first")  # fmt: skip


def customer_system(rng: Random) -> Export:
    """A customer system used for events, with campaigns and their members."""
    rows = table(world(rng), {
        "Campaign Name": lambda s: s.event.title, "Campaign Start Date": lambda s: uk(s.event.start),
        "First Name": lambda s: s.person.first, "Last Name": lambda s: s.person.last, "Email": lambda s: s.person.email,
        "Account Name": lambda s: s.person.agency,
        "Member Status": one_of({"came": "Attended", "part": "Attended", "missed": "No Show", "cancelled": "Cancelled", "waiting": "Registered"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Campaign Start Date": "event_date", "First Name": "first_name",
        "Last Name": "last_name", "Email": "email", "Account Name": "employer", "Member Status": "status",
    }, dates="day-first", asks=("fixed:event_title",))  # fmt: skip


def run_together(rng: Random) -> Export:
    """Headings without blanks, a mark in one of three columns, semicolons."""
    rows = table(world(rng), {
        "CourseBookingId": lambda s: s.number, "CourseTitle": lambda s: s.event.title, "CourseOccurrenceDate": lambda s: f"{s.event.start:%Y-%m-%d}",
        "DelegateFullName": lambda s: s.person.name, "DelegateEMail": lambda s: s.person.email,
        "HasAttended": lambda s: 1 if s.state in ("came", "part") else 0, "HasCancelled": lambda s: 1 if s.state == "cancelled" else 0,
        "IsWaitListed": lambda s: 1 if s.state == "waiting" else 0,
    })  # fmt: skip
    return Export(as_csv(rows, separator=";"), columns={
        "CourseBookingId": "reference", "CourseTitle": "event_title", "CourseOccurrenceDate": "event_date",
        "DelegateFullName": "name", "DelegateEMail": "email", "HasAttended": "attended",
        "HasCancelled": "cancelled", "IsWaitListed": "waitlisted",
    })  # fmt: skip


def modules_register(rng: Random) -> Export:
    """A register of a programme in modules, which stands above the table."""
    seats = world(rng)
    event = seats[0].event
    mark = {"came": "Attended", "part": "Attended", "missed": "Absent"}
    rows = [
        [f"Course title: {event.title}"], [f"Start date: {event.start:%d %B %Y}"], [],
        ["Surname", "Forename", "Email", "Service area", "Module 1", "Module 2", "Module 3"],
        *([s.person.last, s.person.first, s.person.email, "Early Help", mark.get(s.state, ""), mark.get(s.state, ""),
           "Absent" if s.state == "part" else mark.get(s.state, "")] for s in seats if s.event is event),
    ]  # fmt: skip
    return Export(as_xlsx(rows, merged=("A1:G1",)), ".xlsx", columns={
        "Surname": "last_name", "Forename": "first_name", "Email": "email",
    }, sessions=("Module 1", "Module 2", "Module 3"),
        above={"event_title": "course title", "event_date": "start date"})  # fmt: skip


def letters(rng: Random) -> Export:
    """Letters that only its keeper knows."""
    rows = table(world(rng), {
        "Event": lambda s: s.event.title, "Event Date": lambda s: f"{s.event.start:%Y-%m-%d}", "Participant": lambda s: s.person.name,
        "Participant Email": lambda s: s.person.email, "Code": one_of({"came": "F", "part": "H", "missed": "Z", "cancelled": "K", "waiting": "K"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Event": "event_title", "Event Date": "event_date", "Participant": "name", "Participant Email": "email",
        "Code": "status",
    }, asks=("when_silent", "word:"))  # fmt: skip


def early_months(rng: Random) -> Export:
    """Two digits for the year, and not one day after the twelfth."""
    rows = table(world(rng, 20, early=True), {
        "Staff ID": lambda s: s.person.staff, "Staff Name": lambda s: s.person.name, "Class": lambda s: s.event.title,
        "Class Date": lambda s: f"{s.event.start:%d/%m/%y}", "Attendance Result": one_of({"came": "Present", "part": "Present", "missed": "Absent", "cancelled": "Cancelled", "waiting": "Waitlist"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Staff ID": "staff_number", "Staff Name": "name", "Class": "event_title", "Class Date": "event_date",
        "Attendance Result": "status",
    }, asks=("dates",))  # fmt: skip


HELD_OUT: tuple[Shape, ...] = (
    bookwhen, board_portal, with_colons, form_answers, litmos, talent, compliance, school_register,
    mixed_marks, customer_system, run_together, modules_register, letters, early_months,
)  # fmt: skip
