"""Who is meant by an agent: an account, by whichever identifier it has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bridge.domain.identity import HASH_KIND, HASH_PREFIX, HOME_KIND, HOME_PREFIX
from bridge.domain.records import AccountFacts

Json = dict[str, Any]
#: No longer key of an account is kept, in characters.
LONGEST = 300


def account_of(agent: Json, homes: Mapping[str, str]) -> AccountFacts:
    """The account of a valid agent.

    `homes` says of a home page what the names of its accounts are: "staff-number" or "email". The
    keys of each kind begin with a word of their own, so that none can pass for another.
    """
    name = clean(agent.get("name"))
    if "mbox" in agent:
        address = clean(agent["mbox"][len("mailto:") :]) or ""
        key = shortened(f"mailto:{address.casefold()}")
        return AccountFacts("xapi-mbox", key, email=address, display_name=name)
    if "mbox_sha1sum" in agent:
        told = agent["mbox_sha1sum"].lower()
        return AccountFacts(HASH_KIND, f"{HASH_PREFIX}{told}", display_name=name)
    if "openid" in agent:
        return AccountFacts(
            "xapi-openid", shortened(f"openid:{agent['openid']}"), display_name=name
        )
    home, account = home_of(agent["account"]["homePage"]), clean(agent["account"]["name"]) or ""
    means = homes.get(home)
    return AccountFacts(
        HOME_KIND,
        shortened(f"{HOME_PREFIX}{home}|{account}"),
        email=account if means == "email" else None,
        staff_number=account if means == "staff-number" else None,
        username=account,
        display_name=name,
    )


def home_of(address: str) -> str:
    """The address of a system, as two that write it differently would agree on it."""
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}".rstrip("/")


def identifier_of(agent: Any) -> str:
    """An agent's or group's identifier in one line, "" where it has none; for comparing only."""
    if not isinstance(agent, dict):
        return ""
    if agent.get("objectType") == "Group" and "member" in agent:
        members = [identifier_of(member) for member in agent["member"]]
        return "+".join(sorted(members))
    for name in ("mbox", "mbox_sha1sum", "openid"):
        if name in agent:
            return f"{name}:{str(agent[name]).casefold()}"
    account = agent.get("account")
    if not isinstance(account, dict):
        return ""
    return f"account:{home_of(str(account.get('homePage')))}|{account.get('name')}"


def shortened(key: str) -> str:
    """A key that is not too long to keep; the rest of a longer one is told by its hash."""
    key = key.replace("\x00", "")
    if len(key) <= LONGEST:
        return key
    return f"{key[: LONGEST - 65]}#{hashlib.sha256(key.encode()).hexdigest()}"


def clean(text: Any) -> str | None:
    """A text without the NULs that no database keeps; None where nothing is left."""
    return (text.replace("\x00", "").strip() or None) if isinstance(text, str) else None
