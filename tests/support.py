"""A small published world for tests: people, posts, a mapping, a badge, a source and a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, select, text

from bridge.domain.badges import BadgeDefinition, BadgeTarget, Criteria
from bridge.domain.frameworks import (
    AssessedBy,
    AssessmentMethod,
    Competency,
    Edition,
    LearningActivity,
    Level,
    SourceText,
    TargetGroup,
)
from bridge.domain.identity import Identifier, IdentifierKind, IdentityRule
from bridge.domain.mapping import CompetencyRef, CountsWhen, Matcher, Rule
from bridge.domain.model import PostDetails
from bridge.domain.policy import Policy
from bridge.domain.ports import (
    Delivered,
    DeliveryStatus,
    Finding,
    Holding,
    Observed,
    Placement,
)
from bridge.domain.records import (
    AccountFacts,
    ActivityFacts,
    LearningFact,
    Page,
    Precision,
    Pulled,
    Status,
    Unreadable,
    cycle_of,
)
from bridge.domain.scope import TRAINING_TEAM, Actor, of_person
from bridge.services import awards, evidence, mappings, signin, verify
from bridge.services import publish as publishing
from bridge.services import pull as pulling
from bridge.services.context import Context
from bridge.services.evidence import Item
from bridge.services.pull import PullReport, Trusted
from bridge.storage.engine import open_engine
from bridge.storage.tables import metadata
from bridge.storage.unit import SqlStore
from bridge.storage.vault import KeyVault

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
RULES = (IdentityRule.STAFF_NUMBER, IdentityRule.VERIFIED_EMAIL)

EDITION = Edition(
    id="care-2026",
    framework="care",
    edition="2026",
    title="Care",
    language="en",
    source=SourceText("Care", "Tests", "2026"),
    competencies=tuple(Competency(str(n), f"Competency {n}") for n in range(1, 7)),
    levels=(Level("one", "Level one", "Level one", (), (), ("1", "6")),),
    groups=(TargetGroup("core", "Core", "Everyone", ("1", "2"), everyone=True),),
    learning_activities=(
        LearningActivity("taught-course", "A course"),
        LearningActivity("e-learning", "E-learning", asks_use=True),
        LearningActivity("supervision", "Supervision"),
        LearningActivity("qualification", "A qualification", background_only=True),
    ),
    assessment_methods=(
        AssessmentMethod("discussion", "Discussion", AssessedBy.MANAGER),
        AssessmentMethod("module", "Module", AssessedBy.MANAGER, sufficient_alone=False),
        AssessmentMethod("observation", "Observation", AssessedBy.ASSESSOR),
        AssessmentMethod("peer-talk", "Peer talk", AssessedBy.PRACTITIONER),
    ),
)


def ref(code: str | int) -> CompetencyRef:
    """A competency of the edition."""
    return CompetencyRef(EDITION.id, str(code))


def rule(key: str, course: str, *codes: int, **more: Any) -> Rule:
    """A rule that suggests these competencies for one course (or ignores it)."""
    return Rule(
        mapping=more.pop("mapping", "training"),
        key=key,
        title=more.pop("title", f"Rule {key}"),
        matchers=(Matcher(idnumber=course),),
        suggests=tuple(ref(code) for code in codes),
        learning_activity=more.pop("learning_activity", "taught-course"),
        **more,
    )


#: The mapping in force from the start: C1 suggests 1 and 2, C2 2 and 3, CE is e-learning.
MAPPING = (
    rule("r1", "C1", 1, 2),
    rule("r2", "C2", 2, 3, counts_when=CountsWhen(min_score=0.5)),
    rule("online", "CE", 1, learning_activity="e-learning"),
)
BADGE = BadgeDefinition(
    "safe",
    "Safe practice",
    "Two competencies, verified.",
    Criteria(competencies=(ref(1), ref(2))),
    targets=(BadgeTarget("moodle", {"via": "cohort", "cohort": "safe-{year}"}),),
)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine, let go of at the end."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@dataclass
class FrozenClock:
    """Tells the instant it was set to."""

    moment: datetime

    def now(self) -> datetime:
        """That instant."""
        return self.moment

    def advance(self, **parts: float) -> None:
        """Move on, in the words of timedelta."""
        self.moment += timedelta(**parts)


@dataclass(frozen=True)
class Completion:
    """One completion as the test's source tells it; `when` is None for a null date."""

    user: str = "u1"
    course: str = "C1"
    when: datetime | None = NOW - timedelta(days=10)
    score: float | None = None
    status: str = "completed"
    email: str | None = None
    staff_number: str | None = None
    title: str | None = None
    id: str | None = None

    @property
    def key(self) -> str:
        """The natural key: user, course, cycle."""
        return self.id or f"{self.user}:{self.course}:{cycle_of(self.when) if self.when else '-'}"

    @property
    def body(self) -> bytes:
        """What the source sends."""
        return json.dumps(asdict(self), default=str, sort_keys=True).encode()

    def pulled(self) -> Pulled:
        """As a connector gives it."""
        return Pulled(self.key, self.body, self.fact())

    def fact(self) -> LearningFact | Unreadable:
        """What a connector reads from it."""
        if self.when is None:
            return Unreadable("no-date", f"{self.title or 'It'} has no date.")
        account = AccountFacts(
            "test-user",
            self.user,
            email=self.email or f"{self.user}@example.org",
            staff_number=self.staff_number,
            display_name=f"User {self.user}",
        )
        activity = ActivityFacts(
            "course", f"id-{self.course}", title=self.title, idnumber=self.course
        )
        return LearningFact(
            account, activity, Status(self.status), self.when, Precision.MINUTE, self.score
        )


