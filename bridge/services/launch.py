"""Launches from an LMS (LTI 1.3): asked for, checked, and whose they are; never a guess.

An account that is linked signs its person in, unless it was linked by hand: somebody's word says
whose evidence it is, and opens no door. That takes the source's trusted identifiers, or the person,
who signs in once in another way; the same joins an account that is nobody's yet (DESIGN 5.9).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.claims import ClaimState
from bridge.domain.doors import Session
from bridge.domain.errors import NotAllowed, Refused
from bridge.domain.identity import IdentityRule, Match
from bridge.domain.lti import (
    DeepLinking,
    Launch,
    LaunchRefused,
    Link,
    LtiTool,
    Message,
    Opens,
    Platform,
)
from bridge.domain.model import Account
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Actor, of_person
from bridge.services.context import Context, acting_person, audit
from bridge.services.drafting import SETTLING
from bridge.services.identities import look_up
from bridge.services.limits import count_attempt
from bridge.services.pull import settle_pending
from bridge.services.signin import digest

#: What waits between two pages, each good for one answer.
LOGIN, GOING_ON, JOINING, CHOOSING = "lti", "lti-continue", "lti-join", "lti-deep-link"
LOGIN_LASTS = timedelta(minutes=10)
GOING_ON_LASTS = timedelta(minutes=10)
JOINING_LASTS = timedelta(minutes=60)
CHOOSING_LASTS = timedelta(hours=1)
#: Launches begun from one address in a quarter of an hour: a whole training day may share one.
LOGINS_AN_ADDRESS = 2000
_NO_NONCE = b"\0" * 32
#: Ways of signing in that prove nothing beyond a launch, or are not a person's own.
_NOT_ANOTHER_WAY = ("lti", "verifier-link")


@dataclass(frozen=True, slots=True)
class LoginQuestion:
    """What the platform is asked: to say, signed, who is there."""

    platform: Platform
    state: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came from an LMS: `person` once it is known whose the account is.

    `bound`: it came back in the browser in which it was begun. `course`, `opens` and `target` say
    where they wanted to go. `name` is what the LMS calls them. `to_confirm`: the training team
    linked the account by hand, and its person has not shown yet that it is theirs.
    """

    platform: int
    origin: str
    account: int
    person: int | None
    name: str
    lms: str
    course: str | None
    opens: str | None
    target: str | None
    bound: bool = False
    framed: bool = False
    to_confirm: bool = False

    @staticmethod
    def of(data: Mapping[str, Any]) -> Arrival:
        """As it was kept between two pages."""
        return Arrival(**data)


def begin(
    ctx: Context,
    issuer: str,
    client_id: str | None,
    deployment: str | None,
    browser: str | None,
    address: str,
) -> LoginQuestion:
    """Begin a launch that a platform asked for (OIDC third-party initiated login).

    `browser` is a secret of the browser, `address` its network address. Raises LaunchRefused for
    a platform that is not registered.
    """
    count_attempt(ctx, f"lti:{address}", LOGINS_AN_ADDRESS)
    now = ctx.clock.now()
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with ctx.store.begin() as uow:
        same = [
            p for p in uow.lti.platforms()
            if p.issuer == issuer and client_id in (None, p.client_id)
            and (deployment is None or client_id is not None or deployment in p.deployments)
        ]  # fmt: skip
        if len(same) != 1:
            raise LaunchRefused(
                "not-registered",
                "This Moodle is not registered with the bridge, or no longer. Its administrator "
                "can register it: docs/lti.md says how.",
            )
        asked = {"platform": same[0].id, "browser": digest(browser).hex() if browser else None}
        uow.access.begin_handshake(digest(state), LOGIN, digest(nonce), asked, now + LOGIN_LASTS)
    return LoginQuestion(same[0], state, nonce)


def receive(
    ctx: Context, tool: LtiTool, state: str, token: str, browser: str | None
) -> tuple[Platform, Launch, bool]:
    """The platform's answer, checked: it, what it says, and whether this browser had asked.

    State and nonce are used up first, whatever comes of the rest. Raises LaunchRefused, PeerError.
    """
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        asked = uow.access.use_handshake(digest(state), LOGIN, now)
        platform = uow.lti.platform(int(asked.data["platform"])) if asked else None
    if asked is None:
        raise LaunchRefused(
            "state",
            "This launch was used already, or took longer than ten minutes. Go back to Moodle and "
            "open the link again.",
        )
    if platform is None:
        raise LaunchRefused("not-registered", "This Moodle is no longer registered.")
    expected = asked.data.get("browser")
    bound = expected is None
    if expected is not None and browser is not None:
        if not secrets.compare_digest(digest(browser).hex(), str(expected)):
            raise LaunchRefused(
                "browser",
                "This launch was begun in another browser. Go back to Moodle and open the link "
                "again.",
            )
        bound = True
    return platform, tool.read(platform, token, asked.nonce_sha256, now), bound


