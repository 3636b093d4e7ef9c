"""`[pretix.NAME]` and `[rest.NAME]` of bridge.toml: booking systems that are asked by an API."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule

ProfileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]


class _Asked(BaseModel):
    """What every system that is asked by an API has in common.

    The secret comes from the environment variable or the file named here, never from here.
    `identity` names the rules it is trusted with; `verified-email` only where it proves addresses,
    or where whoever books has to sign in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: tuple[IdentityRule, ...] = (IdentityRule.STAFF_NUMBER,)
    trust: Literal["trusted", "untrusted"] = "trusted"
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    ca_bundle: Path | None = None
    proxy: str | None = None

    @field_validator("identity")
    @classmethod
    def _automatic_rules(cls, rules: tuple[IdentityRule, ...]) -> tuple[IdentityRule, ...]:
        if {IdentityRule.BY_HAND, IdentityRule.LTI_LAUNCH} & set(rules):
            raise ValueError("name the automatic rules only, 'staff-number' and 'verified-email'")
        return rules

    def verify(self, folder: Path) -> bool | str:
        """What certificates are checked against."""
        return str(folder / self.ca_bundle) if self.ca_bundle else True


class PretixSection(_Asked):
    """`[pretix.NAME]`: one organiser of a pretix; docs/booking-apis.md explains each setting."""

    url: str
    organizer: str
    token_env: str = ""
    token_file: Path | None = None
    no_show: bool = False
    full_from: Annotated[float, Field(gt=0, le=1)] = 0.8
    series: Literal["booked", "all", "separate"] = "booked"
    lists: tuple[str, ...] = ()
    staff_number_question: str = ""
    idnumber_property: str = ""

    def token(self, folder: Path, name: str) -> str:
        """The API token. Raises BridgeError, saying where it was looked for."""
        return _secret(folder, name, "token", self.token_env, self.token_file)


class RestSection(_Asked):
    """`[rest.NAME]`: a booking system with a JSON API, understood by a profile.

    `profile` names a file of `profiles/`, or one that comes with the bridge ("eventbrite").
    `values` fill what stands in braces in the profile's address.
    """

    profile: ProfileName
    secret_env: str = ""
    secret_file: Path | None = None
    values: dict[str, str] = {}

    def secret(self, folder: Path, name: str) -> str:
        """The secret of its `auth`. Raises BridgeError, saying where it was looked for."""
        return _secret(folder, name, "secret", self.secret_env, self.secret_file)


def _secret(folder: Path, name: str, kind: str, variable: str, file: Path | None) -> str:
    if file is not None:
        path = folder / file
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BridgeError(
                f"The {kind} file {path} cannot be read ({error.strerror})."
            ) from None
    where = variable or f"BRIDGE_{name.upper().replace('-', '_')}_{kind.upper()}"
    found = os.environ.get(where, "").strip()
    if not found:
        raise BridgeError(
            f"There is no {kind} for '{name}'. Put it in the environment variable {where}, or name "
            f"a file with {kind}_file in bridge.toml."
        )
    return found


def names_given_twice(sections: Iterable[Iterable[str]]) -> list[str]:
    """Names that two kinds of sources share: a record could not say whose it is."""
    seen: set[str] = set()
    twice = []
    for names in sections:
        twice += [name for name in names if name in seen]
        seen.update(names)
    return twice
