"""One's own: who one is and where one stands, one's evidence, and what one does with it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from flask import url_for
from pydantic import Field

from bridge.domain import notebook
from bridge.domain.frameworks import Delivery
from bridge.domain.permissions import Permission
from bridge.services import drafts, explain, progress
from bridge.services import evidence as evidence_service
from bridge.services.context import acting_person
from bridge.services.evidence import OwnActivity
from bridge.web.access import ctx, site, visitor
from bridge.web.api.operations import Shape, operation
from bridge.web.api.paging import Paged, part
from bridge.web.api.shapes import (
    Changed,
    Competencies,
    Competency,
    EvidencePage,
    EvidenceTold,
    Id,
    Line,
    Named,
    PersonTold,
    ProgressTold,
    Told,
    Words,
)

OWN = Permission.OWN_EVIDENCE
#: A save that never was: it agrees with none.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Me(Told):
    """Whose token this is, and what they are to the bridge."""

    person: PersonTold
    roles: list[str]


@operation("GET", "/me", Permission.ACCOUNT, Me, tag="me")
def me() -> Me:
    """Whose token this is."""
    who = visitor()
    return Me(
        person=PersonTold(id=who.person or 0, name=who.name),
        roles=sorted(role.value for role in who.roles),
    )


@operation("GET", "/me/progress", OWN, ProgressTold, tag="me")
def my_progress() -> ProgressTold:
    """Where one stands with each competency that one's posts ask for."""
    return ProgressTold.of(progress.progress(ctx(), acting_person(ctx())))


class VerifierTold(Told):
    """Somebody who may verify one's evidence, and by what authority."""

    person: PersonTold
    authority: str
    post: str


class Verifiers(Told):
    """All of them, managers first."""

    items: list[VerifierTold]


@operation("GET", "/me/verifiers", OWN, Verifiers, tag="me")
def my_verifiers() -> Verifiers:
    """Who may verify one's evidence today."""
    found = evidence_service.verifiers_of(ctx(), acting_person(ctx()))
    return Verifiers(
        items=[
            VerifierTold(person=PersonTold(id=v.person, name=v.name), authority=v.authority.value,
                         post=v.post)
            for v in found
        ]
    )  # fmt: skip


def evidence_url(evidence_id: int) -> str:
    """The address of a piece of evidence."""
    return site().settings.base_url + url_for("api.evidence", evidence_id=evidence_id)


@operation("GET", "/evidence", OWN, EvidencePage, tag="evidence", query=Paged)
def my_evidence(query: Paged) -> EvidencePage:
    """One's own evidence, the newest activity first."""
    everything = sorted(
        evidence_service.items(ctx(), person=acting_person(ctx())),
        key=lambda i: _newest_first(i.evidence.occurred_on, i.evidence.id),
    )
    shown, after = part(
        query, everything, lambda i: _newest_first(i.evidence.occurred_on, i.evidence.id)
    )
    told = [EvidenceTold.of(item, evidence_url(item.evidence.id)) for item in shown]
    return EvidencePage(items=told, next=after)


def _newest_first(on: date, number: int) -> list[int]:
    return [-on.toordinal(), -number]


class Own(Shape):
    """A learning activity that no system recorded, and what it evidences."""

    title: Line
    learning_activity: Line
    occurred_on: date
    competencies: Competencies
    reference: Line | None = None
    delivery: Delivery | None = None


@operation("POST", "/evidence", OWN, EvidenceTold, tag="evidence", status=201, body=Own,
           may=(409,))  # fmt: skip
def add_own(body: Own) -> tuple[EvidenceTold, str]:
    """Add evidence of one's own: supervision, shadowing, reading; it is a draft like any other."""
    own = OwnActivity(
        body.title, body.learning_activity, body.occurred_on, body.reference,
        body.delivery.value if body.delivery else None,
    )  # fmt: skip
    made = evidence_service.add_own(ctx(), own, [c.ref for c in body.competencies])
    where = evidence_url(made)
    return EvidenceTold.of(evidence_service.item(ctx(), made), where), where


@operation("GET", "/evidence/<int:evidence_id>", OWN, EvidenceTold, tag="evidence")
def evidence(evidence_id: int) -> EvidenceTold:
    """One piece of evidence: one's own, or one that was put before one."""
    return EvidenceTold.of(evidence_service.item(ctx(), evidence_id), evidence_url(evidence_id))


class Why(Told):
    """A heading, and what led to it, in order; `parts` explain what it rests on."""

    heading: str
    lines: list[str]
    parts: list[Why]

    @staticmethod
    def of(told: explain.Explanation) -> Why:
        """As an answer has it."""
        return Why(heading=told.heading, lines=told.lines, parts=[Why.of(p) for p in told.parts])


