"""Badges by learner and by target: what should be held, what was seen, and what needs somebody."""

from __future__ import annotations

import time

from flask import Response, make_response, render_template

from bridge.domain.errors import NotFound, PeerError
from bridge.domain.lists import Only
from bridge.domain.permissions import Permission
from bridge.domain.times import london_date
from bridge.services import badge_desk
from bridge.services.publish import PublishReport, badge_page, reconcile_by_hand
from bridge.web.access import ctx, permits, site
from bridge.web.asked import words
from bridge.web.lms.blueprint import lms, whole_partnership

#: A browser is not kept waiting longer; what is left is looked at by the nightly sweep.
SECONDS = 20.0
#: What may be listed, by its name in the page's address.
SHOWN: dict[str, tuple[str, Only | None]] = {
    "all": ("All badges", None),
    "out": ("Out of step", Only.OUT_OF_STEP),
    "needs": ("Needs you", Only.NEEDS_YOU),
    "failing": ("Failed, tried again by itself", Only.FAILING),
    "held": ("Held", Only.HELD),
    "withdrawn": ("Withdrawn", Only.WITHDRAWN),
    "lapsed": ("Ran out and still shows", Only.LAPSED),
}


@lms.get("/")
@permits(Permission.BADGES)
def badges() -> Response:
    """The list, narrowed by target, state and learner."""
    return _page()


def _page(status: int = 200, *, report: PublishReport | None = None, failed: str = "") -> Response:
    target, asked = words("target"), words("q")
    show = words("show") if words("show") in SHOWN else "all"
    text = render_template(
        "lms/badges.html",
        page=badge_page(
            ctx(Permission.BADGES),
            target=target or None,
            text=asked,
            only=SHOWN[show][1],
            after=words("after") or None,
        ),
        sums=badge_desk.sums(ctx(Permission.BADGES), site().targets) if whole_partnership() else (),
        targets=sorted(site().targets),
        target=target,
        asked=asked,
        show=show,
        shown=SHOWN,
        report=report,
        failed=failed,
        today=london_date(site().ctx.clock.now()),
    )
    return make_response(text, status)


@lms.post("/targets/<target>/reconcile")
@permits(Permission.BADGES)
def reconcile(target: str) -> Response:
    """Read everything back from a target, then bring it into step; tells what that led to."""
    found = site().targets.get(target)
    if found is None:
        raise NotFound(f"There is no target '{target}' in this site's configuration.")
    until = time.monotonic() + SECONDS
    try:
        report = reconcile_by_hand(ctx(), found, lambda: time.monotonic() > until)
    except PeerError as error:
        return _page(502, failed=str(error))
    return _page(report=report)


@lms.get("/meaning")
@permits(Permission.BADGES)
def meanings() -> str:
    """What each badge says of whoever holds it, and what happens when it runs out."""
    return render_template("lms/meanings.html", badges=badge_desk.meanings(ctx(), site().targets))
