"""Attendance that means something: sessions, corrections, one activity, addresses, trainers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from bridge.domain.bookings import SEVERAL_NAMES, SEVERAL_PEOPLE
from bridge.domain.counting import CountsWhen
from bridge.domain.errors import NotAllowed, Refused
from bridge.domain.mail import LetterLine, MailKind
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.ports import Finding
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    AttendanceState,
    Booking,
    LearningFact,
    Page,
    Precision,
    Pulled,
    Status,
    Trainer,
)
from bridge.services import (
    accounts,
    activities,
    evidence,
    explain,
    ledger,
    letters,
    people,
    pull,
    verify,
)
from bridge.services.evidence import Item
from bridge.services.pull import Trusted
from tests.support import NOW, RULES, Completion, World, cast, ref, rule

RULES_OF = {"moodle": RULES, "events": RULES}
S = AttendanceState
BOTH = frozenset({Status.ATTENDED, Status.PARTLY_ATTENDED})


@dataclass(frozen=True)
class Seat:
    """One booking as the test's booking system tells it."""

    name: str = "u1"
    event: str = "E1"
    day: int = -10
    state: AttendanceState | None = S.FULLY_ATTENDED
    session: str = ""
    sessions: int | None = None
    minutes: float | None = None
    evaluated: bool | None = None
    email: str | None = None
    key: str = ""

    def pulled(self) -> Pulled:
        address = self.email or f"{self.name.casefold().replace(' ', '.')}@example.org"
        status = Status.UNKNOWN if self.state is None else self.state.status
        fact = LearningFact(
            AccountFacts("booking", f"{address}|{self.name}", address, display_name=self.name),
            ActivityFacts("event", self.event, title=f"Event {self.event}"),
            status,
            NOW + timedelta(days=self.day),
            Precision.DAY,
            booking=Booking(
                self.state,
                {S.NO_SHOW: "DNA", S.FULLY_ATTENDED: "Came"}.get(self.state, ""),  # type: ignore[arg-type]
                self.minutes,
                None,
                self.evaluated,
                self.session,
                self.sessions,
            ),
        )
        key = f"{address}|{self.name}:{self.event}:{self.session}:{self.key}".rstrip(":")
        return Pulled(key, repr(self).encode(), fact)


@dataclass
class Events:
    """A booking system that holds seats, and names trainers."""

    key: str = "events"
    seats: list[Seat] = field(default_factory=list)
    trainers: list[Trainer] = field(default_factory=list)

    def pull(self, since: datetime | None) -> Iterator[Page]:
        yield Page(
            tuple(s.pulled() for s in self.seats), b"e", last=True, trainers=tuple(self.trainers)
        )

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        raise NotImplementedError

    def doctor(self) -> list[Finding]:
        return []


def event_rule(*codes: int, event: str = "E1", **more: object) -> Rule:
    """A rule for an event of the booking system."""
    counts = CountsWhen(frozenset({Status.ATTENDED}), **more.pop("counts", {}))  # type: ignore[arg-type]
    return Rule(
        "events",
        f"r-{event.casefold()}",
        f"Event {event}",
        (Matcher(title=f"Event {event}"), *more.pop("also", ())),  # type: ignore[misc]
        counts_when=more.pop("counts_when", counts),  # type: ignore[arg-type]
        suggests=tuple(ref(c) for c in codes),
        learning_activity="taught-course",
        **more,  # type: ignore[arg-type]
    )


class Booked:
    """The usual world beside a booking system."""

    def __init__(self, world: World, *rules: Rule) -> None:
        self.world = world
        self.events = Events()
        if rules:
            world.publish(rules, "events")

    def pull(self, *seats: Seat, full: bool = True) -> None:
        if seats:
            self.events.seats = list(seats)
        trusted = Trusted(self.events, "booking", identity=RULES)
        pull.pull(self.world.ctx, trusted, full=full)

    def why(self) -> list[str]:
        return [r for (r,) in self.world.rows("SELECT reason FROM learning_records ORDER BY id")]