@operation("GET", "/evidence/<int:evidence_id>/why", OWN, Why, tag="evidence")
def evidence_why(evidence_id: int) -> Why:
    """Why each claim stands where it does: records, rules, and what people decided."""
    return Why.of(explain.evidence(ctx(), evidence_id, site().identity))


class Reflection(Told):
    """What was written last: the answers, by the name of the question.

    `id` names it when a verifier decides; null for its author.
    """

    id: int | None
    answers: dict[str, str]


@operation("GET", "/evidence/<int:evidence_id>/reflection", OWN, Reflection, tag="evidence")
def reflection(evidence_id: int) -> Reflection:
    """The reflection: for its author, or for whom it was put before (which the trail records)."""
    number, answers = evidence_service.read_version(ctx(), evidence_id)
    return Reflection(id=number, answers=answers)


class Submission(Shape):
    """What is put before whom. `used`: how e-learning was used in the role."""

    competencies: Competencies
    reflection: Words
    verifier: Id
    used: Words = ""


@operation("POST", "/evidence/<int:evidence_id>/submit", OWN, EvidenceTold, tag="evidence",
           body=Submission, may=(409,))  # fmt: skip
def submit(evidence_id: int, body: Submission) -> EvidenceTold:
    """Put claims before a verifier, with one's reflection."""
    evidence_service.submit(
        ctx(), evidence_id, [c.ref for c in body.competencies], body.reflection, body.verifier,
        used=body.used,
    )  # fmt: skip
    return evidence(evidence_id)


@operation("POST", "/evidence/<int:evidence_id>/recall", OWN, Changed, tag="evidence", may=(409,))
def recall(evidence_id: int) -> Changed:
    """Take back what was submitted; it is a draft again."""
    return Changed(changed=evidence_service.recall(ctx(), evidence_id))


class Which(Shape):
    """The claims that are meant."""

    competencies: Competencies


@operation("POST", "/evidence/<int:evidence_id>/dismiss", OWN, Changed, tag="evidence", body=Which,
           may=(409,))  # fmt: skip
def dismiss(evidence_id: int, body: Which) -> Changed:
    """Say that claims do not apply; they can be reopened."""
    return Changed(
        changed=evidence_service.dismiss(ctx(), evidence_id, [c.ref for c in body.competencies])
    )


@operation("POST", "/evidence/<int:evidence_id>/reopen", OWN, Changed, tag="evidence", body=Which,
           may=(409,))  # fmt: skip
def reopen(evidence_id: int, body: Which) -> Changed:
    """Bring dismissed claims back as suggestions."""
    return Changed(
        changed=evidence_service.reopen(ctx(), evidence_id, [c.ref for c in body.competencies])
    )


class Typed(Told):
    """What was typed so far, one's own alone. `revision` is null where nothing was."""

    reflection: str
    used: str
    competencies: list[Named]
    verifier: int | None
    revision: str | None


class Typing(Shape):
    """What is typed now. `revision` is the one that it started from; null for the first."""

    reflection: Words
    used: Words = ""
    competencies: Annotated[list[Competency], Field(max_length=200)] = Field(default_factory=list)
    verifier: Id | None = None
    revision: Line | None = None


@operation("GET", "/evidence/<int:evidence_id>/draft", OWN, Typed, tag="evidence")
def typed(evidence_id: int) -> Typed:
    """What one has typed and not yet submitted."""
    return _typed(drafts.typed(ctx(), evidence_id))


@operation("PUT", "/evidence/<int:evidence_id>/draft", OWN, Typed, tag="evidence", body=Typing,
           may=(409,))  # fmt: skip
def save_typed(evidence_id: int, body: Typing) -> Typed:
    """Keep what is typed. 409 where another program or window has saved since `revision`."""
    try:
        seen = datetime.fromisoformat(body.revision) if body.revision else None
    except ValueError:
        seen = _NEVER
    words = drafts.Words(
        body.reflection, body.used, [c.ref for c in body.competencies], body.verifier, seen
    )
    return _typed(drafts.save(ctx(), evidence_id, words))


def _typed(found: notebook.Typed | None) -> Typed:
    if found is None:
        return Typed(reflection="", used="", competencies=[], verifier=None, revision=None)
    return Typed(
        reflection=found.reflection, used=found.used, verifier=found.verifier,
        competencies=[Named.of(ref) for ref in found.ticks], revision=found.saved_at.isoformat(),
    )  # fmt: skip
