"""What loading would do: every page is taken in, counted, and rolled back."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.domain.model import SourceRow
from bridge.services.context import Context, training_team_only
from bridge.services.drafting import SETTLING
from bridge.services.intake import Intake, Tally
from bridge.services.mapped import load_mapped
from bridge.services.pull import Progress, Trusted
from bridge.services.rekeying import name_anew


@dataclass(slots=True)
class LookReport:
    """What would be new, changed and known, and what would become of what is new.

    Drafts that would join across pages are counted once for each page.
    """

    source: str
    tally: Tally = field(default_factory=Tally)
    trainers: int = 0


def look_at_source(
    ctx: Context, trusted: Trusted, *, progress: Progress | None = None
) -> LookReport:
    """Take in all that a source has, and leave nothing of it. Raises what the source raises.

    Not for a source that gives things away for good, as a watched folder does.
    """
    training_team_only(ctx)
    report = LookReport(trusted.key)
    for page in trusted.connector.pull(None):
        with ctx.store.begin() as uow:
            uow.ops.lock(SETTLING)
            source: SourceRow = uow.ops.source(trusted.key, trusted.kind, trusted.trust)
            intake = Intake(source, trusted.identity, load_mapped(uow), ctx.policy, ctx.clock.now())
            name_anew(uow, source, trusted.connector, page)
            report.tally.add(intake.take(uow, page))
            uow.roll_back()
        report.trainers += len(page.trainers)
        if progress is not None:
            progress(report.tally.items, page.expected)
    return report
