"""The database's own refusals: triggers that keep the one rule when the code above them does not.

A learning record is never competence (DESIGN 2). Each guard is one SQL condition that must hold
for a row to go in or change, written once in SQL that SQLite and PostgreSQL both understand.
Rebuilding a table drops its triggers without a word, so every migration ends with `install`, and
the bridge refuses to write where `missing` finds any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from bridge.storage import upkeep


@dataclass(frozen=True, slots=True)
class Guard:
    """`must` holds whenever `event` meets a row of `table` (where `only_if`), or it is refused."""

    name: str
    table: str
    event: str
    must: str
    message: str
    only_if: str | None = None


def _canonical(person: str) -> str:
    return f"(SELECT canonical_id FROM people WHERE id = {person})"


_LEARNER_OF_CLAIM = (
    "(SELECT p.canonical_id FROM claims c JOIN evidence e ON e.id = c.evidence_id"
    " JOIN people p ON p.id = e.person_id WHERE c.id = {claim})"
)
_NOT_REVOKED = "NOT EXISTS (SELECT 1 FROM verifications r WHERE r.revokes_id = {verification})"
_LATEST_SUBMISSION = "(SELECT MAX(submission_id) FROM submission_claims WHERE claim_id = {claim})"
#: Another person's verification, in force and uncontested, of that (canonical) person's own claim.
_GROUND = (
    "EXISTS (SELECT 1 FROM verifications v JOIN claims c ON c.id = v.claim_id"
    " JOIN evidence e ON e.id = c.evidence_id JOIN people l ON l.id = e.person_id"
    " JOIN people w ON w.id = v.verifier_id"
    " WHERE v.id = {verification} AND v.decision = 'verified'"
    " AND c.state = 'verified' AND c.contested_at IS NULL"
    " AND c.competency_id = {competency} AND w.canonical_id <> l.canonical_id"
    " AND l.canonical_id = {holder}"
    f" AND {_NOT_REVOKED.format(verification='v.id')})"
)
#: Another person's decision, not ended, that a competency does not apply to that person.
_WAIVED = (
    "EXISTS (SELECT 1 FROM not_applicable n JOIN people p ON p.id = n.person_id"
    " JOIN people d ON d.id = n.decided_by"
    " WHERE n.id = {decision} AND n.ended_at IS NULL AND n.competency_id = {competency}"
    " AND d.canonical_id <> p.canonical_id AND p.canonical_id = {holder})"
)
_HOLDER = _canonical("NEW.person_id")
_BASIS_HOLDER = (
    "(SELECT p.canonical_id FROM awards a JOIN people p ON p.id = a.person_id"
    " WHERE a.id = NEW.award_id)"
)
_MERGED_INTO = (
    "(SELECT i.canonical_id FROM person_merges m JOIN people i ON i.id = m.into_id"
    " WHERE m.person_id = NEW.id AND m.undone_at IS NULL)"
)
_FOLLOWS_MERGES = f"NEW.canonical_id = COALESCE({_MERGED_INTO}, NEW.id)"
_MERGES_ONLY = "who is one person with whom changes only with a recorded merge"


def _same(columns: Iterable[str]) -> str:
    return " AND ".join(f"NEW.{c} IS NOT DISTINCT FROM OLD.{c}" for c in columns)


def _append_only(table: str) -> tuple[Guard, Guard]:
    message = f"{table} is append-only: what was decided or published is never changed or removed"
    return (
        Guard(f"guard_{table}_no_update", table, "UPDATE", "1 = 0", message),
        Guard(f"guard_{table}_no_delete", table, "DELETE", "1 = 0", message),
    )


def _kept(table: str) -> Guard:
    return Guard(
        f"guard_{table}_no_delete", table, "DELETE", "1 = 0", f"{table} rows are never deleted"
    )


GUARDS: tuple[Guard, ...] = (
    # Two records are one human being only while a merge says so: the words "another person" below
    # hang on it.
    Guard("guard_people_born_themselves", "people", "INSERT", _FOLLOWS_MERGES, _MERGES_ONLY),
    Guard(
        "guard_people_follow_merges",
        "people",
        "UPDATE",
        f"NEW.id = OLD.id AND {_FOLLOWS_MERGES}",
        _MERGES_ONLY,
        only_if="NEW.id <> OLD.id OR NEW.canonical_id <> OLD.canonical_id",
    ),
    Guard(
        "guard_person_merges_only_undone",
        "person_merges",
        "UPDATE",
        _same(("id", "person_id", "into_id", "reason", "merged_at", "merged_by"))
        + " AND OLD.undone_at IS NULL",
        "a merge is never changed, only undone",
    ),
    _kept("person_merges"),
    # What a claim or a badge says is published once and never reworded.
    *_append_only("framework_editions"),
    *_append_only("competencies"),
    Guard(
        "guard_badge_versions_published",
        "badge_versions",
        "UPDATE",
        _same(
            ("id", "key", "version", "content_hash", "definition", "published_at", "published_by")
        ),
        "a published badge is never changed, only retired",
    ),
    _kept("badge_versions"),
    # A claim is born a suggestion, belongs for ever to one piece of evidence and one
    # competency, and is verified only when another person's verification says so.
    Guard(
        "guard_claims_born_suggested",
        "claims",
        "INSERT",
        "1 = 0",
        "a claim starts as a suggestion",
        only_if="NEW.state <> 'suggested' OR NEW.contested_at IS NOT NULL",
    ),
    Guard(
        "guard_claims_identity",
        "claims",
        "UPDATE",
        _same(("id", "evidence_id", "competency_id", "origin")),
        "a claim never changes whose or what it is",
    ),
    Guard(
        "guard_claims_verified_by_verification",
        "claims",
        "UPDATE",
        "OLD.state = 'submitted' AND EXISTS (SELECT 1 FROM verifications v"
        " WHERE v.claim_id = NEW.id AND v.decision = 'verified' AND v.submission_id ="
        f" {_LATEST_SUBMISSION.format(claim='NEW.id')}"
        f" AND {_NOT_REVOKED.format(verification='v.id')})",
        "a claim is verified only by another person's verification",
        only_if="NEW.state = 'verified' AND OLD.state <> 'verified'",
    ),
    Guard(
        "guard_claims_left_by_revocation",
        "claims",
        "UPDATE",
        "NEW.state = 'revoked' AND EXISTS (SELECT 1 FROM verifications v"
        " WHERE v.claim_id = NEW.id AND v.decision = 'revoked')",
        "a verified claim is changed only by a person's revocation",
        only_if="OLD.state = 'verified' AND NEW.state <> 'verified'",
    ),
    Guard(
        "guard_claims_revoked_stays",
        "claims",
        "UPDATE",
        "NEW.state = 'revoked'",
        "a revoked claim stays revoked",
        only_if="OLD.state = 'revoked'",
    ),
    _kept("claims"),
    Guard(
        "guard_evidence_identity",
        "evidence",
        "UPDATE",
        _same(("id", "person_id", "origin", "activity_id", "occurred_at", "occurred_on")),
        "evidence never changes whose it is or what happened",
    ),
    _kept("evidence"),
    # Submitting and deciding.
    Guard(
        "guard_submissions_to_another",
        "submissions",
        "INSERT",
        f"{_canonical('NEW.verifier_id')} <> (SELECT p.canonical_id FROM evidence e"
        " JOIN people p ON p.id = e.person_id WHERE e.id = NEW.evidence_id)"
        " AND EXISTS (SELECT 1 FROM reflections r JOIN people a ON a.id = r.author_id"
        " JOIN evidence e ON e.id = r.evidence_id JOIN people l ON l.id = e.person_id"
        " WHERE r.id = NEW.reflection_id AND r.evidence_id = NEW.evidence_id"
        " AND a.canonical_id = l.canonical_id)",
        "a submission needs the learner's own reflection and another person to verify it",
    ),
    *_append_only("submissions"),
    Guard(
        "guard_submission_claims_own",
        "submission_claims",
        "INSERT",
        "(SELECT evidence_id FROM claims WHERE id = NEW.claim_id) ="
        " (SELECT evidence_id FROM submissions WHERE id = NEW.submission_id)",
        "a submission covers claims of its own evidence",
    ),
    *_append_only("submission_claims"),
    Guard(
        "guard_verifications_by_another",
        "verifications",
        "INSERT",
        f"{_canonical('NEW.verifier_id')} <> {_LEARNER_OF_CLAIM.format(claim='NEW.claim_id')}",
        "nobody verifies their own evidence",
    ),
    Guard(
        "guard_verifications_of_submitted",
        "verifications",
        "INSERT",
        "NEW.revokes_id IS NULL"
        " AND (SELECT state FROM claims WHERE id = NEW.claim_id) = 'submitted'"
        f" AND NEW.submission_id = {_LATEST_SUBMISSION.format(claim='NEW.claim_id')}"
        f" AND {_canonical('NEW.verifier_id')} = (SELECT p.canonical_id FROM submissions s"
        " JOIN people p ON p.id = s.verifier_id WHERE s.id = NEW.submission_id)",
        "only the chosen verifier decides, and only what was submitted",
        only_if="NEW.decision IN ('verified', 'returned')",
    ),
    Guard(
        "guard_verifications_of_verified",
        "verifications",
        "INSERT",
        "(SELECT state FROM claims WHERE id = NEW.claim_id) = 'verified'"
        " AND (NEW.decision = 'upheld' AND NEW.revokes_id IS NULL"
        " OR EXISTS (SELECT 1 FROM verifications v WHERE v.id = NEW.revokes_id"
        " AND v.claim_id = NEW.claim_id AND v.decision = 'verified'))",
        "only a verified claim is revoked or upheld",
        only_if="NEW.decision IN ('revoked', 'upheld')",
    ),
    *_append_only("verifications"),
    *_append_only("reflections"),
    # Badges: an award is put together first and held only when every ground is there.
    *_append_only("badge_requirements"),
    Guard(
        "guard_badge_requirements_before_awards",
        "badge_requirements",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM awards a WHERE a.badge_version_id = NEW.badge_version_id)",
        "a published badge keeps its requirements",
    ),
    Guard(
        "guard_not_applicable_by_another",
        "not_applicable",
        "INSERT",
        f"{_canonical('NEW.decided_by')} <> {_canonical('NEW.person_id')}",
        "nobody decides for themselves what does not apply to them",
    ),
    Guard(
        "guard_not_applicable_identity",
        "not_applicable",
        "UPDATE",
        _same(("id", "person_id", "competency_id", "decided_by", "reason", "decided_at"))
        + " AND OLD.ended_at IS NULL",
        "what was decided is never changed, only ended",
    ),
    _kept("not_applicable"),
    Guard(
        "guard_awards_born_assembling",
        "awards",
        "INSERT",
        "NEW.status = 'assembling'",
        "an award is put together before it is held",
    ),
    Guard(
        "guard_awards_identity",
        "awards",
        "UPDATE",
        _same(("id", "badge_key", "person_id", "period", "awarded_on"))
        + f" AND (NEW.status = 'assembling' OR {_same(('badge_version_id', 'expires_on'))})",
        "an award never changes whose or what it is",
    ),
    Guard(
        "guard_awards_held_on_verifications",
        "awards",
        "UPDATE",
        "NEW.badge_key = (SELECT key FROM badge_versions WHERE id = NEW.badge_version_id)"
        " AND EXISTS (SELECT 1 FROM badge_requirements q JOIN award_basis b"
        " ON b.competency_id = q.competency_id WHERE b.award_id = NEW.id"
        " AND q.badge_version_id = NEW.badge_version_id AND "
        + _GROUND.format(
            verification="b.verification_id", competency="q.competency_id", holder=_HOLDER
        )
        + ") AND NOT EXISTS (SELECT 1 FROM badge_requirements q"
        " WHERE q.badge_version_id = NEW.badge_version_id AND NOT EXISTS ("
        "SELECT 1 FROM award_basis b WHERE b.award_id = NEW.id"
        " AND b.competency_id = q.competency_id AND ("
        + _WAIVED.format(
            decision="b.not_applicable_id", competency="q.competency_id", holder=_HOLDER
        )
        + " OR "
        + _GROUND.format(
            verification="b.verification_id", competency="q.competency_id", holder=_HOLDER
        )
        + ")))",
        "an award is held only when another person has verified everything it names",
        only_if="NEW.status = 'held' AND OLD.status <> 'held'",
    ),
    _kept("awards"),
    Guard(
        "guard_award_basis_on_verification",
        "award_basis",
        "INSERT",
        _GROUND.format(
            verification="NEW.verification_id",
            competency="NEW.competency_id",
            holder=_BASIS_HOLDER,
        ),
        "an award rests on another person's verification of that person's own claim",
        only_if="NEW.verification_id IS NOT NULL",
    ),
    Guard(
        "guard_award_basis_not_applicable",
        "award_basis",
        "INSERT",
        _WAIVED.format(
            decision="NEW.not_applicable_id", competency="NEW.competency_id", holder=_BASIS_HOLDER
        ),
        "'not applicable' is a manager's decision about that person",
        only_if="NEW.not_applicable_id IS NOT NULL",
    ),
    *_append_only("award_basis"),
    Guard(
        "guard_target_states_born",
        "target_states",
        "INSERT",
        "(SELECT status FROM awards WHERE id = NEW.award_id) = 'held'",
        "only a held award is pushed to a target",
    ),
    Guard(
        "guard_target_states_desired",
        "target_states",
        "UPDATE",
        _same(("id", "award_id", "target_id", "settings")) + " AND (NEW.desired <> 'held' OR"
        " (SELECT status FROM awards WHERE id = NEW.award_id) = 'held')",
        "only a held award is pushed to a target, as its badge says",
    ),
    # A log is signed by another person, once; afterwards it takes addenda only (R4).
    Guard(
        "guard_logs_signed_by_another",
        "logs",
        "UPDATE",
        f"{_canonical('NEW.signed_by')} <> {_HOLDER} AND NEW.signed_at IS NOT NULL",
        "a log is signed off by another person",
        only_if="NEW.signed_by IS NOT NULL OR NEW.signed_at IS NOT NULL",
    ),
    Guard(
        "guard_logs_born_unsigned",
        "logs",
        "INSERT",
        "NEW.signed_by IS NULL AND NEW.signed_at IS NULL",
        "a log is opened first and signed off later",
    ),
    Guard(
        "guard_logs_signed_stays",
        "logs",
        "UPDATE",
        _same(
            (
                "id",
                "person_id",
                "starts_on",
                "ends_on",
                "signed_at",
                "signed_by",
                "next_steps",
                "key_id",
            )
        ),
        "a signed log is never changed; add to it instead",
        only_if="OLD.signed_at IS NOT NULL",
    ),
    _kept("logs"),
    *_append_only("log_addenda"),
    # What a practitioner has typed so far is theirs alone.
    *(
        Guard(
            f"guard_reflection_drafts_own_{event.lower()}",
            "reflection_drafts",
            event,
            f"{_canonical('NEW.author_id')} = (SELECT p.canonical_id FROM evidence e"
            " JOIN people p ON p.id = e.person_id WHERE e.id = NEW.evidence_id)",
            "only the person whose evidence it is writes its reflection",
        )
        for event in ("INSERT", "UPDATE")
    ),
    # A file is its owner's, is never exchanged for another, and loses its bytes when removed.
    Guard(
        "guard_evidence_files_own",
        "evidence_files",
        "INSERT",
        f"{_canonical('NEW.added_by')} = (SELECT p.canonical_id FROM evidence e"
        " JOIN people p ON p.id = e.person_id WHERE e.id = NEW.evidence_id)",
        "only the person whose evidence it is attaches files to it",
    ),
    Guard(
        "guard_evidence_files_identity",
        "evidence_files",
        "UPDATE",
        _same(("id", "evidence_id", "name", "media_type", "size", "key_id", "added_by", "added_at"))
        + " AND OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL AND NEW.ciphertext IS NULL",
        "a file is never exchanged, only removed",
    ),
    _kept("evidence_files"),
    # Who manages and what is asked of somebody is another person's decision.
    Guard(
        "guard_post_agreements_by_another",
        "post_agreements",
        "INSERT",
        f"{_canonical('NEW.agreed_by')} <> (SELECT p.canonical_id FROM posts o"
        " JOIN people p ON p.id = o.person_id WHERE o.id = NEW.post_id)",
        "nobody agrees with themselves what is asked of them",
    ),
    *_append_only("post_agreements"),
    Guard(
        "guard_deputies_another",
        "deputies",
        "INSERT",
        f"{_canonical('NEW.deputy_id')} <> {_canonical('NEW.manager_id')}",
        "a deputy is another person",
    ),
    Guard(
        "guard_deputies_identity",
        "deputies",
        "UPDATE",
        _same(("id", "manager_id", "deputy_id", "valid_from", "named_by", "named_at")),
        "who stood in for whom is never changed, only ended",
    ),
    _kept("deputies"),
    Guard(
        "guard_one_time_links_used_once",
        "one_time_links",
        "UPDATE",
        _same(("id", "sha256", "purpose", "person_id", "evidence_id", "expires_at"))
        + " AND OLD.used_at IS NULL",
        "a link is good for one use",
    ),
    Guard(
        "guard_handshakes_used_once",
        "handshakes",
        "UPDATE",
        _same(("state_sha256", "kind", "nonce_sha256", "data", "expires_at"))
        + " AND OLD.used_at IS NULL",
        "an answer to a sign-in counts once",
    ),
    # What people said of activities and accounts, and what they took apart.
    *(
        guard
        for table, columns in (
            (
                "activity_joins",
                ("id", "activity_id", "into_id", "rule", "reason", "joined_at", "joined_by"),
            ),
            (
                "account_answers",
                ("id", "account_id", "refused", "reason", "answered_at", "answered_by"),
            ),
        )
        for guard in (
            Guard(
                f"guard_{table}_only_ended",
                table,
                "UPDATE",
                _same(columns) + " AND OLD.ended_at IS NULL",
                f"a row of {table} is never changed, only ended",
            ),
            _kept(table),
        )
    ),
    *_append_only("split_records"),
    *_append_only("audit"),
)


def _sqlite(guard: Guard) -> list[str]:
    when = f" WHEN {guard.only_if}" if guard.only_if else ""
    message = guard.message.replace("'", "''")
    must = guard.must.replace("IS NOT DISTINCT FROM", "IS")  # as SQLite before 3.39 spells it
    return [
        f"DROP TRIGGER IF EXISTS {guard.name}",
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE(ABORT, '{message}') WHERE ({must}) IS NOT TRUE; END",
    ]


def _postgresql(guard: Guard) -> list[str]:
    when = f" WHEN ({guard.only_if})" if guard.only_if else ""
    message = guard.message.replace("'", "''").replace("%", "%%")
    row = "OLD" if guard.event == "DELETE" else "NEW"
    statements = [
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $guard$"
        f" BEGIN IF ({guard.must}) IS NOT TRUE THEN RAISE EXCEPTION '{message}'"
        f" USING ERRCODE = 'check_violation'; END IF; RETURN {row}; END $guard$",
        f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}",
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
        f" FOR EACH ROW{when} EXECUTE FUNCTION {guard.name}()",
    ]
    if guard.event == "DELETE":
        # TRUNCATE passes row triggers by.
        statements += [
            f"CREATE OR REPLACE FUNCTION {guard.name}_all() RETURNS trigger LANGUAGE plpgsql AS"
            f" $guard$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation';"
            " END $guard$",
            f"DROP TRIGGER IF EXISTS {guard.name}_all ON {guard.table}",
            f"CREATE TRIGGER {guard.name}_all BEFORE TRUNCATE ON {guard.table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {guard.name}_all()",
        ]
    return statements


def _standing(connection: Connection) -> list[Guard]:
    """The guards whose tables are there yet; migrations bring them one after the other."""
    tables = set(inspect(connection).get_table_names())
    return [guard for guard in GUARDS if guard.table in tables]


def install(connection: Connection) -> None:
    """(Re)create every guard, and what the database keeps up. Every migration calls it last."""
    render = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    for guard in _standing(connection):
        for statement in render(guard):
            connection.exec_driver_sql(statement)
    upkeep.install(connection)


def present(connection: Connection) -> set[str]:
    """The names of the guards that the database has, switched on."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return {row[0] for row in connection.execute(text(query))}


def missing(connection: Connection) -> list[str]:
    """The guards, and what keeps tables up, that should be there and are not; in order."""
    there = present(connection)
    wanted = [guard.name for guard in _standing(connection)]
    wanted += [kept.name for kept in upkeep.standing(connection)]
    return [name for name in wanted if name not in there]
