"""Pulling: idempotent in, nothing dropped, bookmarks that never skip, and one puller at a time."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.errors import BadAnswer, LostLease, TryLater
from bridge.services import ledger, pull
from bridge.services.ledger import LedgerLine
from tests.support import MAPPING, NOW, Completion, FrozenClock, World, cast, rule

#: Run history, bookmarks, and the leases that pulls hand on.
RUNS = ("pull_runs", "bookmarks", "leases")


def day(days: float) -> Completion:
    return Completion(when=NOW - timedelta(days=days))


def line(world: World) -> LedgerLine:
    (found,) = ledger.ledger(world.ctx)
    assert found.adds_up
    return found


@pytest.fixture
def crowd() -> list[Completion]:
    """Known and unknown learners, mapped and unmapped courses, an undated and a failed one."""
    return [
        day(3), day(5), day(40), Completion("u2"), Completion("stranger"),
        Completion(course="unmapped"), Completion(course="C2", score=0.2),
        Completion(course="C2", when=NOW - timedelta(days=2), score=0.9),
        Completion(when=None), Completion(when=NOW - timedelta(days=500)),
        Completion(when=NOW + timedelta(days=2)),
    ]  # fmt: skip


def populated(world: World) -> None:
    manager = world.person("manager")
    for name in ("u1", "u2"):
        world.person(name, manager=manager)


def test_every_item_has_one_disposition(world: World, crowd: list[Completion]) -> None:
    populated(world)
    world.pull(*crowd)
    assert dict(line(world).counts) == {
        "quarantined": 1, "unmapped": 1, "not counting": 3, "unmatched": 1, "evidence": 5
    }  # fmt: skip
    assert line(world).received == len(crowd)
    # Those of the 3rd and 5th day before are one activity.
    assert world.scalar("SELECT count(*) FROM evidence") == 4


@pytest.mark.parametrize("full", [False, True])
def test_the_same_data_twice_writes_nothing(
    world: World, crowd: list[Completion], full: bool
) -> None:
    populated(world)
    world.pull(*crowd)
    before = world.dump(RUNS)
    world.clock.advance(hours=1)
    report = world.pull(full=full)
    assert report.tally.wrote_nothing
    assert report.tally.items == (len(crowd) if full else len(crowd) - 2)
    assert world.dump(RUNS) == before


def test_order_pages_and_doubles_make_no_difference(world: World, crowd: list[Completion]) -> None:
    populated(world)
    world.pull(*crowd)

    def gist() -> object:
        return (
            world.rows("SELECT r.natural_key, l.disposition, l.reason FROM received r"
                       " LEFT JOIN learning_records l ON l.received_id = r.id ORDER BY 1"),
            world.rows("SELECT p.display_name, e.title, c.competency_id, c.state"
                       " FROM claims c JOIN evidence e ON e.id = c.evidence_id"
                       " JOIN people p ON p.id = e.person_id ORDER BY 1, 2, 3, 4"),
        )  # fmt: skip

    expected = gist()
    shuffled = [*crowd, *crowd[:4]]
    random.Random(7).shuffle(shuffled)  # noqa: S311
    again = World(world.engine, FrozenClock(NOW), publish_all=False)
    again.source.key = "another"
    again.source.page_size = 3
    again.pull(*shuffled)
    both = {name: row.received for name, row in by_source(world).items()}
    assert both == {"moodle": len(crowd), "another": len(crowd)}
    assert by_source(world)["another"].counts == by_source(world)["moodle"].counts
    world.pull(*shuffled, full=True)
    assert gist() != expected  # the other source's are there too


def by_source(world: World) -> dict[str, LedgerLine]:
    lines = ledger.ledger(world.ctx)
    assert all(each.adds_up for each in lines)
    return {each.source: each for each in lines}


def test_a_changed_row_keeps_its_earlier_version_and_is_decided_again(world: World) -> None:
    folk = cast(world)
    first = world.source.holds[0]
    world.pull(replace(first, status="failed"))
    assert set(world.states(folk.evidence).values()) == {"withdrawn"}
    assert line(world).counts["not counting"] == 1
    world.pull(replace(first, status="passed"))
    assert set(world.states(folk.evidence).values()) == {"suggested"}
    bodies = [bytes(b) for (b,) in world.rows("SELECT body FROM received_versions ORDER BY id")]
    assert bodies == [first.body, replace(first, status="failed").body]
    assert world.scalar("SELECT count(*) FROM received") == 1


def test_a_changed_row_that_is_about_something_else_now_leaves_its_evidence(
    world: World,
) -> None:
    folk = cast(world)
    first = world.source.holds[0]
    world.pull(replace(first, id=first.key, course="C2", score=1.0))
    assert set(world.states(folk.evidence).values()) == {"withdrawn"}
    titles = {i.evidence.title: {c.state.value for c in i.claims}
              for i in world.items_of(folk.learner)}  # fmt: skip
    assert titles == {"Rule r1": {"withdrawn"}, "Rule r2": {"suggested"}}
    moved = NOW - timedelta(days=60)
    world.pull(replace(first, id=first.key, course="C2", score=1.0, when=moved), full=True)
    dates = [i.evidence.occurred_at for i in world.items_of(folk.learner)
             if any(c.suggested for c in i.claims)]  # fmt: skip
    assert dates == [moved]
    assert line(world).counts["evidence"] == 1


def test_a_reversed_record_contests_what_was_verified_on_it(world: World) -> None:
    folk = cast(world)
    world.submit(folk.learner, folk.evidence, folk.manager)
    world.verify(folk.manager, folk.evidence)
    first = world.source.holds[0]

    def contested() -> list[bool]:
        with world.store.reading() as uow:
            return [c.contested for c in uow.evidence.claims([folk.evidence])][:2]

    world.pull(replace(first, status="failed"))
    assert contested() == [True, True]
    assert set(world.states(folk.evidence).values()) == {"verified"}
    world.pull(first)
    assert contested() == [False, False]
    # A rule that counts it no more is another matter (R5).
    world.publish([rule("r1", "C1", 5)])
    assert contested() == [False, False]


def test_what_a_source_tells_worse_stays_as_it_was_read(world: World) -> None:
    folk = cast(world)
    first = world.source.holds[0]
    world.pull(replace(first, id=first.key, when=None))
    assert set(world.states(folk.evidence).values()) == {"suggested"}
    assert line(world).counts["evidence"] == 1


# --- vanishing
def test_what_vanishes_is_withdrawn_or_contested_and_comes_back(world: World) -> None:
    folk = cast(world)
    world.pull(day(10), Completion(course="C2", score=1.0), full=True)
    drafts = {i.evidence.title: i.evidence.id for i in world.items_of(folk.learner)}
    world.submit(folk.learner, drafts["Rule r1"], folk.manager)
    world.verify(folk.manager, drafts["Rule r1"], 1)

    def look() -> dict[str, list[tuple[str, bool, bool]]]:
        return {
            i.evidence.title: [(c.state.value, c.contested, c.suggested) for c in i.claims]
            for i in world.items_of(folk.learner)
        }

    before = look()
    held = world.source.holds
    world.source.holds = []
    world.source.holds = [Completion("somebody else")]
    report = world.pull(full=True)
    assert report.tally.vanished == 2
    assert look() == {
        "Rule r1": [("verified", True, False), ("submitted", False, False)],
        "Rule r2": [("withdrawn", False, False)] * 2,
    }
    assert line(world).received == 3
    world.source.holds = held
    assert world.pull(full=True).tally.returned == 2
    assert look() == before


def test_an_incremental_pull_never_takes_absence_for_deletion(world: World) -> None:
    folk = cast(world)
    world.pull(Completion("u1", when=NOW - timedelta(days=1)))
    assert set(world.states(folk.evidence).values()) == {"suggested"}
    assert line(world).counts["evidence"] == 2


@pytest.mark.parametrize("left", [0, 40])
def test_a_sudden_emptiness_is_not_believed_before_somebody_says_so(
    world: World, left: int
) -> None:
    populated(world)
    everything = [day(n * 8 % 300 + n / 24) for n in range(60)]
    world.pull(*everything)
    before = world.dump(RUNS)
    world.source.holds = everything[:left]
    report = world.pull(full=True)
    assert report.complete
    assert f"{60 - left} of 60 records are suddenly missing" in report.note
    assert report.tally.vanished == 0
    assert world.dump(RUNS) == before
    world.pull(full=True, believe=True)
    assert world.scalar("SELECT count(*) FROM received WHERE gone_at IS NOT NULL") == 60 - left
    assert line(world).received == 60


def test_a_few_that_vanish_are_believed(world: World) -> None:
    populated(world)
    everything = [day(n * 8 % 300 + n / 24) for n in range(60)]
    world.pull(*everything)
    world.source.holds = everything[3:]
    assert world.pull(full=True).tally.vanished == 3


# --- bookmarks, leases, crashes
def bookmark(world: World) -> object:
    return world.rows("SELECT position, last_full_at FROM bookmarks")


def test_an_incremental_pull_reaches_back_over_the_overlap(world: World) -> None:
    world.pull(day(1))
    world.clock.advance(days=2)
    world.pull()
    assert world.source.asked == [None, NOW - timedelta(days=21)]
    world.pull()
    assert world.source.asked[-1] == NOW - timedelta(days=19)


def test_a_run_that_was_cut_short_keeps_what_came_and_moves_no_bookmark(world: World) -> None:
    populated(world)
    world.source.page_size = 1
    world.source.cut_after = 2
    with pytest.raises(BadAnswer, match="before its last page"):
        world.pull(day(1), day(30), day(60))
    assert bookmark(world) == []
    assert line(world).received == 2
    world.source.cut_after = None
    world.pull()
    assert world.source.asked == [None, None]
    assert line(world).received == 3
    runs = world.rows("SELECT outcome FROM pull_runs ORDER BY id")
    assert runs == [("failed",), ("done",)]


@pytest.mark.parametrize("error", [TryLater("busy"), RuntimeError("a fault of ours")])
def test_a_failure_frees_the_source_for_the_next_try(world: World, error: Exception) -> None:
    def fail(number: int) -> None:
        raise error

    world.source.before_page = fail
    with pytest.raises(type(error)):
        world.pull(day(1))
    assert world.rows("SELECT outcome FROM pull_runs") == [("failed",)]
    world.source.before_page = lambda number: None
    assert world.pull().complete


def test_a_second_puller_is_turned_away_while_the_first_is_at_it(world: World) -> None:
    turned_away = []

    def also(number: int) -> None:
        with pytest.raises(LostLease, match="Another process is pulling moodle"):
            world.pull()
        turned_away.append(number)
        world.source.before_page = lambda n: None

    world.source.before_page = also
    world.pull(day(1))
    assert turned_away == [0]
    assert world.pull().complete


def test_a_puller_that_lost_its_lease_writes_nothing_more(world: World) -> None:
    populated(world)
    world.source.page_size = 1
    other = World(world.engine, world.clock, publish_all=False)

    def overtaken(number: int) -> None:
        if number == 1:
            world.clock.advance(seconds=121)
            world.source.before_page = lambda n: None
            other.pull(day(5))
            written.append(world.dump(RUNS))

    written: list[object] = []
    world.source.before_page = overtaken
    with pytest.raises(LostLease, match="nothing was written"):
        world.pull(day(1), day(30), day(60))
    assert written == [world.dump(RUNS)]
    assert world.scalar("SELECT count(*) FROM received") == 2
    assert [who for (who,) in world.rows("SELECT holder FROM leases")] == [other.store.holder]


def test_quarantine_is_replayed_whole(world: World) -> None:
    populated(world)
    world.pull(Completion(when=None), Completion("u2", when=None))
    assert line(world).counts["quarantined"] == 2
    assert ledger.replay(world.ctx, world.trusted) == (0, 2)
    world.source.readable = True
    assert ledger.replay(world.ctx, world.trusted) == (2, 0)
    assert line(world).counts["evidence"] == 2
    assert ledger.quarantined(world.ctx) == []
    assert ledger.replay(world.ctx, world.trusted) == (0, 0)


def test_a_quarantined_row_that_is_corrected_gets_out_by_itself(world: World) -> None:
    populated(world)
    bad = Completion(when=None, id="a row")
    world.pull(bad)
    world.pull(replace(bad, title="Still no date"))
    ((_, message),) = [(q.code, q.message) for q in ledger.quarantined(world.ctx)]
    assert message == "Still no date has no date."
    world.pull(replace(bad, when=NOW - timedelta(days=1)))
    assert line(world).counts["evidence"] == 1
    assert ledger.quarantined(world.ctx) == []


def test_minutes_and_seconds_of_one_completion_are_one(world: World) -> None:
    populated(world)
    moment = NOW - timedelta(days=1)
    world.pull(Completion(when=moment))
    report = world.pull(Completion(when=moment - timedelta(seconds=20)))
    assert report.tally.new == 0
    world.pull(Completion(when=moment - timedelta(seconds=60)))
    assert line(world).received == 2


def test_a_completion_seen_by_another_road_has_not_vanished(world: World) -> None:
    folk = cast(world)
    first = world.source.holds[0]
    assert first.when is not None
    world.source.holds = [replace(first, when=first.when - timedelta(seconds=20))]
    assert world.pull(full=True).tally.vanished == 0
    assert set(world.states(folk.evidence).values()) == {"suggested"}


def test_what_has_grown_too_old_becomes_history(world: World) -> None:
    folk = cast(world)
    world.clock.advance(days=366)
    assert pull.age_out(world.ctx) == 1
    pull.settle_pending(world.ctx)
    assert set(world.states(folk.evidence).values()) == {"withdrawn"}
    assert world.rows("SELECT disposition, reason FROM learning_records") == [
        ("not counting", "too-old")
    ]
    assert pull.age_out(world.ctx) == 0


def test_renamed_activities_are_decided_again(world: World) -> None:
    populated(world)
    by_title = replace(MAPPING[0], matchers=(type(MAPPING[0].matchers[0])(title="New name"),))
    world.publish([by_title])
    world.pull(day(5))
    assert line(world).counts["unmapped"] == 1
    world.pull(day(5), replace(day(1), title="New name"))
    assert line(world).counts["evidence"] == 2


def test_long_and_odd_texts_are_kept(world: World) -> None:
    populated(world)
    odd = "Ünïcode \U0001f600 " * 60
    world.pull(replace(day(1), title=odd, status="completed"))
    (item,) = world.items_of(2)
    assert item.evidence.title.startswith("Ünïcode \U0001f600 ")
