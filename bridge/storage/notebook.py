"""The practitioner's own evidence in piles, why each was suggested, and what they have typed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Row,
    String,
    and_,
    case,
    cast,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.claims import ClaimState
from bridge.domain.mapping import CompetencyRef
from bridge.domain.model import Evidence
from bridge.domain.notebook import Pile, Piles, Put, RuleReason, Sheet, Slip, Support, Typed
from bridge.domain.records import Status
from bridge.domain.vault import Vault
from bridge.storage import tables as t
from bridge.storage import tables_access as ta
from bridge.storage import tables_booking as tb
from bridge.storage import tables_practice as tp
from bridge.storage.booking import trained_then
from bridge.storage.bulk import among
from bridge.storage.decisions import latest_submission, note_place
from bridge.storage.evidence import EVIDENCE_COLUMNS
from bridge.storage.logbook import LogbookQueries

_e, _c, _p, _s = t.evidence.c, t.claims.c, t.people.c, t.submissions.c
_r, _a = t.learning_records.c, t.activity_aliases.c
_verifier = t.people.alias("verifier")
_canonical = t.people.alias("canonical_verifier")
#: Which pile: a question comes first, then what waits, then what nobody has worked on.
_SLIP: tuple[Any, ...] = (
    _e.id, _e.title, _e.occurred_on, _e.origin, _e.learning_activity, _e.level, _e.late,
)  # fmt: skip


#: The sources of a piece of evidence's records, each as often as it has one.
_SEPARATOR = "\n"


_touched = t.claims.alias("touched").c
#: Evidence whose records all went to other evidence before anybody had looked at it.
_EMPTIED = and_(
    _e.origin == "record",
    ~select(t.evidence_records.c.record_id)
    .where(t.evidence_records.c.evidence_id == _e.id)
    .exists(),
    ~select(tp.reflection_drafts.c.evidence_id)
    .where(tp.reflection_drafts.c.evidence_id == _e.id)
    .exists(),
    ~select(_touched.id)
    .where(
        _touched.evidence_id == _e.id,
        or_(_touched.state != ClaimState.WITHDRAWN, _touched.touched_at.is_not(None)),
    )
    .exists(),
)


def _sources(evidence_id: Any) -> Any:
    er = t.evidence_records.c
    return (
        select(func.aggregate_strings(t.sources.c.key, _SEPARATOR))
        .join(t.received, t.received.c.source_id == t.sources.c.id)
        .join(t.learning_records, _r.received_id == t.received.c.id)
        .join(t.evidence_records, er.record_id == _r.id)
        .where(er.evidence_id == evidence_id)
        .scalar_subquery()
        .label("sources")
    )


def _trainers() -> Any:
    """The canonical people who train at the event of a record, with their days ("7@2026-06-02")."""
    et, link = tb.event_trainers.c, t.account_links.c
    return (
        select(func.aggregate_strings(cast(_p.canonical_id, String) + "@" + et.held_on, _SEPARATOR))
        .join(t.account_links, link.person_id == _p.id)
        .join(tb.event_trainers, et.account_id == link.account_id)
        .where(et.alias_id == _r.alias_id, et.ended_at.is_(None), link.valid_to.is_(None))
        .scalar_subquery()
    )


def _any(state: ClaimState) -> Any:
    return func.max(case((_c.state == state, 1), else_=0)) == 1


def _piled(person: int) -> CTE:
    pile = case(
        (_any(ClaimState.RETURNED), Pile.RETURNED),
        (_any(ClaimState.SUBMITTED), Pile.WAITING),
        (_any(ClaimState.VERIFIED), Pile.DONE),
        (_any(ClaimState.SUGGESTED), Pile.DRAFT),
        else_=Pile.ASIDE,
    ).label("pile")
    own = select(_p.id).where(_p.canonical_id == person)
    return (
        select(*_SLIP, pile)
        .join(t.claims, _c.evidence_id == _e.id)
        .where(_e.person_id.in_(own), ~_EMPTIED)
        .group_by(*_SLIP)
        .cte("piled")
    )


def _slip(row: Row[Any]) -> Slip:
    return Slip(
        row.id,
        row.title,
        row.occurred_on,
        row.origin,
        row.learning_activity,
        row.level,
        row.late,
        Pile(row.pile),
        tuple(dict.fromkeys(row.sources.split(_SEPARATOR))) if row.sources else (),
    )


def _place(evidence_id: int, author: int) -> str:
    return f"reflection-draft:{evidence_id}:{author}"


def _typed(row: Any, evidence_id: int, vault: Vault) -> Typed | None:
    if row.ciphertext is None:
        return None
    told = json.loads(vault.open(row.ciphertext, row.key_id, _place(evidence_id, row.author_id)))
    ticks = tuple(CompetencyRef(edition, code) for edition, code in told["ticks"])
    return Typed(told["reflection"], told["used"], ticks, told["verifier"], row.saved_at)


class SqlNotebook(LogbookQueries):
    """Implements `bridge.domain.notebook.NotebookRepository`."""

    # --- lists ------------------------------------------------------------------------------
    def piles(self, person: int, limit: int) -> Piles:
        """The first `limit` of each pile, newest activity first, and how high each is."""
        piled = _piled(person)
        ranked = select(
            piled,
            func.row_number()
            .over(partition_by=piled.c.pile, order_by=(piled.c.occurred_on.desc(), piled.c.id))
            .label("place"),
            func.count().over(partition_by=piled.c.pile).label("height"),
        ).subquery()
        query = select(ranked, _sources(ranked.c.id)).where(ranked.c.place <= limit)
        query = query.order_by(ranked.c.place)
        slips: dict[Pile, list[Slip]] = defaultdict(list)
        counts: dict[Pile, int] = {}
        for row in self._db.execute(query):
            slips[Pile(row.pile)].append(_slip(row))
            counts[Pile(row.pile)] = row.height
        return Piles({pile: tuple(rows) for pile, rows in slips.items()}, counts)

    def pile(self, person: int, pile: Pile, limit: int, offset: int) -> list[Slip]:
        """A part of one pile, newest activity first."""
        piled = _piled(person)
        part = (
            select(piled)
            .where(piled.c.pile == pile)
            .order_by(piled.c.occurred_on.desc(), piled.c.id)
            .limit(limit)
            .offset(offset)
            .subquery()
        )
        query = select(part, _sources(part.c.id)).order_by(part.c.occurred_on.desc(), part.c.id)
        return [_slip(row) for row in self._db.execute(query)]

    def puts(self, evidence_ids: Collection[int], vault: Vault) -> dict[int, list[Put]]:
        """The claims of these, each with whom it was last put before, in the frameworks' order."""
        v = t.verifications.c
        returned = and_(
            v.claim_id == _c.id, v.submission_id == _s.id, v.decision == "returned",
            _c.state == ClaimState.RETURNED,
        )  # fmt: skip
        query = (
            select(_c.id, _c.evidence_id, t.framework_editions.c.key, t.competencies.c.code,
                   t.competencies.c.text, _c.state, _c.origin, _c.rule_id, _c.suggested,
                   _c.contested_at, _verifier.c.canonical_id, _canonical.c.display_name,
                   _s.submitted_at, _s.id.label("submission_id"), v.note, v.key_id)
            .join(t.competencies, t.competencies.c.id == _c.competency_id)
            .join(t.framework_editions, t.framework_editions.c.id == t.competencies.c.edition_id)
            .outerjoin(t.submissions, _s.id == latest_submission(_c.id))
            .outerjoin(_verifier, _verifier.c.id == _s.verifier_id)
            .outerjoin(_canonical, _canonical.c.id == _verifier.c.canonical_id)
            .outerjoin(t.verifications, returned)
            .where(among(self._db, _c.evidence_id, evidence_ids))
            .order_by(_c.evidence_id, _c.competency_id)
        )  # fmt: skip
        found: dict[int, list[Put]] = defaultdict(list)
        for row in self._db.execute(query):
            claim_id, evidence_id, edition, code, text, state, origin, rule_id, suggested = row[:9]
            contested_at, verifier, name, at, submission, note, key_id = row[9:]
            asked = ""
            if note is not None:
                asked = vault.open(note, key_id, note_place(claim_id, submission, "returned"))
            found[evidence_id].append(
                Put(claim_id, evidence_id, CompetencyRef(edition, code), text.removesuffix(";"),
                    ClaimState(state), origin, rule_id, suggested, contested_at is not None,
                    verifier, name, at, asked, name or "" if asked else "")
            )  # fmt: skip
        return dict(found)

    def support(self, evidence_ids: Collection[int]) -> dict[int, list[Support]]:
        """The learning records behind these."""
        er = t.evidence_records.c
        query = (
            select(_r.id, er.evidence_id, t.sources.c.key, t.sources.c.kind,
                   func.coalesce(_a.title, _a.shortname, _a.value), _r.status, _r.occurred_at,
                   _r.score, t.received.c.gone_at, t.received.c.gone_because,
                   and_(_r.disposition == "evidence", _r.reason == "counts"), _r.said, _r.minutes,
                   _r.planned, _r.evaluated, _r.session, _r.sessions, t.rules.c.content,
                   _trainers())
            .outerjoin(t.rules, t.rules.c.id == _r.rule_id)
            .join(t.evidence_records, er.record_id == _r.id)
            .join(t.received, t.received.c.id == _r.received_id)
            .join(t.sources, t.sources.c.id == t.received.c.source_id)
            .join(t.activity_aliases, _a.id == _r.alias_id)
            .where(among(self._db, er.evidence_id, evidence_ids))
            .order_by(_r.occurred_at, _r.id)
        )  # fmt: skip
        found: dict[int, list[Support]] = defaultdict(list)
        for row in self._db.execute(query):
            (record_id, evidence_id, key, kind, called, status, at, score, gone_at, because, counts,
             said, minutes, planned, evaluated, session, sessions, rule,
             trainers) = row  # fmt: skip
            assess = trainers and counts and (rule or {}).get("assessed")
            there = (each.split("@") for each in trainers.split(_SEPARATOR)) if assess else ()
            found[evidence_id].append(
                Support(record_id, evidence_id, key, kind, called, Status(status), at, score,
                        gone_at is not None, bool(counts), said or "", minutes, planned,
                        evaluated, session or "", sessions,
                        tuple(int(who) for who, held_on in there if trained_then(held_on, at)),
                        gone_at, because)
            )  # fmt: skip
        return dict(found)

    def reasons(self, rule_ids: Collection[int]) -> dict[int, RuleReason]:
        """The published rules with these ids."""
        m, r = t.mapping_versions.c, t.rules.c
        number = case(
            (m.published_by.startswith("person:"), func.substr(m.published_by, len("person:") + 1))
        )
        rows = self._db.execute(
            select(r.id, r.key, r.content, m.mapping, m.version, m.published_at, m.published_by,
                   _p.display_name, m.comment)
            .join(t.mapping_versions, m.id == r.mapping_version_id)
            .outerjoin(t.people, _p.id == cast(number, BigInteger))
            .where(among(self._db, r.id, rule_ids))
        )  # fmt: skip
        return {
            row.id: RuleReason(
                row.id, row.key, row.content.get("title") or row.key, row.mapping, row.version,
                row.published_at, row.published_by, row.display_name, row.comment,
            )
            for row in rows
        }  # fmt: skip

    def sheet(self, evidence_id: int, person: int, preference: str, vault: Vault) -> Sheet | None:
        """A piece of this person's evidence, with what they typed; None where it is not theirs."""
        d, f = tp.reflection_drafts.c, ta.preferences.c
        row = self._db.execute(
            select(*EVIDENCE_COLUMNS, d.author_id, d.ciphertext, d.key_id, d.saved_at, f.value)
            .join(t.people, _p.id == _e.person_id)
            .outerjoin(tp.reflection_drafts, d.evidence_id == _e.id)
            .outerjoin(ta.preferences, and_(f.person_id == person, f.name == preference))
            .where(_e.id == evidence_id, _p.canonical_id == person)
        ).first()
        if row is None:
            return None
        evidence = Evidence(*row[: len(EVIDENCE_COLUMNS)])
        return Sheet(evidence, _typed(row, evidence_id, vault), row.value)

    # --- what was typed -----------------------------------------------------------------------
    def typed(self, evidence_id: int, vault: Vault) -> Typed | None:
        """What its owner has typed on it so far."""
        d = tp.reflection_drafts.c
        query = select(d.author_id, d.ciphertext, d.key_id, d.saved_at)
        row = self._db.execute(query.where(d.evidence_id == evidence_id)).first()
        return None if row is None else _typed(row, evidence_id, vault)

    def keep_typed(self, evidence_id: int, author: int, vault: Vault, typed: Typed) -> None:
        """Keep this in place of what was typed before."""
        told = {
            "reflection": typed.reflection,
            "used": typed.used,
            "ticks": [[ref.edition, ref.code] for ref in typed.ticks],
            "verifier": typed.verifier,
        }
        ciphertext, key_id = vault.seal(json.dumps(told), _place(evidence_id, author))
        self._put(
            tp.reflection_drafts,
            {"evidence_id": evidence_id},
            {"author_id": author, "ciphertext": ciphertext, "key_id": key_id,
             "saved_at": typed.saved_at},
        )  # fmt: skip

    def forget_typed(self, evidence_id: int) -> None:
        """It was submitted."""
        d = tp.reflection_drafts
        self._db.execute(delete(tp.reflection_drafts).where(d.c.evidence_id == evidence_id))

    # --- preferences --------------------------------------------------------------------------
    def prefer(self, person: int, name: str, value: str) -> None:
        """From now on they prefer this."""
        self._put(ta.preferences, {"person_id": person, "name": name}, {"value": value})

    def _put(self, table: Any, key: dict[str, Any], values: dict[str, Any]) -> None:
        kind = postgresql if self._db.dialect.name == "postgresql" else sqlite
        row = kind.insert(table).values(**key, **values)
        self._db.execute(row.on_conflict_do_update(index_elements=list(key), set_=values))
