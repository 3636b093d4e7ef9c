"""Tables that the training team hands in: a profile is kept, a file is loaded, on the record."""

from __future__ import annotations

from pathlib import Path

from bridge.domain.proposals import Learner, Proposal
from bridge.services.context import Context, audit, training_team_only
from bridge.services.pull import Progress, PullReport, Trusted, pull


def keep_profile(
    ctx: Context, tables: Learner, proposal: Proposal, *, replace: bool = False
) -> Path:
    """Keep a settled proposal as a profile; where it is.

    Raises Refused while a question is open, BridgeError where one of that name stands already.
    """
    training_team_only(ctx)
    kept = tables.save(proposal, replace=replace)
    with ctx.store.begin() as uow:
        name = str(proposal.profile["profile"])
        audit(ctx, uow, "keep-profile", f"profile:{name}", {"replaced": replace})
    return kept


def load_table(ctx: Context, trusted: Trusted, *, progress: Progress | None = None) -> PullReport:
    """Load a file that somebody hands in, by the same path as those of the watched folder.

    Raises BadFile, with nothing loaded; LostLease while the folder is being read.
    """
    training_team_only(ctx)
    report = pull(ctx, trusted, progress=progress)
    with ctx.store.begin() as uow:
        audit(ctx, uow, "load-table", f"source:{trusted.key}", dict(report.tally.as_counts()))
    return report
