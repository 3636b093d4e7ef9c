"""What a column holds, as far as its cells show it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bridge.connectors.booking.dates import (
    BadDate,
    Order,
    orders_of,
    parse,
    parse_clock,
    parse_span,
)
from bridge.connectors.booking.words import folded, outcome_of, state_of, yes_or_no
from bridge.connectors.files.cells import minutes_of
from bridge.connectors.files.reading import TRAINER_WORDS
from bridge.domain.identity import normal_email
from bridge.domain.records import AttendanceState

_S = AttendanceState
_CAME = frozenset({_S.FULLY_ATTENDED, _S.PARTIALLY_ATTENDED, _S.NO_SHOW})
_NUMBER = re.compile(r"^-?\d[\d,]*(?:\.\d+)?$")
_PERCENT = re.compile(r"^\d{1,3}(?:\.\d+)?\s*%$|^\d+(?:\.\d+)?\s*/\s*\d+$")
_PERSON = re.compile(r"^(?:[^\W\d_][\w'’.-]*\.?[ ]){1,3}[^\W\d_][\w'’-]+$")
_COMMA_NAME = re.compile(r"^[^\W\d_][\w'’ -]*, ?[^\W\d_][\w'’ .-]*$")
_ONE_NAME = re.compile(r"^[^\W\d_][\w'’-]*(?:[ -][^\W\d_][\w'’-]*){0,2}$")
_EVENT_WORD = re.compile(
    r"\b(training|course|level|introduction|awareness|safeguarding|module|workshop|the|and|of|for|"
    r"in|to|with|refresher|essentials|basic|advanced|child|children|conference|briefing|part|group|"
    r"network|practice|working|understanding|level|enquiries|seminar|e-learning|webinar|council|"
    r"trust|school|nhs|team|service|services|college|academy|nursery|primary|hospital|police|"
    r"centre|room|hall|online|teams|zoom|street|road|house)\b",
    re.I,
)
_ROLE_WORDS = TRAINER_WORDS | frozenset(
    ("delegate", "attendee", "participant", "learner", "student", "teacher", "guest", "observer")
)
_X = frozenset(("x", "xx"))


@dataclass(frozen=True)
class Column:
    """One column: its place, its label, and its cells that are not empty. `rows` counts all."""

    place: int
    label: str
    cells: Sequence[str]
    rows: int

    @cached_property
    def distinct(self) -> Counter[str]:
        """Each text once, with how often it stands there."""
        return Counter(self.cells)

    @property
    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return not self.cells

    @property
    def filled(self) -> float:
        """The share of rows in which something stands."""
        return len(self.cells) / self.rows if self.rows else 0.0

    @property
    def variety(self) -> float:
        """The share of cells that differ from all before them."""
        return len(self.distinct) / len(self.cells) if self.cells else 0.0

    def _share(self, test: Callable[[str], object]) -> float:
        if not self.cells:
            return 0.0
        return sum(n for text, n in self.distinct.items() if test(text)) / len(self.cells)

    @cached_property
    def emails(self) -> float:
        """The share of addresses."""
        return self._share(normal_email)

    @cached_property
    def dates(self) -> float:
        """The share of dates, in whichever order."""
        return self._share(_is_date)

    @cached_property
    def plain_numbers(self) -> float:
        """The share of bare numbers."""
        return self._share(_NUMBER.match)

    @cached_property
    def timed(self) -> float:
        """The share of dates that have a time of day."""
        return self._share(lambda text: _is_date(text) and _has_clock(text))

    @cached_property
    def clocks(self) -> float:
        """The share of times of day alone."""
        return self._share(_is_clock)

    @cached_property
    def numbers(self) -> float:
        """The share of numbers, percentages and fractions among them."""
        return self._share(lambda text: _NUMBER.match(text) or _PERCENT.match(text))

    @cached_property
    def percents(self) -> float:
        """The share of percentages and fractions as such."""
        return self._share(_PERCENT.match)

    @cached_property
    def durations(self) -> float:
        """The share of lengths of time."""
        return self._share(lambda text: minutes_of(text) is not None)

    @cached_property
    def ticks(self) -> float:
        """The share of yes, no and their like; an X alone ticks where nothing else stands."""
        only_x = {folded(text) for text in self.distinct} <= _X
        return self._share(lambda text: _is_tick(text) or (only_x and folded(text) in _X)
                           or (self.crossed and folded(text) in _X))  # fmt: skip

    @cached_property
    def crossed(self) -> bool:
        """Whether an X stands beside ticks, and so strikes out."""
        words = {folded(text) for text in self.distinct}
        return bool(words & _X) and any(_tick(word) is True for word in words - _X)

    @cached_property
    def only_x(self) -> bool:
        """Whether an X is all that ever stands there."""
        return bool(self.cells) and {folded(text) for text in self.distinct} <= _X

    @cached_property
    def states(self) -> float:
        """The share of words for where a booking stands."""
        return self._share(lambda text: _state(text) is not KeyError)

    @cached_property
    def marks(self) -> float:
        """The share of ticks and of words for a state."""
        return self._share(lambda text: _is_tick(text) or _state(text) is not KeyError)

    @cached_property
    def told_states(self) -> set[AttendanceState | None]:
        """The states that its words stand for."""
        return {s for t in self.distinct if not isinstance(s := _state(t), type)}

    @property
    def says_who_came(self) -> bool:
        """Whether a word of it says that somebody came, or did not."""
        return bool(self.told_states & _CAME)

    @cached_property
    def outcomes(self) -> float:
        """The share of words for what an LMS says was done."""
        return self._share(lambda text: _outcome(text) is not KeyError)

    @cached_property
    def names(self) -> float:
        """The share of what looks like a person's whole name."""
        return self._share(_is_name)

    @cached_property
    def one_names(self) -> float:
        """The share of what may be a first name or a surname."""
        return self._share(lambda t: _ONE_NAME.match(t) and not _EVENT_WORD.search(t))

    @cached_property
    def roles(self) -> float:
        """The share of words for a trainer or a delegate."""
        return self._share(lambda text: folded(text) in _ROLE_WORDS)

    @cached_property
    def trainers(self) -> float:
        """The share of words for a trainer."""
        return self._share(lambda text: folded(text) in TRAINER_WORDS)

    @property
    def spaced(self) -> float:
        """The share of cells of more than one word."""
        return self._share(lambda text: " " in text)

    @property
    def words(self) -> bool:
        """Whether it holds letters more often than not."""
        return self._share(lambda text: any(c.isalpha() for c in text)) > 0.5

    @property
    def shortest(self) -> int:
        """The length of its shortest cell."""
        return min(map(len, self.cells), default=0)

    @property
    def average_length(self) -> float:
        """How long its cells are."""
        return sum(map(len, self.cells)) / len(self.cells) if self.cells else 0.0


