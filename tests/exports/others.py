"""More suppliers: ticket sellers, hubs, lists kept by hand, video services and personnel systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from tests.exports.bookings import Shape
from tests.exports.making import Export, as_csv, as_xlsx, one_of, table, uk, world


def ticket_tailor(rng: Random) -> Export:
    """A ticket seller's export."""
    rows = table(world(rng), {
        "Issued ticket ID": lambda s: f"it_{s.number}", "Order ID": lambda s: f"or_{s.number // 2}",
        "Event name": lambda s: s.event.title, "Event start": lambda s: f"{s.event.start:%Y-%m-%d %H:%M}",
        "Event end": lambda s: f"{s.event.end:%Y-%m-%d %H:%M}", "Ticket holder first name": lambda s: s.person.first,
        "Ticket holder last name": lambda s: s.person.last, "Ticket holder email": lambda s: s.person.email,
        "Buyer name": "Office", "Buyer email": "office@leics.example.org",
        "Ticket status": one_of({"came": "Valid", "part": "Valid", "missed": "Valid", "cancelled": "Cancelled", "waiting": "Waitlisted"}),
        "Checked in": one_of({"came": "Yes", "part": "Yes", "missed": "No", "cancelled": "No", "waiting": "No"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Issued ticket ID": "reference", "Event name": "event_title", "Event start": "event_date",
        "Event end": "event_end", "Ticket holder first name": "first_name",
        "Ticket holder last name": "last_name", "Ticket holder email": "email",
        "Ticket status": "status", "Checked in": "check_in",
    })  # fmt: skip


def arlo(rng: Random) -> Export:
    """A training manager's registrations."""
    rows = table(world(rng), {
        "Registration reference": lambda s: s.number, "Contact first name": lambda s: s.person.first,
        "Contact last name": lambda s: s.person.last, "Contact email": lambda s: s.person.email,
        "Organisation": lambda s: s.person.agency, "Event code": lambda s: s.event.code,
        "Event name": lambda s: s.event.title, "Event start date": lambda s: f"{s.event.start:%d %b %Y}",
        "Registration status": one_of({"came": "Completed", "part": "Incomplete", "missed": "No show", "cancelled": "Cancelled", "waiting": "Waiting list"}),
        "Attendance": one_of({"came": "Attended", "part": "Partially attended", "missed": "Did not attend", "cancelled": "", "waiting": ""}),
        "Amount": "£0.00",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Registration reference": "reference", "Contact first name": "first_name",
        "Contact last name": "last_name", "Contact email": "email", "Organisation": "employer",
        "Event code": "event_code", "Event name": "event_title", "Event start date": "event_date",
        "Registration status": "status", "Attendance": "attended",
    }, asks=("column:name", "word:Incomplete"))  # fmt: skip


def schools_hub(rng: Random) -> Export:
    """A council's hub for schools."""
    rows = table(world(rng), {
        "Course Ref": lambda s: s.event.code, "Course": lambda s: s.event.title, "Session date": lambda s: uk(s.event.start),
        "School": lambda s: s.person.agency, "DfE No": "855/3001", "Delegate name": lambda s: s.person.name,
        "Delegate role": "Teacher in charge of phonics", "Delegate email": lambda s: s.person.email,
        "Attended Y/N": one_of({"came": "Y", "part": "Y", "missed": "N", "cancelled": "", "waiting": ""}),
        "Charge": "£85.00", "Evaluation": one_of({"came": "Received", "part": "Outstanding", "missed": "", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course Ref": "event_code", "Course": "event_title", "Session date": "event_date",
        "School": "employer", "Delegate name": "name", "Delegate email": "email",
        "Attended Y/N": "attended", "Evaluation": "evaluated",
    }, dates="day-first")  # fmt: skip


def sharepoint_list(rng: Random) -> Export:
    """A list kept by hand in a shared site."""
    rows = table(world(rng), {
        "Title": lambda s: s.event.title, "EventDate": lambda s: f"{s.event.start:%d/%m/%Y %H:%M}",
        "Attendee": lambda s: s.person.name, "AttendeeEmail": lambda s: s.person.email,
        "Agency": lambda s: s.person.agency, "DidAttend": lambda s: "True" if s.state in ("came", "part") else "False",
        "Modified": lambda s: f"{s.event.end:%d/%m/%Y %H:%M}", "Modified By": "Priya Nair",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Title": "event_title", "EventDate": "event_date", "Attendee": "name",
        "AttendeeEmail": "email", "Agency": "employer", "DidAttend": "attended",
    }, dates="day-first")  # fmt: skip


def zoom_report(rng: Random) -> Export:
    """A video service's report of a meeting, with what it was above the table."""
    seats = world(rng)
    event = seats[0].event
    rows: list[list[object]] = [["Topic", event.title], ["Start Time", f"{event.start:%Y-%m-%d %H:%M}"], [],
            ["Name (Original Name)", "User Email", "Join Time", "Leave Time", "Duration (Minutes)", "Guest"],
            *([s.person.name, s.person.email, f"{event.start:%Y-%m-%d %H:%M:%S}",
               f"{event.start + timedelta(minutes=s.minutes):%Y-%m-%d %H:%M:%S}", s.minutes, "Yes"]
              for s in seats if s.event is event)]  # fmt: skip
    return Export(as_csv(rows), columns={
        "Name (Original Name)": "name", "User Email": "email", "Join Time": "check_in",
        "Leave Time": "check_out", "Duration (Minutes)": "minutes",
    }, above={"event_title": "topic", "event_date": "start time"})  # fmt: skip


def learn_upon(rng: Random) -> Export:
    """An LMS's enrolments."""
    rows = table(world(rng), {
        "First Name": lambda s: s.person.first, "Last Name": lambda s: s.person.last,
        "Email": lambda s: s.person.email, "Course Name": lambda s: s.event.title,
        "Enrolled Date": lambda s: f"{s.booked:%Y-%m-%d}", "Date Completed": lambda s: f"{s.event.end:%Y-%m-%d}" if s.state == "came" else "",
        "Status": one_of({"came": "Completed", "part": "In Progress", "missed": "Not Started", "cancelled": "Not Started", "waiting": "In Progress"}),
        "Percentage": lambda s: s.score, "Time spent": "00:45:00",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "First Name": "first_name", "Last Name": "last_name", "Email": "email",
        "Course Name": "event_title", "Enrolled Date": "started_on", "Date Completed": "completed_on",
        "Status": "status", "Percentage": "score",
    })  # fmt: skip


def success_factors(rng: Random) -> Export:
    """A learning history of a personnel system."""
    rows = table(world(rng), {
        "Employee No.": lambda s: s.person.staff, "Last Name": lambda s: s.person.last, "First Name": lambda s: s.person.first,
        "Item ID": lambda s: s.event.code, "Item Title": lambda s: s.event.title,
        "Completion Date": lambda s: f"{s.event.end:%m/%d/%Y}", "Completion Status": one_of({"came": "Completed", "part": "Completed", "missed": "Failed", "cancelled": "Passed", "waiting": "Passed"}),
        "Grade": lambda s: s.score, "Credit Hours": "3",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Employee No.": "staff_number", "Last Name": "last_name", "First Name": "first_name",
        "Item ID": "event_id", "Item Title": "event_title", "Completion Date": "completed_on",
        "Completion Status": "status", "Grade": "score",
    }, dates="month-first")  # fmt: skip


def gp_practice(rng: Random) -> Export:
    """A practice manager's workbook with a note at its foot."""
    rows = table(world(rng), {
        "Surname": lambda s: s.person.last, "First Name": lambda s: s.person.first, "Practice": lambda s: s.person.agency,
        "NHS Email": lambda s: s.person.email, "Training Attended": lambda s: s.event.title,
        "Date Attended": lambda s: s.event.start.date(), "Certificate issued": "Yes",
    })  # fmt: skip
    return Export(as_xlsx([*rows, [], ["Notes: contact the practice manager with any changes"]]), ".xlsx", columns={
        "Surname": "last_name", "First Name": "first_name", "Practice": "employer",
        "NHS Email": "email", "Training Attended": "event_title", "Date Attended": "event_date",
    }, asks=("when_silent",))  # fmt: skip


def half_days(rng: Random) -> Export:
    """Morning and afternoon in a column each."""

    def mark(state: str, which: str) -> str:
        if state in ("cancelled", "waiting"):
            return ""
        return "Present" if state == "came" or (state == "part" and which == "am") else "Absent"

    rows = table(world(rng), {
        "Course": lambda s: s.event.title, "Date": lambda s: f"{s.event.start:%-d %B %Y}",
        "Name of attendee": lambda s: s.person.name, "Email address": lambda s: s.person.email,
        "AM": lambda s: mark(s.state, "am"), "PM": lambda s: mark(s.state, "pm"),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course": "event_title", "Date": "event_date", "Name of attendee": "name",
        "Email address": "email",
    }, sessions=("AM", "PM"))  # fmt: skip


def waiting_dates(rng: Random) -> Export:
    """A booking system of the voluntary sector: everything has its own day."""
    seats = world(rng)
    seats[0] = replace(seats[0], state="part")
    rows = table(seats, {
        "Booking number": lambda s: s.number, "Course name": lambda s: s.event.title,
        "Course start": lambda s: f"{s.event.start:%a %d %b %Y %H:%M}", "Course finish": lambda s: f"{s.event.end:%a %d %b %Y %H:%M}",
        "Lead trainer": lambda s: s.event.trainer, "Participant first name": lambda s: s.person.first,
        "Participant surname": lambda s: s.person.last, "Participant e-mail address": lambda s: s.person.email,
        "Participant organisation": lambda s: s.person.agency,
        "Date added to waiting list": lambda s: f"{s.booked:%d %b %Y}" if s.state == "waiting" else "",
        "Date cancelled": lambda s: f"{s.booked:%d %b %Y}" if s.state == "cancelled" else "",
        "Attended?": one_of({"came": "Yes", "part": "Part", "missed": "No", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking number": "reference", "Course name": "event_title", "Course start": "event_date",
        "Course finish": "event_end", "Lead trainer": "trainer", "Participant first name": "first_name",
        "Participant surname": "last_name", "Participant e-mail address": "email",
        "Participant organisation": "employer", "Date added to waiting list": "waitlisted",
        "Date cancelled": "cancelled", "Attended?": "attended",
    })  # fmt: skip


def police_skills(rng: Random) -> Export:
    """A force's skills record: collar numbers, a course code, a pass or a fail."""
    rows = table(world(rng), {
        "Collar No": lambda s: int(s.person.staff) % 9000, "Officer": lambda s: f"{s.person.last}, {s.person.first}",
        "Course Code": lambda s: s.event.code, "Course Title": lambda s: s.event.title,
        "End Date": lambda s: uk(s.event.end), "Result": one_of({"came": "Pass", "part": "Pass", "missed": "Fail", "cancelled": "Pass", "waiting": "Pass"}),
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Collar No": "staff_number", "Officer": "name", "Course Code": "event_code",
        "Course Title": "event_title", "End Date": "completed_on", "Result": "status",
    }, dates="day-first")  # fmt: skip


def early_in_the_year(rng: Random) -> Export:
    """A short list whose few dates, with dashes, could all be two."""
    rows = table(world(rng, 12, early=True), {
        "Delegate Name": lambda s: s.person.name, "Delegate Email": lambda s: s.person.email,
        "Workshop Title": lambda s: s.event.title, "Workshop Date": lambda s: f"{s.event.start:%d-%m-%Y}",
        "Outcome": one_of({"came": "Attended", "part": "Attended", "missed": "No show", "cancelled": "Withdrawn", "waiting": "Reserve list"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Delegate Name": "name", "Delegate Email": "email", "Workshop Title": "event_title",
        "Workshop Date": "event_date", "Outcome": "status",
    }, asks=("dates",))  # fmt: skip


OTHERS: tuple[Shape, ...] = (
    ticket_tailor, arlo, schools_hub, sharepoint_list, zoom_report, learn_upon, success_factors,
    gp_practice, half_days, waiting_dates, police_skills, early_in_the_year,
)  # fmt: skip
