"""People found by what is known of them otherwise: hashes of addresses, accounts of an LMS."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, func, or_, select

from bridge.domain.identity import Identifier, IdentifierKind
from bridge.storage import tables as t
from bridge.storage import tables_statements as ts
from bridge.storage.bulk import among

_p, _i = t.people.c, t.person_identifiers.c
_HASH, _LMS = IdentifierKind.EMAIL_HASH, IdentifierKind.LMS_ACCOUNT


def by_other_means(
    connection: Connection, wanted: Collection[Identifier]
) -> dict[Identifier, set[int]]:
    """The (canonical) people behind these hashes and accounts of LMSs; all other kinds apart."""
    found: dict[Identifier, set[int]] = defaultdict(set)
    hashes = {i.value for i in wanted if i.kind is _HASH}
    for told, person in _by_hash(connection, hashes):
        found[Identifier(_HASH, told)].add(person)
    for value, person in _at_an_lms(connection, {i.value for i in wanted if i.kind is _LMS}):
        found[Identifier(_LMS, value)].add(person)
    return found


def _by_hash(connection: Connection, hashes: Collection[str]) -> Iterator[tuple[str, int]]:
    if not hashes:
        return
    query = (
        select(_i.value, _p.canonical_id)
        .join(t.people, _p.id == _i.person_id)
        .where(_i.kind == IdentifierKind.EMAIL, _i.valid_to.is_(None))
    )
    for address, person in connection.execute(query):
        # Statements name people by this hash; nothing rests on its strength.
        told = hashlib.sha1(f"mailto:{address}".encode(), usedforsecurity=False).hexdigest()
        if told in hashes:
            yield told, person


def _at_an_lms(connection: Connection, accounts: Collection[str]) -> Iterator[tuple[str, int]]:
    """Whose account of a configured LMS it is, by its id there or its user name."""
    named = {value: value.split("|", 1) for value in accounts if "|" in value}
    if not named:
        return
    where = ts.lms_addresses.c
    rows = connection.execute(
        select(where.address, t.sources.c.id)
        .join(t.sources, t.sources.c.key == where.source_key)
        .where(among(connection, where.address, {home for home, _ in named.values()}))
    ).all()
    a, link = t.accounts.c, t.account_links.c
    for home, source_id in rows:
        names = {name: value for value, (its, name) in named.items() if its == home}
        folded: dict[str, list[str]] = defaultdict(list)
        for name, value in names.items():
            folded[name.lower()].append(value)
        query = (
            select(a.value, func.lower(a.username), _p.canonical_id)
            .join(t.account_links, link.account_id == a.id)
            .join(t.people, _p.id == link.person_id)
            .where(
                a.source_id == source_id,
                link.valid_to.is_(None),
                or_(
                    among(connection, a.value, names),
                    among(connection, func.lower(a.username), folded),
                ),
            )
        )
        for number, username, person in connection.execute(query):
            if number in names:
                yield names[number], person
            for value in folded.get(username or "", ()):
                yield value, person
