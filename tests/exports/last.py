"""The last set of shapes: the learner met them when it was done, and got seven of eight right.

The eighth had it take an empty column of reasons for the status; it no longer does.
"""

from __future__ import annotations

from random import Random

from tests.exports.bookings import Shape
from tests.exports.making import Export, as_csv, as_xlsx, one_of, table, uk, world


def cademy(rng: Random) -> Export:
    """A course market's bookings."""
    rows = table(world(rng), {
        "Booking reference": lambda s: f"CDM{s.number}", "Learner first name": lambda s: s.person.first, "Learner last name": lambda s: s.person.last,
        "Learner email": lambda s: s.person.email, "Course title": lambda s: s.event.title, "Session start": lambda s: f"{s.event.start:%Y-%m-%d %H:%M}",
        "Session end": lambda s: f"{s.event.end:%Y-%m-%d %H:%M}", "Payment status": "Paid",
        "Attendance status": one_of({"came": "Present", "part": "Partial", "missed": "Absent", "cancelled": "Cancelled", "waiting": "Not set"}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking reference": "reference", "Learner first name": "first_name", "Learner last name": "last_name", "Learner email": "email",
        "Course title": "event_title", "Session start": "event_date", "Session end": "event_end", "Attendance status": "status",
    })  # fmt: skip


def nhs_hub(rng: Random) -> Export:
    """A trust's hub, with the assignment number of the staff record."""
    rows = table(world(rng), {
        "Assignment Number": lambda s: s.person.staff, "Last Name": lambda s: s.person.last, "First Name": lambda s: s.person.first, "Directorate": "Children",
        "Class Name": lambda s: s.event.title, "Class Start Date": lambda s: f"{s.event.start:%d-%b-%Y}", "Enrolment Status": one_of({"came": "Attended", "part": "Left early", "missed": "No Show", "cancelled": "Withdrawn", "waiting": "Waitlisted"}),
        "Booked Date": lambda s: f"{s.booked:%d-%b-%Y}",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Assignment Number": "staff_number", "Last Name": "last_name", "First Name": "first_name", "Class Name": "event_title",
        "Class Start Date": "event_date", "Enrolment Status": "status",
    })  # fmt: skip


def early_years(rng: Random) -> Export:
    """A council's early years team."""
    rows = table(world(rng), {
        "Provider": lambda s: s.person.agency, "Ofsted URN": "EY123456", "Practitioner Name": lambda s: s.person.name, "Practitioner E-mail": lambda s: s.person.email,
        "Training Title": lambda s: s.event.title, "Training Date": lambda s: uk(s.event.start), "Venue/Online": "Online", "Attendance (Yes/No)": one_of({"came": "Yes", "part": "Yes", "missed": "No", "cancelled": "", "waiting": ""}),
        "Reason for non attendance": "", "Charge for non attendance": "£0",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Practitioner Name": "name", "Practitioner E-mail": "email", "Training Title": "event_title", "Training Date": "event_date",
        "Attendance (Yes/No)": "attended",
    }, dates="day-first")  # fmt: skip


def docebo(rng: Random) -> Export:
    """A large LMS's users and courses."""
    rows = table(world(rng), {
        "Username": lambda s: f"u{s.number}", "First Name": lambda s: s.person.first, "Last Name": lambda s: s.person.last, "Email": lambda s: s.person.email, "Branch Name": lambda s: s.person.agency,
        "Course Code": lambda s: s.event.code, "Course Name": lambda s: s.event.title, "Enrollment Date": lambda s: f"{s.booked:%Y-%m-%d %H:%M:%S}", "Completion Date": lambda s: f"{s.event.end:%Y-%m-%d %H:%M:%S}" if s.state == "came" else "",
        "Enrollment Status": one_of({"came": "Completed", "part": "In Progress", "missed": "Not Started", "cancelled": "Not Started", "waiting": "Enrolled"}), "Final Score": lambda s: s.score,
    })  # fmt: skip
    return Export(as_csv(rows, separator=";"), kind="completions", columns={
        "Username": "username", "First Name": "first_name", "Last Name": "last_name", "Email": "email", "Course Code": "event_code", "Course Name": "event_title",
        "Enrollment Date": "started_on", "Completion Date": "completed_on", "Enrollment Status": "status", "Final Score": "score",
    })  # fmt: skip


def police_course(rng: Random) -> Export:
    """A workbook with a title, two rows of notes and the attendees."""
    seats = world(rng)
    event = seats[0].event
    rows = [[f"Event: {event.title}"], [f"Date: {event.start:%d %B %Y}", "", f"Trainer: {event.trainer}"], [],
            ["Rank", "Name", "Force", "Email", "Attended", "Evaluation"],
            *[["PC", s.person.name, s.person.agency, s.person.email, "Y" if s.state in ("came", "part") else "N", "Y" if s.score > 60 else "N"] for s in seats if s.event is event],
            [], ["Signed off by: Sgt Field"]]  # fmt: skip
    return Export(as_xlsx(rows), ".xlsx", columns={
        "Name": "name", "Email": "email", "Attended": "attended", "Evaluation": "evaluated",
    }, above={"event_title": "event", "event_date": "date", "trainer": "trainer"})  # fmt: skip


def salesforce_report(rng: Random) -> Export:
    """A customer system's report, with its total at the foot."""
    rows = table(world(rng), {
        "Event Registration: Number": lambda s: f"ER-{s.number}", "Event: Name": lambda s: s.event.title, "Event: Start Date": lambda s: f"{s.event.start:%d/%m/%Y}",
        "Contact: First Name": lambda s: s.person.first, "Contact: Last Name": lambda s: s.person.last, "Contact: Email": lambda s: s.person.email, "Account: Account Name": lambda s: s.person.agency,
        "Status": one_of({"came": "Attended", "part": "Attended", "missed": "No-Show", "cancelled": "Cancelled", "waiting": "Registered"}),
    })  # fmt: skip
    return Export(as_csv([*rows, [], ["Grand Totals (60 records)"], ["Confidential Information - Do Not Distribute"]]), columns={
        "Event Registration: Number": "reference", "Event: Name": "event_title", "Event: Start Date": "event_date", "Status": "status",
    }, dates="day-first", asks=("column:name",))  # fmt: skip


def nspcc_style(rng: Random) -> Export:
    """A charity's e-learning: a certificate and a pass mark."""
    rows = table(world(rng), {
        "Learner": lambda s: s.person.name, "Learner's email": lambda s: s.person.email, "Purchased by": "Office", "Course": lambda s: s.event.title,
        "Licence assigned": lambda s: f"{s.booked:%d %b %Y}", "Status": one_of({"came": "Passed", "part": "In progress", "missed": "Not started", "cancelled": "Failed", "waiting": "In progress"}),
        "Assessment score": lambda s: f"{s.score}%", "Date passed": lambda s: f"{s.event.end:%d %b %Y}" if s.state == "came" else "", "Certificate no": lambda s: f"C{s.number}",
    })  # fmt: skip
    return Export(as_csv(rows), kind="completions", columns={
        "Learner": "name", "Learner's email": "email", "Course": "event_title", "Status": "status", "Assessment score": "score", "Date passed": "completed_on",
        "Licence assigned": "started_on",
    })  # fmt: skip


def hand_kept(rng: Random) -> Export:
    """A list by hand with American dates that could all be ours."""
    rows = table(world(rng, 25, early=True), {
        "Who": lambda s: s.person.name, "E-mail": lambda s: s.person.email, "What": lambda s: s.event.title, "When": lambda s: f"{s.event.start:%m/%d/%Y}",
        "Came?": one_of({"came": "y", "part": "y", "missed": "n", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Who": "name", "E-mail": "email", "What": "event_title", "When": "event_date", "Came?": "attended",
    }, asks=("dates",))  # fmt: skip


LAST: tuple[Shape, ...] = (
    cademy, nhs_hub, early_years, docebo, police_course, salesforce_report, nspcc_style, hand_kept,
)  # fmt: skip
