"""The ledger always adds up, and human work outlives machine work, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.claims import HUMAN_STATES, ClaimState
from bridge.domain.errors import BadAnswer, NotAllowed, NotFound, Refused
from bridge.domain.model import Claim
from bridge.services import evidence, ledger, people, pull, verify
from tests.support import (
    MAPPING,
    NOW,
    RULES,
    Completion,
    FrozenClock,
    ListSource,
    World,
    opened,
    rule,
)

Databases = Callable[[str], AbstractContextManager[str]]

MAPPINGS = (
    MAPPING,
    (),
    MAPPING[:1],
    (*MAPPING, rule("r9", "C9", 5), rule("more", "C1", 4, also=True)),
    (rule("r1", "C1", 3), rule("r2", "C2", 2)),
)
completions = st.builds(
    Completion,
    user=st.sampled_from(["u1", "u2", "u3", "stranger"]),
    course=st.sampled_from(["C1", "C2", "C9"]),
    when=st.none()
    | st.sampled_from([1, 2, 6, 15, 200, 364, 700, -3]).map(lambda d: NOW - timedelta(days=d))
    | st.just(NOW - timedelta(days=2, seconds=40)),
    score=st.sampled_from([None, 0.2, 0.9]),
    status=st.sampled_from(["completed", "failed"]),
    email=st.sampled_from([None, None, "u2@example.org"]),
    id=st.sampled_from([None, None, None, "one row", "another row"]),
)
#: What always gives drafts, so that there is something to work on.
COUNTING = (
    Completion("u1"),
    Completion("u1", when=NOW - timedelta(days=13)),
    Completion("u2", "C2", score=0.9),
    Completion("u3", when=NOW - timedelta(days=100)),
)
a_few = st.integers(min_value=0, max_value=20)


class Step(NamedTuple):
    """Something that happens: a method of `Life`, and what it is given."""

    name: str
    given: dict[str, Any]


def step(name: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(given).map(lambda drawn: Step(name, drawn))


STEPS = st.one_of(
    step("pull", which=st.booleans(), items=st.lists(completions, max_size=6), keep=st.booleans(),
         full=st.booleans(), believe=st.booleans(), size=st.sampled_from([1, 2, 100]),
         cut=st.sampled_from([None, None, 1])),
    step("publish", rules=st.sampled_from(MAPPINGS)),
    step("replay", which=st.booleans(), readable=st.booleans()),
    step("time_goes_by", days=st.sampled_from([1, 30, 200])),
    step("link", account=a_few, person=a_few),
    step("unlink", account=a_few),
    step("rematch"),
    step("merge", one=a_few, other=st.sampled_from([1, 2])),
    step("unmerge", one=a_few),
    step("submit", number=a_few, verify_too=st.booleans()),
    step("decide", number=a_few, how=st.sampled_from(["verify", "return", "recall"])),
    step("dismiss", number=a_few),
    step("revoke", number=a_few),
    step("split", number=a_few),
)  # fmt: skip


class Life:
    """Two sources, three people and their manager, and everything that may happen to records."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sources = [ListSource("moodle"), ListSource("other")]
        self.manager = world.person("manager")
        self.people = [world.person(name, manager=self.manager) for name in ("u1", "u2", "u3")]
        self.human: dict[int, str] = {}
        world.pull(*COUNTING)

    def _one(self, sql: str, number: int) -> int | None:
        rows = self.world.rows(sql)
        return int(rows[number % len(rows)][0]) if rows else None

    # --- machine work --------------------------------------------------------------------------
    def pull(
        self, which: bool, items: list[Completion], keep: bool, full: bool, believe: bool,
        size: int, cut: int | None,
    ) -> None:  # fmt: skip
        source = self.world.source = self.sources[which]
        source.holds = [*(source.holds if keep else []), *items]
        source.page_size, source.cut_after = size, cut
        self.world.clock.advance(minutes=1)
        try:
            self.world.pull(full=full, believe=believe)
        except BadAnswer:
            assert cut == 1

    def publish(self, rules: tuple[object, ...]) -> None:
        self.world.publish(rules)  # type: ignore[arg-type]

    def replay(self, which: bool, readable: bool) -> None:
        source = self.world.source = self.sources[which]
        source.readable = readable
        ledger.replay(self.world.ctx, self.world.trusted)

    def time_goes_by(self, days: int) -> None:
        self.world.clock.advance(days=days)
        pull.age_out(self.world.ctx)
        pull.settle_pending(self.world.ctx)

    # --- who is who ------------------------------------------------------------------------------
    def link(self, account: int, person: int) -> None:
        found = self._one("SELECT id FROM accounts ORDER BY id", account)
        if found is not None:
            people.link(self.world.ctx, found, self.people[person % 3], "They said so.")

    def unlink(self, account: int) -> None:
        found = self._one("SELECT id FROM accounts ORDER BY id", account)
        if found is not None:
            self._try(lambda: people.unlink(self.world.ctx, found, "Not theirs."))

    def rematch(self) -> None:
        people.rematch(self.world.ctx, {"moodle": RULES, "other": RULES})

    def merge(self, one: int, other: int) -> None:
        pair = self.people[one % 3], self.people[(one + other) % 3]
        self._try(lambda: people.merge(self.world.ctx, *pair, "One person."))

    def unmerge(self, one: int) -> None:
        self._try(lambda: people.unmerge(self.world.ctx, self.people[one % 3], "They are two."))

    # --- human work ------------------------------------------------------------------------------
    def _act(self, state: str, number: int, act: Callable[[World, Claim, int], object]) -> None:
        """Do something to one of the claims in a state, as its learner's world."""
        found = self._one(f"SELECT id FROM claims WHERE state = '{state}' ORDER BY id", number)
        if found is not None:
            with self.world.store.reading() as uow:
                claim, learner = uow.evidence.claim(found, self.world.ctx.actor.scope)
            self._try(lambda: act(self.world, claim, learner))
            self.human = self._humans()

    def submit(self, number: int, verify_too: bool) -> None:
        def submitted(world: World, claim: Claim, learner: int) -> None:
            me, boss = world.as_(learner), world.as_(self.manager)
            which, refs = claim.evidence_id, [claim.ref]
            evidence.submit(me, which, refs, "I learned.", self.manager, used="Daily.")
            if verify_too:
                verify.verify(boss, which, refs, "discussion")

        self._act("suggested", number, submitted)

    def decide(self, number: int, how: str) -> None:
        def decided(world: World, claim: Claim, learner: int) -> None:
            boss, which = world.as_(self.manager), claim.evidence_id
            if how == "verify":
                verify.verify(boss, which, [claim.ref], "discussion")
            elif how == "return":
                verify.send_back(boss, which, [claim.ref], "How?")
            else:
                evidence.recall(world.as_(learner), which)

        self._act("submitted", number, decided)

    def dismiss(self, number: int) -> None:
        self._act(
            "suggested",
            number,
            lambda world, claim, who: evidence.dismiss(
                world.as_(who), claim.evidence_id, [claim.ref]
            ),
        )

    def revoke(self, number: int) -> None:
        boss = self.world.as_(self.manager)
        self._act(
            "verified", number, lambda world, claim, who: verify.revoke(boss, claim.id, "No.")
        )

    def split(self, number: int) -> None:
        sql = (
            "SELECT record_id FROM evidence_records WHERE evidence_id IN (SELECT evidence_id"
            " FROM evidence_records GROUP BY evidence_id HAVING count(*) > 1) ORDER BY 1"
        )
        record = self._one(sql, number)
        if record is not None:
            with self.world.store.reading() as uow:
                found = uow.intake.record(record)
            assert found.evidence_id is not None
            assert found.evidence_person is not None
            owner = self.world.as_(found.evidence_person)
            which = found.evidence_id
            self._try(lambda: people.split(owner, which, record))

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        try:
            act()
        except (Refused, NotFound, NotAllowed) as refusal:
            if "The database refused" in str(refusal):
                raise

    def _humans(self) -> dict[int, str]:
        states = self.world.rows("SELECT id, state FROM claims WHERE touched_at IS NOT NULL")
        return {claim_id: state for claim_id, state in states}

    # --- what must always hold -------------------------------------------------------------------
    def must_hold(self) -> None:
        """All of it, after every step."""
        self.it_adds_up()
        self.everything_received_is_in_one_place()
        self.evidence_is_what_supports_evidence()
        self.nothing_is_left_pending()
        self.human_work_is_as_people_left_it()
        self.machines_make_suggestions_alone()

    def it_adds_up(self) -> None:
        for line in ledger.ledger(self.world.ctx):
            assert line.adds_up, line

    def everything_received_is_in_one_place(self) -> None:
        query = (
            "SELECT r.id, count(q.id), count(l.id) FROM received r"
            " LEFT JOIN quarantine q ON q.received_id = r.id"
            " LEFT JOIN learning_records l ON l.received_id = r.id GROUP BY r.id"
        )
        for row, waiting, recorded in self.world.rows(query):
            assert waiting + recorded == 1, row

    def evidence_is_what_supports_evidence(self) -> None:
        query = (
            "SELECT l.id, l.disposition, p.canonical_id, o.canonical_id FROM learning_records l"
            " LEFT JOIN evidence_records s ON s.record_id = l.id"
            " LEFT JOIN evidence e ON e.id = s.evidence_id LEFT JOIN people p ON p.id = e.person_id"
            " LEFT JOIN account_links a ON a.account_id = l.account_id AND a.valid_to IS NULL"
            " LEFT JOIN people o ON o.id = a.person_id"
        )
        for record, disposition, holder, owner in self.world.rows(query):
            assert holder in (None, owner), record
            if disposition == "evidence":
                assert holder is not None, record
            if disposition == "unmatched":
                assert owner is None, record

    def nothing_is_left_pending(self) -> None:
        assert self.world.scalar("SELECT count(*) FROM learning_records WHERE pending") == 0

    def human_work_is_as_people_left_it(self) -> None:
        assert self._humans() == self.human

    def machines_make_suggestions_alone(self) -> None:
        untouched = self.world.rows("SELECT DISTINCT state FROM claims WHERE touched_at IS NULL")
        assert {ClaimState(state) for (state,) in untouched}.isdisjoint(HUMAN_STATES)


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 25), ("postgresql", 4)])
def test_the_ledger_always_adds_up(databases: Databases, kind: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=12, max_size=25))
    def lives(steps: list[Step]) -> None:
        with databases(kind) as url, opened(url) as engine:
            life = Life(World(engine, FrozenClock(NOW)))
            life.must_hold()
            for each in steps:
                getattr(life, each.name)(**each.given)
                life.must_hold()

    lives()
