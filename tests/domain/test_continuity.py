"""Whether a number still means whom and what it meant, and whether a source was put back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.continuity import another_activity, another_holder
from bridge.domain.records import AccountFacts, ActivityFacts
from bridge.domain.vanishing import Gone, looks_restored

ADA = ("ada@a.example", "S1", "ada", "Ada Lovelace")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def account(mail: str | None, number: str | None, user: str | None, name: str) -> AccountFacts:
    return AccountFacts("moodle-user", "7", mail, number, user, name)


@pytest.mark.parametrize(
    ("now", "another"),
    [
        (("ada@b.example", "S1", "al", "Ada King"), False),  # the staff number stayed
        (("ada@a.example", "S9", "al", "Ada King"), False),  # the address stayed
        (("ada@b.example", "S9", "ada", "Ada King"), False),  # the user name stayed
        (("ADA@a.example ", " s 1", None, "Ada"), False),  # as two systems would write it
        (("ada@b.example", None, None, "Lovelace, Ada"), False),  # another domain, the same name
        (("grace@b.example", None, None, "Grace Hopper"), True),
        (("grace@b.example", "S2", "grace", "Grace Hopper"), True),
        (("grace@b.example", "S2", "grace", "Ada Lovelace"), True),  # a namesake is another
        ((None, None, None, "Grace Hopper"), False),  # nothing is told: a lost permission
    ],
)
def test_who_holds_an_account(now: tuple[str | None, str | None, str | None, str],
                              another: bool) -> None:  # fmt: skip
    assert another_holder(account(*ADA), account(*now)) is another


words = st.sampled_from([None, "a@x.example", "b@x.example", "S1", "S2", "ada", "grace"])


told = st.tuples(words, words, words)


@given(told, told)
def test_nobody_is_another_than_themselves_and_it_is_mutual(
    first: tuple[str | None, str | None, str | None],
    second: tuple[str | None, str | None, str | None],
) -> None:
    one, other = account(*first, "Ada L"), account(*second, "Grace H")
    assert not another_holder(one, one)
    assert another_holder(one, other) is another_holder(other, one)


@pytest.mark.parametrize(
    ("now", "another"),
    [
        (("Fire safety at work", "FIRE", "F-1"), False),
        (("Fire safety", "FIRE-26", "F-1"), False),
        (("Fire safety", "FIRE", "F-2"), False),
        (("Fire drill", "DRILL", "F-1"), False),  # its ID number stayed
        (("Fire safety 2026", "FIRE26", None), False),  # renamed for a new year
        (("Safer recruitment", "SR", None), True),
        (("Safer recruitment", "SR", "R-1"), True),
    ],
)
def test_which_course_a_number_stands_for(now: tuple[str, str, str | None], another: bool) -> None:
    before = ActivityFacts("moodle-course", "9", "Fire safety", "F-1", "FIRE")
    title, short, number = now
    after = ActivityFacts("moodle-course", "9", title, number, short)
    assert another_activity(before, after) is another


def test_a_stretch_that_is_gone_as_a_whole_is_a_backup() -> None:
    gone = [(NOW + timedelta(days=n), n, n % 2) for n in range(4)]
    assert looks_restored(gone, [NOW - timedelta(days=1), NOW + timedelta(days=9)])
    assert not looks_restored(gone, [NOW + timedelta(days=2)])  # somebody else's of those days
    assert not looks_restored([(at, who, 1) for at, who, _ in gone], [])  # one course: a reset
    assert not looks_restored([(at, 1, what) for at, _, what in gone], [])  # one person
    assert not looks_restored(gone[:2], [])


def test_only_a_reversal_undoes_learning_and_every_reason_has_words() -> None:
    assert [why for why in Gone if why.undoes] == [Gone.REVERSED]
    assert all(why.words for why in Gone)
