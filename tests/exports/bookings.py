"""Exports of booking systems: one function a supplier's shape."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from tests.exports.making import (
    VENUES,
    Export,
    Seat,
    as_csv,
    as_xlsx,
    one_of,
    serial,
    table,
    uk,
    world,
)

Shape = Callable[[Random], Export]
CAME = {"came": "Attended", "part": "Partially Attended", "missed": "Did Not Attend",
        "cancelled": "Cancelled", "waiting": "Waiting List"}  # fmt: skip
YES = {"came": "Yes", "part": "Yes", "missed": "No", "cancelled": "", "waiting": ""}


def partnership_site(rng: Random) -> Export:
    """As hosted sites of safeguarding partnerships export delegates."""
    rows = table(world(rng), {
        "Event ID": lambda s: s.event.number, "Event Title": lambda s: s.event.title,
        "Event Date": lambda s: uk(s.event.start), "Venue": VENUES[0],
        "Delegate Forename": lambda s: s.person.first, "Delegate Surname": lambda s: s.person.last,
        "Delegate Email": lambda s: s.person.email, "Job Title": "Social Worker",
        "Organisation": lambda s: s.person.agency, "Booker Name": "Office",
        "Booker Email": "office@leics.example.org", "Date Booked": lambda s: uk(s.booked),
        "Booking Status": one_of(CAME), "Dietary Requirements": "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Event ID": "event_id", "Event Title": "event_title", "Event Date": "event_date",
        "Delegate Forename": "first_name", "Delegate Surname": "last_name",
        "Delegate Email": "email", "Organisation": "employer", "Booking Status": "status",
    }, dates="day-first")  # fmt: skip


def eventbrite(rng: Random) -> Export:
    """Eventbrite's attendee report: ISO-like local times, order and attendee numbers, a buyer."""
    rows = table(world(rng), {
        "Order #": lambda s: 9_000_000 + s.number // 6, "Order Date": lambda s: f"{s.booked:%Y-%m-%d %H:%M:%S}",
        "First Name": lambda s: s.person.first, "Last Name": lambda s: s.person.last,
        "Email": lambda s: s.person.email, "Quantity": 1, "Ticket Type": "Standard",
        "Attendee #": lambda s: 5_000_000 + s.number, "Event Name": lambda s: s.event.title,
        "Event ID": lambda s: s.event.number, "Event Start Date & Time": lambda s: f"{s.event.start:%Y-%m-%d %H:%M:%S}",
        "Event End Date & Time": lambda s: f"{s.event.end:%Y-%m-%d %H:%M:%S}",
        "Buyer First Name": "Pat", "Buyer Last Name": "Booker", "Buyer Email": "pat@leics.example.org",
        "Attendee Status": one_of({"came": "Checked In", "part": "Checked In", "missed": "Attending",
                                   "cancelled": "Deleted", "waiting": "Attending"}),
        "Checked in at": lambda s: f"{s.event.start + timedelta(minutes=4):%Y-%m-%d %H:%M:%S}" if s.state in ("came", "part") else "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "First Name": "first_name", "Last Name": "last_name", "Email": "email",
        "Attendee #": "reference", "Event Name": "event_title", "Event ID": "event_id",
        "Event Start Date & Time": "event_date", "Event End Date & Time": "event_end",
        "Attendee Status": "status", "Checked in at": "check_in",
    })  # fmt: skip


