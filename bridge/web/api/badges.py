"""The LMS administrator's: badges on targets, desired against observed, and reconciling."""

from __future__ import annotations

import time
from datetime import datetime

from bridge.domain.errors import NotFound
from bridge.domain.lists import Only
from bridge.domain.model import TargetState
from bridge.domain.permissions import Permission
from bridge.services import publish
from bridge.web.access import ctx, site
from bridge.web.api.operations import operation
from bridge.web.api.paging import Paged, next_url, position
from bridge.web.api.shapes import Id, Key, PersonTold, Told

#: As long as a reconciliation may take within one call; the rest is done by the next delivery.
SECONDS = 20.0


class Badges(Paged):
    """Which badges."""

    target: Key | None = None
    only: Only | None = None
    person: Id | None = None


class BadgeTold(Told):
    """One badge of one person on one target. `needs_you` says what an administrator has to do.

    `road` is the way it goes there, "" while that is not decided; `moved`: it is what an old one
    left.
    """

    id: int
    target: str
    badge: str
    title: str
    person: PersonTold
    period: str
    road: str
    moved: bool
    desired: str
    observed: str | None
    observed_at: datetime | None
    url: str | None
    attempts: int
    next_at: datetime | None
    error: str | None
    needs_you: str | None

    @staticmethod
    def of(state: TargetState) -> BadgeTold:
        """As an answer has it."""
        same = (
            "id", "period", "road", "moved", "desired", "observed", "observed_at", "url",
            "attempts", "next_at", "error", "needs_you",
        )  # fmt: skip
        return BadgeTold(
            **{name: getattr(state, name) for name in same},
            target=state.target_key, badge=state.badge_key, title=state.badge_title,
            person=PersonTold(id=state.person, name=state.person_name),
        )  # fmt: skip


class BadgePage(Told):
    """Some of them, the newest first."""

    items: list[BadgeTold]
    next: str | None


@operation("GET", "/badges", Permission.BADGES, BadgePage, tag="badges", query=Badges)
def badges(query: Badges) -> BadgePage:
    """Badges on targets: what should be there, and what was seen there."""
    page = publish.badge_page(
        ctx(), target=query.target, only=query.only, person=query.person, after=position(query),
        limit=query.limit,
    )  # fmt: skip
    return BadgePage(
        items=[BadgeTold.of(state) for state in page.items], next=next_url(query, page.after)
    )


class Reconciled(Told):
    """What reading a target back has led to."""

    target: str
    drifted: int
    tried: int
    delivered: int
    withdrawn: int
    waiting: int
    out_of_step: int
    strays: int
    needs_you: list[str]


@operation("POST", "/targets/<target>/reconcile", Permission.BADGES, Reconciled, tag="badges",
           may=(409, 502, 503))  # fmt: skip
def reconcile_target(target: str) -> Reconciled:
    """Read everything back from a target, and bring it into step."""
    found = site().targets.get(target)
    if found is None:
        raise NotFound("There is no such target in this site's configuration.")
    until = time.monotonic() + SECONDS
    report = publish.reconcile_by_hand(ctx(), found, lambda: time.monotonic() > until)
    return Reconciled(**{name: getattr(report, name) for name in Reconciled.model_fields})