def arrive(
    ctx: Context,
    tool: LtiTool,
    platform: Platform,
    launch: Launch,
    rules: Sequence[IdentityRule],
    *,
    bound: bool,
    framed: bool,
) -> Arrival:
    """Whose launch it is, by the account's link, else by the source's trusted `rules`.

    Nobody is signed in by this. A person found by a rule has the account linked to them, and
    their drafts appear. A link by hand counts once a rule names the same person.
    """
    now = ctx.clock.now()
    source = tool.sources[platform.source_key]
    linked = False
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        row = uow.ops.source(source.key, source.kind, source.trust)
        account = uow.intake.accounts(row.id, [launch.account.value]).get(launch.account.value)
        if account is None:
            (account,) = uow.intake.add_accounts(row.id, [launch.account], now)
        person = _proved(uow, account)
        if person is None:
            found = _by_rules(uow, account, launch, rules)
            if found is not None and account.person is None:
                uow.people.link_accounts({account.id: found}, now, f"platform:{platform.id}")
                uow.intake.mark_accounts([account.id])
                audit(ctx, uow, "link-account", f"account:{account.id}",
                      {"person": found.person, "rule": IdentityRule.LTI_LAUNCH,
                       "platform": platform.id})  # fmt: skip
                person, linked = found.person, True
            elif found is not None and found.person == account.person:
                _prove(ctx, uow, account.id, found, platform.id)
                person = found.person
    if linked:
        settle_pending(ctx)
    return Arrival(
        platform.id, platform.origin, account.id, person,
        launch.account.display_name or account.facts.display_name or "", platform.title,
        launch.course, launch.opens, launch.target, bound, framed,
        to_confirm=person is None and account.person is not None,
    )  # fmt: skip


def _proved(uow: UnitOfWork, account: Account) -> int | None:
    """Whom a launch of this account signs in; None where nothing but a word says whose it is."""
    holder = uow.intake.holders([account.id])[account.id]
    return None if holder.rule == IdentityRule.BY_HAND else account.person


def _prove(
    ctx: Context, uow: UnitOfWork, account: int, found: Match, platform: int, **more: str
) -> None:
    """What was linked by hand rests on this proof from now on, and opens the door."""
    uow.people.prove_link(account, found, ctx.clock.now(), ctx.actor.label)
    audit(ctx, uow, "confirm-account", f"account:{account}",
          {"person": found.person, "rule": found.rule, "platform": platform, **more})  # fmt: skip


def _by_rules(
    uow: UnitOfWork, account: Account, launch: Launch, rules: Sequence[IdentityRule]
) -> Match | None:
    """The one person whom the trusted identifiers of a launch name; the signed message proves that
    the platform said so now."""
    _, source = uow.intake.account(account.id)
    known = look_up(uow, {source: [launch.account]}, {source: rules})
    found = known.match(source, launch.account, rules)
    if not isinstance(found, Match):
        return None
    parted = uow.people.parted([account.id]) | uow.bookings.refused([account.id])
    if (account.id, found.person) in parted:
        return None
    return Match(found.person, IdentityRule.LTI_LAUNCH, found.proof)


# --- between two pages ------------------------------------------------------------------------
def keep(ctx: Context, kind: str, data: Mapping[str, Any], lasts: timedelta) -> str:
    """Keep something until the next page; the secret that brings it back, once."""
    secret = secrets.token_urlsafe(32)
    with ctx.store.begin() as uow:
        uow.access.begin_handshake(digest(secret), kind, _NO_NONCE, data, ctx.clock.now() + lasts)
    return secret


def keep_arrival(ctx: Context, arrival: Arrival) -> str:
    """Keep an arrival until the person has clicked "Continue"."""
    return keep(ctx, GOING_ON, asdict(arrival), GOING_ON_LASTS)


def go_on(ctx: Context, secret: str) -> Arrival:
    """The arrival that was kept, once; whose it is, as it stands now. Raises LaunchRefused."""
    with ctx.store.begin() as uow:
        kept = uow.access.use_handshake(digest(secret), GOING_ON, ctx.clock.now())
        if kept is None:
            raise LaunchRefused(
                "state",
                "This page was open for too long. Go back to Moodle and open the link again.",
            )
        arrival = Arrival.of(kept.data)
        account, _ = uow.intake.account(arrival.account)
        if uow.lti.platform(arrival.platform) is None:
            raise LaunchRefused("not-registered", "This Moodle is no longer registered.")
        person = _proved(uow, account)
    now_known = {"person": person, "to_confirm": person is None and account.person is not None}
    return Arrival(**asdict(arrival) | now_known | {"bound": True, "framed": False})


# --- joining an account to whoever it is --------------------------------------------------------
def keep_to_join(ctx: Context, arrival: Arrival) -> str:
    """Remember a launch whose person is not known; the secret for their browser's cookie."""
    kept = asdict(arrival) | {"at": ctx.clock.now().isoformat()}
    return keep(ctx, JOINING, kept, JOINING_LASTS)


@dataclass(frozen=True, slots=True)
class Joining:
    """A launch that waits for its person. `ready`: they have signed in, in another way, since."""

    arrival: Arrival
    ready: bool


def joining(ctx: Context, secret: str, session: Session | None) -> Joining | None:
    """The launch that waits under this browser's secret, if one does."""
    with ctx.store.reading() as uow:
        kept = uow.lti.waiting(digest(secret), JOINING, ctx.clock.now())
    return None if kept is None else _joining(kept.data, session)