def _is_date(text: str) -> bool:
    for order in Order:
        try:
            parse(text, order)
        except BadDate:
            continue
        return True
    return False


def _has_clock(text: str) -> bool:
    for order in Order:
        try:
            return parse(text, order).clock is not None
        except BadDate:
            continue
    return False


def _is_clock(text: str) -> bool:
    if parse_span(text):
        return True
    try:
        return parse_clock(text) is not None
    except BadDate:
        return False


def _tick(text: str) -> bool | None:
    try:
        return yes_or_no(text)
    except KeyError:
        return None


def _is_tick(text: str) -> bool:
    try:
        yes_or_no(text)
    except KeyError:
        return False
    return True


def _state(text: str) -> AttendanceState | type[KeyError] | None:
    try:
        return state_of(text)
    except KeyError:
        return KeyError


def _outcome(text: str) -> object:
    try:
        return outcome_of(text)
    except KeyError:
        return KeyError


def _is_name(text: str) -> bool:
    if _EVENT_WORD.search(text):
        return False
    return bool(_PERSON.match(text) or _COMMA_NAME.match(text))


def order_of(columns: Sequence[Sequence[str]]) -> tuple[frozenset[Order], str]:
    """The orders in which every date of these columns can be, and one date that could be two.

    With no text whose order matters, the text is empty.
    """
    left, shown = frozenset(Order), ""
    for cells in columns:
        for text in cells:
            orders = orders_of(text)
            if orders is not None:
                left &= orders
                if len(orders) == 2:
                    shown = shown or text
    return left, shown


def needs_order(cells: Sequence[str]) -> bool:
    """Whether a column holds dates of three numbers at all."""
    return any(orders_of(text) is not None for text in cells)
