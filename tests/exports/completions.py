"""Exports of LMSs, and more booking systems of other makes: one function a supplier's shape."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from tests.exports.bookings import CAME, Shape
from tests.exports.making import Export, as_csv, as_xlsx, one_of, table, uk, world

DONE = {"came": "Completed", "part": "In progress", "missed": "Not started", "cancelled": "Completed",
        "waiting": "In progress"}  # fmt: skip


def moodle_report(rng: Random) -> Export:
    """A Moodle report of completions over all courses."""
    rows = table(world(rng), {
        "Full name": lambda s: s.person.name, "Email address": lambda s: s.person.email,
        "ID number": lambda s: s.person.staff, "Course full name": lambda s: s.event.title,
        "Course short name": lambda s: s.event.code,
        "Time enrolled": lambda s: f"{s.booked:%A, %-d %B %Y, %-I:%M %p}",
        "Time completed": lambda s: f"{s.event.end:%A, %-d %B %Y, %-I:%M %p}" if DONE[s.state] == "Completed" else "",
        "Completed": lambda s: "Yes" if DONE[s.state] == "Completed" else "No",
        "Grade": lambda s: f"{s.score}.00",
    })  # fmt: skip
    return Export(as_csv(rows, newline="\n"), kind="completions", columns={
        "Full name": "name", "Email address": "email", "ID number": "staff_number",
        "Course full name": "event_title", "Course short name": "event_code",
        "Time enrolled": "started_on", "Time completed": "completed_on", "Completed": "status",
        "Grade": "score",
    })  # fmt: skip


def moodle_one_course(rng: Random) -> Export:
    """Moodle's own completion report of one course: it never names the course."""
    seats = world(rng)
    rows = table(seats, {
        "Name": lambda s: s.person.name, "ID number": lambda s: s.person.staff,
        "Email address": lambda s: s.person.email,
        "Course complete": lambda s: f"{s.event.end:%A, %-d %B %Y, %-I:%M %p}" if DONE[s.state] == "Completed" else "",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Name": "name", "ID number": "staff_number", "Email address": "email",
        "Course complete": "completed_on",
    }, asks=("fixed:event_title",))  # fmt: skip


def cornerstone(rng: Random) -> Export:
    """A transcript report of a large LMS."""
    rows = table(world(rng), {
        "User ID": lambda s: f"u{s.number}", "User First Name": lambda s: s.person.first,
        "User Last Name": lambda s: s.person.last, "User Email": lambda s: s.person.email,
        "Training Title": lambda s: s.event.title, "Training Type": "Online Class",
        "Transcript Registration Date": lambda s: uk(s.booked), "Transcript Status": one_of(DONE),
        "Transcript Completed Date": lambda s: uk(s.event.end) if DONE[s.state] == "Completed" else "",
        "Transcript Score": lambda s: s.score if DONE[s.state] == "Completed" else "",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "User ID": "username", "User First Name": "first_name", "User Last Name": "last_name",
        "User Email": "email", "Training Title": "event_title", "Transcript Status": "status",
        "Transcript Registration Date": "started_on", "Transcript Completed Date": "completed_on",
        "Transcript Score": "score",
    }, dates="day-first")  # fmt: skip


def kallidus(rng: Random) -> Export:
    """A compliance report: status, completion and expiry."""
    rows = table(world(rng), {
        "Employee ID": lambda s: s.person.staff, "Forename": lambda s: s.person.first,
        "Surname": lambda s: s.person.last, "Email": lambda s: s.person.email,
        "Department": "Children's Services", "Line Manager": "Priya Nair",
        "Course Title": lambda s: s.event.title, "Status": one_of({**DONE, "cancelled": "Passed", "missed": "Failed"}),
        "Completion Date": lambda s: f"{s.event.end:%d %b %Y}" if s.state in ("came", "cancelled", "missed") else "",
        "Expiry Date": lambda s: f"{s.event.end + timedelta(days=1095):%d %b %Y}", "Score %": lambda s: s.score,
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Employee ID": "staff_number", "Forename": "first_name", "Surname": "last_name",
        "Email": "email", "Course Title": "event_title", "Status": "status",
        "Completion Date": "completed_on", "Score %": "score",
    })  # fmt: skip