def drafts(world: World, person: int) -> list[Item]:
    """Somebody's evidence that anything is claimed by."""
    found = world.items_of(person)
    return [i for i in found if any(c.state.value != "withdrawn" for c in i.claims)]


def told(world: World) -> set[int]:
    """Whom a mail about a correction waits for."""
    query = "SELECT person_id FROM outbox WHERE kind = 'mail:corrected'"
    return {person for (person,) in world.rows(query)}


def letter(world: World, person: int) -> tuple[LetterLine, ...]:
    """What the mail about corrections would tell somebody now."""
    with world.store.begin() as uow:
        queued = uow.outbox.open_mails(stuck=False, limit=50)
        mine = [m for m in queued if m.kind is MailKind.CORRECTED and m.person == person]
        return letters.content(world.ctx, uow, mine).lines


# --- states ----------------------------------------------------------------------------------
def test_each_state_becomes_what_it_means_and_the_word_is_kept(world: World) -> None:
    booked = Booked(world, event_rule(1))
    learners = {s: world.person(f"p{s.value}") for s in S} | {None: world.person("nobody-marked")}
    booked.pull(*(Seat(f"p{s.value}", state=s) for s in S), Seat("nobody-marked", state=None))
    drafted = {s for s, person in learners.items() if drafts(world, person)}
    assert drafted == {S.FULLY_ATTENDED}
    reasons = {r for (r,) in world.rows("SELECT DISTINCT reason FROM learning_records")}
    assert reasons == {"counts", "status", "only-booked", "waiting-list", "cancelled", "not-marked"}
    (missed,) = world.rows("SELECT id, said FROM learning_records WHERE status = 'missed'")
    assert missed[1] == "DNA"
    told = explain.record(world.ctx, missed[0], RULES_OF)
    assert any("DNA" in line for line in told.lines)
    assert all(" " in words for _, _, words, _ in ledger.reasons(world.ctx))
    assert all(line.adds_up for line in ledger.ledger(world.ctx))


@pytest.mark.parametrize(
    ("asked", "counted"), [({"sessions": "all"}, 3), ({"sessions": 2}, 2), ({}, 1)]
)
def test_sessions_make_one_draft_once_enough_were_attended(
    world: World, asked: dict[str, object], counted: int
) -> None:
    """Weeks apart, they are one event; dated when enough of them had been attended."""
    booked = Booked(world, event_rule(1, counts=asked))
    learner = world.person("u1")
    seats = [Seat(session=f"Day {n}", sessions=3, day=-60 + 20 * n) for n in range(3)]
    for there in range(1, 4):
        booked.pull(*seats[:there])
        found = drafts(world, learner)
        if there < counted:
            assert found == []
            assert booked.why()[-1] == "sessions-few"
        elif asked:
            (item,) = found
            day = -60 + 20 * (counted - 1)
            assert item.evidence.occurred_on == (NOW + timedelta(days=day)).date()
        else:
            assert len(found) == there
    assert all(line.adds_up for line in ledger.ledger(world.ctx))


def test_a_course_of_two_days_that_is_taken_again_counts_again(world: World) -> None:
    """It is held every year under one name; what was missed may be caught up until it is whole."""
    booked = Booked(world, event_rule(1, counts={"sessions": "all"}))
    learner = world.person("u1")

    def day(number: int, when: int, **more: object) -> Seat:
        return Seat(session=f"Day {number}", sessions=2, day=when, key=str(when), **more)  # type: ignore[arg-type]

    earlier = [day(1, -300), day(2, -299, state=S.NO_SHOW), day(2, -250)]
    again = [day(1, -30), day(2, -29)]
    booked.pull(*earlier, *again[:1])
    assert [(d.evidence.occurred_on - NOW.date()).days for d in drafts(world, learner)] == [-250]
    booked.pull(*earlier, *again)
    found = {(d.evidence.occurred_on - NOW.date()).days for d in drafts(world, learner)}
    assert found == {-250, -29}
    # The first is too old a year later, and the second is not.
    world.clock.advance(days=200)
    pull.age_out(world.ctx)
    pull.settle_pending(world.ctx)
    assert len(drafts(world, learner)) == 1
    booked.pull(*earlier, day(1, -30), day(2, -29, state=S.NO_SHOW))
    assert drafts(world, learner) == []


