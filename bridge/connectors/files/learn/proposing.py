"""From a file to a proposed profile: what each column is, ten rows by it, and what to ask."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.connectors.booking.dates import BadDate, Order, parse
from bridge.connectors.booking.words import (
    OUTCOME_NAMES,
    folded,
    outcome_of,
    state_of,
    yes_or_no,
)
from bridge.connectors.files.layout import labelled
from bridge.connectors.files.learn import assigning
from bridge.connectors.files.learn.assigning import Assigned, assign, dates_among, kind_of
from bridge.connectors.files.learn.contents import Column, needs_order, order_of
from bridge.connectors.files.learn.headings import meanings, plain
from bridge.connectors.files.learn.headrow import columns_of, find_headings
from bridge.connectors.files.learn.keys import choose_key
from bridge.connectors.files.learn.showing import understood
from bridge.connectors.files.opening import Opened, Row
from bridge.connectors.files.profile import (
    ACTIVITY_FIELDS,
    ATTENDANCE,
    COMPLETIONS,
    FIELDS,
    TICKS,
    Profile,
    SessionColumn,
)
from bridge.domain.proposals import Choice, Proposal, Question

#: More unknown words than this are no words for a state.
MOST_WORDS = 12
_SESSION = re.compile(
    r"^(?:session|day|week|part|module|workshop|date|event|attended|attendance|am|pm)?\s*"
    r"(?:number )?(?:\d{1,2}|one|two|three|four|five|six|[ab]|am|pm|morning|afternoon)\b.*$"
)
_ORDERS = (
    Choice("day-first", "the day comes first, as in the UK"),
    Choice("month-first", "the month comes first, as in the USA"),
)
#: The commonest first; every state has to be here.
_STATES = (
    Choice("fully_attended", "they attended"),
    Choice("partially_attended", "they attended a part of it"),
    Choice("no_show", "they did not come, and had not cancelled"),
    Choice("user_cancelled", "they cancelled"),
    Choice("session_cancelled", "the event was cancelled"),
    Choice("booked", "they are booked"),
    Choice("waitlisted", "they are on the waiting list"),
    Choice("requested", "they have asked for a place"),
    Choice("approved", "their place is approved"),
    Choice("declined", "their place was refused"),
    Choice("unknown", "nobody knows whether they came"),
)
_OUTCOMES = tuple(Choice(name, name) for name in OUTCOME_NAMES)
_ABOVE = ("event_title", "event_code", "event_id", "event_date", "start_time", "end_time",
          "trainer")  # fmt: skip


@dataclass
class _Draft:
    """A profile on its way."""

    profile: Profile
    answers: Mapping[str, str]
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ask(self, id_: str, asks: str, because: str = "", choices: Sequence[Choice] = ()) -> None:
        self.questions.append(Question(id_, asks, because, tuple(choices)))

    def answer(self, id_: str, choices: Sequence[str] | None = None) -> str:
        """The answer to a question that was given, if it is one of the choices."""
        given = self.answers.get(id_, "").strip()
        return given if choices is None or given in choices else ""


def propose(table: Opened, name: str, answers: Mapping[str, str], sheet: str = "") -> Proposal:
    """What a table looks like, as a profile called `name` that reads the sheet of that name.

    `answers` are by the questions' ids. Raises BadFile where it is no table at all.
    """
    heading, before = find_headings(table)
    columns, rows = columns_of(table, heading)
    draft = _Draft(Profile(name, sheet=sheet), answers)
    kind = draft.answer("kind", (ATTENDANCE, COMPLETIONS)) or kind_of(columns)
    if kind is None and _session_columns(columns):
        kind = ATTENDANCE
    if kind is None:
        draft.ask("kind", "What is a row of this table?",
                  "Its headings fit both.",
                  (Choice(ATTENDANCE, "a booking of an event, with who came"),
                   Choice(COMPLETIONS, "a course in an LMS, with what was completed")))  # fmt: skip
        kind = _likelier(columns)
    sessions = _session_columns(columns) if kind == ATTENDANCE else []
    found = assign(columns, kind, {c.place for c in sessions})
    _apply_answers(found, columns, draft)
    draft.profile = replace(
        draft.profile,
        kind=kind,
        columns={f: found.columns[f].label for f in FIELDS if f in found.columns},
        sessions=tuple(_session(c, answers) for c in sessions),
        above=_above(before, found, kind),
    )
    _ask_for_ties(found, draft)
    _ask_for_what_is_missing(found, columns, sessions, draft)
    _settle_dates(found, columns, before, draft)
    _settle_words(found, sessions, draft)
    draft.profile = replace(draft.profile, key=choose_key(draft.profile, table))
    used = {c.place for c in found.columns.values()} | {c.place for c in sessions}
    return Proposal(
        profile=draft.profile.to_data(),
        rows=understood(draft.profile, table, rows[:10]),
        questions=draft.questions,
        ignored=tuple(c.label for c in columns if c.place not in used),
        headings_row=heading.number,
        notes=draft.notes,
    )


def _likelier(columns: Sequence[Column]) -> str:
    booked = assign(columns, ATTENDANCE).columns
    done = assign(columns, COMPLETIONS).columns
    return ATTENDANCE if len(booked) >= len(done) else COMPLETIONS


def _apply_answers(found: Assigned, columns: Sequence[Column], draft: _Draft) -> None:
    """`column:FIELD` names the heading of a field, or "-" for none."""
    by_label = {folded(c.label): c for c in columns}
    for field_ in FIELDS:
        given = draft.answer(f"column:{field_}")
        if given == "-":
            found.columns.pop(field_, None)
            found.ties.pop(field_, None)
        elif given and folded(given) in by_label:
            column = by_label[folded(given)]
            for other in [f for f, c in found.columns.items() if c is column]:
                del found.columns[other]
            found.columns[field_] = column
            found.ties.pop(field_, None)


# --- sessions ---------------------------------------------------------------------------------
def _session_columns(columns: Sequence[Column]) -> list[Column]:
    """Two columns or more, each called after a session or a day, with marks in them."""
    found = []
    for column in columns:
        if column.empty or not (column.ticks > 0.8 or column.states > 0.8):
            continue
        text = plain(column.label)
        if _SESSION.match(text) or _day_in(column.label):
            found.append(column)
    return found if len(found) > 1 else []


def _day_in(label: str) -> str:
    """The date that a heading holds."""
    inside: list[str] = re.findall(r"\(([^)]*)\)", label)
    from_digit: str = re.sub(r"^\D*?(?=\d)", "", label)
    for text in (label, *inside, label.partition(":")[2], from_digit):
        for order in Order:
            try:
                parse(text.strip(), order)
            except BadDate:
                continue
            return text.strip()
    return ""


def _session(column: Column, answers: Mapping[str, str]) -> SessionColumn:
    return SessionColumn(column.label, column.label, _day_in(column.label))


# --- above the table --------------------------------------------------------------------------
def _above(before: Sequence[Row], found: Assigned, kind: str) -> dict[str, str]:
    """The labels over the table that say what no column does."""
    above: dict[str, str] = {}
    named = found.columns.keys() & {*ACTIVITY_FIELDS}
    for label, value in labelled(before):
        for field_ in _fields_of(label, value, kind):
            if field_ in found.columns or field_ in above:
                continue
            if field_ in ACTIVITY_FIELDS and (named or above.keys() & {*ACTIVITY_FIELDS}):
                continue
            above[field_] = label
            break
    return above


def _fields_of(label: str, value: str, kind: str) -> list[str]:
    column = Column(0, label, [value], 1)
    scored = {
        f: s for f, s in assigning.scores(column, kind).items()
        if f in _ABOVE or (kind == COMPLETIONS and f == "completed_on")
    }  # fmt: skip
    if not scored:
        sure = meanings(label)
        scored = {f: s for f, s in sure.items() if f in ("event_title", "event_code")}
    return sorted((f for f, s in scored.items() if s >= 0.4), key=lambda f: -scored[f])


# --- what is missing, or could be two -----------------------------------------------------------
def _ask_for_ties(found: Assigned, draft: _Draft) -> None:
    for field_, columns in found.ties.items():
        draft.ask(
            f"column:{field_}",
            f"Which column is {FIELDS[field_]}?",
            "Both fit: " + "; ".join(f"{c.label} ({c.cells[0] if c.cells else ''})"
                                     for c in columns),
            [Choice(c.label, c.label) for c in columns],
        )  # fmt: skip


def _free(found: Assigned, columns: Sequence[Column]) -> list[Choice]:
    used = {c.place for c in found.columns.values()}
    return [Choice(c.label, f"{c.label} (such as {c.cells[0][:40]})") for c in columns
            if c.place not in used and not c.empty]  # fmt: skip


def _ask_for_what_is_missing(
    found: Assigned, columns: Sequence[Column], sessions: Sequence[Column], draft: _Draft
) -> None:
    profile = draft.profile
    told = found.columns.keys() | profile.above.keys()
    free = _free(found, columns)
    if not told & {*ACTIVITY_FIELDS}:
        if given := draft.answer("fixed:event_title"):
            draft.profile = replace(draft.profile, fixed={"event_title": given})
        else:
            draft.ask("fixed:event_title", "Which event or course is this file about?",
                      "No column and no title says it. Write its title; or, if a column does, "
                      "name that: column:event_title.")  # fmt: skip
    if not told & {"email", "staff_number", "username", "name", "last_name"}:
        draft.ask("column:name", "Which column says whose row it is?", "", free)
    days = {"event_date", "session_date", "check_in"} if profile.kind == ATTENDANCE else {
        "completed_on"}  # fmt: skip
    if not told & days and not any(s.day for s in profile.sessions):
        field_ = "event_date" if profile.kind == ATTENDANCE else "completed_on"
        draft.ask(f"column:{field_}", f"Which column is {FIELDS[field_]}?",
                  "No column looks like it.", free)  # fmt: skip
    saying = {"status", "attended", "partly", "missed", "check_in", "minutes", "hours",
              "attendance", "completed_on"}  # fmt: skip
    if not told & saying and not sessions:
        choices = _STATES if profile.kind == ATTENDANCE else _OUTCOMES
        if given := draft.answer("when_silent", [c.value for c in choices]):
            draft.profile = replace(draft.profile, when_silent=given)
        else:
            draft.ask("when_silent", "No column says who came. What does a row mean?",
                      "", choices)  # fmt: skip


# --- dates and words ----------------------------------------------------------------------------
def _settle_dates(
    found: Assigned, columns: Sequence[Column], before: Sequence[Row], draft: _Draft
) -> None:
    texts = [list(found.columns[f].distinct) for f in dates_among(found.columns)]
    pairs = dict(reversed(list(labelled(before))))
    texts += [[pairs[folded(label)]] for label in draft.profile.above.values()
              if folded(label) in pairs]  # fmt: skip
    texts += [[s.day] for s in draft.profile.sessions if s.day]
    if not any(needs_order(cells) for cells in texts):
        return
    if given := draft.answer("dates", [o.value for o in Order]):
        draft.profile = replace(draft.profile, dates=Order(given))
        return
    left, shown = order_of(texts)
    if len(left) == 2:
        # Other dates of the same export are written by the same hand.
        others = [list(c.distinct) for c in columns if c.dates > 0.7 and c.plain_numbers < 0.5]
        all_left, _ = order_of([*texts, *others])
        left = all_left or left
    if len(left) == 1:
        draft.profile = replace(draft.profile, dates=next(iter(left)))
        return
    because = (
        f"'{shown}' is two dates, and no date in the file settles which."
        if left
        else "Some of its dates have the day first, others the month."
    )
    draft.ask("dates", "Which comes first in its dates, the day or the month?", because, _ORDERS)


def _settle_words(found: Assigned, sessions: Sequence[Column], draft: _Draft) -> None:
    words: dict[str, str] = {}
    states = draft.profile.kind == ATTENDANCE
    for field_ in ("status", "attended", "partly", "missed", "cancelled", "waitlisted",
                   "check_in", "evaluated"):  # fmt: skip
        column = found.columns.get(field_)
        if column is not None:
            _words_of(column, field_, states, words, draft)
    for column in sessions:
        _words_of(column, "attended", states, words, draft)
    draft.profile = replace(draft.profile, words={**draft.profile.words, **words})


def _words_of(
    column: Column, field_: str, states: bool, words: dict[str, str], draft: _Draft
) -> None:
    """What the cells of one column mean, as far as it is not known anyway; or a question."""
    choices = _STATES if states else _OUTCOMES
    if field_ == "evaluated":
        return
    if field_ == "attended" and column.ticks > 0.9 and all(map(_says_no, column.distinct)):
        _ask_about_no(column, words, draft)
        return
    unknown = []
    for text in column.distinct:
        key = folded(text)
        if key in ("x", "xx") and field_ != "status":
            words[key] = "no" if column.crossed else "yes"
            if not column.crossed and not column.only_x:
                del words[key]
                unknown.append(text)
        elif not _is_known(text, field_, states):
            unknown.append(text)
    asked = {q.id for q in draft.questions}
    for text in unknown[:MOST_WORDS]:
        id_ = f"word:{text}"
        given = draft.answer(id_, [*(c.value for c in choices), *TICKS])
        if given:
            words[text] = given
        elif id_ not in asked and text not in words:
            count = column.distinct[text]
            often = "once" if count == 1 else f"{count} times"
            draft.ask(id_, f"What does '{text}' mean under '{column.label}'?",
                      f"It stands there {often}.", choices)  # fmt: skip
    if len(unknown) > MOST_WORDS:
        draft.ask(f"column:{field_}", f"Which column is {FIELDS[field_]}?",
                  f"'{column.label}' holds {len(unknown)} words that are not known.")  # fmt: skip


def _says_no(text: str) -> bool:
    try:
        return yes_or_no(text) is not True
    except KeyError:
        return False


def _ask_about_no(column: Column, words: dict[str, str], draft: _Draft) -> None:
    """Nobody came, by this column; or nobody has taken the register, which is no no-show."""
    for text in column.distinct:
        if yes_or_no(text) is None:
            continue
        id_ = f"word:{text}"
        given = draft.answer(id_, ("no_show", "no mark"))
        if given == "no mark":
            words[text] = given
        elif not given:
            draft.ask(id_, f"What does '{text}' mean under '{column.label}'?",
                      "Nothing else stands there, as if no register had been taken yet.",
                      (Choice("no_show", "they did not come"),
                       Choice("no mark", "nobody has marked yet who came")))  # fmt: skip


def _is_known(text: str, field_: str, states: bool) -> bool:
    if field_ != "status":
        if Column(0, "", [text], 1).ticks == 1:
            return True
        if field_ in ("cancelled", "waitlisted", "check_in") and folded(text)[:1].isdigit():
            return True
    try:
        if states:
            state_of(text)
        else:
            outcome_of(text)
    except KeyError:
        return False
    return True