def pretix(rng: Random) -> Export:
    """pretix's order positions: semicolons, local times, attendee beside the order's address."""
    rows = table(world(rng), {
        "Event slug": lambda s: s.event.code.lower(), "Event name": lambda s: s.event.title,
        "Event start time": lambda s: f"{s.event.start:%Y-%m-%d %H:%M:%S}",
        "Order code": lambda s: f"{s.number:X}Q", "Position ID": 1,
        "Status": one_of({"came": "paid", "part": "paid", "missed": "paid", "cancelled": "canceled", "waiting": "pending"}),
        "Email": "office@leics.example.org", "Order date": lambda s: f"{s.booked:%Y-%m-%d}",
        "Product": "Place", "Price": "0.00", "Attendee name": lambda s: s.person.name,
        "Attendee email": lambda s: s.person.email, "Company": lambda s: s.person.agency,
        "Checked in": one_of({"came": "Yes", "part": "Yes", "missed": "", "cancelled": "", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows, separator=";", quoting=csv.QUOTE_ALL), columns={
        "Event slug": "event_code", "Event name": "event_title", "Event start time": "event_date",
        "Order code": "reference", "Status": "status", "Attendee name": "name",
        "Attendee email": "email", "Company": "employer", "Checked in": "check_in",
    })  # fmt: skip


def totara_seminar(rng: Random) -> Export:
    """Totara's seminar sign-ups: month names, facetoface words."""
    rows = table(world(rng), {
        "User's Fullname": lambda s: s.person.name, "User ID Number": lambda s: s.person.staff,
        "User's Email": lambda s: s.person.email, "Course Name": lambda s: s.event.title,
        "Session Start": lambda s: f"{s.event.start:%d %B %Y %H:%M}",
        "Session Finish": lambda s: f"{s.event.end:%d %B %Y %H:%M}",
        "Sign-up Status": one_of({"came": "Fully attended", "part": "Partially attended", "missed": "No show",
                                  "cancelled": "User Cancelled", "waiting": "Wait-listed"}),
        "Room": VENUES[0],
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "User's Fullname": "name", "User ID Number": "staff_number", "User's Email": "email",
        "Course Name": "event_title", "Session Start": "event_date", "Session Finish": "event_end",
        "Sign-up Status": "status",
    })  # fmt: skip


def in_house_excel(rng: Random) -> Export:
    """A workbook with merged titles, true dates, ticks and a total at its foot."""
    seats = world(rng)
    rows = table(seats, {
        "Date": lambda s: s.event.start.date(), "Course": lambda s: s.event.title,
        "Delegate": lambda s: s.person.name, "E-mail": lambda s: s.person.email,
        "Agency": lambda s: s.person.agency,
        "Attended": lambda s: "✓" if s.state in ("came", "part") else "✗" if s.state == "missed" else "",
        "Evaluation received": lambda s: "✓" if s.score > 60 else "",
    })  # fmt: skip
    head = [
        ["Safeguarding Partnership: training bookings 2026"],
        ["Run on 1 October 2026 by PN"],
        [],
    ]
    foot = [[], ["Total", len(seats)]]
    return Export(as_xlsx([*head, *rows, *foot], merged=("A1:G1", "A2:G2")), ".xlsx", columns={
        "Date": "event_date", "Course": "event_title", "Delegate": "name", "E-mail": "email",
        "Agency": "employer", "Attended": "attended", "Evaluation received": "evaluated",
    })  # fmt: skip


def tab_separated(rng: Random) -> Export:
    """Tabs, long month names, a surname before the first name."""
    rows = table(world(rng), {
        "Ref": lambda s: f"B{s.number}", "Learner": lambda s: f"{s.person.last}, {s.person.first}",
        "Email address": lambda s: s.person.email, "Training event": lambda s: s.event.title,
        "When": lambda s: f"{s.event.start:%A %d %B %Y}", "Attendance": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows, separator="\t"), ".txt", columns={
        "Ref": "reference", "Learner": "name", "Email address": "email",
        "Training event": "event_title", "When": "event_date", "Attendance": "status",
    })  # fmt: skip


def windows_pounds(rng: Random) -> Export:
    """The Windows code page, with pounds and accents, semicolons, dates with dots."""
    rows = table(world(rng), {
        "Kurs": "x", "Course title": lambda s: s.event.title.replace("–", "-"), "Fee": "£45.00",
        "Start date": lambda s: f"{s.event.start:%d.%m.%Y}", "Start time": lambda s: f"{s.event.start:%H:%M}",
        "End time": lambda s: f"{s.event.end:%H:%M}", "Forename": lambda s: s.person.first,
        "Surname": lambda s: s.person.last, "Work email": lambda s: s.person.email,
        "School/Setting": lambda s: s.person.agency, "Outcome": one_of(CAME),
    })  # fmt: skip
    del rows[0][0]
    rows = [rows[0], *(row[1:] for row in rows[1:])]
    return Export(as_csv(rows, separator=";", encoding="cp1252"), columns={
        "Course title": "event_title", "Start date": "event_date", "Start time": "start_time",
        "End time": "end_time", "Forename": "first_name", "Surname": "last_name",
        "Work email": "email", "School/Setting": "employer", "Outcome": "status",
    }, dates="day-first")  # fmt: skip


def utf16(rng: Random) -> Export:
    """What Excel saves as Unicode text: UTF-16 with tabs."""
    rows = table(world(rng), {
        "Booking Reference": lambda s: f"LSCP-{s.number}", "Attendee Name": lambda s: s.person.name,
        "Attendee Email": lambda s: s.person.email, "Course Code": lambda s: s.event.code,
        "Course": lambda s: s.event.title, "Course Date": lambda s: f"{s.event.start:%d-%b-%Y}",
        "Status": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows, separator="\t", encoding="utf-16"), ".txt", columns={
        "Booking Reference": "reference", "Attendee Name": "name", "Attendee Email": "email",
        "Course Code": "event_code", "Course": "event_title", "Course Date": "event_date",
        "Status": "status",
    })  # fmt: skip


def two_flags(rng: Random) -> Export:
    """Came, cancelled and waiting each in a column of yes and no."""
    rows = table(world(rng), {
        "Workshop": lambda s: s.event.title, "Workshop date": lambda s: uk(s.event.start),
        "First name": lambda s: s.person.first, "Last name": lambda s: s.person.last,
        "Email": lambda s: s.person.email, "Attended?": one_of(YES),
        "Cancelled?": lambda s: "Yes" if s.state == "cancelled" else "No",
        "Waiting list": lambda s: "Yes" if s.state == "waiting" else "No",
        "Notes": "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Workshop": "event_title", "Workshop date": "event_date", "First name": "first_name",
        "Last name": "last_name", "Email": "email", "Attended?": "attended",
        "Cancelled?": "cancelled", "Waiting list": "waitlisted",
    }, dates="day-first")  # fmt: skip


def dna_column(rng: Random) -> Export:
    """Present and DNA in two columns of marks; the reason for cancelling is somebody's own."""
    rows = table(world(rng), {
        "Staff No.": lambda s: s.person.staff, "Name": lambda s: s.person.name,
        "Present": lambda s: "x" if s.state in ("came", "part") else "",
        "DNA": lambda s: "x" if s.state == "missed" else "",
        "Left early": lambda s: "x" if s.state == "part" else "",
        "Course name": lambda s: s.event.title, "Date of course": lambda s: f"{s.event.start:%d %b %Y}",
        "Comments": "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Staff No.": "staff_number", "Name": "name", "Present": "attended", "DNA": "missed",
        "Left early": "partly", "Course name": "event_title", "Date of course": "event_date",
    })  # fmt: skip


def session_columns(rng: Random) -> Export:
    """One row a booking, a column for each day of the event."""

    def day(seat: Seat, which: int) -> str:
        if seat.state in ("came", "missed"):
            return "Y" if seat.state == "came" else "N"
        return "Y" if seat.state == "part" and which == 1 else "N" if seat.state == "part" else ""

    rows = table(world(rng), {
        "Course": lambda s: s.event.title, "Start Date": lambda s: uk(s.event.start),
        "Participant": lambda s: s.person.name, "Participant email": lambda s: s.person.email,
        "Day 1": lambda s: day(s, 1), "Day 2": lambda s: day(s, 2), "Day 3": lambda s: day(s, 3),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course": "event_title", "Start Date": "event_date", "Participant": "name",
        "Participant email": "email",
    }, sessions=("Day 1", "Day 2", "Day 3"), dates="day-first")  # fmt: skip


def row_a_session(rng: Random) -> Export:
    """One row for each session of each booking."""
    rows = [["Booking ID", "Event", "Event date", "Session", "Session date", "Delegate name",
             "Delegate email", "Attendance"]]  # fmt: skip
    for seat in world(rng, 30):
        for number in (1, 2):
            day = seat.event.start + timedelta(days=7 * number)
            rows.append([str(seat.number), seat.event.title, uk(seat.event.start), f"Session {number}",
                         uk(day), seat.person.name, seat.person.email, CAME[seat.state]])  # fmt: skip
    return Export(as_csv(rows), columns={
        "Booking ID": "reference", "Event": "event_title", "Event date": "event_date",
        "Session": "session", "Session date": "session_date", "Delegate name": "name",
        "Delegate email": "email", "Attendance": "status",
    }, dates="day-first")  # fmt: skip


def excel_serials(rng: Random) -> Export:
    """A CSV in which the dates are Excel's numbers, and staff numbers have five digits too."""
    rows = table(world(rng), {
        "Employee Number": lambda s: 40_000 + int(s.person.staff) % 9_000,
        "Employee Name": lambda s: s.person.name, "Course Title": lambda s: s.event.title,
        "Course Start Date": lambda s: int(serial(s.event.start)), "Attendance Status": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Employee Number": "staff_number", "Employee Name": "name", "Course Title": "event_title",
        "Course Start Date": "event_date", "Attendance Status": "status",
    })  # fmt: skip


def check_in_out(rng: Random) -> Export:
    """Scanned in and out, with no word for a state."""

    def at(seat: Seat, minutes: int) -> str:
        if seat.state not in ("came", "part"):
            return ""
        return f"{seat.event.start + timedelta(minutes=minutes):%d/%m/%Y %H:%M}"

    rows = table(world(rng), {
        "Ticket number": lambda s: f"T-{s.number}", "Attendee": lambda s: s.person.name,
        "Email": lambda s: s.person.email, "Event": lambda s: s.event.title,
        "Starts": lambda s: f"{s.event.start:%d/%m/%Y %H:%M}", "Ends": lambda s: f"{s.event.end:%d/%m/%Y %H:%M}",
        "Check-in time": lambda s: at(s, 3),
        "Check-out time": lambda s: at(s, s.minutes),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Ticket number": "reference", "Attendee": "name", "Email": "email", "Event": "event_title",
        "Starts": "event_date", "Ends": "event_end", "Check-in time": "check_in",
        "Check-out time": "check_out",
    }, dates="day-first")  # fmt: skip


def teams_minutes(rng: Random) -> Export:
    """An online event's report, with the minutes that people were there."""
    rows = table(world(rng), {
        "Webinar": lambda s: s.event.title, "Webinar date": lambda s: f"{s.event.start:%Y-%m-%d}",
        "Participant Name": lambda s: s.person.name, "Email": lambda s: s.person.email,
        "Duration (minutes)": lambda s: 180, "Minutes attended": lambda s: s.minutes if s.state != "missed" else 0,
        "Feedback submitted": lambda s: "Yes" if s.score > 70 else "No",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Webinar": "event_title", "Webinar date": "event_date", "Participant Name": "name",
        "Email": "email", "Duration (minutes)": "planned_minutes", "Minutes attended": "minutes",
        "Feedback submitted": "evaluated",
    })  # fmt: skip


def two_statuses(rng: Random) -> Export:
    """The booking's status in one column, who came in another, the manager's address beside."""
    rows = table(world(rng), {
        "Course": lambda s: s.event.title, "Course ref": lambda s: s.event.code,
        "Date": lambda s: uk(s.event.start), "Time": lambda s: f"{s.event.start:%H:%M} - {s.event.end:%H:%M}",
        "Name of delegate": lambda s: s.person.name, "Email of delegate": lambda s: s.person.email,
        "Line manager email": "boss@leics.example.org",
        "Booking status": one_of({"came": "Confirmed", "part": "Confirmed", "missed": "Confirmed",
                                  "cancelled": "Cancelled", "waiting": "Waiting list"}),
        "Attendance": one_of({"came": "Attended", "part": "Left early", "missed": "DNA", "cancelled": "", "waiting": ""}),
        "Cancellation date": lambda s: uk(s.booked) if s.state == "cancelled" else "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course": "event_title", "Course ref": "event_code", "Date": "event_date",
        "Time": "start_time", "Name of delegate": "name", "Email of delegate": "email",
        "Booking status": "status", "Attendance": "attended", "Cancellation date": "cancelled",
    }, dates="day-first")  # fmt: skip


def register_with_titles(rng: Random) -> Export:
    """A register of one event: which one it is stands above the table."""
    seats = world(rng)
    event = seats[0].event
    mine = [s for s in seats if s.event is event]
    rows: list[Any] = [
        ["Attendance register"], ["Course:", event.title], ["Date:", uk(event.start.replace(day=17))],
        ["Trainer:", event.trainer], [],
        ["No.", "Name", "Email", "Organisation", "Attended (Y/N)", "Signature"],
        *[[n, s.person.name, s.person.email, s.person.agency, "Y" if s.state == "came" else "N", ""]
          for n, s in enumerate(mine, 1)],
        [], ["Total attended", sum(s.state == "came" for s in mine)],
    ]  # fmt: skip
    return Export(as_csv(rows), columns={
        "Name": "name", "Email": "email", "Organisation": "employer", "Attended (Y/N)": "attended",
    }, above={"event_title": "course", "event_date": "date", "trainer": "trainer"},
        dates="day-first")  # fmt: skip


def with_trainers(rng: Random) -> Export:
    """Trainers and delegates in one table, told apart by their role."""
    seats = world(rng)
    rows = table(seats, {
        "Role": lambda s: "Delegate", "Full name": lambda s: s.person.name,
        "Email": lambda s: s.person.email, "Course title": lambda s: s.event.title,
        "Course date": lambda s: f"{s.event.start:%d %B %Y}", "Status": one_of(CAME),
    })  # fmt: skip
    for event in {s.event for s in seats}:
        rows.append(["Trainer", event.trainer, f"{event.trainer.split()[0].lower()}@lscp.example.org",
                     event.title, f"{event.start:%d %B %Y}", ""])  # fmt: skip
    return Export(as_csv(rows), columns={
        "Role": "role", "Full name": "name", "Email": "email", "Course title": "event_title",
        "Course date": "event_date", "Status": "status",
    })  # fmt: skip


def american(rng: Random) -> Export:
    """A system set to American dates, with times."""
    rows = table(world(rng), {
        "RegistrationID": lambda s: s.number, "FirstName": lambda s: s.person.first,
        "LastName": lambda s: s.person.last, "EmailAddress": lambda s: s.person.email,
        "ClassName": lambda s: s.event.title, "ClassStartDate": lambda s: f"{s.event.start:%m/%d/%Y %I:%M %p}",
        "RegistrationStatus": one_of({"came": "Attended", "part": "Left early", "missed": "No Show",
                                      "cancelled": "Canceled", "waiting": "Waitlisted"}),
        "CreatedDate": lambda s: f"{s.booked:%m/%d/%Y %I:%M %p}",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "RegistrationID": "reference", "FirstName": "first_name", "LastName": "last_name",
        "EmailAddress": "email", "ClassName": "event_title", "ClassStartDate": "event_date",
        "RegistrationStatus": "status",
    }, dates="month-first")  # fmt: skip


def snake_case(rng: Random) -> Export:
    """A dump of a database: names with underscores, ISO instants, numbers for everything."""
    rows = table(world(rng), {
        "booking_id": lambda s: s.number, "event_id": lambda s: s.event.number,
        "event_title": lambda s: s.event.title, "event_start": lambda s: f"{s.event.start:%Y-%m-%dT%H:%M:%SZ}",
        "user_email": lambda s: s.person.email, "user_first_name": lambda s: s.person.first,
        "user_last_name": lambda s: s.person.last,
        "attendance_state": one_of({"came": "fully_attended", "part": "partially_attended",
                                    "missed": "no_show", "cancelled": "user_cancelled", "waiting": "waitlisted"}),
        "created_at": lambda s: f"{s.booked:%Y-%m-%dT%H:%M:%SZ}", "updated_at": lambda s: f"{s.event.end:%Y-%m-%dT%H:%M:%SZ}",
    })  # fmt: skip
    return Export(as_csv(rows, newline="\n"), columns={
        "booking_id": "reference", "event_id": "event_id", "event_title": "event_title",
        "event_start": "event_date", "user_email": "email", "user_first_name": "first_name",
        "user_last_name": "last_name", "attendance_state": "status",
    })  # fmt: skip


def workbook_times(rng: Random) -> Export:
    """A workbook with true dates and times, two of the same heading, and percentages."""
    rows = table(world(rng), {
        "Booking No": lambda s: s.number, "Event name": lambda s: s.event.title,
        "Start": lambda s: s.event.start, "Finish": lambda s: s.event.end,
        "Title": lambda s: "Ms", "First name(s)": lambda s: s.person.first,
        "Family name": lambda s: s.person.last, "Email": lambda s: s.person.email,
        "% attended": lambda s: f"{100 if s.state == 'came' else 50 if s.state == 'part' else 0}%",
        "Attendance": one_of(CAME),
    })  # fmt: skip
    return Export(as_xlsx(rows), ".xlsx", columns={
        "Booking No": "reference", "Event name": "event_title", "Start": "event_date",
        "Finish": "event_end", "First name(s)": "first_name", "Family name": "last_name",
        "Email": "email", "% attended": "attendance", "Attendance": "status",
    })  # fmt: skip


def span_in_one(rng: Random) -> Export:
    """Day and hours in one cell."""
    rows = table(world(rng), {
        "Delegate name": lambda s: s.person.name, "Delegate e-mail": lambda s: s.person.email,
        "Event": lambda s: s.event.title,
        "Date and time": lambda s: f"{s.event.start:%d/%m/%Y %H:%M} - {s.event.end:%H:%M}",
        "Place status": one_of(CAME), "Evaluation completed": lambda s: uk(s.event.end) if s.score > 60 else "",
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Delegate name": "name", "Delegate e-mail": "email", "Event": "event_title",
        "Date and time": "event_date", "Place status": "status", "Evaluation completed": "evaluated",
    }, dates="day-first")  # fmt: skip


def codes_only(rng: Random) -> Export:
    """Letters for states that mean different things elsewhere: somebody must say."""
    rows = table(world(rng), {
        "Course": lambda s: s.event.title, "Date": lambda s: f"{s.event.start:%d %b %Y}",
        "Name": lambda s: s.person.name, "Email": lambda s: s.person.email,
        "Register": one_of({"came": "P", "part": "L", "missed": "A", "cancelled": "C", "waiting": ""}),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course": "event_title", "Date": "event_date", "Name": "name", "Email": "email",
        "Register": "status",
    }, asks=("word:",))  # fmt: skip


def ambiguous_dates(rng: Random) -> Export:
    """Every date works both ways: it must be asked."""
    rows = table(world(rng, early=True), {
        "Course": lambda s: s.event.title, "Course date": lambda s: uk(s.event.start),
        "First name": lambda s: s.person.first, "Surname": lambda s: s.person.last,
        "Email": lambda s: s.person.email, "Status": one_of(CAME),
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Course": "event_title", "Course date": "event_date", "First name": "first_name",
        "Surname": "last_name", "Email": "email", "Status": "status",
    }, asks=("dates",))  # fmt: skip


def no_status(rng: Random) -> Export:
    """A list of names with no word on who came: it must be asked what a row means."""
    rows = table(world(rng), {
        "Training": lambda s: s.event.title, "Training date": lambda s: uk(s.event.start),
        "Name": lambda s: s.person.name, "Email": lambda s: s.person.email,
        "Organisation": lambda s: s.person.agency,
    })  # fmt: skip
    return Export(as_csv(rows), columns={
        "Training": "event_title", "Training date": "event_date", "Name": "name", "Email": "email",
        "Organisation": "employer",
    }, dates="day-first", asks=("when_silent",))  # fmt: skip


BOOKINGS: tuple[Shape, ...] = (
    partnership_site, eventbrite, pretix, totara_seminar, in_house_excel, tab_separated,
    windows_pounds, utf16, two_flags, dna_column, session_columns, row_a_session, excel_serials,
    check_in_out, teams_minutes, two_statuses, register_with_titles, with_trainers, american,
    snake_case, workbook_times, span_in_one, codes_only, ambiguous_dates, no_status,
)  # fmt: skip