def test_sessions_come_in_any_order_and_by_minutes_and_from_two_accounts(world: World) -> None:
    asked = CountsWhen(BOTH, min_minutes=100, sessions="any")
    booked = Booked(world, event_rule(1, counts_when=asked))
    seats = [
        Seat(session="am", sessions=2, minutes=60, state=S.PARTIALLY_ATTENDED),
        Seat(session="pm", sessions=2, minutes=45),
        Seat(session="eve", sessions=2, minutes=99, state=S.NO_SHOW),
    ]
    for n, order in enumerate(permutations(seats)):
        learner = world.person(f"v{n}")
        mine = [replace(s, name=f"v{n}") for s in order]
        for upto in range(1, 4):
            booked.pull(*mine[:upto], full=False)
            been = {s.session for s in mine[:upto]}
            assert bool(drafts(world, learner)) is (been >= {"am", "pm"})
        (item,) = drafts(world, learner)
        assert world.states(item.evidence.id) == {"1": "suggested"}
    # Two addresses of one person: together they have been to both.
    one = world.person("Two Desks", email="one@example.org")
    booked.pull(
        Seat("Two Desks", session="am", sessions=2, minutes=60, email="one@example.org"),
        Seat("Two Desks", session="pm", sessions=2, minutes=60, email="two@example.org"),
        full=False,
    )
    assert drafts(world, one) == []
    second = world.scalar("SELECT id FROM accounts WHERE email = 'two@example.org'")
    people.link(world.ctx, second, one, "She told us.")
    assert len(drafts(world, one)) == 1
    people.unlink(world.ctx, second, "She was mistaken.")
    assert drafts(world, one) == []


# --- corrections -----------------------------------------------------------------------------
def test_a_correction_withdraws_reopens_and_tells_and_loses_nothing(world: World) -> None:
    live = replace(world.ctx.policy, mail_from=NOW.date() - timedelta(days=90))
    world.ctx = replace(world.ctx, policy=live)
    booked = Booked(world, event_rule(1, 2))
    manager = world.person("manager")
    untouched, waiting, done = (world.person(f"u{n}", manager=manager) for n in (1, 2, 3))
    everyone = [Seat(f"u{n}") for n in (1, 2, 3)]
    booked.pull(*everyone)
    of = {p: drafts(world, p)[0].evidence.id for p in (untouched, waiting, done)}
    for person in (waiting, done):
        world.submit(person, of[person], manager, 1)
    world.verify(manager, of[done])
    booked.pull(*(replace(s, state=S.NO_SHOW) for s in everyone))
    assert world.states(of[untouched]) == {"1": "withdrawn", "2": "withdrawn"}
    assert world.states(of[waiting])["1"] == "submitted"
    assert world.states(of[done])["1"] == "verified"
    contested = "SELECT contested_reason FROM claims WHERE contested_at IS NOT NULL"
    assert world.rows(contested) == [("source-changed",)]
    assert told(world) == {untouched, waiting, done, manager}
    assert evidence.version_if_any(world.as_(waiting), of[waiting])[1] is not None
    lines = letter(world, untouched)
    assert [(line.text, "“DNA”" in line.detail) for line in lines] == [("Event E1", True)]
    assert [line.url for line in letter(world, manager)] == [f"/verify/{of[waiting]}"]
    booked.pull(*everyone)
    # Turned back before it was sent, it is no news.
    with pytest.raises(letters.Nothing):
        letter(world, untouched)
    assert world.states(of[untouched]) == {"1": "suggested", "2": "suggested"}
    assert world.rows(contested) == []
    assert [len(drafts(world, p)) for p in of] == [1, 1, 1]


