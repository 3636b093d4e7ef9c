"""What a heading may mean: rules over its plain words, with how sure each is."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz, process

from bridge.connectors.booking.words import folded

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Word by word: what suppliers call a thing, and what it is called here.
_SAME = {
    "e-mail": "email", "mail": "email", "emailaddress": "email", "forename": "firstname",
    "forenames": "firstname", "surname": "lastname", "organization": "organisation",
    "org": "organisation", "organisations": "organisation", "ref": "reference",
    "no": "number", "num": "number", "nr": "number", "#": "number", "id's": "id", "ids": "id",
    "delegate": "person", "delegates": "person", "attendee": "person", "attendees": "person",
    "participant": "person", "participants": "person", "learner": "person", "learners": "person",
    "student": "person", "candidate": "person", "trainee": "person", "guest": "person",
    "member": "person", "registrant": "person", "colleague": "person", "person's": "person",
    "delegate's": "person", "attendee's": "person", "learner's": "person", "user's": "user",
    "event": "event", "course": "event", "class": "event", "training": "event",
    "workshop": "event", "seminar": "event", "webinar": "event", "activity": "event",
    "events": "event", "courses": "event", "programme": "event", "program": "event",
    "product": "event", "learning": "event", "lesson": "event", "module": "event",
    "offering": "event", "briefing": "event", "conference": "event", "elearning": "event",
    "e-learning": "event", "competence": "event", "competency": "event", "fname": "firstname",
    "lname": "lastname", "establishment": "organisation", "enrollment": "enrolment", "enrolled": "enrolled", "canceled": "cancelled",
    "shortname": "shortname", "idnumber": "idnumber", "fullname": "fullname",
    "datetime": "date time", "timestamp": "date time", "percentage": "%", "percent": "%",
    "pct": "%", "mins": "minutes", "min": "minutes", "hrs": "hours", "hr": "hours",
    "dept": "department", "booker's": "booker", "trainer(s)": "trainer", "trainers": "trainer",
    "tutors": "trainer", "tutor": "trainer", "facilitator": "trainer", "facilitators": "trainer",
    "instructor": "trainer", "presenter": "trainer", "facilitator(s)": "trainer",
    "tutor(s)": "trainer", "speaker": "trainer", "teacher": "trainer",
}  # fmt: skip
_PHRASES = (
    (r"\bfirst names?\b|\bgiven names?\b|\bchristian name\b", "firstname"),
    (r"\blast names?\b|\bfamily names?\b|\bsecond name\b", "lastname"),
    (r"\be ?mail( address(es)?)?\b|\bemail id\b", "email"),
    (r"\bfull ?name\b", "fullname"),
    (r"\bshort ?name\b", "shortname"),
    (r"\bid ?number\b", "idnumber"),
    (r"\bcheck(ed)? ?in\b|\bsign(ed)? ?in\b|\bscan(ned)? ?in\b", "checkin"),
    (r"\bcheck(ed)? ?out\b|\bsign(ed)? ?out\b|\bscan(ned)? ?out\b", "checkout"),
    (r"\bwait(ing)? ?list(ed)?\b", "waitinglist"),
    (r"\bno ?show\b", "noshow"),
    (r"\bnumber number\b", "number"),
)

#: Whoever these headings are about is not the one who came.
NOT_THE_PERSON = re.compile(
    r"\b(booker|booked by|bookers|buyer|purchaser|billing|invoice|payer|line manager|manager|"
    r"supervisor|approver|approved by|emergency|next of kin|organiser|organizer|order email|"
    r"contact|parent|carer|host|marked by|recorded by|created by|modified by|updated by|owner|"
    r"sender|assessor|verifier|admin|administrator|registered by|enrolled by|line mgr|head|"
    r"ordered by|customer|assigned by)\b"
)
#: These say when something was done with the booking, not when the event was.
NOT_THE_DAY = re.compile(
    r"\b(booked|booking|order|ordered|created|create|registered|registration|registrations|updated|modified|"
    r"birth|dob|invoice|paid|payment|due|expiry|expires|expired|expiration|renewal|certificate|"
    r"sent|printed|export|exported|approved|submitted|deadline|purchase|last access|last login|"
    r"accessed|hire|leaving|joined organisation|reminder|issued|valid|dbs|recorded|marked|added|"
    r"assigned|requested|closing|next|refresher|signed up|sign up|logged)\b"
)

_T = r"(?:event|item|event event|curriculum|certification)"
#: What is said about a thing is not the thing: the reason for an absence, the charge for it.
_ABOUT = re.compile(
    r"\b(reason|charge|fee|cost|price|amount|comment|comments|note|notes|why|how many|number of(?! minutes| hours))\b"
)
_E = r"(?:event|session|item|event event|curriculum|certification)"
_P = r"(?:person|user|staff|employee|contact person|staff member|individual|worker)"
_RULES: tuple[tuple[str, str, float], ...] = (
    # --- the event
    (rf"(the )?{_T} (title|name|fullname|description|event)|name of (the )?{_T}", "event_title", 1.0),
    (rf"(title|name) of (the )?{_T}", "event_title", 1.0),
    (r"event|event (attended|booked|completed)|event event|event object|topic|subject"
     r"|event name and level", "event_title", 0.95),
    (r"title|event title and level|what|item title|event item|description", "event_title", 0.8),
    (r"name", "event_title", 0.62),
    (rf"{_T} (id|number|uid|key|instance id|event id)|event instance", "event_id", 1.0),
    (rf"{_T} (code|reference|shortname|idnumber|slug|short code|reference number)", "event_code", 1.0),
    (r"event code reference|code|shortname", "event_code", 0.75),
    # --- when it was
    (rf"{_E} (date|start|starts|start date|date time|start date time|start date and time|starting|start time date|date and time|date start)",
     "event_date", 1.0),
    (rf"{_E} date \(?start\)?|date of (the )?{_E}|date of attendance|{_E} start time", "event_date", 1.0),
    (r"date|start date|date time|start date time|starts|start|date and time|when|day|date start"
     r"|start date and time|starts at|start time|begins|from|date from|commences|date starting",
     "event_date", 0.95),
    (r"date attended|attendance date|attended on|attended date|delivery date|date delivered"
     r"|date held|held on|scheduled date|scheduled start|day number date|day \d date|event dates?|dates|from date|event day", "event_date", 0.97),
    (rf"{_E}? ?(end|ends|end date|finish|finish date|end date time|date end|end date and time|end time|finishes|ends at)",
     "event_end", 1.0),
    (r"to|date to|until|end time|finish time", "event_end", 0.9),
    (rf"({_E} )?(start|starts) ?(time)?|time|from|({_E} )?time|from time|time from|start at", "start_time", 0.97),
    (rf"({_E} )?(end|ends|finish|finishes) ?(time)?|to|to time|time to|time end", "end_time", 0.97),
    (r"session|session (name|title|number|id|no|description)|part|unit|day number|occurrence"
     r"|event session|session name number|which session", "session", 1.0),
    (r"(first )?session (date|start|day|start date|date time|start date time|starts)|date of (the )?session",
     "session_date", 1.02),
    # --- whose it is
    (rf"{_P}|{_P} (name|fullname|full name|name in full)|name of {_P}|fullname|names"
     rf"|(name|fullname) ?(of )?{_P}|who|{_P} {_P}|{_P} {_P} name|person person name", "name", 1.0),
    (r"name|fullname with link|person surname firstname|display name|preferred name|attended by|name person|booked for",
     "name", 0.9),
    (r"lastname,? firstname|lastname firstname|name lastname firstname|person lastname firstname", "name", 1.0),
    (rf"{_P} (firstname|first|given)", "first_name", 1.0),
    (r"firstname|first|given", "first_name", 0.95),
    (rf"{_P} (lastname|last|family)", "last_name", 1.0),
    (r"lastname|last|family", "last_name", 0.95),
    (rf"{_P} (work |business |nhs |professional |primary |main )?email|email (of )?{_P}|{_P} email \d",
     "email", 1.0),
    (r"(work |business |nhs |professional |primary |main )?email", "email", 0.95),
    (r"contact email|login email|email login|email username|username email", "email", 0.8),
    (r"(staff|employee|payroll|assignment|personnel|esr|worker|hr|emp|workforce|employment|works|pay|service)"
     r" (number|id|idnumber|code|reference|assignment number|employee number)"
     r"|esr|payroll|employee assignment number|esr assignment number|esr person number", "staff_number", 1.0),
    (rf"{_P} (payroll|esr|(payroll|esr|staff|employee|personnel) (number|id|code))", "staff_number", 0.95),
    (rf"idnumber|{_P} idnumber|{_P} number|person number", "staff_number", 0.85),
    (r"username|user name|login|login name|login id|user id|userid|account|user|network login|log in name"
     r"|person id|user login", "username", 0.9),
    (r"(person |user |staff |employee )?(organisation|company|employer|agency|school|workplace|setting"
     r"|employing organisation|organisation name|company name|agency name|school name|place of work"
     r"|organisation agency|agency organisation|school setting|organisation school|setting name|trust"
     r"|partner agency|primary organisation|employer name|organisation unit|sector organisation)", "employer", 1.0),
    # --- the booking
    (r"(booking|ticket|registration|reservation|person|enrolment|confirmation|place|unique)"
     r" (reference|id|number|code|uid|reference number|key|reference id)", "reference", 1.0),
    (r"order (reference|id|number|code)|order|barcode|barcode number", "reference", 0.85),
    (r"reference|reference number|uid|booking|guid|record id|id|record number", "reference", 0.8),
    (r"role|person type|type of person|person role|attending as|attended as|capacity|participation type"
     r"|type|event role|role at event|category|user type|participant role", "role", 0.8),
    # --- what became of it
    (r"status|(attendance|booking|registration|completion|person|enrolment|event|order|attended|signup|sign up|overall|"
     r"current|event completion|final|reservation|ticket|place|progress|record|assignment|transcript|user|"
     r"register|event enrolment|event person|event attendance|person event) (status|state|outcome|result|code|mark)"
     r"|state|outcome|attendance outcome|result", "status", 1.0),
    (r"attendance|register|attendance record|attendance register|attendance mark|mark|register mark"
     r"|completion|attendance confirmed|attendance details|event completion|event result|progress"
     r"|pass fail|passed failed", "status", 0.9),
    (r"attended|present|did they attend|came|attended event|attended y n|attended yes no|attendance y n"
     r"|attended the event|attended event|attendance yes no|attended\??|was present|in attendance"
     r"|person attended|has attended|turned up|attendance|register|attendance confirmed|fully attended"
     r"|attended in full|full attendance|attendance status|attendance mark|attendance state|attended status"
     r"|attendance outcome", "attended", 0.96),
    (r"partly attended|partial|partially attended|left early|partial attendance|part attended|attended in part"
     r"|attended part", "partly", 1.0),
    (r"noshow|did not attend|dna|absent|missed|not attended|non attendance|did not attend dna|failed to attend"
     r"|person dna|dna did not attend|non attender", "missed", 1.0),
    (r"cancelled|cancelled on|cancelled date|date cancelled|cancellation date|cancelled at|cancellation"
     r"|booking cancelled|is cancelled|withdrawn|date of cancellation|cancelled y n|withdrawn on"
     r"|cancelled booking|date withdrawn|apologies", "cancelled", 1.0),
    (r"waitinglist|on waitinglist|on the waitinglist|is waitinglist|waitinglist y n", "waitlisted", 1.0),
    (r"(person )?(checkin|arrival|arrived|time in|join|joined|first join|time joined|joined at|entry)"
     r"( time| date| date time| at| status)?|time of arrival|in|first checkin|logged in at|in time|date checkin"
     r"|checkin date and time", "check_in", 1.0),
    (r"(person )?(checkout|departure|departed|time out|leave|left|last leave|time left|left at|exit)"
     r"( time| date| date time| at)?|time of departure|out|last checkout|out time", "check_out", 1.0),
    (r"(minutes|duration|time) (attended|present|in session|in event|in meeting|attended minutes|present minutes)"
     r"|minutes|attended minutes|attendance (duration|minutes|time)|in meeting duration|duration attended minutes"
     r"|attendance duration minutes|time in session minutes|minutes in session|duration in meeting"
     r"|actual minutes|total time in meeting|attendance in minutes", "minutes", 1.0),
    (r"hours (attended|present)|attended hours|attendance hours|hours of attendance|hours in attendance"
     r"|actual hours", "hours", 1.0),
    (r"(event |planned |scheduled |total |session )?(duration|length|event minutes)( minutes)?"
     r"|(scheduled|planned|total|event|session) minutes|duration of event", "planned_minutes", 0.95),
    (r"attendance %|% attended|% attendance|attended %|% of event attended|% of sessions attended"
     r"|attendance rate|attendance|% present|% sessions attended|sessions attended %", "attendance", 0.98),
    (r"(event |person )?(evaluation|feedback|survey|post event evaluation|evaluation form|feedback form)"
     r"( form)?( completed| received| returned| submitted| done| in| date| y n| status| complete"
     r"| completed on| submitted on| date received| received date| completed y n)?"
     r"|evaluated|completed evaluation|completed feedback|date evaluation (received|completed)"
     r"|evaluation form (received|returned|completed)", "evaluated", 1.0),
    (r"(event |final |overall |quiz |assessment |test |best |total |exam |highest |latest |average )?"
     r"(score|grade|mark|marks|points|final grade)( %| achieved| total| percent| out of \d+)?|% score|score %"
     r"|result %|grade real|result|grade event total|final result %|assessment result", "score", 0.95),
    (r"(date|time|event)? ?(completion|completed|complete|passed|achieved|certified|pass|finished|attained)"
     r" ?(date|on|at|time|date time|date and time)|completed|completion|date (completed|passed|achieved|"
     r"of completion|event completed|attained|certified|finished)|time (completed|of completion)"
     r"|event completion date|event completed date|(event )?completed on|achievement date|event event complete date"
     r"|last completed|date last completed|date time completed|complete date|completion date time"
     r"|event complete|event completed|award date|date awarded|completed date time|pass date|last completion date|event complete date",
     "completed_on", 1.0),
    (r"completed|complete|passed|event complete|event completed|is completed|has completed", "status", 0.85),
    (r"(enrolment|enrolled|start|started|enrol|assignment|assigned|registration|registered|launch|first access)"
     r"( date| on| at| time| date time)?|date (enrolled|started|assigned|registered|of enrolment|started event)"
     r"|time (enrolled|started)|event start date|event start|began|started event|date of enrolment",
     "started_on", 0.9),
    (r"trainer|trainer name|lead trainer|event trainer|event leader|delivered by|led by|event trainer name"
     r"|trainer fullname|leader|taught by|session trainer|facilitated by|trainer trainer", "trainer", 1.0),
    (r"(lead |event )?trainer email|email (of )?trainer", "trainer_email", 1.0),
)  # fmt: skip
#: What a heading may be by a word or two of it, where no rule knows it whole.
_HINTS: tuple[tuple[str, str, float], ...] = (
    (r".*\bfirstname", "first_name", 0.8),
    (r".*\blastname", "last_name", 0.8),
    (r".*\bemail\b.*", "email", 0.75),
    (r"(.* )?(person|holder|registrant|staff|employee)\b.*\b(name|fullname)|.*\bname of (person|staff|holder)\b.*", "name", 0.75),
    (r"(.* )?event\b.*\b(title|name)|(title|name) of .*event.*", "event_title", 0.75),
    (r"(.* )?event\b.* (id|number)", "event_id", 0.7),
    (r"(.* )?event\b.* (code|reference)", "event_code", 0.7),
    (r"(.* )?(event|session)\b.*\b(date|day|start|starts)\b.*|.*\b(date|day|start) .*\b(event|session)\b.*", "event_date", 0.75),
    (r"(.* )?(event|session)\b.*\b(end|ends|finish)\b.*", "event_end", 0.8),
    (r".*\b(ticket|booking|reservation|registration|place|bookings)\b.* (id|number|reference|code|uid)", "reference", 0.75),
    (r"(.* )?(employee|staff|payroll|personnel|collar|shoulder|warrant|assignment|worker)\b.* (id|number|reference|code)"
     r"|(collar|shoulder|warrant) number", "staff_number", 0.8),
    (r"\D*\b(employer|organisation|agency|workplace|practice|school|employing)\b\D*|practice", "employer", 0.65),
    (r".*\b(status|outcome|state)", "status", 0.7),
    (r"(which|what) .*\b(event|session)\b.*", "event_title", 0.8),
    (r"\w+ session", "session", 0.65),
    (r"(which|what) .*\b(organisation|agency|school|employer)\b.*", "employer", 0.8),
    (r"when (was|did|is) .*|what date.*", "event_date", 0.75),
    (r"(?!.*\b(job|role|person|position|post|staff)\b).*\btitle|\w+ event", "event_title", 0.6),
    (r"\w+ (start|starts|start date|start date time)", "event_date", 0.6),
    (r".*\b(attended|attend|attendance|present)\b.*", "attended", 0.75),
    (r".*\b(attended|attend|attendance|register|completion)\b.*", "status", 0.7),
    (r".*\b(noshow|absent|dna|did not attend)\b.*", "missed", 0.8),
    (r".*\b(cancelled|cancellation|withdrawn|withdrew)\b.*", "cancelled", 0.7),
    (r".*\b(waitinglist|waitlisted)\b.*", "waitlisted", 0.7),
    (r".*\b(arrival|arrived|checkin|join|joined)\b.*", "check_in", 0.7),
    (r".*\b(departure|departed|checkout|leave|left)\b.*", "check_out", 0.7),
    (r".*\bminutes\b.*", "minutes", 0.65),
    (r".*\bduration\b.*", "planned_minutes", 0.7),
    (r".*\b(evaluation|feedback|survey|evaluated)\b.*", "evaluated", 0.7),
    (r".*\b(score|grade|marks?)( .*)?", "score", 0.7),
    (r".*%.*", "score", 0.65),
    (r".*\b(attendance|attended)\b.*%.*|.*%.*\b(attendance|attended)\b.*|%", "attendance", 0.75),
    (r".*\b(completed|completion|complete|passed|achieved|awarded|attained|finished)\b.*", "completed_on", 0.75),
    (r".*\b(enrolled|enrolment|started|assigned)\b.*", "started_on", 0.65),
    (r".*\btrainer\b.*", "trainer", 0.7),
)  # fmt: skip
_HINTED = tuple((re.compile(pattern), field, sure) for pattern, field, sure in _HINTS)
_COMPILED = tuple((re.compile(pattern), field, sure) for pattern, field, sure in _RULES)

#: Right spellings, against which a slip of the pen is held.
_SPELLED = {
    "event title": "event_title", "event name": "event_title", "event date": "event_date",
    "start date": "event_date", "firstname": "first_name", "lastname": "last_name",
    "person name": "name", "email": "email", "staff number": "staff_number",
    "employee number": "staff_number", "organisation": "employer", "booking reference": "reference",
    "attendance status": "status", "attendance": "status", "attended": "attended",
    "completion date": "completed_on", "date completed": "completed_on", "status": "status",
    "evaluation": "evaluated", "cancelled": "cancelled", "course title": "event_title",
    "course name": "event_title", "training title": "event_title", "surname": "last_name",
    "forename": "first_name", "course date": "event_date", "training date": "event_date",
    "delegate name": "name", "attendee name": "name", "email address": "email",
    "delegate email": "email",
}  # fmt: skip


@lru_cache(maxsize=2048)
def plain(heading: str) -> str:
    """A heading in the words used here: "Delegate E-mail Address" is "person email"."""
    text = _CAMEL.sub(" ", re.sub(r" #\d+$", "", heading))
    text = re.sub(r"\bno[ -]?show\b", "noshow", folded(text).replace("e-mail", "email"))
    text = re.sub(r"\((?:required|optional|\*|uk|local|local time|dd/mm/yyyy|dd/mm/yy|"
                  r"dd-mm-yyyy|mm/dd/yyyy|yyyy-mm-dd|s|if known|utc|gmt|24 ?hr|hh:mm)\)", " ", text)  # fmt: skip
    text = re.sub(r"[^\w%#'&]+|_", " ", text.replace("e-learning", "elearning")).replace(
        "&", " and "
    )
    words = [_SAME.get(word.strip("'"), word.strip("'")) for word in text.split()]
    text = " ".join(
        word for word in words if word not in ("the", "a", "your", "please", "s", "transcript")
    )
    for pattern, word in _PHRASES:
        text = re.sub(pattern, word, text)
    return " ".join(text.split())


@lru_cache(maxsize=2048)
def meanings(heading: str) -> dict[str, float]:
    """The fields that a heading may be, with how sure that is (0 to about 1)."""
    text = plain(heading)
    if not text or _ABOUT.search(text):
        return {}
    found: dict[str, float] = {}
    for pattern, field, sure in _COMPILED:
        if pattern.fullmatch(text):
            found[field] = max(found.get(field, 0.0), sure)
    if not found and not any(c.isdigit() for c in text):
        near = process.extractOne(text, list(_SPELLED), scorer=fuzz.ratio, score_cutoff=84)
        if near:
            found[_SPELLED[near[0]]] = 0.85
    for pattern, field, sure in () if found else _HINTED:
        if pattern.fullmatch(text):
            found[field] = max(found.get(field, 0.0), sure)
    return found