@dataclass
class ListSource:
    """A source that gives the completions it holds, in pages of `page_size`.

    `cut_after` pages it stops short; `before_page` is called before each is given.
    """

    key: str = "moodle"
    holds: list[Completion] = field(default_factory=list)
    page_size: int = 1000
    cut_after: int | None = None
    before_page: Callable[[int], None] = lambda number: None
    readable: bool = False
    asked: list[datetime | None] = field(default_factory=list)

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Everything at or after `since`, undated ones always."""
        self.asked.append(since)
        wanted = [c for c in self.holds if since is None or c.when is None or c.when >= since]
        starts = range(0, len(wanted), self.page_size) or (0,)
        for number, start in enumerate(starts):
            if number == self.cut_after:
                return
            self.before_page(number)
            part = wanted[start : start + self.page_size]
            yield Page(
                tuple(c.pulled() for c in part),
                b"envelope",
                last=start + self.page_size >= len(wanted),
            )

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """Read bytes again; once `readable`, a null date is read as today."""
        told = json.loads(body)
        when = datetime.fromisoformat(told["when"]) if told["when"] else None
        again = Completion(**{**told, "when": when, "id": natural_key})
        if self.readable and when is None:
            again = replace(again, when=NOW)
        return Pulled(natural_key, body, again.fact())

    def doctor(self) -> list[Finding]:
        """Nothing to find."""
        return []


@dataclass
class ListTarget:
    """A target that holds (account, cohort) pairs, and can be told to misbehave.

    `during` is called while it is being asked; `fail` is raised after the change when
    `lose_reply`, before it otherwise.
    """

    key: str = "moodle"
    held: set[tuple[str, str]] = field(default_factory=set)
    fail: Exception | None = None
    lose_reply: bool = False
    refuse: str = ""
    during: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)
    awarded: list[tuple[str, str]] = field(default_factory=list)

    @staticmethod
    def _place(placement: Placement) -> tuple[str, str]:
        return placement.account, placement.settings["cohort"]

    def _misbehave(self, call: str) -> None:
        self.calls.append(call)
        self.during()

    def award(self, wanted: Sequence[Placement]) -> list[Delivered]:
        """Hold these."""
        self._misbehave("award")
        return self._change(wanted, self._hold)

    def withdraw(self, unwanted: Sequence[Placement]) -> list[Delivered]:
        """Hold these no more."""
        self._misbehave("withdraw")
        return self._change(unwanted, self.held.discard)

    def _hold(self, place: tuple[str, str]) -> None:
        self.held.add(place)
        self.awarded.append(place)

    def _change(
        self, placements: Sequence[Placement], do: Callable[[tuple[str, str]], None]
    ) -> list[Delivered]:
        if self.refuse:
            return [Delivered(p.key, DeliveryStatus.NEEDS_YOU, self.refuse) for p in placements]
        if self.fail is not None and not self.lose_reply:
            raise self.fail
        for placement in placements:
            do(self._place(placement))
        if self.fail is not None:
            raise self.fail
        return [Delivered(p.key, DeliveryStatus.DONE) for p in placements]

    def observe(self, placements: Sequence[Placement]) -> list[Observed]:
        """What it holds of these."""
        self._misbehave("observe")
        return [
            Observed(p.key, Holding.HELD if self._place(p) in self.held else Holding.ABSENT, "ref")
            for p in placements
        ]

    def profile_url(self, account: str) -> str:
        """Some page."""
        return f"https://moodle.example/{account}"

    def doctor(self) -> list[Finding]:
        """Nothing to find."""
        return []


class World:
    """A database with an edition, a mapping and a badge published, and short ways to act in it."""

    def __init__(self, engine: Engine, clock: FrozenClock, *, publish_all: bool = True) -> None:
        self.engine = engine
        self.clock = clock
        self.vault = KeyVault({"k1": b"k" * 32})
        self.store = SqlStore(engine)
        self.ctx = Context(
            self.store, clock, self.vault, Actor(TRAINING_TEAM, "test", "tester"), Policy()
        )
        self.source = ListSource()
        self.target = ListTarget()
        if publish_all:
            mappings.publish_frameworks(self.ctx, [EDITION])
            self.publish(MAPPING)
            mappings.publish_badges(self.ctx, [BADGE])

    # --- who -----------------------------------------------------------------------------------
    def as_(self, person: int) -> Context:
        """The surroundings of somebody's acts."""
        return self.ctx.acting_as(Actor(of_person(person), "test", "tester"))

    def person(
        self,
        name: str,
        *,
        email: str | None = None,
        staff_number: str | None = None,
        manager: int | None = None,
        post_from: date = date(2020, 1, 1),
        post_to: date | None = None,
    ) -> int:
        """Somebody with an email (name@example.org) and, where there is a manager, a post."""
        with self.store.begin() as uow:
            person = uow.people.add(name, self.clock.now())
            address = email or f"{name}@example.org"
            uow.people.add_identifier(
                person, Identifier(IdentifierKind.EMAIL, address), self.clock.now()
            )
            if staff_number:
                number = Identifier(IdentifierKind.STAFF_NUMBER, staff_number)
                uow.people.add_identifier(person, number, self.clock.now())
        if manager is not None:
            self.post(person, manager, post_from, post_to)
        return person

    def post(self, person: int, manager: int | None, start: date, end: date | None = None) -> None:
        """Give somebody a post, or change how it ends and who manages it."""
        details = PostDetails("agency", "Worker", ("core",), (), None, start, end)
        with self.store.begin() as uow:
            organisation, _ = uow.people.organisation("agency", "Agency", "", None)
            uow.people.put_post(person, details, organisation)
            uow.people.set_manager(person, details, manager)

    def set_password(self, person: int, login: str, words: str) -> None:
        """They set a password, having just signed in by a link."""
        lasting = signin.Lasting()
        secret = signin.start_session(self.ctx, person, "link", lasting)
        session = signin.who_is(self.ctx, secret, lasting).session
        signin.set_password(self.as_(person), login, words, session)

    # --- what ------------------------------------------------------------------------------------
    def publish(self, rules: Iterable[Rule], name: str = "training") -> mappings.Impact:
        """Put these rules in force as the one mapping file."""
        return mappings.publish(self.ctx, [mapping_file(rules, name)], "a test")

    @property
    def trusted(self) -> Trusted:
        """The source as configured."""
        return Trusted(self.source, "moodle", identity=RULES)

    def pull(self, *holds: Completion, full: bool = False, **more: Any) -> PullReport:
        """Pull the source; where completions are given, it holds these from now on."""
        if holds:
            self.source.holds = list(holds)
        return pulling.pull(self.ctx, self.trusted, full=full, **more)

    def items_of(self, person: int) -> list[Item]:
        """Somebody's evidence."""
        return evidence.items(self.as_(person))

    def states(self, evidence_id: int) -> dict[str, str]:
        """Code to state, for a piece of evidence."""
        return {c.ref.code: c.state.value for c in evidence.item(self.ctx, evidence_id).claims}

    def claim_id(self, evidence_id: int, code: int) -> int:
        """The claim of a piece of evidence for a competency."""
        claims = evidence.item(self.ctx, evidence_id).claims
        return next(c.id for c in claims if c.ref == ref(code))

    def submit(self, person: int, evidence_id: int, verifier: int, *codes: int) -> int:
        """Reflect on it and put these claims before the verifier."""
        refs = [ref(code) for code in codes or (1, 2)]
        words = "What I learned changed my visits."
        return evidence.submit(self.as_(person), evidence_id, refs, words, verifier)

    def verify(self, verifier: int, evidence_id: int, *codes: int) -> list[int]:
        """Verify these claims, or all that wait."""
        refs = [ref(code) for code in codes] or None
        return verify.verify(self.as_(verifier), evidence_id, refs, "discussion")

    def awarded(self) -> tuple[int, int, int]:
        """Look at awards; how many were made, renewed and withdrawn."""
        report = awards.update_awards(self.ctx)
        return report.made, report.renewed, report.withdrawn

    def deliver(self) -> publishing.PublishReport:
        """Bring the target into step."""
        return publishing.deliver(self.ctx, self.target)

    # --- looking ---------------------------------------------------------------------------------
    def scalar(self, sql: str, **values: Any) -> Any:
        """One value from the database."""
        with self.engine.connect() as connection:
            return connection.scalar(text(sql), values)

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows from the database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def check_what_is_kept_up(self) -> None:
        """Assert that what the database keeps up by itself is what it is drawn from."""
        with self.ctx.store.reading() as uow:
            assert uow.ops.ledger() == uow.ops.ledger_counted()
        waiting = self.rows("SELECT claim_id, submission_id FROM waiting ORDER BY claim_id")
        assert waiting == self.rows(
            "SELECT c.id, max(s.submission_id) FROM claims c"
            " JOIN submission_claims s ON s.claim_id = c.id"
            " WHERE c.state = 'submitted' GROUP BY c.id ORDER BY c.id"
        )

    def dump(self, without: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but these."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(select(table))), key=repr
                )
                for table in metadata.sorted_tables
                if table.name not in without
            }