def test_a_score_corrected_below_the_mark_contests_and_a_changed_rule_does_not(
    world: World,
) -> None:
    who = cast(world)
    marked = Completion(course="C2", score=0.7)
    world.pull(marked)
    (mine,) = {i.evidence.id for i in drafts(world, who.learner)} - {who.evidence}
    world.submit(who.learner, mine, who.manager, 2)
    world.verify(who.manager, mine)
    contested = "SELECT COUNT(*) FROM claims WHERE contested_at IS NOT NULL"
    harder = rule("r2", "C2", 2, 3, counts_when=CountsWhen(min_score=0.9))
    world.publish([rule("r1", "C1", 1, 2), harder])
    assert world.scalar(contested) == 0
    world.pull(replace(marked, score=0.8))
    assert world.scalar(contested) == 0
    world.pull(replace(marked, score=0.3))
    assert world.scalar(contested) == 1
    world.pull(replace(marked, score=0.6))
    assert world.scalar(contested) == 0


# --- one activity, one draft -------------------------------------------------------------------
ONE = Rule(
    "events", "s47", "Section 47",
    (Matcher(title="Event E1"), Matcher(idnumber="C9")),
    counts_when=CountsWhen(frozenset({Status.ATTENDED, Status.COMPLETED})),
    suggests=(ref(1), ref(2)), learning_activity="taught-course", one_activity=True,
)  # fmt: skip


def test_a_rule_makes_two_sources_names_one_draft_and_takes_it_back(world: World) -> None:
    booked = Booked(world, ONE)
    learner = world.person("u1")
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    (item,) = drafts(world, learner)
    with world.store.reading() as uow:
        behind = uow.intake.records_of_evidence([item.evidence.id])
    assert {r.source_key for r in behind} == {"moodle", "events"}
    (joined,) = activities.activities(world.ctx, joined=True).items
    assert len(joined.names) == 2
    # The mapping says so no more: two drafts again; a person says so: one, and it stays.
    world.publish([replace(ONE, one_activity=False)], "events")
    assert len(drafts(world, learner)) == 2
    one, other = (activities.activities(world.ctx, w).items[0].id for w in ("e1", "c9"))
    with pytest.raises(Refused, match="how you know"):
        activities.join(world.ctx, one, other, " ")
    activities.join(world.ctx, one, other, "The course page says so.")
    (item,) = drafts(world, learner)
    (join,) = activities.activity(world.ctx, one).joins
    activities.part(world.ctx, join.id)
    assert len(drafts(world, learner)) == 2


def test_what_people_worked_on_survives_joining_and_parting(world: World) -> None:
    booked = Booked(world, replace(ONE, one_activity=False))
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    first, second = (i.evidence.id for i in drafts(world, learner))
    world.submit(learner, first, manager, 1)
    world.verify(manager, first)
    verified = "SELECT id, evidence_id, state FROM claims WHERE state = 'verified'"
    before = world.rows(verified)
    world.publish([ONE], "events")
    (item,) = drafts(world, learner)
    assert item.evidence.id == first
    (joined,) = activities.activities(world.ctx, joined=True).items
    (join,) = activities.activity(world.ctx, joined.id).joins
    activities.part(world.ctx, join.id)
    world.publish([replace(ONE, title="Worded anew")], "events")
    assert activities.activities(world.ctx, joined=True).items == ()
    assert world.rows(verified) == before
    assert world.scalar("SELECT COUNT(*) FROM claims WHERE contested_at IS NOT NULL") == 0
    assert second not in {i.evidence.id for i in drafts(world, learner)}


def test_the_order_of_arrival_makes_no_difference_to_drafts(world: World) -> None:
    """Two systems, a chain of days 0, 3, 7, 9, 14, in orders that used to differ."""
    booked, other = Booked(world, ONE), Booked(world)
    other.events.key = "hub"
    days = (0, 3, 7, 9, 14)
    for n, order in enumerate([days, (14, 7, 0, 9, 3), (7, 14, 3, 0, 9), (9, 3, 14, 7, 0)]):
        learner = world.person(f"h{n}")
        for day in order:
            system = booked if day % 2 else other
            system.pull(Seat(f"h{n}", day=day - 30, session=f"s{day}"), full=False)
        with world.store.reading() as uow:
            together = {
                frozenset((r.occurred_at - NOW).days + 30 for r in behind)
                for i in drafts(world, learner)
                if (behind := uow.intake.records_of_evidence([i.evidence.id]))
            }
        assert together == {frozenset({0, 3, 7}), frozenset({9, 14})}, order