def esr(rng: Random) -> Export:
    """The NHS's staff record: assignment numbers, competences with dates."""
    rows = table(world(rng), {
        "Assignment Number": lambda s: s.person.staff, "Employee Name": lambda s: f"{s.person.last}, {s.person.first}",
        "Org L2": "Children and Families", "Staff Group": "Nursing",
        "Course Name": lambda s: s.event.title, "Enrolment Status": one_of(DONE),
        "Date Completed": lambda s: f"{s.event.end:%d-%b-%Y}" if DONE[s.state] == "Completed" else "",
    })  # fmt: skip
    return Export(as_xlsx([["Learning Administration Report"], [], *rows]), ".xlsx", kind="completions", columns={
        "Assignment Number": "staff_number", "Employee Name": "name", "Course Name": "event_title",
        "Enrolment Status": "status", "Date Completed": "completed_on",
    })  # fmt: skip


def learning_pool(rng: Random) -> Export:
    """A hosted LMS: user names, a completion status, ISO dates."""
    rows = table(world(rng), {
        "Username": lambda s: s.person.email.split("@")[0], "First name": lambda s: s.person.first,
        "Last name": lambda s: s.person.last, "Email": lambda s: s.person.email,
        "Organisation": lambda s: s.person.agency, "Course ID": lambda s: s.event.number,
        "Course name": lambda s: s.event.title, "Completion status": one_of(DONE),
        "Date started": lambda s: f"{s.booked:%Y-%m-%d}",
        "Date completed": lambda s: f"{s.event.end:%Y-%m-%d}" if DONE[s.state] == "Completed" else "",
        "Last accessed": lambda s: f"{s.event.end:%Y-%m-%d}",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Username": "username", "First name": "first_name", "Last name": "last_name",
        "Email": "email", "Organisation": "employer", "Course ID": "event_id",
        "Course name": "event_title", "Completion status": "status", "Date started": "started_on",
        "Date completed": "completed_on",
    })  # fmt: skip


def e_lfh(rng: Random) -> Export:
    """E-learning of one session a row: a title, a status, a score out of a hundred."""
    rows = table(world(rng), {
        "Learner name": lambda s: s.person.name, "Learner email": lambda s: s.person.email,
        "Module": lambda s: s.event.title, "Progress": one_of({**DONE, "missed": "Not attempted"}),
        "Best score": lambda s: f"{s.score}%", "Completed on": lambda s: f"{s.event.end:%d/%m/%Y %H:%M}" if DONE[s.state] == "Completed" else "",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Learner name": "name", "Learner email": "email", "Module": "event_title",
        "Progress": "status", "Best score": "score", "Completed on": "completed_on",
    }, dates="day-first")  # fmt: skip


def plain_lms(rng: Random) -> Export:
    """Course, person, status, score, date: the least that an LMS can say."""
    rows = table(world(rng), {
        "course": lambda s: s.event.title, "person": lambda s: s.person.name,
        "email": lambda s: s.person.email, "status": one_of({**DONE, "cancelled": "Passed", "missed": "Failed"}),
        "score": lambda s: s.score, "date": lambda s: uk(s.event.end) if s.state in ("came", "cancelled", "missed") else "",
    })  # fmt: skip
    return Export(as_csv(rows, separator="|"), kind="completions", columns={
        "course": "event_title", "person": "name", "email": "email", "status": "status",
        "score": "score", "date": "completed_on",
    }, dates="day-first")  # fmt: skip


