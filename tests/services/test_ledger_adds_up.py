"""The ledger always adds up, and human work outlives machine work, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bridge.domain.claims import HUMAN_STATES, ClaimState
from bridge.domain.errors import BadAnswer, NotAllowed, NotFound, Refused
from bridge.services import evidence, ledger, people, pull, verify
from tests.support import MAPPING, NOW, RULES, Completion, FrozenClock, ListSource, World, opened
from tests.support import rule as mapping_rule

Databases = Callable[[str], AbstractContextManager[str]]

MAPPINGS = (
    MAPPING,
    (),
    MAPPING[:1],
    (*MAPPING, mapping_rule("r9", "C9", 5), mapping_rule("more", "C1", 4, also=True)),
    (mapping_rule("r1", "C1", 3), mapping_rule("r2", "C2", 2)),
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
a_few = st.integers(min_value=0, max_value=20)


class Ledger(RuleBasedStateMachine):
    """Two sources, three people and their manager, and everything that may happen to records."""

    databases: Databases
    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        url = self.open.enter_context(self.databases(self.kind))
        engine = self.open.enter_context(opened(url))
        self.world = World(engine, FrozenClock(NOW))
        self.sources = [ListSource("moodle"), ListSource("other")]
        self.manager = self.world.person("manager")
        self.people = [self.world.person(name, manager=self.manager) for name in ("u1", "u2", "u3")]
        self.human: dict[int, str] = {}

    def teardown(self) -> None:
        self.open.close()

    def _one(self, sql: str, number: int) -> int | None:
        rows = self.world.rows(sql)
        return int(rows[number % len(rows)][0]) if rows else None

    # --- machine work --------------------------------------------------------------------------
    @initialize(items=st.lists(completions, max_size=6))
    def begin(self, items: list[Completion]) -> None:
        self.world.pull(*items)

    @rule(
        which=st.booleans(), items=st.lists(completions, max_size=6), keep=st.booleans(),
        full=st.booleans(), believe=st.booleans(), size=st.sampled_from([1, 2, 100]),
        cut=st.sampled_from([None, None, 1]),
    )  # fmt: skip
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

    @rule(rules=st.sampled_from(MAPPINGS))
    def publish(self, rules: tuple[object, ...]) -> None:
        self.world.publish(rules)  # type: ignore[arg-type]

    @rule(which=st.booleans(), readable=st.booleans())
    def replay(self, which: bool, readable: bool) -> None:
        source = self.world.source = self.sources[which]
        source.readable = readable
        ledger.replay(self.world.ctx, self.world.trusted)

    @rule(days=st.sampled_from([1, 30, 200]))
    def time_goes_by(self, days: int) -> None:
        self.world.clock.advance(days=days)
        pull.age_out(self.world.ctx)
        pull.settle_pending(self.world.ctx)

    # --- who is who ------------------------------------------------------------------------------
    @rule(account=a_few, person=a_few)
    def link(self, account: int, person: int) -> None:
        found = self._one("SELECT id FROM accounts ORDER BY id", account)
        if found is not None:
            people.link(self.world.ctx, found, self.people[person % 3], "They said so.")

    @rule(account=a_few)
    def unlink(self, account: int) -> None:
        found = self._one("SELECT id FROM accounts ORDER BY id", account)
        if found is not None:
            self._try(lambda: people.unlink(self.world.ctx, found))

    @rule()
    def rematch(self) -> None:
        people.rematch(self.world.ctx, {"moodle": RULES, "other": RULES})

    @rule(one=a_few, other=a_few)
    def merge(self, one: int, other: int) -> None:
        pair = self.people[one % 3], self.people[other % 3]
        self._try(lambda: people.merge(self.world.ctx, *pair, "One person."))

    @rule(one=a_few)
    def unmerge(self, one: int) -> None:
        self._try(lambda: people.unmerge(self.world.ctx, self.people[one % 3]))

    # --- human work ------------------------------------------------------------------------------
    @rule(number=a_few, act=st.sampled_from(["submit", "verify", "return", "dismiss", "recall"]))
    def act(self, number: int, act: str) -> None:
        found = self._one("SELECT id FROM claims ORDER BY id", number)
        if found is not None:
            self._try(lambda: self._act(found, act))
            self.human = self._humans()

    def _act(self, claim_id: int, act: str) -> None:
        with self.world.store.reading() as uow:
            claim, learner = uow.evidence.claim(claim_id, self.world.ctx.actor.scope)
        me, boss, which = self.world.as_(learner), self.world.as_(self.manager), claim.evidence_id
        if act == "submit":
            evidence.submit(me, which, [claim.ref], "I learned.", self.manager, used="Daily.")
        elif act == "verify":
            verify.verify(boss, which, [claim.ref], "discussion")
        elif act == "return":
            verify.send_back(boss, which, [claim.ref], "How?")
        elif act == "dismiss":
            evidence.dismiss(me, which, [claim.ref])
        else:
            evidence.recall(me, which)

    @rule(number=a_few)
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
            assert "The database refused" not in str(refusal)

    def _humans(self) -> dict[int, str]:
        states = self.world.rows("SELECT id, state FROM claims WHERE touched_at IS NOT NULL")
        return {claim_id: state for claim_id, state in states}

    # --- what must always hold -------------------------------------------------------------------
    @invariant()
    def it_adds_up(self) -> None:
        for line in ledger.ledger(self.world.ctx):
            assert line.adds_up, line

    @invariant()
    def everything_received_is_in_one_place(self) -> None:
        query = (
            "SELECT r.id, count(q.id), count(l.id) FROM received r"
            " LEFT JOIN quarantine q ON q.received_id = r.id"
            " LEFT JOIN learning_records l ON l.received_id = r.id GROUP BY r.id"
        )
        for row, waiting, recorded in self.world.rows(query):
            assert waiting + recorded == 1, row

    @invariant()
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

    @invariant()
    def nothing_is_left_pending(self) -> None:
        assert self.world.scalar("SELECT count(*) FROM learning_records WHERE pending") == 0

    @invariant()
    def human_work_is_as_people_left_it(self) -> None:
        assert self._humans() == self.human

    @invariant()
    def machines_make_suggestions_alone(self) -> None:
        untouched = self.world.rows("SELECT DISTINCT state FROM claims WHERE touched_at IS NULL")
        assert {ClaimState(state) for (state,) in untouched}.isdisjoint(HUMAN_STATES)


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 20), ("postgresql", 3)])
def test_the_ledger_always_adds_up(databases: Databases, kind: str, examples: int) -> None:
    machine = type("Ledger", (Ledger,), {"databases": staticmethod(databases), "kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
