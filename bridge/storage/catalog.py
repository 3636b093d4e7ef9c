"""Published framework editions, mapping versions and badge versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, insert, select, update

from bridge.domain.errors import NotFound
from bridge.domain.frameworks import Edition, edition_content, edition_from_content
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import BadgeInForce
from bridge.storage import tables as t
from bridge.storage.bulk import among

_f, _k = t.framework_editions.c, t.competencies.c
_m, _r = t.mapping_versions.c, t.rules.c
_b = t.badge_versions.c


class _Stamp(NamedTuple):
    """What tells a published edition from every other of its database."""

    id: int
    content_hash: str
    published_at: datetime


#: What this process has read of each database: editions never change.
_READ: WeakKeyDictionary[Engine, dict[_Stamp, tuple[Edition, dict[CompetencyRef, int]]]] = (
    WeakKeyDictionary()
)


class SqlCatalog:
    """Implements `bridge.domain.repositories.CatalogRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._stamps: list[_Stamp] | None = None

    # --- frameworks -------------------------------------------------------------------------
    def editions(self) -> list[Edition]:
        """Every published edition, oldest first."""
        return [edition for edition, _ in self._published()]

    def edition_of(self, key: str) -> Edition:
        """A published edition. Raises NotFound."""
        for edition, _ in self._published():
            if edition.id == key:
                return edition
        raise NotFound(f"There is no published edition '{key}'.")

    def _published(self) -> list[tuple[Edition, dict[CompetencyRef, int]]]:
        """The editions with the keys of their competencies, oldest first.

        They are immutable, so that this process reads and parses each once; which there are is
        asked once a transaction.
        """
        if self._stamps is None:
            query = select(_f.id, _f.content_hash, _f.published_at).order_by(_f.id)
            self._stamps = [_Stamp(*row) for row in self._db.execute(query)]
        known = _READ.setdefault(self._db.engine, {})
        for stamp in self._stamps:
            if stamp not in known:
                known[stamp] = self._read(stamp.id)
        return [known[stamp] for stamp in self._stamps]

    def _read(self, edition_id: int) -> tuple[Edition, dict[CompetencyRef, int]]:
        document = self._db.execute(select(_f.document).where(_f.id == edition_id)).scalar_one()
        edition = edition_from_content(document)
        rows = self._db.execute(select(_k.code, _k.id).where(_k.edition_id == edition_id))
        return edition, {CompetencyRef(edition.id, code): row_id for code, row_id in rows}

    def edition_hash(self, key: str) -> str | None:
        """The content hash an edition was published with."""
        return self._db.scalar(select(_f.content_hash).where(_f.key == key))

    def add_edition(self, edition: Edition, content_hash: str, now: datetime) -> None:
        """Publish an edition; it never changes afterwards."""
        self._stamps = None
        new = insert(t.framework_editions).values(
            key=edition.id,
            framework=edition.framework,
            content_hash=content_hash,
            document=edition_content(edition),
            published_at=now,
        )
        edition_id = self._db.execute(new.returning(_f.id)).scalar_one()
        self._db.execute(
            insert(t.competencies),
            [{"edition_id": edition_id, "code": c.code, "text": c.text}
             for c in edition.competencies],
        )  # fmt: skip

    def competency_ids(self) -> dict[CompetencyRef, int]:
        """The key of every published competency."""
        return {ref: row_id for _, ids in self._published() for ref, row_id in ids.items()}

    # --- mappings ---------------------------------------------------------------------------
    def rules_in_force(self) -> list[tuple[int, dict[str, Any]]]:
        """(id, content) of the rules of the current versions, in file order."""
        rows = self._db.execute(
            select(_r.id, _r.content)
            .join(t.mapping_versions, _m.id == _r.mapping_version_id)
            .where(_m.retired_at.is_(None))
            .order_by(_m.mapping, _r.position)
        )
        return [(row_id, content) for row_id, content in rows]

    def rule_contents(self, rule_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """What published rules say, in force or not."""
        r = t.rules.c
        query = select(r.id, r.content).where(among(self._db, r.id, rule_ids))
        return {rule_id: content for rule_id, content in self._db.execute(query)}

    def mapping_hashes(self) -> dict[str, str]:
        """The content hash of each mapping in force."""
        rows = self._db.execute(select(_m.mapping, _m.content_hash).where(_m.retired_at.is_(None)))
        return {mapping: content_hash for mapping, content_hash in rows}

    def add_mapping(
        self,
        mapping: str,
        source: bytes,
        content_hash: str,
        rules: Sequence[tuple[str, dict[str, Any], str]],
        by: str,
        comment: str,
        now: datetime,
    ) -> int:
        """A new version, in force from now on; `rules` are (key, content, hash) in file order."""
        self.retire_mapping(mapping, now)
        before = select(func.coalesce(func.max(_m.version), 0)).where(_m.mapping == mapping)
        version: int = self._db.execute(before).scalar_one() + 1
        new = insert(t.mapping_versions).values(
            mapping=mapping,
            version=version,
            content_hash=content_hash,
            source=source,
            published_at=now,
            published_by=by,
            comment=comment,
        )
        version_id = self._db.execute(new.returning(_m.id)).scalar_one()
        if rules:
            self._db.execute(
                insert(t.rules),
                [
                    {
                        "mapping_version_id": version_id,
                        "position": position,
                        "key": key,
                        "content": content,
                        "content_hash": rule_hash,
                    }
                    for position, (key, content, rule_hash) in enumerate(rules)
                ],
            )
        return version

    def retire_mapping(self, mapping: str, now: datetime) -> None:
        """Its current version is no longer in force."""
        self._db.execute(
            update(t.mapping_versions)
            .where(_m.mapping == mapping, _m.retired_at.is_(None))
            .values(retired_at=now)
        )

    # --- badges -----------------------------------------------------------------------------
    def badge_hashes(self) -> dict[str, str]:
        """The content hash of each badge in force."""
        rows = self._db.execute(select(_b.key, _b.content_hash).where(_b.retired_at.is_(None)))
        return {key: content_hash for key, content_hash in rows}

    def add_badge(
        self,
        key: str,
        content_hash: str,
        definition: Mapping[str, Any],
        required: Sequence[int],
        by: str,
        now: datetime,
    ) -> None:
        """A new version of a badge, in force from now on, with the competencies it requires."""
        self.retire_badge(key, now)
        before = select(func.coalesce(func.max(_b.version), 0)).where(_b.key == key)
        new = insert(t.badge_versions).values(
            key=key,
            version=self._db.execute(before).scalar_one() + 1,
            content_hash=content_hash,
            definition=dict(definition),
            published_at=now,
            published_by=by,
        )
        version_id = self._db.execute(new.returning(_b.id)).scalar_one()
        self._db.execute(
            insert(t.badge_requirements),
            [{"badge_version_id": version_id, "competency_id": c} for c in required],
        )

    def retire_badge(self, key: str, now: datetime) -> None:
        """Its current version earns no new awards."""
        self._db.execute(
            update(t.badge_versions)
            .where(_b.key == key, _b.retired_at.is_(None))
            .values(retired_at=now)
        )

    def badges_in_force(self) -> list[BadgeInForce]:
        """The badges that can be earned now."""
        q = t.badge_requirements.c
        required: dict[int, list[int]] = {}
        for version_id, competency in self._db.execute(
            select(q.badge_version_id, q.competency_id).order_by(q.competency_id)
        ):
            required.setdefault(version_id, []).append(competency)
        rows = self._db.execute(
            select(_b.id, _b.key, _b.version, _b.definition)
            .where(_b.retired_at.is_(None))
            .order_by(_b.key)
        )
        return [
            BadgeInForce(
                row_id,
                key,
                version,
                definition["title"],
                tuple(required.get(row_id, ())),
                tuple((each["target"], dict(each["settings"])) for each in definition["targets"]),
                tuple((edition, level) for edition, level in definition["criteria"]["levels"]),
                definition["description"],
            )
            for row_id, key, version, definition in rows
        ]