def _joining(data: Mapping[str, Any], session: Session | None) -> Joining:
    kept = dict(data)
    at = datetime.fromisoformat(kept.pop("at"))
    ready = (
        session is not None
        and session.person is not None
        and session.method not in _NOT_ANOTHER_WAY
        and session.created_at >= at
    )
    return Joining(Arrival.of(kept), ready)


def join(ctx: Context, secret: str, session: Session | None) -> Arrival:
    """The actor says: that account is mine. It is linked to them, and their drafts appear.

    They must have signed in after the launch, in another way: a session that stood open on a
    shared computer joins nothing. Raises LaunchRefused, NotAllowed, Refused.
    """
    person = acting_person(ctx)
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        uow.ops.lock(SETTLING)
        kept = uow.access.use_handshake(digest(secret), JOINING, now)
        if kept is None:
            raise LaunchRefused(
                "state", "This took longer than an hour. Go back to Moodle and open the link again."
            )
        found = _joining(kept.data, session)
        arrival = found.arrival
        if not found.ready or session is None or session.person != person:
            raise NotAllowed("Sign in first, so that nobody else's account is joined to yours.")
        platform = uow.lti.platform(arrival.platform)
        account, _ = uow.intake.account(arrival.account)
        if platform is None:
            raise LaunchRefused("not-registered", "This Moodle is no longer registered.")
        if account.person not in (None, person):
            raise Refused(
                "That Moodle account belongs to somebody else here. Ask your training team."
            )
        proof = f"{platform.issuer} user {account.facts.value}; signed in by {session.method}"
        found_here = Match(person, IdentityRule.LTI_LAUNCH, proof[:400])
        if account.person is not None and _proved(uow, account) is None:
            _prove(ctx, uow, account.id, found_here, platform.id, method=session.method)
        elif account.person is None:
            if (account.id, person) in uow.people.parted([account.id]):
                raise Refused(
                    "Your training team took that Moodle account out of your record. Ask them to "
                    "join it again, if it is yours."
                )
            uow.people.link_accounts({account.id: found_here}, now, ctx.actor.label)
            uow.intake.mark_accounts([account.id])
            audit(ctx, uow, "link-account", f"account:{account.id}",
                  {"person": person, "rule": IdentityRule.LTI_LAUNCH,
                   "platform": platform.id, "method": session.method})  # fmt: skip
    settle_pending(ctx)
    return Arrival(**asdict(arrival) | {"person": person, "to_confirm": False})


# --- where it leads -------------------------------------------------------------------------------
def draft_from_course(ctx: Context, arrival: Arrival) -> int | None:
    """The actor's own evidence from the course of a launch: what waits for them first, then the
    newest; None where there is none."""
    person = acting_person(ctx)
    if arrival.course is None or arrival.opens == Opens.HOME:
        return None
    with ctx.store.reading() as uow:
        platform = uow.lti.platform(arrival.platform)
        if platform is None:
            return None
        found = list(dict.fromkeys(
            r.evidence_id for r in uow.intake.records_of_person(person)
            if r.source_key == platform.source_key and r.alias.facts.value == arrival.course
            and r.evidence_id is not None and r.evidence_person == person
        ))  # fmt: skip
        if not found:
            return None
        open_states = (ClaimState.SUGGESTED, ClaimState.RETURNED)
        waiting = {c.evidence_id for c in uow.evidence.claims(found) if c.state in open_states}
    return next((e for e in found if e in waiting), found[0])


# --- deep linking: a link for a course ----------------------------------------------------------
def offer_links(ctx: Context, platform: Platform, launch: Launch) -> str:
    """Keep a teacher's request until they have chosen; the secret of their page."""
    asked = launch.deep_linking
    if launch.message is not Message.DEEP_LINKING or asked is None:
        raise LaunchRefused("message-type", "Moodle did not ask for a link.")
    return keep(ctx, CHOOSING, {"platform": platform.id, **asdict(asked)}, CHOOSING_LASTS)


def choose_link(ctx: Context, tool: LtiTool, secret: str, link: Link | None) -> tuple[str, str]:
    """Where a teacher's choice goes, and the signed answer; None chooses nothing.

    Raises LaunchRefused where the request was answered or ran out.
    """
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        kept = uow.access.use_handshake(digest(secret), CHOOSING, now)
        data = dict(kept.data) if kept else {}
        platform = uow.lti.platform(int(data.pop("platform"))) if kept else None
        if kept is None or platform is None:
            raise LaunchRefused(
                "state", "This page was answered already, or was open for too long. Close it, and "
                "select the content again."
            )  # fmt: skip
        opens = link.opens if link else None
        audit(ctx, uow, "offer-link", f"platform:{platform.id}", {"opens": opens})
    asked = DeepLinking(**data)
    return asked.return_url, tool.answer(platform, asked, [link] if link else [], now)


def as_person(ctx: Context, person: int) -> Context:
    """The surroundings of the acts of whoever came."""
    return ctx.acting_as(Actor(of_person(person), ctx.actor.channel))
