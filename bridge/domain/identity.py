"""Whose account it is: named rules with their proof; never names, never a guess (DESIGN 5.9)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.names import listed
from bridge.domain.records import AccountFacts


class IdentityRule(StrEnum):
    """The rules that may join an account to a person. A source names those it trusts."""

    STAFF_NUMBER = "staff-number"
    VERIFIED_EMAIL = "verified-email"
    BY_HAND = "by-hand"
    LTI_LAUNCH = "lti-launch"
    LMS_ACCOUNT = "lms-account"


class IdentifierKind(StrEnum):
    """What a person is known by.

    The last two are never kept of a person: they are found by what is. The hash is SHA-1, in
    hexadecimal, of `mailto:` and the address; an LMS account is its address, "|" and its id or user
    name there.
    """

    EMAIL = "email"
    STAFF_NUMBER = "staff number"
    EMAIL_HASH = "hash of an email"
    LMS_ACCOUNT = "account of an LMS"


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier, normalised for comparing."""

    kind: IdentifierKind
    value: str


@dataclass(frozen=True, slots=True)
class Match:
    """The account is this person's, by this rule; `proof` is the identifier that agreed."""

    person: int
    rule: IdentityRule
    proof: str


@dataclass(frozen=True, slots=True)
class JoinedMeanwhile:
    """An account that was joined while two entries were taken for one human being.

    `person` is whose it is now that they are two; `owners` are those of them who had been known by
    its proof before they were merged.
    """

    account: int
    person: int
    owners: frozenset[int]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody can be named for sure. `candidates` are those some rule pointed at."""

    code: str
    message: str
    candidates: tuple[int, ...] = ()


_FACT: dict[IdentityRule, IdentifierKind] = {
    IdentityRule.STAFF_NUMBER: IdentifierKind.STAFF_NUMBER,
    IdentityRule.VERIFIED_EMAIL: IdentifierKind.EMAIL,
}


#: Kinds of accounts by which statements name people, beside those that carry an address.
HASH_KIND, HOME_KIND = "xapi-mbox-sha1", "xapi-account"
#: How the values of these accounts begin.
HASH_PREFIX, HOME_PREFIX = "sha1:", "account:"

#: What stands between several addresses, or around one.
_SEPARATES = frozenset("@,;<>")
#: The longest address that mail knows is 254 characters; so many are kept.
_LONGEST_ADDRESS = 320


def normal_email(text: str | None) -> str | None:
    """An address as two systems would agree on it; None when it is no address."""
    folded = unicodedata.normalize("NFKC", text or "").strip().casefold()
    local, at, domain = folded.rpartition("@")
    one = at and local and "." in domain and _SEPARATES.isdisjoint(local)
    one = one and len(folded) <= _LONGEST_ADDRESS
    return folded if one and not any(c.isspace() or not c.isprintable() for c in folded) else None


def folded_address(text: str) -> str:
    """What an address is counted by, however it is typed: case, blanks, dots and a "+" part apart.

    Only for limits: two people whose addresses fold alike share one, and that is all they share.
    """
    folded = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    local, at, domain = folded.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}{at}{domain.rstrip('.')}"


def normal_staff_number(text: str | None) -> str | None:
    """A staff number without spaces or case; None when empty."""
    folded = "".join(unicodedata.normalize("NFKC", text or "").split()).casefold()
    return folded or None


def identifiers_of(account: AccountFacts, rules: Sequence[IdentityRule]) -> list[Identifier]:
    """What the trusted rules would look this account up by, in the rules' order."""
    found: list[Identifier] = []
    for rule in rules:
        if rule is IdentityRule.STAFF_NUMBER:
            value = normal_staff_number(account.staff_number)
        elif rule is IdentityRule.VERIFIED_EMAIL and account.kind == HASH_KIND:
            told = account.value.removeprefix(HASH_PREFIX)
            found.append(Identifier(IdentifierKind.EMAIL_HASH, told))
            continue
        elif rule is IdentityRule.VERIFIED_EMAIL:
            value = normal_email(account.email)
        elif rule is IdentityRule.LMS_ACCOUNT and account.kind == HOME_KIND:
            told = account.value.removeprefix(HOME_PREFIX)
            found.append(Identifier(IdentifierKind.LMS_ACCOUNT, told))
            continue
        else:
            continue
        if value:
            found.append(Identifier(_FACT[rule], value))
    return found


def match(
    account: AccountFacts,
    rules: Sequence[IdentityRule],
    people_by: Mapping[Identifier, frozenset[int]],
    names_on: Mapping[str, Sequence[str]] | None = None,
) -> Match | Unmatched:
    """The person whom every trusted rule that speaks agrees on, or the reason there is none.

    `people_by` gives the (canonical) people known by an identifier. An identifier of several
    people, such as a shared mailbox, is no identity; two rules that disagree match nobody.
    `names_on` are the addresses that the source has on several names, with those: such an address
    is no identity either, and a staff number still may be.
    """
    named: dict[int, Match] = {}
    shared: list[str] = []
    several: str | None = None
    candidates: set[int] = set()
    for rule in rules:
        kind = _FACT.get(rule)
        for identifier in identifiers_of(account, (rule,)):
            people = people_by.get(identifier, frozenset())
            candidates |= people
            if kind is IdentifierKind.EMAIL and names_on and identifier.value in names_on:
                several = identifier.value
            elif len(people) > 1:
                shared.append(f"{identifier.kind} {identifier.value}")
            elif people:
                (person,) = people
                named.setdefault(person, Match(person, rule, identifier.value))
    if shared:
        return Unmatched(
            "shared",
            f"Several people share {', '.join(shared)}, so it names nobody.",
            tuple(sorted(candidates)),
        )
    if len(named) > 1:
        return Unmatched(
            "disagree",
            "The rules point at different people: "
            + "; ".join(f"{m.rule} says person {m.person}" for m in named.values())
            + ".",
            tuple(sorted(named)),
        )
    if named:
        return next(iter(named.values()))
    if several is not None and names_on:
        return Unmatched(
            "several-names",
            f"The source has the address {several} on several names ({listed(names_on[several])}), "
            "so it names nobody.",
            tuple(sorted(candidates)),
        )
    if not identifiers_of(account, rules):
        return Unmatched("nothing-to-go-by", _nothing_to_go_by(account, rules))
    words = "Nobody in the staff list has this staff number or verified email"
    if IdentityRule.LMS_ACCOUNT in rules and account.kind == HOME_KIND:
        here = "no account of that LMS that is somebody's has this id or user name"
        words = f"{words}, and {here}" if len(rules) > 1 else f"N{here[1:]}"
    return Unmatched("unknown", f"{words}.")


def _nothing_to_go_by(account: AccountFacts, rules: Sequence[IdentityRule]) -> str:
    if IdentityRule.LMS_ACCOUNT in rules and account.kind != HOME_KIND:
        if account.email or account.kind == HASH_KIND:
            return (
                "The statement names them by an email address, and this source is not set up to "
                "go by these (identity in bridge.toml)."
            )
        return "The statement names them by an OpenID, which only a person can settle."
    wanted = " or ".join(r.value.replace("-", " ") for r in rules) or "rule at all"
    return f"The account carries no {wanted} to go by."