@dataclass(frozen=True)
class Cast:
    """A learner with a drafted course (claims 1 and 2), their manager, and a bystander."""

    learner: int
    manager: int
    other: int
    evidence: int


def cast(world: World) -> Cast:
    """The usual people, with one completion pulled."""
    manager = world.person("manager")
    learner = world.person("u1", manager=manager)
    other = world.person("other", manager=manager)
    world.pull(Completion())
    (item,) = world.items_of(learner)
    return Cast(learner, manager, other, item.evidence.id)


def mapping_file(rules: Iterable[Rule], name: str = "training") -> mappings.MappingSource:
    """A mapping file with these rules, of which only what they say matters."""
    kept = tuple(replace(each, mapping=name) for each in rules)
    content_hash = sha256("".join(each.content_hash for each in kept).encode()).hexdigest()
    return mappings.MappingSource(name, b"...", content_hash, kept)


def badge(*codes: int, key: str = "safe", targets: Mapping[str, str] | None = None) -> Any:
    """A badge for these competencies."""
    settings = targets or {"via": "cohort", "cohort": f"{key}-{{year}}"}
    return BadgeDefinition(
        key, f"Badge {key}", "", Criteria(competencies=tuple(ref(c) for c in codes)),
        targets=(BadgeTarget("moodle", settings),),
    )  # fmt: skip
