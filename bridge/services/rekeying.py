"""Stored items get other natural keys when the profile that names them is edited (DESIGN 5.1).

Without that, whatever comes again would be known twice, and its corrections would miss what is
stored.
"""

from __future__ import annotations

from bridge.domain.model import SourceRow
from bridge.domain.ports import NamesRows, Source
from bridge.domain.records import Page
from bridge.domain.repositories import UnitOfWork


def name_anew(uow: UnitOfWork, source: SourceRow, connector: Source, page: Page) -> int:
    """Give every item of this source the key under which it would come today; how many changed.

    Looks at what is stored only where nothing of the source came in this page's envelope yet.
    Where two would have one key, the second keeps its own. Raises NeedsAdministrator where what is
    kept of an item does not tell its key.
    """
    if not isinstance(connector, NamesRows) or not page.items:
        return 0
    if uow.intake.came_in(source.id, page.envelope):
        return 0
    moved: dict[int, str] = {}
    stay: set[str] = set()
    for received_id, key, body, envelope in uow.intake.kept_rows(source.id):
        now = connector.key_now(key, body, envelope)
        if now == key:
            stay.add(key)
        else:
            moved[received_id] = now
    taken = stay
    final: dict[int, str] = {}
    for received_id, key in sorted(moved.items()):
        if key not in taken:
            taken.add(key)
            final[received_id] = key
    # By way of names that nothing has, for one may want the name that another gives up.
    for received_id in final:
        uow.intake.name_anew(received_id, f"moving:{received_id}")
    for received_id, key in final.items():
        uow.intake.name_anew(received_id, key)
    return len(final)
