"""Signing in and out: sessions, passwords, one-time links, roles, and how often one may try."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.domain.doors import OneTimeLink, Session
from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.identity import Identifier, IdentifierKind, normal_email
from bridge.domain.permissions import Role
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Actor, of_person
from bridge.domain.times import london_date
from bridge.services.context import Context, acting_person, audit, training_team_only
from bridge.services.limits import check_attempts, count_attempt

#: How long a link in a mail is good for.
LINK_LASTS = timedelta(minutes=30)
VERIFIER_LINK_LASTS = timedelta(days=14)
#: A session's last use is written down at most this often.
TOUCH_EVERY = timedelta(minutes=5)
PASSWORD_LENGTH = 12
#: How long after signing in one's password may be set without the present one.
FRESH = timedelta(minutes=15)
#: In a quarter of an hour: attempts at one sign-in name, and failures from one network address.
ATTEMPTS_A_LOGIN = 10
FAILURES_AN_ADDRESS = 100

#: How a session is called that began with a launch from an LMS.
LAUNCH = "lti"
#: And with a password, or a link to one thing to verify.
PASSWORD, VERIFIER_LINK = "password", "verifier-link"
_hasher = PasswordHasher()
#: Verified where there is no such login, so that the two take the same time.
_NOBODYS = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Who:
    """Who has come in: the person, how, and what they are to the bridge.

    `organisations` narrows a given role to some organisations; a role that is not in it (or maps
    to None) is for the whole partnership. `only_evidence` is what a verifier's link was for.
    """

    person: int | None
    name: str
    roles: frozenset[Role]
    organisations: Mapping[Role, frozenset[int] | None]
    session: Session | None
    only_evidence: int | None = None

    @property
    def signed_in(self) -> bool:
        """Whether it is known who this is."""
        return self.person is not None

    @property
    def launched(self) -> bool:
        """Whether an LMS alone says who this is.

        Its administrators can be anybody there ("log in as"), so a launch opens one's own evidence:
        it verifies nothing, opens no desk, and changes no other way of signing in.
        """
        return self.session is not None and self.session.method == LAUNCH


NOBODY = Who(None, "", frozenset({Role.VISITOR}), {}, None)


class WrongPassword(Refused):
    """The present password that was given is another."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a sign-in lasts: at the most, and without use."""

    longest: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=2)


def digest(secret: str) -> bytes:
    """What is stored of a secret. It has 256 random bits, so a plain SHA-256 is enough, and
    looking it up by the digest leaks nothing about how much of a guess was right."""
    return hashlib.sha256(secret.encode()).digest()


# --- sessions -------------------------------------------------------------------------------
def start_session(
    ctx: Context, person: int, method: str, lasting: Lasting, data: Mapping[str, Any] | None = None
) -> str:
    """Sign a person in; returns the secret for their browser's cookie."""
    secret = secrets.token_urlsafe(32)
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        uow.access.add_session(
            digest(secret), canonical, method, data or {}, now, now + lasting.longest
        )
        as_them = ctx.acting_as(Actor(of_person(canonical), ctx.actor.channel))
        audit(as_them, uow, "sign-in", f"person:{canonical}", {"method": method})
    return secret


def who_is(ctx: Context, secret: str, lasting: Lasting) -> Who:
    """Who the browser with this secret is; NOBODY where it is unknown, ended or ran out."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        session = uow.access.session(digest(secret), now, now - lasting.idle)
        if session is None or session.person is None:
            return NOBODY
        only = session.data.get("only_evidence")
        if only is not None:
            roles = frozenset({Role.LINKED_VERIFIER})
            return Who(session.person, session.person_name, roles, {}, session, only)
        if session.method == LAUNCH:
            roles = frozenset({Role.PRACTITIONER})
            return Who(session.person, session.person_name, roles, {}, session)
        found = _who(uow, session.person, session.person_name, london_date(now), session)
    if now - session.seen_at > TOUCH_EVERY:
        with ctx.store.begin() as uow:
            uow.access.touch_session(session.id, now)
    return found


def who_has_token(ctx: Context, secret: str) -> tuple[Who, bool]:
    """Whose personal token this is, and whether it may only read. Raises NotAllowed."""
    now = ctx.clock.now()
    with ctx.store.reading() as uow:
        found = uow.access.token(digest(secret.strip()), now)
        if found is None:
            raise NotAllowed("This token is not valid, or has run out. Make a new one.")
        person = uow.people.get(found[0])
        return _who(uow, person.id, person.name, london_date(now), None), found[1]


def _who(uow: UnitOfWork, person: int, name: str, today: Any, session: Session | None) -> Who:
    roles = {Role.PRACTITIONER}
    verifies, given = uow.access.stands_as(person, today)
    if verifies:
        roles.add(Role.VERIFIER)
    narrowed: dict[Role, set[int] | None] = {}
    for role, organisation in given:
        roles.add(role)
        before = narrowed.get(role, set())
        narrowed[role] = None if organisation is None or before is None else before | {organisation}
    organisations = {r: None if o is None else frozenset(o) for r, o in narrowed.items()}
    return Who(person, name, frozenset(roles), organisations, session)


def sessions(ctx: Context) -> list[Session]:
    """The actor's sign-ins, the latest used first."""
    with ctx.store.reading() as uow:
        return uow.access.sessions_of(acting_person(ctx), ctx.clock.now())