def completions_undated_status(rng: Random) -> Export:
    """Only a day of completion says that something was completed."""
    seats = [s for s in world(rng) if s.state == "came"]
    rows = table(seats, {
        "Payroll No": lambda s: s.person.staff, "Employee": lambda s: s.person.name,
        "Learning": lambda s: s.event.title, "Completion date": lambda s: f"{s.event.end:%d/%m/%y}",
        "CPD hours": "3",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Payroll No": "staff_number", "Employee": "name", "Learning": "event_title",
        "Completion date": "completed_on",
    }, dates="day-first")  # fmt: skip


def council_portal(rng: Random) -> Export:
    """A council's learning portal, with a note before the headings and a count at the foot."""
    seats = world(rng)
    rows = table(seats, {
        "Event Ref": lambda s: s.event.code, "Event": lambda s: s.event.title,
        "Start": lambda s: f"{s.event.start:%d/%m/%Y %H:%M}", "Delegate": lambda s: f"{s.person.last}, {s.person.first}",
        "Delegate Email": lambda s: s.person.email, "Employer": lambda s: s.person.agency,
        "Delegate Status": one_of(CAME), "Approved by": "Sam Field",
    })  # fmt: skip
    return Export(as_csv([["Report: delegates by event"], [f"Generated on {uk(seats[0].booked)}"], [], *rows,
                          [], [f"{len(seats)} records"]]), columns={
        "Event Ref": "event_code", "Event": "event_title", "Start": "event_date", "Delegate": "name",
        "Delegate Email": "email", "Employer": "employer", "Delegate Status": "status",
    }, dates="day-first")  # fmt: skip


def google_sheet(rng: Random) -> Export:
    """A form's answers: long headings, true and false."""
    rows = table(world(rng), {
        "Timestamp": lambda s: f"{s.booked:%d/%m/%Y %H:%M:%S}", "Email Address": lambda s: s.person.email,
        "Your full name": lambda s: s.person.name, "Which course?": "x",
        "Course date": lambda s: uk(s.event.start), "Course": lambda s: s.event.title,
        "Present": lambda s: "TRUE" if s.state in ("came", "part") else "FALSE",
    })  # fmt: skip
    drop = rows[0].index("Which course?")
    rows = [row[:drop] + row[drop + 1 :] for row in rows]
    return Export(as_csv(rows), columns={
        "Email Address": "email", "Your full name": "name", "Course date": "event_date",
        "Course": "event_title", "Present": "attended",
    }, dates="day-first")  # fmt: skip


def two_digit_years(rng: Random) -> Export:
    """Two digits for a year, hours attended, an address of work and one of home."""
    rows = table(world(rng), {
        "Delegate ID": lambda s: s.number, "Delegate First Name": lambda s: s.person.first,
        "Delegate Last Name": lambda s: s.person.last, "Delegate Email Address": lambda s: s.person.email,
        "Course Title": lambda s: s.event.title, "Course Date": lambda s: f"{s.event.start:%d/%m/%y}",
        "Hours attended": lambda s: 3 if s.state == "came" else 1.5 if s.state == "part" else 0,
        "Attendance": one_of(CAME), "Invoice contact email": "money@leics.example.org",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Delegate ID": "reference", "Delegate First Name": "first_name",
        "Delegate Last Name": "last_name", "Delegate Email Address": "email",
        "Course Title": "event_title", "Course Date": "event_date", "Hours attended": "hours",
        "Attendance": "status",
    }, dates="day-first")  # fmt: skip


def settled_elsewhere(rng: Random) -> Export:
    """The event's dates work both ways; the day of booking, by the same hand, does not."""
    rows = table(world(rng, early=True), {
        "Booking ref": lambda s: f"R{s.number}", "Booked on": lambda s: uk(s.booked.replace(day=13 + s.number % 15)),
        "Course": lambda s: s.event.title, "Date": lambda s: uk(s.event.start),
        "Attendee first name": lambda s: s.person.first, "Attendee surname": lambda s: s.person.last,
        "Attendee email": lambda s: s.person.email, "Status": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking ref": "reference", "Course": "event_title", "Date": "event_date",
        "Attendee first name": "first_name", "Attendee surname": "last_name",
        "Attendee email": "email", "Status": "status",
    }, dates="day-first")  # fmt: skip


