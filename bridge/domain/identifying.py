"""Marks in a text that could tell who a child is: what a reflection must do without.

Pure rules with few false alarms: a warning that is mostly wrong is soon clicked away. They look
for what stands out by its shape (NHS numbers, postcodes, dates of birth, telephone numbers) and
for names where the words around them say that a child is meant. What is found is shown once to
whoever wrote it and kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What was seen, in words for whoever wrote it."""

    NAME = "what looks like a child's or family's name"
    BORN = "a date of birth"
    NHS = "an NHS number"
    POSTCODE = "a postcode"
    PHONE = "a telephone number"
    EMAIL = "an email address"
    INITIALS = "initials with an age"
    SCHOOL = "the name of a school or setting"
    ADDRESS = "a street address"


@dataclass(frozen=True, slots=True)
class Seen:
    """One mark: which kind, the words themselves, and where they start in the text."""

    mark: Mark
    words: str
    at: int


_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+\d{{4}}|"
    rf"{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
)
_BORN = re.compile(
    r"\b(?:d\.?o\.?b\.?|date of birth|born(?: on)?|birthday(?: is| was)?)"
    r"\s*(?:is|was|:|-|=|on)*\s*"
    rf"({_DATE})",
    re.IGNORECASE,
)
_NHS = re.compile(r"(?<![\d-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\d-])")
# The areas and the letters that may stand where, as Royal Mail gives them out.
_POSTCODE = re.compile(
    r"\b(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d|[A-HK-Y]\d\d|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY]))"
    r" ?\d[ABD-HJLNP-UW-Z]{2}\b"
)
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+44[ -]?(?:\(0\)[ -]?)?|0044[ -]?|\(?0)(?=[1-9])(?:\d[ ()-]{0,2}){9,10}(?!\d)"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_NAME = r"[A-Z][a-z’'-]*[a-z](?:[ -][A-Z][a-z’'-]*[a-z])?"
_CHILD = (
    r"(?:child|children|boy|girl|baby|infant|toddler|teenager|teen|youth|pupil|student|sibling|"
    r"brother|sister|son|daughter|twin|twins|young person|service user|client|foster child|"
    r"mother|father|mum|dad|parent|carer|grandmother|grandfather|family)"
)
_NAMED = re.compile(
    rf"\b(?i:{_CHILD})(?:,| who (?:is|was))?\s+(?i:called|named|known as|by the name of)\s+"
    rf"[“\"'‘]?({_NAME})"
)
_CHILDS_NAME = re.compile(
    rf"\b(?i:(?:the|this|a|my|his|her|their|our)\s+"
    r"(?:child|boy|girl|baby|toddler|pupil|son|daughter|sister|brother|young person)"
    rf"(?:'s|’s)?\s+name\s+(?:is|was))\s+[“\"'‘]?({_NAME})"
)
_AGED = re.compile(
    rf"\b({_NAME})(?:,|\s\(|,?\s+who\s+(?:is|was))\s*(?:aged?\s+)?(?:\d{{1,2}}|[a-z]+teen|two|three|"
    r"four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"(?:\s*(?:years?|yrs?|months?|weeks?)(?:[ -]old|\s+of\s+age)?|\s*y/?o|(?=\)))\b"
)
_AGED_SHORT = re.compile(rf"\b({_NAME}),?\s*\(?aged?\s+\d{{1,2}}\b")
_RELATION = re.compile(
    r"\b(?i:(?:his|her|their|the child's|the child’s|my client's)\s+"
    rf"(?:son|daughter|brother|sister|mum|dad|mother|father|baby|twin))\s+({_NAME})\b"
)
_INITIALS = re.compile(
    r"(?<![\w.])([A-Z]\.? ?[A-Z](?:\.? ?[A-Z])?\.?)(?:,|\s\(|\s)\s*"
    r"(?:(?:is |was )?aged?\s+\d{1,2}\b|"
    r"\d{1,2}\s*(?:years?|yrs?|months?)[ -]old\b|\d{1,2}\s*y/?o\b)"
)
_SCHOOL = re.compile(
    r"\b((?:St\.? |Saint )?[A-Z][\w’'-]+(?:\s+(?:[A-Z][\w’'.-]+|of|the|and|&)){0,4}\s+"
    r"(?:Primary|Infants?|Junior|Secondary|High|Grammar|Nursery|Community|Academy|College|Special)"
    r"(?:\s+(?:School|Academy|Nursery|College))?|"
    r"(?:St\.? |Saint )?[A-Z][\w’'-]+(?:\s+[A-Z][\w’'.-]+){0,3}\s+School)\b"
)
_ADDRESS = re.compile(
    r"\b(\d{1,4}[A-Za-z]?,?\s+(?:[A-Z][\w’'-]+\s+){1,3}"
    r"(?:Street|Road|Avenue|Lane|Close|Drive|Crescent|Gardens|Grove|Terrace|Court|Place|Walk|"
    r"Rise|Mews|Square|House))\b"
)
#: Capital letters that begin sentences, name days, months and bodies, and are nobody's name.
_NOBODY = """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June
    July August September October November December Section Level Child Children Family Social Core
    Group Early Help Ofsted Police Council England Wales London English British Christmas Easter
    Covid Competency Working Together Training Module Year Key Stage It This That There They When
    Where After Before The And But Our My He She We You I In On At For From With
    Then Later Yesterday Today Last Next While Because Although So As By If Since During Once Only
    Even Both Also Now Here One Two His Her Their What Who How Why Some Such
"""
_NOBODYS = frozenset(_NOBODY.split())