def keep(ctx: Context, session_id: int, data: Mapping[str, Any]) -> None:
    """Keep a session's small data from one page to the next."""
    with ctx.store.begin() as uow:
        uow.access.put_session_data(session_id, data)


def sign_out(ctx: Context, session_id: int) -> None:
    """End one of the actor's sign-ins. Raises NotFound."""
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        if not uow.access.revoke_session(session_id, person, ctx.clock.now()):
            raise NotFound("That sign-in has ended already.")
        audit(ctx, uow, "sign-out", f"person:{person}", {"session": session_id})


def sign_out_everywhere(ctx: Context, person: int) -> int:
    """End all of a person's sign-ins: one's own, or anybody's by the training team."""
    if ctx.actor.person != person:
        training_team_only(ctx)
    with ctx.store.begin() as uow:
        ended = uow.access.revoke_sessions(person, ctx.clock.now())
        audit(ctx, uow, "sign-out", f"person:{person}", {"ended": ended})
        return ended


def clear_away(ctx: Context) -> None:
    """Forget what ran out: old counts of attempts, conversations with peers, and sign-ins."""
    with ctx.store.begin() as uow:
        uow.access.forget_old(ctx.clock.now())


# --- passwords ------------------------------------------------------------------------------
def check_password(ctx: Context, login: str, password: str, address: str) -> int:
    """The person who signs in with these. Raises NotAllowed, in the same words whatever is wrong.

    `address` is the browser's, for the limit on how often one may try.
    """
    name = login.strip().casefold()
    check_attempts(ctx, f"address:{address}", FAILURES_AN_ADDRESS)
    count_attempt(ctx, f"login:{name}", ATTEMPTS_A_LOGIN)
    with ctx.store.reading() as uow:
        found = uow.access.password_of_login(name)
    try:
        # Outside any transaction: it takes its time, on purpose.
        _hasher.verify(found.hash if found else _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        found = None
    if found is None:
        # Failures alone: a whole council may sit behind one address.
        count_attempt(ctx, f"address:{address}", FAILURES_AN_ADDRESS)
        raise NotAllowed("That sign-in name and password do not go together. Please try again.")
    if _hasher.check_needs_rehash(found.hash):
        renewed = _hasher.hash(password)
        with ctx.store.begin() as uow:
            uow.access.set_password(found.person, found.login, renewed, "rehash", ctx.clock.now())
    return found.person


@dataclass(frozen=True, slots=True)
class PasswordDoor:
    """What setting the actor's password asks for.

    `login`: the name of the present password, None where there is none. `fresh`: they signed in
    within the last 15 minutes, in a way that needs no present password to be believed.
    """

    login: str | None
    fresh: bool

    @property
    def asks_present(self) -> bool:
        """Whether the present password must be given."""
        return self.login is not None and not self.fresh

    @property
    def asks_sign_in(self) -> bool:
        """Whether they must sign in again first."""
        return self.login is None and not self.fresh


def password_door(ctx: Context, session: Session | None) -> PasswordDoor:
    """What setting one's password asks for in this sign-in."""
    person = acting_person(ctx)
    with ctx.store.reading() as uow:
        found = uow.access.password_of(person)
    return PasswordDoor(found.login if found else None, _fresh(ctx, session, found is not None))


def _fresh(ctx: Context, session: Session | None, has_password: bool) -> bool:
    """Whether the sign-in alone lets its person set a password.

    Of whoever has one, only a way besides it does, as when it is forgotten: a link or a work
    account. A page that was left open does not.
    """
    return (
        session is not None
        and session.person == ctx.actor.person
        and session.method not in (LAUNCH, VERIFIER_LINK)
        and not (has_password and session.method == PASSWORD)
        and ctx.clock.now() - session.created_at <= FRESH
    )


def set_password(
    ctx: Context, login: str, password: str, session: Session | None, present: str = ""
) -> None:
    """Set or change the actor's own password; every sign-in of theirs ends, this one as well.

    `present` is the password that they have; it may be left out within 15 minutes of signing in by
    a link or a work account, which is also the way for whoever forgot it or has none. Raises
    Refused for a short password, one that holds the name, a login that is taken, or without
    either; TooOften.
    """
    person = acting_person(ctx)
    name = login.strip().casefold()
    if not name or len(name) > 320:
        raise Refused("Choose a sign-in name, such as your work email address.")
    if len(password) < PASSWORD_LENGTH:
        raise Refused(f"Use at least {PASSWORD_LENGTH} characters; three random words work well.")
    if len(password) > 1000:
        raise Refused("Use at most 1,000 characters.")
    if name in password.casefold():
        raise Refused("Leave your sign-in name out of your password.")
    with ctx.store.reading() as uow:
        before = uow.access.password_of(person)
    if not _fresh(ctx, session, before is not None):
        if before is None:
            raise Refused("Sign in again first: this sign-in is older than 15 minutes.")
        count_attempt(ctx, f"login:{before.login}", ATTEMPTS_A_LOGIN)
        try:
            _hasher.verify(before.hash, present)
        except (VerificationError, InvalidHashError) as error:
            raise WrongPassword("That is not your present password. Please try again.") from error
    hashed = _hasher.hash(password)
    with ctx.store.begin() as uow:
        taken = uow.access.password_of_login(name)
        if taken is not None and taken.person != person:
            raise Refused("That sign-in name is taken. Choose another.")
        uow.access.set_password(person, name, hashed, ctx.actor.label, ctx.clock.now())
        uow.access.revoke_sessions(person, ctx.clock.now())
        audit(ctx, uow, "set-password", f"person:{person}", {})


# --- one-time links -------------------------------------------------------------------------
def new_link(ctx: Context, uow: UnitOfWork, purpose: str, person: int,
             evidence_id: int | None = None, lasts: timedelta | None = None) -> str:  # fmt: skip
    """The secret of a new link for a person; only its hash is stored."""
    secret = secrets.token_urlsafe(32)
    now = ctx.clock.now()
    default = LINK_LASTS if purpose == "sign-in" else VERIFIER_LINK_LASTS
    uow.access.add_link(
        digest(secret), purpose, person, evidence_id, ctx.actor.label, now, now + (lasts or default)
    )
    return secret


def invite(ctx: Context, person: int, lasts: timedelta | None = None) -> str:
    """A sign-in link for somebody, to be handed over by the training team; returns its secret."""
    training_team_only(ctx)
    with ctx.store.begin() as uow:
        canonical = uow.people.get(person).canonical
        secret = new_link(ctx, uow, "sign-in", canonical, lasts=lasts)
        audit(ctx, uow, "invite", f"person:{canonical}", {})
        return secret


def person_of_address(ctx: Context, email: str) -> int | None:
    """The one person known by this address; None where there is none, or several share it."""
    address = normal_email(email)
    if address is None:
        return None
    identifier = Identifier(IdentifierKind.EMAIL, address)
    with ctx.store.reading() as uow:
        people = uow.people.by_identifiers([identifier]).get(identifier, frozenset())
    return next(iter(people)) if len(people) == 1 else None


def look_at_link(ctx: Context, secret: str) -> OneTimeLink:
    """What a link is for, without using it: mail scanners open links. Raises NotAllowed."""
    with ctx.store.reading() as uow:
        found = uow.access.link(digest(secret))
    if found is None or found.used_at is not None or found.expires_at <= ctx.clock.now():
        raise NotAllowed(
            "This link has been used or has run out. Ask for a new one on the sign-in page."
        )
    return found


def use_link(ctx: Context, secret: str, lasting: Lasting) -> tuple[OneTimeLink, str]:
    """Use a link up and sign its person in; the link, and the secret of the session.

    A verifier's link opens that one piece of evidence and nothing else. Raises NotAllowed.
    """
    found = look_at_link(ctx, secret)
    with ctx.store.begin() as uow:
        if not uow.access.use_link(found.id, ctx.clock.now()):
            raise NotAllowed("This link has just been used. Ask for a new one.")
    if found.purpose == "verify":
        only = {"only_evidence": found.evidence_id}
        return found, start_session(ctx, found.person, VERIFIER_LINK, lasting, only)
    return found, start_session(ctx, found.person, "link", lasting)