def test_a_session_that_counts_by_itself_and_moves_far_leaves_its_draft(world: World) -> None:
    """As it would be had it been told of that day from the start."""
    booked = Booked(world, ONE)
    learner = world.person("u1")
    booked.pull(Seat(day=-32, session="x"))
    world.pull(Completion(course="C9", when=NOW - timedelta(days=38)))
    assert len(drafts(world, learner)) == 1
    booked.pull(Seat(day=-12, session="x"))
    assert len(drafts(world, learner)) == 2


def test_a_split_stays_split_whatever_comes_later(world: World) -> None:
    booked = Booked(world, ONE)
    learner = world.person("u1")
    world.pull(Completion(course="C9", when=NOW - timedelta(days=8)))
    booked.pull(Seat(day=-10))
    (item,) = drafts(world, learner)
    with world.store.reading() as uow:
        records = uow.intake.records_of_evidence([item.evidence.id])
    ours = next(r for r in records if r.source_key == "events")
    people.split(world.as_(learner), item.evidence.id, ours.id)
    booked.pull(Seat(day=-12), full=False)
    booked.pull(Seat(day=-40), full=False)
    booked.pull(Seat(day=-9, minutes=30), full=False)
    world.pull(*(Completion(course="C9", when=NOW - timedelta(days=d)) for d in (8, 7)))
    with world.store.reading() as uow:
        again = uow.intake.record(ours.id)
        alone = uow.intake.records_of_evidence([again.evidence_id or 0])
        rest = uow.intake.records_of_evidence([item.evidence.id])
    assert [r.id for r in alone] == [ours.id]
    assert len(rest) == 2


