"""What could tell who a child is, and what only looks a little like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.identifying import Mark, identifying

SEEN = [
    ("I visited a child called Tyrone and listened.", Mark.NAME, "Tyrone"),
    ("We spoke with a girl named Aaliyah Khan about school.", Mark.NAME, "Aaliyah Khan"),
    ("The child's name is Kai.", Mark.NAME, "Kai"),
    ("Her brother Jayden was also seen.", Mark.NAME, "Jayden"),
    ("Maisie, aged 7, drew a picture.", Mark.NAME, "Maisie"),
    ("Then Oliver (12 years old) ran off.", Mark.NAME, "Oliver"),
    ("Callum, who was 4 years old, hid.", Mark.NAME, "Callum"),
    ("DOB 14/03/2015", Mark.BORN, "14/03/2015"),
    ("his date of birth is 3rd March 2015", Mark.BORN, "3rd March 2015"),
    ("born on 2015-03-14", Mark.BORN, "2015-03-14"),
    ("d.o.b: 1.2.09", Mark.BORN, "1.2.09"),
    ("NHS number 943 476 5919", Mark.NHS, "943 476 5919"),
    ("9434765919 was on the form", Mark.NHS, "9434765919"),
    ("They live at SE13 6LG.", Mark.POSTCODE, "SE13 6LG"),
    ("moved to LE1 1FZ last year", Mark.POSTCODE, "LE1 1FZ"),
    ("call mum on 07700 900123", Mark.PHONE, "07700 900123"),
    ("or on +44 20 7946 0018", Mark.PHONE, "+44 20 7946 0018"),
    ("write to j.smith@example.org", Mark.EMAIL, "j.smith@example.org"),
    ("J.S. aged 9 told me", Mark.INITIALS, "J.S."),
    ("I worked with AB, 14 years old", Mark.INITIALS, "AB"),
    ("a pupil of St Mary’s Primary School", Mark.SCHOOL, "St Mary’s Primary School"),
    ("she goes to Rushey Green Primary", Mark.SCHOOL, "Rushey Green Primary"),
    ("the flat at 14 Ladywell Road", Mark.ADDRESS, "14 Ladywell Road"),
]
NOT_SEEN = [
    "I learned to ask what a day is like for the child, and to write it down the same day.",
    "The course covered Working Together 2023 and Section 47 of the Children Act 1989.",
    "I discussed level 3 with my manager on 14 March 2026 and again in June.",
    "We talked about Early Help, the MASH, and how Social Care answers a referral.",
    "The young person told me in their own words. They were worried about home.",
    "A child aged 7 may not have the words. A 14 year old may not want to use them.",
    "I completed 3 modules of 45 minutes, scored 80 percent and kept the certificate.",
    "My reference is CPD-2026-0114 and the policy is version 2.1.",
    "As a team we now hand over at 17:30 every Friday, in Room 101.",
    "Competencies 13, 14 and 27; statements L3.1 and L3.2.",
    "What the training named grooming, I had called attention seeking.",
    "KCSIE 2025, paragraph 112, asks schools to have a named person.",
    "In primary school and in secondary school children say it differently.",
    "May, June and July are the busiest. In May 2026 we had 12 referrals.",
    "The family support worker and the health visitor were both there.",
    "A child called for help and nobody came; the parent called the police.",
    "I used the PACE model (playfulness, acceptance, curiosity, empathy).",
    "LLR LSCP and the LADO gave advice within 24 hours.",
    "The number 1234567890 stood in the example; so did 0000000000.",
]


@pytest.mark.parametrize(("text", "mark", "words"), SEEN, ids=[words for _, _, words in SEEN])
def test_it_is_seen(text: str, mark: Mark, words: str) -> None:
    assert [(each.mark, each.words) for each in identifying(text)] == [(mark, words)]


@pytest.mark.parametrize("text", NOT_SEEN, ids=[text[:30] for text in NOT_SEEN])
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert identifying(text) == []


def test_each_is_told_once_in_the_order_of_the_text() -> None:
    text = "A boy called Kai lives at SE13 6LG. Kai, aged 6, is a boy called Kai."
    assert [each.words for each in identifying(text)] == ["Kai", "SE13 6LG"]


@given(st.integers(100_000_000, 999_999_999))
def test_only_a_right_check_digit_makes_an_nhs_number(first: int) -> None:
    digits = str(first)
    rest = 11 - sum(int(d) * (10 - n) for n, d in enumerate(digits)) % 11
    right = {11: 0, 10: None}.get(rest, rest)
    marked = {
        check
        for check in range(10)
        if any(s.mark is Mark.NHS for s in identifying(f"the form said {digits}{check} twice"))
    }
    same = len(set(digits)) == 1 and right == int(digits[0])
    assert marked == ({right} if right is not None and not same else set())


@given(st.text(max_size=400))
def test_any_text_can_be_looked_at_and_what_is_shown_stands_in_it(text: str) -> None:
    for each in identifying(text):
        assert each.words in text
