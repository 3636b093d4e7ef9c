"""LTI platforms: invitations to register, registrations by either road, and their end."""

from __future__ import annotations

import secrets
from datetime import timedelta

from bridge.domain.errors import NotAllowed, NotFound, Refused
from bridge.domain.lti import LaunchRefused, LtiTool, NewPlatform, Platform, ToolPages
from bridge.domain.repositories import UnitOfWork
from bridge.domain.scope import Eyes
from bridge.services.context import Context, audit
from bridge.services.signin import digest

INVITE = "lti-invite"
INVITE_LASTS = timedelta(hours=24)
_NO_NONCE = b"\0" * 32


def lms_administrator_only(ctx: Context) -> None:
    """Raise NotAllowed unless the whole partnership's LMS administrator or training team acts."""
    scope = ctx.actor.scope
    whole = scope.eyes is Eyes.LMS_ADMIN and scope.organisations is None
    if not scope.unrestricted and not whole:
        raise NotAllowed("Only an LMS administrator of the whole partnership does that.")


def platforms(ctx: Context) -> list[Platform]:
    """The platforms that may launch the bridge."""
    lms_administrator_only(ctx)
    with ctx.store.reading() as uow:
        return uow.lti.platforms()


def invite(ctx: Context, source_key: str, tool: LtiTool) -> str:
    """The secret of a link with which one LMS may register, once, within a day. Raises Refused."""
    lms_administrator_only(ctx)
    if source_key not in tool.sources:
        known = ", ".join(tool.sources) or "none"
        raise Refused(f"There is no LMS '{source_key}' in bridge.toml; there is: {known}.")
    secret = secrets.token_urlsafe(32)
    now = ctx.clock.now()
    asked = {"source": source_key, "by": ctx.actor.label}
    with ctx.store.begin() as uow:
        uow.access.begin_handshake(digest(secret), INVITE, _NO_NONCE, asked, now + INVITE_LASTS)
        audit(ctx, uow, "invite-platform", f"source:{source_key}", {})
    return secret


def invited_source(ctx: Context, secret: str) -> str:
    """The source that a link lets register. Raises LaunchRefused for one that is used or old."""
    with ctx.store.reading() as uow:
        found = uow.lti.waiting(digest(secret), INVITE, ctx.clock.now())
    if found is None:
        raise LaunchRefused(
            "no-invite",
            "This registration link has been used or has run out. Ask for a new one: bridge lti "
            "invite, or the page of the LMS administrator.",
        )
    return str(found.data["source"])


def register(
    ctx: Context, tool: LtiTool, secret: str, configuration_url: str, token: str, pages: ToolPages
) -> Platform:
    """Register with the platform that an invitation is for. Raises LaunchRefused, PeerError.

    The invitation is used up with the registration: a try that failed leaves it good.
    """
    source_key = invited_source(ctx, secret)
    found = tool.register(source_key, configuration_url, token, pages)
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        used = uow.access.use_handshake(digest(secret), INVITE, now)
        if used is None:
            raise LaunchRefused("no-invite", "This registration link has just been used.")
        return _add(ctx, uow, found, str(used.data["by"]))


def register_by_hand(ctx: Context, platform: NewPlatform) -> Platform:
    """Register with what an administrator typed in. Raises Refused where it is registered."""
    lms_administrator_only(ctx)
    with ctx.store.begin() as uow:
        return _add(ctx, uow, platform, ctx.actor.label)


def _add(ctx: Context, uow: UnitOfWork, new: NewPlatform, by: str) -> Platform:
    for known in uow.lti.platforms():
        if (known.issuer, known.client_id) == (new.issuer, new.client_id):
            raise Refused(
                f"{new.title} is registered with this client ID already (no. {known.id}). End "
                "that registration first."
            )
    made = uow.lti.add(new, by, ctx.clock.now())
    audit(ctx, uow, "register-platform", f"platform:{made}",
          {"source": new.source_key, "issuer": new.issuer, "by": by})  # fmt: skip
    found = uow.lti.platform(made)
    assert found is not None  # noqa: S101  it was just added
    return found


def end(ctx: Context, platform_id: int) -> None:
    """A platform launches no more. Raises NotFound."""
    lms_administrator_only(ctx)
    with ctx.store.begin() as uow:
        if not uow.lti.end(platform_id, ctx.clock.now()):
            raise NotFound(f"There is no platform {platform_id}.")
        audit(ctx, uow, "end-platform", f"platform:{platform_id}", {})


def origins(ctx: Context) -> list[str]:
    """Where registered platforms are: the sites that may show a launched page in a frame."""
    with ctx.store.reading() as uow:
        return sorted({p.origin for p in uow.lti.platforms() if p.origin})
