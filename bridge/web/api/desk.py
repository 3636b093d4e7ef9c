"""The training team's: status, ledger, what waits to be mapped or matched, and the mappings."""

from __future__ import annotations

from datetime import datetime

from bridge.domain.permissions import Permission
from bridge.domain.problems import Severity, in_order
from bridge.domain.records import Disposition
from bridge.services import ledger as ledger_service
from bridge.services import mappings as mappings_service
from bridge.services import people
from bridge.services.desk import quarantine_page
from bridge.services.status import Health
from bridge.web.access import ctx, site
from bridge.web.api.operations import Shape, operation
from bridge.web.api.paging import Cursor, Paged, next_url, position
from bridge.web.api.problems import Fault
from bridge.web.api.shapes import Changed, Id, Key, Line, PersonTold, Told
from bridge.web.training.status_json import status_json

DESK, CHANGE = Permission.TRAINING, Permission.TRAINING_CHANGE


class SourceTold(Told):
    """How a source stands. Lengths are in seconds; the dispositions add up to `received`."""

    source: str
    health: Health
    outcome: str
    last_pull: datetime | None
    last_full: datetime | None
    seen_to: datetime | None
    lag_seconds: int | None
    received: int
    dispositions: dict[str, int]
    adds_up: bool


class TargetTold(Told):
    """How a target stands, in numbers of badges."""

    target: str
    health: Health
    in_step: int
    waiting: int
    needs_you: int
    reasons: list[str]


class LrsTold(Told):
    """How telling an LRS stands, in numbers of decisions; `told_at` is when it last took one."""

    lrs: str
    health: Health
    waiting: int
    failing: int
    needs_you: int
    told_at: datetime | None
    reasons: list[str]


class UnmappedCount(Told):
    """An activity that no rule names, and who waits on it."""

    source: str
    title: str
    records: int
    people: int


class JobTold(Told):
    """A job, and when it runs next."""

    job: str
    next_at: datetime | None


class StatusTold(Told):
    """How the bridge stands."""

    at: datetime
    version: str
    database: str
    health: Health
    sources: list[SourceTold]
    unmapped: list[UnmappedCount]
    targets: list[TargetTold]
    told: list[LrsTold]
    jobs: list[JobTold]


@operation("GET", "/status", DESK, StatusTold, tag="training")
def status() -> StatusTold:
    """The health of every source, target, LRS that is told, and job."""
    return StatusTold.model_validate(status_json(site().status.status()))


class LedgerTold(Told):
    """One source: what was received, and what became of it; it adds up."""

    source: str
    received: int
    counts: dict[str, int]
    adds_up: bool


class Ledger(Told):
    """All sources."""

    items: list[LedgerTold]


@operation("GET", "/ledger", DESK, Ledger, tag="training")
def ledger() -> Ledger:
    """What became of everything that was received."""
    return Ledger(
        items=[
            LedgerTold(source=line.source, received=line.received, adds_up=line.adds_up,
                       counts={d.value: line.counts.get(d, 0) for d in Disposition})
            for line in ledger_service.ledger(ctx())
        ]
    )  # fmt: skip


class OfSource(Paged):
    """Of which source."""

    source: Key | None = None


class UnmappedTold(Told):
    """An activity that no rule names, by the names that a rule may use."""

    source: str
    kind: str
    value: str
    title: str | None
    idnumber: str | None
    shortname: str | None
    records: int
    people: int


class UnmappedPage(Told):
    """Some of them, most people waiting first."""

    items: list[UnmappedTold]
    next: str | None


@operation("GET", "/unmapped", DESK, UnmappedPage, tag="training", query=OfSource)
def unmapped(query: OfSource) -> UnmappedPage:
    """Activities that no rule names."""
    page = ledger_service.unmapped_page(ctx(), query.source, position(query), query.limit)
    told = [
        UnmappedTold(source=alias.source_key, kind=alias.facts.kind, value=alias.facts.value,
                     title=alias.facts.title, idnumber=alias.facts.idnumber,
                     shortname=alias.facts.shortname, records=records, people=waiting)
        for alias, records, waiting in page.items
    ]  # fmt: skip
    return UnmappedPage(items=told, next=next_url(query, page.after))


class UnmatchedTold(Told):
    """An account that is nobody's yet, why, and whom a rule points at."""

    account: int
    source: str
    value: str
    name: str | None
    records: int
    why: str
    candidates: list[PersonTold]


class UnmatchedPage(Told):
    """Some of them."""

    items: list[UnmatchedTold]
    next: str | None


