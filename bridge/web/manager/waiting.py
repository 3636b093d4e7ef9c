"""What waits for a verifier's decision, the oldest first, and what has waited too long."""

from __future__ import annotations

from collections import Counter

from flask import Response, flash, make_response, redirect, render_template, url_for

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.permissions import Permission
from bridge.services import escalation, handing_over, sitting
from bridge.web.access import ctx, permits, visitor
from bridge.web.manager.blueprint import manager


@manager.get("/verify/")
@permits(Permission.VERIFY)
def waiting() -> str:
    """The list."""
    found = sitting.waiting(ctx())
    counted = Counter((w.evidence.person, w.evidence.person_name) for w in found)
    return render_template(
        "manager/waiting.html",
        waiting=found,
        together=[(p, name, n) for (p, name), n in counted.items() if n > 1],
        late=sum(w.late for w in found),
        doubts=len(escalation.in_doubt(ctx())),
        escalated=escalation.escalated(ctx()),
    )


@manager.get("/verify/overdue")
@permits(Permission.VERIFY)
def overdue() -> str:
    """What has waited for more than 28 days with those around the visitor: titles, no text."""
    return _overdue()


def _overdue(error: str = "") -> str:
    return render_template(
        "manager/overdue.html",
        escalated=escalation.escalated(ctx()),
        now=ctx().clock.now(),
        error=error,
        leads=escalation.stands_in_for(ctx()),
    )


@manager.post("/verify/overdue/<int:evidence_id>/take-over")
@permits(Permission.VERIFY)
def take_over(evidence_id: int) -> Response:
    """A deputy, or the manager, takes over what waits for somebody else."""
    me = visitor().person
    try:
        handing_over.reassign(ctx(), evidence_id, me or 0)
    except (Refused, NotAllowed, NotFound) as error:
        return make_response(_overdue(str(error)), 422)
    flash("It waits for you now. The reflection came with it.")
    return make_response(redirect(url_for("manager.item", evidence_id=evidence_id), 303))
