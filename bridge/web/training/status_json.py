"""The desk for machines: how the bridge stands, times in UTC, lengths in seconds, no names."""

from __future__ import annotations

from bridge.domain.records import Disposition
from bridge.services.status import Health, SourceStatus, Status
from bridge.web.words import iso


def status_json(status: Status) -> dict[str, object]:
    """What the desk shows. `health` is the worst of all that it shows."""
    healths = {s.health for s in status.sources} | {t.health for t in status.targets}
    healths |= {told.health for told in status.tells}
    worst = next((h for h in reversed(Health) if h in healths), Health.WELL)
    return {
        "at": iso(status.at),
        "version": status.version,
        "database": status.database,
        "health": worst.value,
        "sources": [_source_json(source) for source in status.sources],
        "unmapped": [
            {"source": u.source, "title": u.title, "records": u.records, "people": u.people}
            for u in status.unmapped
        ],
        "targets": [
            {
                "target": target.key,
                "health": target.health.value,
                "in_step": target.in_step,
                "waiting": target.waiting,
                "needs_you": target.stuck,
                "reasons": list(target.reasons),
            }
            for target in status.targets
        ],
        "told": [
            {
                "lrs": told.key,
                "health": told.health.value,
                "waiting": told.waiting,
                "failing": told.failing,
                "needs_you": told.needs_you,
                "told_at": iso(told.told_at) if told.told_at else None,
                "reasons": list(told.reasons),
            }
            for told in status.tells
        ],
        "jobs": [
            {"job": job.name, "next_at": iso(job.next_at) if job.next_at else None}
            for job in status.jobs
        ],
    }


def _source_json(source: SourceStatus) -> dict[str, object]:
    line = source.ledger
    return {
        "source": source.key,
        "health": source.health.value,
        "outcome": source.words,
        "last_pull": iso(source.last_pull) if source.last_pull else None,
        "last_full": iso(source.last_full) if source.last_full else None,
        "seen_to": iso(source.seen_to) if source.seen_to else None,
        "lag_seconds": int(source.lag.total_seconds()) if source.lag is not None else None,
        "received": line.received if line else 0,
        "dispositions": {d.value: source.count(d) for d in Disposition},
        "adds_up": line.adds_up if line else True,
    }