@operation("GET", "/unmatched", DESK, UnmatchedPage, tag="training", query=OfSource)
def unmatched(query: OfSource) -> UnmatchedPage:
    """Accounts that belong to nobody yet."""
    page = people.unmatched_page(ctx(), site().identity, query.source, position(query), query.limit)
    told = [
        UnmatchedTold(account=w.account.id, source=w.source_key, value=w.account.facts.value,
                      name=w.account.facts.display_name, records=w.records, why=w.why.message,
                      candidates=[PersonTold(id=p.id, name=p.name) for p in w.candidates])
        for w in page.items
    ]  # fmt: skip
    return UnmatchedPage(items=told, next=next_url(query, page.after))


class Linking(Shape):
    """Whose the account is, and how one knows."""

    person: Id
    reason: Line


@operation("POST", "/accounts/<int:account_id>/link", CHANGE, Changed, tag="training",
           body=Linking, may=(409,))  # fmt: skip
def link_account(account_id: int, body: Linking) -> Changed:
    """Say whose an account is; drafts appear for them."""
    people.link(ctx(), account_id, body.person, body.reason)
    return Changed(changed=1)


class Unlinking(Shape):
    """How one knows that the account is not theirs; kept in the trail."""

    reason: Line


@operation("POST", "/accounts/<int:account_id>/unlink", CHANGE, Changed, tag="training",
           body=Unlinking, may=(409,))  # fmt: skip
def unlink_account(account_id: int, body: Unlinking) -> Changed:
    """Take that back; no rule joins the two again."""
    people.unlink(ctx(), account_id, body.reason)
    return Changed(changed=1)


class QuarantinedTold(Told):
    """Something that could not be read or placed. What was received stays where it is."""

    id: int
    source: str
    natural_key: str
    code: str
    message: str
    since: datetime


class QuarantinePage(Told):
    """Some of it, the oldest first."""

    items: list[QuarantinedTold]
    next: str | None


class HeldOf(Cursor):
    """Of which source."""

    source: Key | None = None


@operation("GET", "/quarantine", DESK, QuarantinePage, tag="training", query=HeldOf)
def quarantine(query: HeldOf) -> QuarantinePage:
    """What is set aside, and why."""
    page = quarantine_page(ctx(), query.source, int(position(query) or 0))
    told = [
        QuarantinedTold(id=q.received_id, source=q.source_key, natural_key=q.natural_key,
                        code=q.code, message=q.message, since=q.since)
        for _, q in page.items
    ]  # fmt: skip
    return QuarantinePage(items=told, next=next_url(query, page.after))


class Checked(Told):
    """Whether the site's files could be published, and everything that is wrong in them."""

    publishable: bool
    errors: list[Fault]
    warnings: list[Fault]


@operation("POST", "/mappings/check", DESK, Checked, tag="training")
def check_mappings() -> Checked:
    """Read the site's mapping files, and tell what is wrong in them. Nothing is changed."""
    found: dict[Severity, list[Fault]] = {severity: [] for severity in Severity}
    for one in in_order(site().problems()):
        found[one.severity].append(
            Fault(what=one.what, where=f"{one.where}{one.pointer or ''}", why=one.why,
                  remedy=one.remedy)
        )  # fmt: skip
    errors = found[Severity.ERROR]
    return Checked(publishable=not errors, errors=errors, warnings=found[Severity.WARNING])


class ImpactTold(Told):
    """What publishing does (or would do): `human_before` and `human_after` count what people have
    worked on, and are always the same."""

    published: list[str]
    retired: list[str]
    badges: list[str]
    records: int
    added: int
    withdrawn: int
    no_longer_suggested: int
    people: int
    human_before: int
    human_after: int
    examples: list[str]

    @staticmethod
    def of(impact: mappings_service.Impact) -> ImpactTold:
        """As an answer has it."""
        return ImpactTold(**{name: getattr(impact, name) for name in ImpactTold.model_fields})


@operation("POST", "/mappings/impact", DESK, ImpactTold, tag="training", may=(409,))
def mapping_impact() -> ImpactTold:
    """What publishing the site's files would do. Nothing is changed."""
    return ImpactTold.of(mappings_service.impact(ctx(), site().files()))


class Publishing(Shape):
    """What changes, and why: kept with the version."""

    comment: Line


@operation("POST", "/mappings/publish", CHANGE, ImpactTold, tag="training", body=Publishing,
           may=(409,))  # fmt: skip
def publish_mappings(body: Publishing) -> ImpactTold:
    """Put the site's files in force, all or none."""
    return ImpactTold.of(mappings_service.publish_site(ctx(), site().files(), body.comment))
