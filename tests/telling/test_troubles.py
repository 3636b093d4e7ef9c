"""LRSs as they are: duplicates refused, answers lost, overload, permissions missing, picky ones."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.demo.lrs import Fault
from bridge.services import telling
from tests.telling.told import ToldWorld


def ids(told: ToldWorld) -> list[str]:
    return sorted(each["id"] for each in told.held())


def all_told(told: ToldWorld, number: int) -> None:
    """Everything is told, once, and nothing waits."""
    assert len(ids(told)) == len(set(ids(told))) == number
    assert told.open() == []


def send_again(told: ToldWorld) -> None:
    """As if nobody had noted that it was told."""
    with told.world.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET done_at = NULL, next_at = created_at WHERE kind = 'lrs:lrs'"
        )


# --- again ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", [None, Fault.CONFLICT, Fault.BRIEF])
def test_what_was_told_already_is_not_doubled(told: ToldWorld, fault: Fault | None) -> None:
    told.verify(1, 2)
    told.tell()
    send_again(told)
    if fault is not None:
        told.lrs.faults.add(fault)
    report = told.tell()
    assert (report.told, report.error) == (2, "")
    all_told(told, 2)


def test_of_a_batch_that_is_refused_for_one_the_others_go(told: ToldWorld) -> None:
    told.verify(1)
    told.tell()
    send_again(told)
    told.verify(2)
    told.lrs.faults.add(Fault.CONFLICT)
    told.lrs.requests.clear()
    assert told.tell().told == 2
    all_told(told, 2)
    asked = [each for each in told.lrs.requests if "tatementId=" in each]
    assert len(asked) == 3, "one that is there, and one that is neither there nor voided"


def test_an_empty_page_is_no_statement(told: ToldWorld) -> None:
    told.verify(1)
    told.tell()
    send_again(told)
    told.verify(2)
    told.lrs.faults.add(Fault.CONFLICT)
    told.lrs.faults.add(Fault.POLITE)
    assert told.tell().told == 2
    all_told(told, 2)


def test_a_statement_that_was_voided_counts_as_told(told: ToldWorld) -> None:
    told.verify(1)
    told.revoke(1)
    told.tell()
    send_again(told)
    told.lrs.faults.add(Fault.CONFLICT)
    assert told.tell().told == 2
    all_told(told, 2)


def test_who_may_not_read_takes_the_lrs_at_its_word(told: ToldWorld) -> None:
    told.verify(1)
    told.tell()
    send_again(told)
    told.verify(2)
    told.lrs.faults.add(Fault.CONFLICT)
    told.lrs.faults.add(Fault.WRITES_ONLY)
    report = told.tell()
    assert (report.told, report.error) == (2, "")
    all_told(told, 2)


def test_an_answer_that_is_lost_loses_and_doubles_nothing(told: ToldWorld) -> None:
    told.verify(1, 2)
    told.lrs.faults.add(Fault.LOST_ANSWER, 1)
    told.lrs.faults.add(Fault.CONFLICT)
    assert told.tell().told == 2
    all_told(told, 2)
    assert len(told.naps) == 1


# --- not now ------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", [Fault.TOO_MANY_REQUESTS, Fault.BROKEN])
def test_what_passes_is_waited_for(told: ToldWorld, fault: Fault) -> None:
    told.verify(1)
    told.lrs.faults.add(fault, 2)
    assert told.tell().told == 1
    assert len(told.naps) == 2
    least = 7 if fault is Fault.TOO_MANY_REQUESTS else 1
    assert all(nap >= least for nap in told.naps), "no sooner than it asked for"
    assert len(set(told.naps)) == 2, "by chance"


def test_a_storm_is_sat_out_and_each_try_comes_later(told: ToldWorld) -> None:
    told.verify(1, 2)
    told.lrs.faults.add(Fault.BROKEN)
    report = told.tell()
    assert (report.told, report.later) == (0, 2)
    assert "HTTP 500" in report.error
    assert told.tell().nothing, "it is left in peace"
    waits = []
    for _ in range(4):
        before = told.world.clock.now()
        while told.tell().nothing:
            told.world.clock.advance(seconds=10)
        waits.append(told.world.clock.now() - before)
    assert waits == sorted(waits)
    told.lrs.faults.clear()
    told.world.clock.advance(hours=1)
    assert told.tell().told == 2
    all_told(told, 2)


def test_it_is_asked_no_sooner_than_it_said(told: ToldWorld) -> None:
    told.verify(1)
    told.lrs.faults.add(Fault.COME_BACK_LATER, 1)
    assert told.tell().later == 1
    told.verify(2)
    told.world.clock.advance(minutes=59)
    assert told.tell().told == 1, "what came meanwhile finds it well again"
    told.world.clock.advance(minutes=2)
    assert told.tell().told == 1
    assert told.naps == []
    all_told(told, 2)


@pytest.mark.parametrize("version", [None, "2.0.0"])
def test_an_answer_without_end_is_cut_off(told: ToldWorld, version: str | None) -> None:
    """To the question for its versions, or to what is sent."""
    told.verify(1)
    told.lrs.faults.add(Fault.DRIPPING, 1)
    report = told.tell(told.make_teller(altogether=0.5, version=version))
    assert (report.later, report.told) == (1, 0)
    assert len(told.held()) == (0 if version is None else 1)
    assert "so slowly" in report.error
    told.world.clock.advance(minutes=5)
    told.lrs.faults.add(Fault.CONFLICT)
    assert told.tell().told == 1
    all_told(told, 1)


def test_a_page_in_place_of_an_answer_proves_nothing(told: ToldWorld) -> None:
    told.verify(1)
    told.lrs.faults.add(Fault.HTML_PAGE, 1)
    report = told.tell()
    assert (report.told, report.later) == (0, 1)
    assert "login page" in report.error
    assert told.held() == []
    told.world.clock.advance(minutes=5)
    assert told.tell().told == 1


# --- needs somebody -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.SHUT_OUT, "may write statements"),
        (Fault.READS_ONLY, "permission is missing"),
        (Fault.ELSEWHERE, "Redirects are not followed"),
    ],
)
def test_what_a_setting_must_change_needs_somebody_and_is_not_tried_on_and_on(
    told: ToldWorld, fault: Fault, words: str
) -> None:
    told.verify(1, 2)
    told.lrs.faults.add(fault)
    report = told.tell()
    assert report.needs_you == 2
    assert words in report.error
    assert told.lrs.secret not in report.error
    (counts,) = telling.queue(told.world.ctx).counts
    assert (counts.needs_you, counts.failing, counts.waiting) == (2, 0, 0)
    assert words in counts.reasons[0]
    told.lrs.requests.clear()
    told.world.clock.advance(minutes=30)
    assert told.tell().nothing
    assert told.lrs.requests == []
    told.lrs.faults.clear()
    assert telling.retry(told.world.ctx, "lrs") == 2
    assert told.tell().told == 2
    all_told(told, 2)


def test_one_statement_that_is_not_taken_holds_no_other_back(told: ToldWorld) -> None:
    told.verify(1, 2)
    told.lrs.faults.add(Fault.PICKY)
    report = told.tell()
    assert (report.told, report.needs_you, report.error) == (1, 1, "")
    ((attempts, needs_you, error),) = told.open()
    assert (attempts, bool(needs_you)) == (1, True)
    assert "HTTP 400" in error
    assert "competency 2" in error
    assert "ana@example.org" not in error
    told.revoke(2)
    assert told.tell().nothing, "a voiding goes only after what it voids"
    told.lrs.faults.clear()
    telling.retry(told.world.ctx, "lrs")
    assert told.tell().told == 2
    assert told.verbs() == ["verified", "verified", "voided"]


def test_batches_that_are_too_large_go_in_parts(told: ToldWorld) -> None:
    told.set_up(batch=50)
    told.verify(1, 2)
    told.not_told()
    told.set_up(batch=50)
    extra = [replace(new, key=100 + n, id=new.id.__class__(int=n + 1, version=5))
             for n, new in enumerate(statements(told, 9))]  # fmt: skip
    told.lrs.faults.add(Fault.SMALL_BATCHES)
    sent = told.teller.tell(extra)
    assert (len(sent.told), sent.refused, sent.error) == (9, {}, None)
    assert len(told.held()) == 9


def statements(told: ToldWorld, number: int) -> list:  # type: ignore[type-arg]
    """So many statements, made as a round makes them."""
    telling_ = telling.telling_of(told.world.ctx, "lrs")
    waits = telling._claim(told.world.ctx, telling_)
    _, made = telling._write(told.world.ctx, telling_, waits, telling.TellReport("lrs"))
    return (made * number)[:number]


def test_batches_are_as_large_as_configured(told: ToldWorld) -> None:
    told.set_up(batch=1)
    told.verify(1, 2)
    told.tell()
    posts = [each for each in told.lrs.requests if each == "/xapi/statements"]
    assert len(posts) == 2


# --- the way there --------------------------------------------------------------------------------
def test_proxies_of_the_environment_get_nothing(
    told: ToldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    told.verify(1)
    assert told.tell().told == 1


def test_a_configured_proxy_is_used(told: ToldWorld) -> None:
    told.verify(1)
    report = told.tell(told.make_teller(proxy="http://127.0.0.1:9"))
    assert (report.told, report.later) == (0, 1)
    assert told.lrs.requests == []


def test_an_lrs_of_the_old_version_is_spoken_to_in_it(told: ToldWorld) -> None:
    told.lrs.faults.add(Fault.OLD)
    told.verify(1)
    assert told.tell().told == 1
    (held,) = told.held()
    assert held["version"].startswith("1.0")


def test_secrets_are_in_no_repr() -> None:
    teller = LrsTeller(LrsSettings("lrs", "https://lrs.example.org/xapi", "u", "s3cret"))
    assert "s3cret" not in repr(teller.settings)
    assert "s3cret" not in repr(teller)


# --- doctor -------------------------------------------------------------------------------------
def test_doctor_leaves_nothing_behind_and_says_what_it_cannot_prove(told: ToldWorld) -> None:
    first, second = told.teller.doctor()
    assert first.ok
    assert "xAPI 2.0.0" in first.message
    assert "Only a first statement shows" in first.message
    assert second.ok
    assert told.held() == []


@pytest.mark.parametrize("fault", [Fault.SHUT_OUT, Fault.READS_ONLY])
def test_doctor_finds_that_writing_is_not_allowed(told: ToldWorld, fault: Fault) -> None:
    told.lrs.faults.add(fault)
    found = told.teller.doctor()
    assert not found[0].ok
    assert "right to write" in found[0].remedy


def test_doctor_says_where_what_was_told_cannot_be_looked_up(told: ToldWorld) -> None:
    told.lrs.faults.add(Fault.WRITES_ONLY)
    first, second = told.teller.doctor()
    assert first.ok
    assert second.warning
    assert "takes its word" in second.message


def test_nothing_of_a_statement_reaches_an_address(told: ToldWorld) -> None:
    told.verify(1, 2)
    told.tell()
    send_again(told)
    told.lrs.faults.add(Fault.CONFLICT)
    told.tell()
    assert told.lrs.requests
    for each in told.lrs.requests:
        assert "p-" not in each
        assert orjson.dumps("mbox").decode() not in each