# --- shared addresses ----------------------------------------------------------------------------
def test_an_address_on_several_names_is_no_identity_and_answers_are_remembered(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Smith", email="office@nursery.example")
    bob = world.person("Bob Jones", email="bob@nursery.example")
    booked.pull(Seat("Ann Smith", email="office@nursery.example"))
    assert len(drafts(world, ann)) == 1
    booked.pull(
        Seat("Ann Smith", email="office@nursery.example"),
        Seat("Bob Jones", email="Office@nursery.example"),
    )
    assert drafts(world, bob) == []
    (waits,) = people.unmatched(world.ctx, RULES_OF)
    assert waits.why.code == "several-names"
    assert "Ann Smith" in waits.why.message
    assert "Bob Jones" in waits.why.message
    assert [c.id for c in waits.candidates] == [ann]
    (hint,) = waits.hints
    assert (hint.person, "nursery.example" in hint.reason) == (bob, True)
    # What had matched before stays, and is flagged once.
    (doubt,) = accounts.doubts(world.ctx).items
    assert (doubt.person, doubt.code) == (ann, SEVERAL_NAMES)
    booked.pull(full=True)
    assert len(accounts.doubts(world.ctx).items) == 1
    accounts.keep(world.ctx, doubt.account.id, "It is hers; Bob used it once.")
    assert accounts.doubts(world.ctx).items == ()
    assert len(drafts(world, ann)) == 1
    # "None of these" is asked once; a rule that points at somebody else asks again.
    with pytest.raises(Refused):
        accounts.nobody(world.ctx, waits.account.id, "", RULES_OF)
    accounts.nobody(world.ctx, waits.account.id, "A visitor.", RULES_OF)
    booked.pull(full=True)
    people.rematch(world.ctx, RULES_OF)
    assert people.unmatched(world.ctx, RULES_OF) == []
    assert [a.account.id for a in accounts.answered(world.ctx).items] == [waits.account.id]
    accounts.ask_again(world.ctx, waits.account.id)
    (again,) = people.unmatched(world.ctx, RULES_OF)
    people.link(world.ctx, again.account.id, bob, "By telephone.")
    assert len(drafts(world, bob)) == 1


def test_a_booking_that_names_somebody_else_by_an_address_is_flagged(world: World) -> None:
    """A manager books for one of the team with her own address."""
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Marie Smith", email="ann@nursery.example")
    world.person("u1")
    hers = Seat("A. Smith", email="ann@nursery.example")
    booked.pull(hers, Seat("Una One", email="u1@example.org"), full=False)
    flagged = {d.account.facts.display_name: d for d in accounts.doubts(world.ctx).items}
    assert set(flagged) == {"Una One"}
    assert flagged["Una One"].code == "another-name"
    booked.pull(Seat("Bob Jones", event="E2", email="zoe@nursery.example"), full=False)
    world.person("Zoe Day", email="zoe@nursery.example")
    people.rematch(world.ctx, RULES_OF)
    assert {d.account.facts.display_name for d in accounts.doubts(world.ctx).items} == {
        "Una One", "Bob Jones"
    }  # fmt: skip
    assert len(drafts(world, ann)) == 1


def test_an_address_that_several_people_have_later_is_flagged_and_names_never_match(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1))
    ann = world.person("Ann Smith", email="desk@example.org")
    booked.pull(
        Seat("Ann Smith", email="desk@example.org"), Seat("Cy Lee", email="x@other.example")
    )
    world.person("Cy Lee")
    other = world.person("Other", email="desk@example.org")
    people.rematch(world.ctx, RULES_OF)
    (doubt,) = accounts.doubts(world.ctx).items
    assert (doubt.person, doubt.code) == (ann, SEVERAL_PEOPLE)
    assert [w.account.facts.display_name for w in people.unmatched(world.ctx, RULES_OF)] == [
        "Cy Lee"
    ]
    accounts.take_away(world.ctx, doubt.account.id)
    people.rematch(world.ctx, RULES_OF)
    assert world.states(1) == {"1": "suggested"} or drafts(world, ann) == []
    assert drafts(world, other) == []


# --- trainers ------------------------------------------------------------------------------------
def test_a_trainer_assesses_their_event_only_where_the_rule_says_so_and_while_listed(
    world: World,
) -> None:
    booked = Booked(world, event_rule(1, assessed=True), event_rule(2, event="E2"))
    learner, trainer = world.person("u1"), world.person("Tess Trainer", email="tess@example.org")
    tess = AccountFacts("booking", "tess", "tess@example.org", display_name="Tess Trainer")
    booked.events.trainers = [
        Trainer(tess, ActivityFacts("event", e, title=f"Event {e}")) for e in ("E1", "E2")
    ]
    booked.pull(Seat(), Seat(event="E2", day=-40), Seat("Tess Trainer", email="tess@example.org"))
    mine = {i.evidence.title: i.evidence.id for i in drafts(world, learner)}
    assert evidence.may_verify(world.ctx, learner) == []
    listed = evidence.may_verify(world.ctx, learner, mine["Event E1"])
    assert [(p, a.value) for p, _, a in listed] == [(trainer, "assessor")]
    assert evidence.may_verify(world.ctx, learner, mine["Event E2"]) == []
    with pytest.raises(NotAllowed):
        world.submit(learner, mine["Event E2"], trainer, 2)
    (own,) = drafts(world, trainer)
    assert evidence.may_verify(world.ctx, trainer, own.evidence.id) == []
    world.submit(learner, mine["Event E1"], trainer, 1)
    # Taken off the list, they decide no more; put back, they do.
    named, booked.events.trainers = booked.events.trainers, []
    booked.pull()
    with pytest.raises(NotAllowed):
        world.verify(trainer, mine["Event E1"])
    booked.events.trainers = named
    booked.pull()
    ctx = world.as_(trainer)
    assert evidence.read_reflection(ctx, mine["Event E1"])
    assert verify.verify(ctx, mine["Event E1"], None, "observation")
