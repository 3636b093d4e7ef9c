"""Credentials of the xAPI endpoint: issuing, recognising and ending them."""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.lrs.senders import Scope, Sender, Trust
from bridge.domain.statements import STATEMENTS
from bridge.services.context import Context, audit
from bridge.services.limits import check_attempts, count_attempt
from bridge.services.signin import digest

#: So many wrong secrets from one address are borne with in a while.
MOST_WRONG = 100
#: How long a credential that was recognised is not looked up again; it works so long after it was
#: revoked.
REMEMBERED = timedelta(seconds=5)
USED_EVERY = timedelta(minutes=10)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
#: What a credential may do where nobody says: Moodle and other forwarders need no more.
USUAL = frozenset({Scope.WRITE})


class Unknown(NotAllowed):
    """Nobody is known by this user name and secret, or no longer."""


def issue(
    ctx: Context,
    source_key: str,
    title: str,
    *,
    scopes: Collection[Scope] = USUAL,
    trust: Trust = Trust.TRUSTED,
    origins: Sequence[str] = (),
    taken: Collection[str] = (),
) -> tuple[Sender, str]:
    """A new credential of a source, and its secret, which is shown once.

    `taken` are names of other sources. Raises Refused where the source is another kind of thing, or
    of another trust than asked for: credentials of one source share it.
    """
    _whole_partnership(ctx)
    if not _SOURCE.fullmatch(source_key):
        raise Refused("A source's name is of small letters, digits and hyphens, as 'moodle-xapi'.")
    if source_key in taken:
        raise Refused(
            f"'{source_key}' is a source in bridge.toml already. Choose another name for what is "
            "sent here."
        )
    if not scopes:
        raise Refused("A credential that may do nothing is of no use. Name at least one scope.")
    if wrong := next((each for each in origins if not _ORIGIN.fullmatch(each)), None):
        raise Refused(f"'{wrong}' is no web origin. Write it as https://content.example.org")
    name, secret = f"xapi-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    with ctx.store.begin() as uow:
        before = {each.source_key: each for each in uow.senders.all()}
        if source_key in before and before[source_key].trust is not trust:
            raise Refused(
                f"The source '{source_key}' is {before[source_key].trust}, and so are all its "
                "credentials. Use another source for others."
            )
        if source_key not in before and any(s.key == source_key for s in uow.ops.sources()):
            raise Refused(f"'{source_key}' is a source of another kind already.")
        source = uow.ops.source(source_key, STATEMENTS, trust.value)
        sender = uow.senders.add(
            name, title.strip()[:120], source.id, frozenset(scopes), origins, digest(secret),
            ctx.clock.now(), ctx.actor.os_user or ctx.actor.label,
        )  # fmt: skip
        detail = {"credential": sender.id, "scopes": sorted(scopes), "trust": trust.value}
        audit(ctx, uow, "issue-xapi-credential", f"source:{source_key}", detail)
    return sender, secret


def senders(ctx: Context) -> list[Sender]:
    """Every credential, the revoked ones too."""
    _whole_partnership(ctx)
    with ctx.store.reading() as uow:
        return uow.senders.all()


def revoke(ctx: Context, sender_id: int) -> None:
    """End a credential; it is refused at the latest `REMEMBERED` later. Raises NotFound."""
    _whole_partnership(ctx)
    with ctx.store.begin() as uow:
        if not uow.senders.revoke(sender_id, ctx.clock.now()):
            raise NotFound("There is no such credential, or it has ended already.")
        audit(ctx, uow, "revoke-xapi-credential", f"xapi-credential:{sender_id}")


def _whole_partnership(ctx: Context) -> None:
    """Raise NotAllowed where the actor's role is for some organisations alone."""
    if not ctx.actor.scope.sees_badges or ctx.actor.scope.organisations is not None:
        raise NotAllowed("Only the whole partnership's LMS administrator does that.")


class Doorkeeper:
    """Recognises senders, and remembers them for a few seconds."""

    MOST = 1000

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[Sender, datetime]] = {}
        self._origins: tuple[frozenset[str], datetime] | None = None

    def admit(self, name: str, secret: str, address: str) -> Sender:
        """The sender of a user name and a secret, compared in constant time.

        Raises Unknown, and TooOften after many wrong ones from that address.
        """
        given, now = digest(secret), self._ctx.clock.now()
        key = digest(f"{name}:{secret}")
        found = self._known.get(key)
        if found is not None and now - found[1] < REMEMBERED:
            return found[0]
        with self._ctx.store.reading() as uow:
            sender = uow.senders.find(name[:40])
        right = hmac.compare_digest(digest("") if sender is None else sender.sha256, given)
        if sender is None or not right or sender.revoked_at is not None:
            # Only here: a stranger at an address that many share (a proxy's, a school's) must not
            # shut out who has the right secret, and nobody guesses 256 bits.
            check_attempts(self._ctx, f"xapi:{address}", MOST_WRONG)
            count_attempt(self._ctx, f"xapi:{address}", MOST_WRONG)
            raise Unknown("This user name and password are not known here, or no longer.")
        if sender.used_at is None or now - sender.used_at > USED_EVERY:
            with self._ctx.store.begin() as uow:
                uow.senders.use(sender.id, now)
        with self._lock:
            if len(self._known) >= self.MOST:
                self._known.clear()
            self._known[key] = (sender, now)
        return sender

    def origins(self) -> frozenset[str]:
        """The web origins whose pages may ask, by any credential that is open."""
        now = self._ctx.clock.now()
        if self._origins is None or now - self._origins[1] >= REMEMBERED:
            with self._ctx.store.reading() as uow:
                opened = [each for each in uow.senders.all() if each.revoked_at is None]
            self._origins = frozenset(o for each in opened for o in each.origins), now
        return self._origins[0]
