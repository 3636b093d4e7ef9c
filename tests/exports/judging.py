"""Holds a proposal against what is true of the file."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from bridge.connectors.files.learn import learn
from bridge.domain.proposals import Proposal
from tests.exports.bookings import Shape
from tests.exports.making import Export


def proposed(shape: Shape, seed: int, folder: Path) -> tuple[Export, Proposal]:
    """The export of that seed, and what is made of it. Its name tells nothing."""
    export = shape(Random(seed))
    path = folder / f"file{export.suffix}"
    path.write_bytes(export.content)
    return export, learn(path, name="supplier")


def faults(export: Export, proposal: Proposal) -> list[str]:
    """What is wrong in the proposal, in words; nothing where every column is right."""
    profile: dict[str, Any] = dict(proposal.profile)
    columns = profile["columns"]
    given = {heading: field for field, heading in columns.items()}
    asked = {q.id.removeprefix("column:") for q in proposal.questions}
    found: list[str] = []
    if "kind" in asked and "kind" in export.asks:
        return found  # nothing is settled before that is
    for heading, field in given.items():
        if export.columns.get(heading) != field and field not in asked:
            found.append(f"{heading}: {field}, but it is {export.columns.get(heading)}")
    if profile["kind"] != export.kind and "kind" not in asked:
        found.append(f"kind {profile['kind']}")
    if not export.asks:
        missing = [h for h in export.columns if h not in given]
        found += [f"{heading}: missed" for heading in missing]
        found += [f"asks {q.id}" for q in proposal.questions]
    elif not any(q.id.startswith(a) for q in proposal.questions for a in export.asks):
        found.append(f"does not ask {export.asks}")
    if profile.get("dates") != export.dates:
        found.append(f"dates {profile.get('dates')}")
    if tuple(s["column"] for s in profile.get("sessions", ())) != tuple(export.sessions):
        found.append(f"sessions {profile.get('sessions')}")
    if profile.get("above", {}) != dict(export.above):
        found.append(f"above {profile.get('above')}")
    return found
