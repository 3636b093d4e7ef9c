"""What several operations take and give: competencies, people, claims, evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bridge.domain.claims import ClaimState
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Claim, Evidence
from bridge.domain.notebook import Support
from bridge.services.evidence import Item
from bridge.services.progress import Progress, Stand
from bridge.web.api.operations import MAX_ID, Shape

#: Text without the one character that PostgreSQL cannot keep.
_NO_NUL = r"^[^\x00]*$"


def _whole(value: object) -> object:
    """JSON knows one kind of number: 7.0 is the whole number 7 (JSON Schema, section 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(_whole)]
Line = Annotated[str, Field(min_length=1, max_length=400, pattern=_NO_NUL)]
Key = Annotated[str, Field(min_length=1, max_length=80, pattern=_NO_NUL)]
Words = Annotated[str, Field(max_length=60_000, pattern=_NO_NUL)]


class Told(BaseModel):
    """Something that goes out."""

    model_config = ConfigDict(extra="forbid")


class Competency(Shape):
    """One competency of one edition, as {"edition": "llr-2020", "code": "13"}."""

    edition: Line
    code: Line

    @property
    def ref(self) -> CompetencyRef:
        """As the services name it."""
        return CompetencyRef(self.edition, self.code)


Competencies = Annotated[list[Competency], Field(min_length=1, max_length=200)]


class Named(Told):
    """A competency that an answer names."""

    edition: str
    code: str

    @staticmethod
    def of(ref: CompetencyRef) -> Named:
        """As an answer has it."""
        return Named(edition=ref.edition, code=ref.code)


class PersonTold(Told):
    """A person, by their number and name."""

    id: int
    name: str


class ClaimTold(Told):
    """That a piece of evidence evidences one competency, and where that stands.

    `suggested`: a mapping in force suggests it. `contested`: its source was taken back later.
    """

    id: int
    competency: Named
    text: str
    state: ClaimState
    origin: str
    suggested: bool
    contested: bool

    @staticmethod
    def of(claim: Claim) -> ClaimTold:
        """As an answer has it."""
        return ClaimTold(
            id=claim.id, competency=Named.of(claim.ref), text=claim.text, state=claim.state,
            origin=claim.origin, suggested=claim.suggested, contested=claim.contested,
        )  # fmt: skip


class GoneTold(Told):
    """A record behind evidence that its source no longer shows: since when, and why.

    `because` is one of "reversed" (the source took it back), "taken again", "left", "account
    deleted", "course deleted", "restored", "given anew" and "unshown" (it could not be found out);
    all but the first change nothing about what was learned. `words` say it for people.
    """

    source: str
    since: datetime | None
    because: str
    words: str


class EvidenceTold(Told):
    """One activity of one person, and what it is claimed to evidence."""

    id: int
    url: str
    person: PersonTold
    title: str
    origin: str
    occurred_on: date
    learning_activity: str | None
    delivery: str | None
    level: str | None
    reference: str | None
    late: bool
    claims: list[ClaimTold]
    no_longer_there: list[GoneTold]

    @staticmethod
    def of(item: Item, url: str) -> EvidenceTold:
        """As an answer has it."""
        return evidence_told(item.evidence, item.claims, url, item.gone)


def evidence_told(
    one: Evidence, claims: Iterable[Claim], url: str, gone: Iterable[Support] = ()
) -> EvidenceTold:
    """As an answer has it."""
    return EvidenceTold(
        id=one.id, url=url, person=PersonTold(id=one.person, name=one.person_name),
        title=one.title, origin=one.origin, occurred_on=one.occurred_on,
        learning_activity=one.learning_activity, delivery=one.delivery, level=one.level,
        reference=one.reference, late=one.late, claims=[ClaimTold.of(c) for c in claims],
        no_longer_there=[
            GoneTold(source=g.source_key, since=g.gone_at, because=g.gone_because,
                     words=g.gone_words)
            for g in gone
        ],
    )  # fmt: skip


class EvidencePage(Told):
    """Some of a list. `next` is the address of the rest, or null."""

    items: list[EvidenceTold]
    next: str | None


class StandTold(Told):
    """Where one competency stands for one person; `until`: the last day that it is current."""

    competency: Named
    text: str
    stand: Stand
    until: date | None


class ProgressTold(Told):
    """Where a person stands: what their posts ask for, and how each of it stands.

    `other_frameworks` names what exempt organisations follow instead (no gaps are told then).
    """

    person: PersonTold
    training_due: bool
    other_frameworks: list[str]
    competencies: list[StandTold]

    @staticmethod
    def of(progress: Progress) -> ProgressTold:
        """As an answer has it."""
        return ProgressTold(
            person=PersonTold(id=progress.person, name=progress.name),
            training_due=progress.training_due,
            other_frameworks=list(progress.other_frameworks),
            competencies=[
                StandTold(competency=Named.of(line.ref), text=line.text, stand=line.stand,
                          until=line.until)
                for line in progress.lines
            ],
        )  # fmt: skip


class Changed(Told):
    """How many claims an act has changed."""

    changed: int
