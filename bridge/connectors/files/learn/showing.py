"""Shows rows as they were understood, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.connectors.files.loading import Sheet
from bridge.connectors.files.opening import Opened, Row
from bridge.connectors.files.profile import Profile
from bridge.domain.errors import BridgeError
from bridge.domain.proposals import Understood
from bridge.domain.records import LearningFact, Precision, Pulled


def understood(
    profile: Profile, table: Opened, rows: Sequence[tuple[Row, list[str]]]
) -> list[Understood]:
    """The rows by this profile. A profile that still lacks something shows why a row is nothing."""
    try:
        sheet = Sheet(table, replace(profile, key=()))
    except BridgeError as error:
        return [Understood(row.number, {}, str(error)) for row, _ in rows]
    shown = []
    for row, _ in rows:
        read = sheet.reader.read(sheet.pick(row.cells))
        if not read.items:
            what = "a trainer's row" if read.trainers else "nothing has been done yet"
            shown.append(Understood(row.number, {}, what))
        shown += [_shown(row.number, item, profile) for item in read.items]
    return shown


def _shown(number: int, item: Pulled, profile: Profile) -> Understood:
    fact = item.fact
    if not isinstance(fact, LearningFact):
        return Understood(number, {}, fact.words)
    return Understood(number, {key: text for key, text in _cells(fact, profile) if text})


def _cells(fact: LearningFact, profile: Profile) -> list[tuple[str, str]]:
    local = fact.occurred_at.astimezone(profile.zone)
    clock = "" if fact.precision is Precision.DAY else f", {local:%H:%M}"
    booking = fact.booking
    return [
        ("person", fact.account.display_name or ""),
        ("email", fact.account.email or ""),
        ("staff number", fact.account.staff_number or ""),
        ("event", fact.activity.title or fact.activity.value),
        ("code", fact.activity.idnumber or ""),
        ("day", f"{local:%a} {local.day} {local:%B %Y}{clock}"),
        ("session", booking.session if booking else ""),
        ("status", str(fact.status)),
        ("said", booking.said if booking else ""),
        ("minutes", f"{booking.minutes:g}" if booking and booking.minutes is not None else ""),
        ("score", "" if fact.score is None else f"{fact.score:.0%}"),
        ("evaluation", "" if booking is None or booking.evaluated is None
         else "yes" if booking.evaluated else "no"),
    ]  # fmt: skip
