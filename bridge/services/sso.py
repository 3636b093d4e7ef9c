"""Signing in through an identity provider: asked for, checked, and whose account it is.

An account that is joined signs its person in. One that is not is joined by an identifier that the
configuration trusts, or by its person, who signs in once in another way; never by an email address
(DESIGN 5.9).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from bridge.domain.doors import Handshake, Session
from bridge.domain.errors import NotFound
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Actor, of_person
from bridge.domain.sso import Asserted, IdentityProvider, SignInRefused, WorkAccount
from bridge.services.context import Context, acting_person, audit
from bridge.services.limits import count_attempt
from bridge.services.signin import digest

#: What waits between two pages, each good for one answer.
ASKED, JOINING = "oidc", "oidc-join"
ASKED_LASTS = timedelta(minutes=10)
JOINING_LASTS = timedelta(minutes=60)
#: Begun from one address in a quarter of an hour: a whole council may share one.
ATTEMPTS_AN_ADDRESS = 2000
#: Only one transaction at a time joins accounts, so that none is joined to two people.
_IDENTITIES = "identities"
_NO_NONCE = b"\0" * 32
_TAKEN = (
    "This work account is somebody else's at the bridge. If it is yours, ask your training team: "
    "you may be known here twice."
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came back from a provider: `person` once it is known whose account it is."""

    asserted: Asserted
    person: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account that waits for its person to say that it is theirs."""

    provider: str
    name: str


def begin(
    ctx: Context,
    provider: IdentityProvider,
    redirect_uri: str,
    browser: str,
    next_page: str,
    address: str,
) -> str:
    """The address to send a browser to. `browser` is a secret that it keeps; `address` its network
    address. Raises NotAllowed when tried too often, PeerError."""
    count_attempt(ctx, f"oidc:{address}", ATTEMPTS_AN_ADDRESS)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    where = provider.ask(redirect_uri, state, nonce, verifier)
    asked = {
        "provider": provider.key, "browser": digest(browser).hex(), "verifier": verifier,
        "next": next_page,
    }  # fmt: skip
    ends = ctx.clock.now() + ASKED_LASTS
    with ctx.store.begin() as uow:
        uow.access.begin_handshake(digest(state), ASKED, digest(nonce), asked, ends)
    return where


def asked_for(
    ctx: Context, provider: IdentityProvider, state: str, browser: str | None
) -> Handshake:
    """What was asked, used up by its answer. Raises SignInRefused for a second or late answer,
    another provider's, or another browser's."""
    with ctx.store.begin() as uow:
        asked = uow.access.use_handshake(digest(state), ASKED, ctx.clock.now())
    if asked is None:
        raise SignInRefused(
            "state",
            "This sign-in was used already, or took longer than ten minutes. Please start again.",
        )
    if asked.data["provider"] != provider.key:
        raise SignInRefused("mix-up", "The answer comes from another provider than was asked.")
    if browser is None or not secrets.compare_digest(
        digest(browser).hex(), str(asked.data["browser"])
    ):
        raise SignInRefused(
            "browser",
            "This sign-in was begun in another browser, or yours keeps no cookies. Please start "
            "again here.",
        )
    return asked


def receive(
    ctx: Context,
    provider: IdentityProvider,
    redirect_uri: str,
    asked: Handshake,
    code: str,
    issuer: str | None,
) -> Asserted:
    """Who the provider says it is. Raises SignInRefused, PeerError."""
    return provider.finish(
        redirect_uri, code, issuer, str(asked.data["verifier"]), asked.nonce_sha256,
        ctx.clock.now(),
    )  # fmt: skip


def arrive(
    ctx: Context, provider: IdentityProvider, asserted: Asserted, signed_in: int | None
) -> Arrival:
    """Whose account it is: by its link, else by an identifier that the provider is trusted with.

    Nobody is signed in by this. Raises SignInRefused where it is somebody else's than whoever is
    signed in in this browser.
    """
    with ctx.store.begin() as uow:
        uow.ops.lock(_IDENTITIES)
        person = uow.access.person_of_identity(provider.key, asserted.subject)
        if person is None:
            person = _by_identifier(ctx, uow, provider, asserted, signed_in)
        if person is not None and signed_in is not None and person != signed_in:
            raise SignInRefused("somebody-else", _TAKEN)
    return Arrival(asserted, person)


def _by_identifier(
    ctx: Context,
    uow: UnitOfWork,
    provider: IdentityProvider,
    asserted: Asserted,
    signed_in: int | None,
) -> int | None:
    """The one person whom all trusted identifiers name, joined to the account from now on."""
    named = uow.people.by_identifiers(asserted.identifiers)
    people = frozenset[int]().union(*named.values())
    if len(people) != 1 or len(named) != len(asserted.identifiers):
        return None
    (person,) = people
    if signed_in in (None, person):
        (first, *_) = asserted.identifiers
        _join(ctx, uow, provider.key, asserted.subject, person, f"{first.kind}")
    return person


def _join(
    ctx: Context, uow: UnitOfWork, provider: str, subject: str, person: int, proof: str
) -> None:
    uow.access.link_identity(provider, subject, person, proof, ctx.clock.now())
    as_them = ctx.acting_as(Actor(of_person(person), ctx.actor.channel))
    audit(as_them, uow, "join-work-account", f"person:{person}",
          {"provider": provider, "proof": proof})  # fmt: skip


def put_aside(ctx: Context, provider: IdentityProvider, asserted: Asserted) -> str:
    """Keep an account until its person has signed in another way; the secret for their browser."""
    secret = secrets.token_urlsafe(32)
    kept = {"provider": provider.key, "subject": asserted.subject, "name": asserted.name}
    with ctx.store.begin() as uow:
        uow.access.begin_handshake(
            digest(secret), JOINING, _NO_NONCE, kept, ctx.clock.now() + JOINING_LASTS
        )
    return secret


def waiting(ctx: Context, secret: str) -> Waiting | None:
    """The account that waits in a browser, if one does."""
    with ctx.store.reading() as uow:
        kept = uow.access.look_at_handshake(digest(secret), JOINING, ctx.clock.now())
    return Waiting(str(kept.data["provider"]), str(kept.data["name"])) if kept else None


def join(ctx: Context, secret: str, session: Session) -> None:
    """The signed-in person says that the waiting account is theirs. Raises SignInRefused."""
    person = acting_person(ctx)
    if session.method == "verifier-link":
        raise SignInRefused("other-way", "A verifier's link opens one thing alone. Sign in first.")
    with ctx.store.begin() as uow:
        uow.ops.lock(_IDENTITIES)
        kept = uow.access.use_handshake(digest(secret), JOINING, ctx.clock.now())
        if kept is None:
            raise SignInRefused(
                "late", "That took longer than an hour, or was done already. Please start again."
            )
        provider, subject = str(kept.data["provider"]), str(kept.data["subject"])
        owner = uow.access.person_of_identity(provider, subject)
        if owner is not None and owner != person:
            raise SignInRefused("somebody-else", _TAKEN)
        if owner is None:
            _join(ctx, uow, provider, subject, person, f"signed in by {session.method}")


def work_accounts(ctx: Context) -> list[WorkAccount]:
    """The actor's own joined accounts."""
    with ctx.store.reading() as uow:
        return uow.access.identities_of(acting_person(ctx))


def part(ctx: Context, identity_id: int) -> None:
    """Part the actor from one of their accounts: it no longer signs them in. Raises NotFound."""
    person = acting_person(ctx)
    with ctx.store.begin() as uow:
        if not uow.access.end_identity(identity_id, person, ctx.clock.now()):
            raise NotFound("That account is no longer joined.")
        audit(ctx, uow, "part-work-account", f"person:{person}", {"identity": identity_id})
