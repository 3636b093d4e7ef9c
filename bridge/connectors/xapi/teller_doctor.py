"""`bridge doctor` for an LRS that is told: what can be proven without leaving anything there."""

from __future__ import annotations

from collections.abc import Callable

from bridge.connectors.xapi.doctor import unlike_an_lrs
from bridge.connectors.xapi.sending import Lrs, NotTaken
from bridge.connectors.xapi.settings import LrsSettings
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import Finding

#: No statement has this id.
NOBODYS = "00000000-0000-4000-8000-000000000000"
_UNPROVEN = (
    "It answered an empty list of statements without asking for other credentials, so writing "
    "should be allowed. Only a first statement shows that; it would stay for good, so none went."
)


def findings(settings: LrsSettings, connect: Callable[[], Lrs]) -> list[Finding]:
    """What was tried, how it went, and the remedy. It stops where nothing further can work."""
    try:
        lrs = connect()
    except NeedsAdministrator as error:
        return [Finding("tell", False, str(error), _where(error, settings.key))]
    except PeerError as error:
        return [Finding("tell", False, str(error), unlike_an_lrs(error, settings.url))]
    writing = _writing(lrs, settings)
    # Behind an address that is none of an LRS nothing that is looked up says anything.
    lets_in = writing.ok or writing.remedy == _rights(settings.key)
    return [writing, *_reading(lrs)] if lets_in else [writing]


def _writing(lrs: Lrs, settings: LrsSettings) -> Finding:
    version = lrs.web.version
    try:
        lrs.take([])
    except NotTaken:
        # Some refuse a batch of none, and have let us in to say so.
        pass
    except NeedsAdministrator as error:
        return Finding("tell", False, str(error), _where(error, settings.key))
    except PeerError as error:
        return Finding("tell", False, str(error), unlike_an_lrs(error, settings.url))
    return Finding("tell", True, f"It is told as xAPI {version}. {_UNPROVEN}")


def _reading(lrs: Lrs) -> list[Finding]:
    try:
        lrs.web.raw("statements", {"statementId": NOBODYS})
    except NeedsAdministrator as error:
        if error.detail in ("401", "403"):
            return [Finding(
                "tell: look up", True,
                "These credentials may not read. Where the LRS says that it has a statement "
                "already, the bridge takes its word for it.",
                warning=True,
            )]  # fmt: skip
    except PeerError:
        pass
    return [Finding("tell: look up", True, "What was told can be looked up by its id.")]


def _where(error: NeedsAdministrator, key: str) -> str:
    if error.detail in ("401", "403"):
        return _rights(key)
    return "Check url in bridge.toml: it is the endpoint, to which '/statements' is added."


def _rights(key: str) -> str:
    return f"Give these credentials the right to write statements; see [lrs.{key}.tell]."
