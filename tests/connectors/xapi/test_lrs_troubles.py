"""LRSs as they are: capped, hasty, expiring, overloaded, by the wrong clock, with odd contents."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from bridge.connectors.xapi.paging import BrokenPage, taken_apart
from bridge.connectors.xapi.settings import SinceMeans
from bridge.demo.lrs import Fault
from bridge.domain.errors import BadAnswer, NeedsAdministrator, TryLater
from bridge.domain.records import LearningFact, Unreadable
from tests.connectors.xapi.conftest import START, Trouble, items_of, statement


def test_a_capped_limit_only_makes_more_pages(trouble: Trouble) -> None:
    ids = [trouble.put(n) for n in range(1, 11)]
    trouble.lrs.faults.add(Fault.CAPPED)
    source = trouble.source(page_size=500)
    pages = list(source.pull(None))
    assert source.client.web.calls >= 4
    assert [i.natural_key for page in pages for i in page.items] == ids


def test_links_that_expire_are_asked_for_anew(trouble: Trouble) -> None:
    ids = {trouble.put(n, late=timedelta(minutes=n)) for n in range(1, 11)}
    trouble.lrs.faults.add(Fault.CAPPED)
    trouble.lrs.faults.add(Fault.MORE_EXPIRES, 1)
    assert set(items_of(trouble.source().pull(None))) == ids
    # Where none of them ever works, it gets as far as asking anew can bring it.
    trouble.lrs.faults.add(Fault.MORE_EXPIRES)
    assert set(items_of(trouble.source(since_means=SinceMeans.STORED).pull(None))) == ids


def test_links_that_never_work_are_no_endless_round(trouble: Trouble) -> None:
    for n in range(1, 11):
        trouble.store.put(statement(n, when=START), stored=START + timedelta(minutes=1))
    trouble.lrs.faults.add(Fault.CAPPED)
    trouble.lrs.faults.add(Fault.MORE_EXPIRES)
    with pytest.raises(BadAnswer, match="expire before they can be followed"):
        list(trouble.source().pull(None))


def test_a_link_to_another_host_gets_no_secret(trouble: Trouble) -> None:
    for n in range(1, 6):
        trouble.put(n)
    trouble.lrs.faults.add(Fault.CAPPED)
    trouble.lrs.faults.add(Fault.MORE_ELSEWHERE)
    with pytest.raises(BadAnswer, match="leads away"):
        list(trouble.source().pull(None))


@pytest.mark.parametrize("version", [None, "2.0.0"])
def test_an_answer_that_never_ends_is_cut_off(trouble: Trouble, version: str | None) -> None:
    """To the question for its versions, or for statements."""
    trouble.put(1)
    trouble.lrs.faults.add(Fault.DRIPPING)
    source = trouble.source(version=version)
    source.client.altogether = 0.5
    with pytest.raises(TryLater, match="so slowly"):
        list(source.pull(None))


def test_pages_in_a_circle_end(trouble: Trouble) -> None:
    for n in range(1, 12):
        trouble.put(n)
    trouble.lrs.faults.add(Fault.CAPPED)
    trouble.lrs.faults.add(Fault.MORE_IN_A_CIRCLE)
    with pytest.raises(BadAnswer, match="circle"):
        list(trouble.source().pull(None))


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (Fault.TOO_MANY_REQUESTS, 7.0),
        (Fault.BROKEN, 1.0),
        (Fault.TRUNCATED, 1.0),
        (Fault.HTML_PAGE, 1.0),
    ],
)
def test_what_passes_by_itself_is_waited_for(trouble: Trouble, fault: Fault, least: float) -> None:
    kept = trouble.put()
    trouble.lrs.faults.add(fault, 2)
    assert set(items_of(trouble.source().pull(None))) == {kept}
    assert len(trouble.naps) == 2
    assert all(nap >= least for nap in trouble.naps)
    # By chance longer than asked for, and not each time by the same.
    assert len({nap / least for nap in trouble.naps}) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.TOO_MANY_REQUESTS, TryLater),
        (Fault.BROKEN, TryLater),
        (Fault.TRUNCATED, BadAnswer),
        (Fault.HTML_PAGE, BadAnswer),
    ],
)
def test_what_does_not_pass_ends_the_pull(
    trouble: Trouble, fault: Fault, error: type[Exception]
) -> None:
    trouble.put()
    trouble.lrs.faults.add(fault)
    with pytest.raises(error):
        list(trouble.source().pull(None))
    assert len(trouble.naps) == 3


def test_who_is_told_to_come_back_in_an_hour_does_not_wait_here(trouble: Trouble) -> None:
    trouble.lrs.faults.add(Fault.COME_BACK_LATER)
    with pytest.raises(TryLater) as told:
        list(trouble.source().pull(None))
    assert told.value.retry_after == 3600
    assert trouble.naps == []


def test_a_refused_secret_is_not_tried_again(trouble: Trouble) -> None:
    trouble.lrs.faults.add(Fault.SHUT_OUT)
    with pytest.raises(NeedsAdministrator):
        list(trouble.source().pull(None))
    assert sum("statements" in asked for asked in trouble.lrs.requests) == 1
    assert trouble.naps == []


def test_one_statement_that_cannot_be_read_spoils_none_beside_it(trouble: Trouble) -> None:
    ids = [trouble.put(n) for n in range(1, 5)]
    trouble.lrs.faults.add(Fault.NOT_A_NUMBER, 1)
    found = [i for page in trouble.source().pull(None) for i in page.items]
    assert [i.natural_key for i in found if isinstance(i.fact, LearningFact)] == [
        ids[0], *ids[2:]
    ]  # fmt: skip
    (held,) = [i for i in found if isinstance(i.fact, Unreadable)]
    assert b"NaN" in held.body
    assert held.natural_key.startswith("unreadable:")


def test_an_invalid_statement_is_held_with_its_pointer_under_its_id(trouble: Trouble) -> None:
    odd = {**statement(), "stored": "2026-11-02T08:00:00Z"}
    odd["actor"] = {"name": "nobody"}
    trouble.store.put_raw(odd, orjson.dumps(odd))
    (item,) = items_of(trouble.source().pull(None)).values()
    assert item.natural_key == odd["id"]
    assert isinstance(item.fact, Unreadable)
    assert "/actor: an agent must have exactly one of" in item.fact.message


def test_what_makes_no_difference_keeps_no_learning_back(trouble: Trouble) -> None:
    odd = {**statement(), "stored": "2026-11-02T08:00:00Z", "_score": 1}
    odd["verb"] = {**odd["verb"], "display": {"en_GB": "completed"}}
    odd["version"] = "0.95"
    trouble.store.put_raw(odd, orjson.dumps(odd))
    (item,) = items_of(trouble.source().pull(None)).values()
    assert isinstance(item.fact, LearningFact)


# --- clocks ---------------------------------------------------------------------------------------
def test_the_bookmark_is_never_ahead_of_what_was_seen(trouble: Trouble) -> None:
    trouble.put(1)
    trouble.lrs.faults.add(Fault.HASTY)
    *_, last = trouble.source().pull(None)
    # It vouches for half an hour ahead; what was stored last is earlier.
    assert last.bookmark == START - timedelta(days=3) + timedelta(minutes=2)
    *_, again = trouble.source().pull(last.bookmark)
    assert again.items == ()
    assert again.bookmark == last.bookmark


def test_what_is_told_a_year_late_is_found_by_when_it_was_stored(trouble: Trouble) -> None:
    trouble.put(1)
    *_, last = trouble.source().pull(None)
    late = trouble.put(2, when=START - timedelta(days=366), late=timedelta(days=366))
    assert set(items_of(trouble.source().pull(last.bookmark))) == {late}


def test_the_wrong_clock_is_noticed_said_and_made_up_for(trouble: Trouble) -> None:
    trouble.put(1)
    trouble.lrs.faults.add(Fault.WRONG_CLOCK)
    *_, last = trouble.source().pull(None)
    assert "what happened since a time" in last.note
    assert 'since_means = "timestamp" under [lrs.lrs]' in last.note
    # It happened a week ago and is told only now: the bookmark lags behind by three weeks.
    late = trouble.put(2, when=START - timedelta(days=7), late=timedelta(days=7))
    assert last.bookmark is not None
    assert late in items_of(trouble.source().pull(last.bookmark))
    # Known and configured, there is nothing to say any more.
    *_, quiet = trouble.source(since_means=SinceMeans.TIMESTAMP).pull(None)
    assert quiet.note == ""
    assert quiet.bookmark == START - timedelta(days=21)


def test_the_right_clock_is_no_cause_for_a_note(trouble: Trouble) -> None:
    for n in range(1, 4):
        trouble.put(n)
    *_, last = trouble.source().pull(None)
    assert last.note == ""


def test_the_doctor_tells_by_which_clock_it_finds(trouble: Trouble) -> None:
    trouble.put(1)
    found = {f.check: f for f in trouble.source().doctor()}
    assert found["since"].ok
    trouble.lrs.faults.add(Fault.WRONG_CLOCK)
    found = {f.check: f for f in trouble.source().doctor()}
    assert not found["since"].ok
    assert found["since"].warning
    assert "since_means" in found["since"].remedy
    found = {f.check: f for f in trouble.source(since_means=SinceMeans.TIMESTAMP).doctor()}
    assert found["since"].ok


# --- versions -------------------------------------------------------------------------------------
def test_the_newest_version_that_both_know_is_spoken(trouble: Trouble) -> None:
    trouble.put()
    source = trouble.source()
    list(source.pull(None))
    assert source.client.version == "2.0.0"
    trouble.lrs.faults.add(Fault.OLD)
    source = trouble.source()
    list(source.pull(None))
    assert source.client.version == "1.0.3"
    source = trouble.source(version="1.0.3")
    list(source.pull(None))
    assert not trouble.lrs.requests[-1].endswith("/about")


def test_statements_of_the_second_edition_are_read(trouble: Trouble) -> None:
    told = statement(
        context={
            "contextAgents": [
                {"objectType": "contextAgent", "agent": {"mbox": "mailto:tom@example.org"}}
            ]
        }
    )
    trouble.store.put(told, version="2.0.0")
    (item,) = items_of(trouble.source().pull(None)).values()
    assert isinstance(item.fact, LearningFact)


# --- pages ----------------------------------------------------------------------------------------
def test_pages_are_taken_apart_into_the_bytes_that_came() -> None:
    one, two = b'{ "id" : 1 }', b'{"a":[1,{"b":"]}"}]}'
    body = b'{"more": "/x", "statements": [%s , %s]}' % (one, two)
    assert taken_apart(body) == ([one, two], "/x")
    assert taken_apart(b'{"statements":[]}') == ([], "")
    half = '{"a":"é"}'.encode()[:-3] + b'"}'
    assert taken_apart(b'{"statements":[%s,%s],"more":""}' % (half, two)) == ([half, two], "")
    for broken in (b"[]", b"{}", b'{"statements":{}}', body[:-9], b"", b"<html>"):
        with pytest.raises(BrokenPage):
            taken_apart(broken)
