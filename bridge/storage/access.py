"""Sessions, passwords, links, roles and tokens: who may come in, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.doors import Grant, Handshake, OneTimeLink, Password, Session, TokenInfo
from bridge.domain.permissions import Role
from bridge.domain.sso import WorkAccount
from bridge.storage import tables as t
from bridge.storage import tables_access as ta
from bridge.storage import tables_practice as tp

_p = t.people.c
_s, _g, _l, _h, _k = (
    ta.sessions.c, ta.grants.c, ta.one_time_links.c, ta.handshakes.c, t.person_tokens.c
)  # fmt: skip


class SqlAccess:
    """Implements `bridge.domain.doors.AccessRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # --- sessions ---------------------------------------------------------------------------
    def add_session(
        self,
        sha256: bytes,
        person: int | None,
        method: str,
        data: Mapping[str, Any],
        now: datetime,
        expires: datetime,
    ) -> int:
        """A new sign-in; its id."""
        row = insert(ta.sessions).values(
            sha256=sha256, person_id=person, method=method, data=dict(data), created_at=now,
            seen_at=now, expires_at=expires,
        )  # fmt: skip
        made: int = self._db.execute(row.returning(_s.id)).scalar_one()
        return made

    @staticmethod
    def _sessions(now: datetime) -> Select[Any]:
        canonical = t.people.alias("canonical")
        return (
            select(_s.id, _p.canonical_id, canonical.c.display_name, _s.method, _s.data,
                   _s.created_at, _s.seen_at, _s.expires_at)
            .outerjoin(t.people, _p.id == _s.person_id)
            .outerjoin(canonical, canonical.c.id == _p.canonical_id)
            .where(_s.revoked_at.is_(None), _s.expires_at > now)
        )  # fmt: skip

    def session(self, sha256: bytes, now: datetime, idle_since: datetime) -> Session | None:
        """The sign-in with this secret, unless it ran out or nobody used it since `idle_since`."""
        query = self._sessions(now).where(_s.sha256 == sha256, _s.seen_at > idle_since)
        row = self._db.execute(query).first()
        return None if row is None else Session(*row)

    def sessions_of(self, person: int, now: datetime) -> list[Session]:
        """A (canonical) person's sign-ins, the latest used first."""
        query = self._sessions(now).where(_p.canonical_id == person).order_by(_s.seen_at.desc())
        return [Session(*row) for row in self._db.execute(query)]

    def touch_session(self, session_id: int, now: datetime) -> None:
        """It is in use."""
        self._db.execute(update(ta.sessions).where(_s.id == session_id).values(seen_at=now))

    def put_session_data(self, session_id: int, data: Mapping[str, Any]) -> None:
        """What the session keeps from one page to the next."""
        self._db.execute(update(ta.sessions).where(_s.id == session_id).values(data=dict(data)))

    def _own(self, person: int) -> Any:
        return select(_p.id).where(_p.canonical_id == person)

    def revoke_session(self, session_id: int, person: int, now: datetime) -> bool:
        """End one of a person's sign-ins; whether it was theirs and open."""
        done = self._db.execute(
            update(ta.sessions)
            .where(_s.id == session_id, _s.person_id.in_(self._own(person)),
                   _s.revoked_at.is_(None))
            .values(revoked_at=now)
        )  # fmt: skip
        return done.rowcount == 1

    def revoke_sessions(self, person: int, now: datetime) -> int:
        """End all of a person's sign-ins; how many there were."""
        done = self._db.execute(
            update(ta.sessions)
            .where(_s.person_id.in_(self._own(person)), _s.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return done.rowcount

    # --- roles ------------------------------------------------------------------------------
    def stands_as(self, person: int, day: date) -> tuple[bool, list[tuple[Role, int | None]]]:
        """Whether a (canonical) person verifies for others: by a post they manage, as a deputy, by
        approval, or because something was put before them; and the roles that they were given, each
        with the organisation that it is for. One query, because every page asks."""
        c, v, d, s = t.posts.c, t.verifier_approvals.c, tp.deputies.c, t.submissions.c
        own = self._own(person)
        verifies = or_(
                exists().where(c.manager_id.in_(own), c.valid_from <= day,
                               or_(c.valid_to.is_(None), c.valid_to >= day)),
                exists().where(d.deputy_id.in_(own), d.valid_from <= day,
                               or_(d.valid_to.is_(None), d.valid_to >= day)),
                exists().where(v.person_id.in_(own), v.ended_at.is_(None)),
                exists().where(s.verifier_id.in_(own)),
        )  # fmt: skip
        query = (
            select(verifies, _g.role, _g.organisation_id)
            .select_from(t.people)
            .outerjoin(ta.grants, and_(_g.person_id == _p.id, _g.ended_at.is_(None)))
            .where(_p.canonical_id == person)
        )
        rows = self._db.execute(query).all()
        given = [(Role(role), place) for _, role, place in rows if role is not None]
        return any(row[0] for row in rows), given

    @staticmethod
    def _grants() -> Select[Any]:
        o = t.organisations.c
        return (
            select(_g.id, _p.canonical_id, _p.display_name, _g.role, _g.organisation_id, o.name,
                   _g.granted_at, _g.granted_by)
            .join(t.people, _p.id == _g.person_id)
            .outerjoin(t.organisations, o.id == _g.organisation_id)
            .where(_g.ended_at.is_(None))
            .order_by(_p.display_name, _g.id)
        )  # fmt: skip

    @staticmethod
    def _grant(row: Any) -> Grant:
        return Grant(row[0], row[1], row[2], Role(row[3]), *row[4:])

    def grants_of(self, person: int) -> list[Grant]:
        """The roles given to a (canonical) person."""
        query = self._grants().where(_p.canonical_id == person)
        return [self._grant(row) for row in self._db.execute(query)]

    def grants(self) -> list[Grant]:
        """Every role that is given."""
        return [self._grant(row) for row in self._db.execute(self._grants())]

    def grant(
        self, person: int, role: Role, organisation_id: int | None, by: str, now: datetime
    ) -> None:
        """Give a role."""
        self._db.execute(
            insert(ta.grants).values(
                person_id=person, role=role, organisation_id=organisation_id, granted_at=now,
                granted_by=by,
            )
        )  # fmt: skip

    def end_grant(self, grant_id: int, by: str, now: datetime) -> bool:
        """Take a role back; whether it was given."""
        done = self._db.execute(
            update(ta.grants)
            .where(_g.id == grant_id, _g.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
        )
        return done.rowcount == 1

    def organisation_id(self, key: str) -> int | None:
        """The organisation with this key."""
        return self._db.scalar(select(t.organisations.c.id).where(t.organisations.c.key == key))

    # --- passwords and identities -------------------------------------------------------------
    def password_of_login(self, login: str) -> Password | None:
        """The password that belongs to a login name (casefolded)."""
        return self._password(ta.passwords.c.login == login)

    def password_of(self, person: int) -> Password | None:
        """A (canonical) person's password."""
        return self._password(_p.canonical_id == person)

    def _password(self, which: Any) -> Password | None:
        c = ta.passwords.c
        row = self._db.execute(
            select(_p.canonical_id, c.login, c.hash)
            .join(t.people, _p.id == c.person_id)
            .where(which)
            .order_by(c.set_at.desc())
        ).first()
        return None if row is None else Password(*row)

    def set_password(self, person: int, login: str, hash_: str, by: str, now: datetime) -> None:
        """Set or replace a person's password. Raises IntegrityError where the login is taken."""
        values = {"login": login, "hash": hash_, "set_at": now, "set_by": by}
        c = ta.passwords
        done = self._db.execute(update(c).where(c.c.person_id == person).values(values))
        if not done.rowcount:
            self._db.execute(insert(c).values(person_id=person, **values))

    def close_ways_in(self, person: int, since: datetime, now: datetime) -> None:
        """End what was made since then with which this very entry could be come in as."""
        c, i = ta.passwords.c, ta.identities.c
        self._db.execute(delete(ta.passwords).where(c.person_id == person, c.set_at >= since))
        self._db.execute(
            update(ta.identities)
            .where(i.person_id == person, i.linked_at >= since, i.ended_at.is_(None))
            .values(ended_at=now)
        )
        self._db.execute(
            update(ta.one_time_links)
            .where(_l.person_id == person, _l.created_at >= since, _l.used_at.is_(None))
            .values(used_at=now)
        )

    def person_of_identity(self, provider: str, subject: str) -> int | None:
        """The (canonical) person known to a provider by this subject."""
        c = ta.identities.c
        return self._db.scalar(
            select(_p.canonical_id)
            .join(ta.identities, c.person_id == _p.id)
            .where(c.provider == provider, c.subject == subject, c.ended_at.is_(None))
        )

    def link_identity(
        self, provider: str, subject: str, person: int, proof: str, now: datetime
    ) -> None:
        """From now on this subject of the provider is that person."""
        self._db.execute(
            insert(ta.identities).values(
                provider=provider, subject=subject, person_id=person, proof=proof, linked_at=now
            )
        )

    def identities_of(self, person: int) -> list[WorkAccount]:
        """The accounts at providers that are a (canonical) person's."""
        c = ta.identities.c
        query = (
            select(c.id, c.provider, c.proof, c.linked_at)
            .where(c.person_id.in_(self._own(person)), c.ended_at.is_(None))
            .order_by(c.id)
        )
        return [WorkAccount(*row) for row in self._db.execute(query)]

    def end_identity(self, identity_id: int, person: int, now: datetime) -> bool:
        """Part a person from one of their accounts; whether it was theirs."""
        c = ta.identities.c
        done = self._db.execute(
            update(ta.identities)
            .where(c.id == identity_id, c.person_id.in_(self._own(person)), c.ended_at.is_(None))
            .values(ended_at=now)
        )
        return done.rowcount == 1

    # --- links and handshakes: each good for one use -------------------------------------------
    def add_link(
        self,
        sha256: bytes,
        purpose: str,
        person: int,
        evidence_id: int | None,
        by: str,
        now: datetime,
        expires: datetime,
    ) -> None:
        """A link, by the hash of its secret."""
        self._db.execute(
            insert(ta.one_time_links).values(
                sha256=sha256, purpose=purpose, person_id=person, evidence_id=evidence_id,
                created_at=now, created_by=by, expires_at=expires,
            )
        )  # fmt: skip

    def link(self, sha256: bytes) -> OneTimeLink | None:
        """The link with this secret, used or not."""
        row = self._db.execute(
            select(_l.id, _l.purpose, _p.canonical_id, _l.evidence_id, _l.expires_at, _l.used_at)
            .join(t.people, _p.id == _l.person_id)
            .where(_l.sha256 == sha256)
        ).first()
        return None if row is None else OneTimeLink(*row)

    def use_link(self, link_id: int, now: datetime) -> bool:
        """Use it up; False where somebody was faster, or it has run out."""
        done = self._db.execute(
            update(ta.one_time_links)
            .where(_l.id == link_id, _l.used_at.is_(None), _l.expires_at > now)
            .values(used_at=now)
        )
        return done.rowcount == 1

    def begin_handshake(
        self,
        state_sha256: bytes,
        kind: str,
        nonce_sha256: bytes,
        data: Mapping[str, Any],
        expires: datetime,
    ) -> None:
        """Remember what was asked, so that the answer can be held against it."""
        self._db.execute(
            insert(ta.handshakes).values(
                state_sha256=state_sha256, kind=kind, nonce_sha256=nonce_sha256, data=dict(data),
                expires_at=expires,
            )
        )  # fmt: skip

    def look_at_handshake(self, state_sha256: bytes, kind: str, now: datetime) -> Handshake | None:
        """What waits under this secret, without using it up."""
        row = self._db.execute(
            select(_h.kind, _h.nonce_sha256, _h.data).where(
                _h.state_sha256 == state_sha256, _h.kind == kind, _h.used_at.is_(None),
                _h.expires_at > now,
            )
        ).first()  # fmt: skip
        return None if row is None else Handshake(*row)

    def use_handshake(self, state_sha256: bytes, kind: str, now: datetime) -> Handshake | None:
        """What was asked, once: a second answer, a late one and an unknown one find nothing."""
        row = self._db.execute(
            update(ta.handshakes)
            .where(_h.state_sha256 == state_sha256, _h.kind == kind, _h.used_at.is_(None),
                   _h.expires_at > now)
            .values(used_at=now)
            .returning(_h.kind, _h.nonce_sha256, _h.data)
        ).first()  # fmt: skip
        return None if row is None else Handshake(*row)

    # --- how often ------------------------------------------------------------------------------
    def attempts(self, key: str, window_start: datetime) -> int:
        """How many attempts there were in this window, over all processes."""
        c = ta.attempts.c
        query = select(c.count).where(c.key == key, c.window_start == window_start)
        return self._db.scalar(query) or 0

    def attempt(self, key: str, window_start: datetime) -> int:
        """Count one attempt in this window; how many that makes, over all processes."""
        dialect = postgresql if self._db.dialect.name == "postgresql" else sqlite
        c = ta.attempts.c
        row = dialect.insert(ta.attempts).values(key=key, window_start=window_start, count=1)
        row = row.on_conflict_do_update(
            index_elements=[c.key, c.window_start], set_={"count": c.count + 1}
        )
        made: int = self._db.execute(row.returning(c.count)).scalar_one()
        return made

    def forget_old(self, now: datetime) -> None:
        """Clear away what has run out: counts, handshakes, and sessions of a month ago."""
        c = ta.attempts.c
        self._db.execute(delete(ta.attempts).where(c.window_start < now - timedelta(days=1)))
        self._db.execute(delete(ta.handshakes).where(_h.expires_at < now - timedelta(days=1)))
        self._db.execute(delete(ta.sessions).where(_s.expires_at < now - timedelta(days=30)))

    # --- personal tokens --------------------------------------------------------------------------
    def tokens_of(self, person: int, now: datetime) -> list[TokenInfo]:
        """A person's tokens that are valid."""
        rows = self._db.execute(
            select(_k.id, _k.name, _k.read_only, _k.created_at, _k.expires_at)
            .where(_k.person_id.in_(self._own(person)), _k.revoked_at.is_(None),
                   _k.expires_at > now)
            .order_by(_k.id)
        )  # fmt: skip
        return [TokenInfo(*row) for row in rows]

    def add_named_token(
        self,
        person: int,
        sha256: bytes,
        name: str,
        read_only: bool,
        now: datetime,
        expires: datetime,
    ) -> int:
        """A token that somebody made for themselves; its id."""
        row = insert(t.person_tokens).values(
            person_id=person, sha256=sha256, name=name, read_only=read_only, created_at=now,
            created_by=f"person:{person}", expires_at=expires,
        )  # fmt: skip
        made: int = self._db.execute(row.returning(_k.id)).scalar_one()
        return made

    def token(self, sha256: bytes, now: datetime) -> tuple[int, bool] | None:
        """The (canonical) person of a valid token, and whether it may only read."""
        row = self._db.execute(
            select(_p.canonical_id, _k.read_only)
            .join(t.people, _p.id == _k.person_id)
            .where(and_(_k.sha256 == sha256, _k.revoked_at.is_(None), _k.expires_at > now))
        ).first()
        return None if row is None else (row[0], row[1])

    def revoke_token(self, token_id: int, person: int, now: datetime) -> bool:
        """End one of a person's tokens; whether it was theirs and valid."""
        done = self._db.execute(
            update(t.person_tokens)
            .where(_k.id == token_id, _k.person_id.in_(self._own(person)), _k.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return done.rowcount == 1