def second_sheet_titles(rng: Random) -> Export:
    """A workbook whose heading stands in the fifth row, with group headings over it."""
    rows = table(world(rng), {
        "Course title": lambda s: s.event.title, "Start date": lambda s: s.event.start.date(),
        "Start time": lambda s: s.event.start.time(), "Name": lambda s: s.person.name,
        "Email": lambda s: s.person.email, "Agency": lambda s: s.person.agency,
        "Attended": lambda s: "Yes" if s.state in ("came", "part") else "No" if s.state == "missed" else None,
        "Feedback form": lambda s: "Yes" if s.score > 70 else "No",
    })  # fmt: skip
    head = [["LSCP Learning Hub"], [], ["Event", "", "", "Delegate", "", "", "After the event"], []]
    return Export(as_xlsx([*head, *rows], merged=("A1:H1", "A3:C3", "D3:F3", "G3:H3")), ".xlsx", columns={
        "Course title": "event_title", "Start date": "event_date", "Start time": "start_time",
        "Name": "name", "Email": "email", "Agency": "employer", "Attended": "attended",
        "Feedback form": "evaluated",
    })  # fmt: skip


def two_emails(rng: Random) -> Export:
    """Two columns of the same heading with different addresses: nothing says which is theirs."""
    seats = world(rng)
    rows = [["Event", "Event date", "Name", "Email", "Email", "Status"],
            *([s.event.title, f"{s.event.start:%d %B %Y}", s.person.name, s.person.email,
               f"{s.person.first.lower()}{s.number}@home.example.net", CAME[s.state]] for s in seats)]  # fmt: skip
    return Export(as_csv(rows), columns={
        "Event": "event_title", "Event date": "event_date", "Name": "name", "Status": "status",
    }, asks=("column:email",))  # fmt: skip


def session_dates_in_headings(rng: Random) -> Export:
    """A register over weeks: a column for each date, ticks and crosses."""

    def mark(seat: object, state: str) -> str:
        return {"came": "✓", "part": "✓", "missed": "x"}.get(state, "")

    rows = table(world(rng), {
        "Programme": lambda s: s.event.title, "Name": lambda s: s.person.name,
        "Work Email": lambda s: s.person.email,
        "14/04/2026": lambda s: mark(s, s.state), "21/04/2026": lambda s: mark(s, "missed" if s.state == "part" else s.state),
        "28/04/2026": lambda s: mark(s, s.state),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Programme": "event_title", "Name": "name", "Work Email": "email",
    }, sessions=("14/04/2026", "21/04/2026", "28/04/2026"), dates="day-first")  # fmt: skip


def misspelled(rng: Random) -> Export:
    """Headings typed by hand, with slips."""
    rows = table(world(rng), {
        "Corse title": lambda s: s.event.title, "Course dat": lambda s: uk(s.event.start),
        "Firstname": lambda s: s.person.first, "Sirname": lambda s: s.person.last,
        "E mail adress": lambda s: s.person.email, "Atendance": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Corse title": "event_title", "Course dat": "event_date", "Firstname": "first_name",
        "Sirname": "last_name", "E mail adress": "email", "Atendance": "status",
    }, dates="day-first")  # fmt: skip


COMPLETIONS_AND_MORE: tuple[Shape, ...] = (
    moodle_report, moodle_one_course, cornerstone, kallidus, esr, learning_pool, e_lfh, plain_lms,
    completions_undated_status, council_portal, google_sheet, two_digit_years, settled_elsewhere,
    second_sheet_titles, two_emails, session_dates_in_headings, misspelled,
)  # fmt: skip