def _checked(digits: str) -> bool:
    """Whether the tenth digit is the check digit of an NHS number (modulus 11)."""
    total = sum(int(d) * (10 - i) for i, d in enumerate(digits[:9]))
    return (11 - total % 11) % 11 == int(digits[9]) and len(set(digits)) > 1


def _nhs(text: str) -> Iterable[Seen]:
    for found in _NHS.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        if _checked(digits):
            yield Seen(Mark.NHS, found.group(), found.start())


def _phones(text: str) -> Iterable[Seen]:
    for found in _PHONE.finditer(text):
        words = found.group().strip(" ()-")
        if 10 <= len(re.sub(r"\D", "", words)) <= 14:
            yield Seen(Mark.PHONE, words, found.start())


def _simple(pattern: re.Pattern[str], mark: Mark) -> Callable[[str], Iterable[Seen]]:
    def find(text: str) -> Iterable[Seen]:
        group = 1 if pattern.groups else 0
        for found in pattern.finditer(text):
            words = found.group(group)
            if mark is Mark.NAME:
                # A name may follow a word that has its capital for another reason.
                kept = words.split()
                while kept and kept[0].split("-")[0] in _NOBODYS:
                    kept.pop(0)
                words = " ".join(kept)
            if words:
                yield Seen(mark, words.strip(), found.end(group) - len(words))

    return find


_RULES: tuple[Callable[[str], Iterable[Seen]], ...] = (
    _nhs,
    _phones,
    _simple(_EMAIL, Mark.EMAIL),
    _simple(_POSTCODE, Mark.POSTCODE),
    _simple(_BORN, Mark.BORN),
    _simple(_NAMED, Mark.NAME),
    _simple(_CHILDS_NAME, Mark.NAME),
    _simple(_AGED, Mark.NAME),
    _simple(_AGED_SHORT, Mark.NAME),
    _simple(_RELATION, Mark.NAME),
    _simple(_INITIALS, Mark.INITIALS),
    _simple(_SCHOOL, Mark.SCHOOL),
    _simple(_ADDRESS, Mark.ADDRESS),
)


def identifying(text: str) -> list[Seen]:
    """What in this text could tell who a child is, in its order; each words once.

    An empty list says that nothing stood out, not that there is nothing.
    """
    found = sorted({seen for rule in _RULES for seen in rule(text)}, key=lambda s: (s.at, s.mark))
    kept: list[Seen] = []
    known: set[str] = set()
    end = -1
    for seen in found:
        if seen.words.casefold() in known or seen.at < end:
            continue
        known.add(seen.words.casefold())
        end = seen.at + len(seen.words)
        kept.append(seen)
    return kept
