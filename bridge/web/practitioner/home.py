"""The practitioner's first page: where they stand, and what is theirs to do."""

from __future__ import annotations

from flask import abort, render_template, request

from bridge.domain.notebook import Pile
from bridge.domain.permissions import Permission
from bridge.services.practitioner import desk, pile_page
from bridge.services.teams import waits_for_me
from bridge.web.access import allowed, ctx, permits, visitor
from bridge.web.practitioner.blueprint import practitioner
from bridge.web.practitioner.standing import in_one_line

#: Piles by their address: the title of the page, and what an empty one says.
PILES: dict[str, tuple[Pile, str, str]] = {
    "drafts": (Pile.DRAFT, "Drafts to reflect on", "There are no drafts at the moment."),
    "returned": (Pile.RETURNED, "Returned with a question", "Nothing was returned to you."),
    "waiting": (Pile.WAITING, "Waiting for a verifier", "Nothing of yours waits for anybody."),
    "verified": (Pile.DONE, "Verified", "Nothing of yours has been verified yet."),
    "set-aside": (Pile.ASIDE, "Set aside", "You have set nothing aside."),
}


@practitioner.get("/evidence")
@permits(Permission.OWN_EVIDENCE)
def home() -> str:
    """Where they stand in one line; then what waits for them, and for whom they wait."""
    mine = desk(ctx())
    return render_template(
        "practitioner/home.html",
        standing=mine.standing,
        line=in_one_line(mine.standing, mine.counts.get(Pile.DRAFT, 0)),
        desk=mine,
        team=waits_for_me(ctx()) if allowed(visitor(), Permission.TEAM) else None,
        Pile=Pile,
    )


@practitioner.get("/evidence/pile/<which>")
@permits(Permission.OWN_EVIDENCE)
def pile(which: str) -> str:
    """One pile, a page at a time."""
    if which not in PILES:
        abort(404)
    kind, title, empty = PILES[which]
    view = pile_page(ctx(), kind, request.args.get("page", 1, type=int))
    return render_template(
        "practitioner/pile.html", view=view, title=title, empty=empty, which=which, piles=PILES
    )
