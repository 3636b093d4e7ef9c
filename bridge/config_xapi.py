"""`[lrs.NAME]` of bridge.toml: Learning Record Stores that statements are pulled from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bridge.config_secrets import secret_in
from bridge.config_telling import TellSection
from bridge.domain.identity import IdentityRule
from bridge.domain.records import Status
from bridge.domain.xapi.actors import home_of
from bridge.domain.xapi.reading import ReadingRules

Iri = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")]
#: What a verb can be said to tell.
Told = Literal["completed", "passed", "failed", "attended", "booked", "none"]


class ReadingSection(BaseModel):
    """How statements of one source are read, and whom they may name; docs/xapi.md explains it.

    `identity` names the rules it is trusted with: "lms-account" joins accounts of a configured
    Moodle, and "verified-email" only where the senders of the statements prove addresses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: tuple[IdentityRule, ...] = (IdentityRule.LMS_ACCOUNT,)
    takes_back_days: Annotated[int, Field(ge=0, le=3660)] = 90
    satisfied: bool = False
    verbs: dict[Iri, Told] = {}
    homes: dict[Iri, Literal["staff-number", "email"]] = {}

    @field_validator("identity")
    @classmethod
    def _automatic_rules(cls, rules: tuple[IdentityRule, ...]) -> tuple[IdentityRule, ...]:
        if {IdentityRule.BY_HAND, IdentityRule.LTI_LAUNCH} & set(rules):
            raise ValueError(
                "name the automatic rules only: 'lms-account', 'staff-number', 'verified-email'"
            )
        return rules

    @model_validator(mode="after")
    def _homes_are_trusted(self) -> ReadingSection:
        wanted = {
            "staff-number": IdentityRule.STAFF_NUMBER,
            "email": IdentityRule.VERIFIED_EMAIL,
        }
        for means in self.homes.values():
            if wanted[means] not in self.identity:
                raise ValueError(
                    f"homes say that names are {means}s, so identity must name "
                    f"'{wanted[means]}' as well"
                )
        return self

    def rules(self) -> ReadingRules:
        """How its statements are read."""
        return ReadingRules(
            verbs={
                verb: None if told == "none" else Status(told) for verb, told in self.verbs.items()
            },
            homes={home_of(home): means for home, means in self.homes.items()},
            satisfied=self.satisfied,
            takes_back_days=self.takes_back_days,
        )


class LrsSection(ReadingSection):
    """`[lrs.NAME]`: one LRS; docs/xapi.md explains each setting.

    With `user`, the secret is the password of Basic authentication; without, it is a bearer token.
    It comes from the environment variable `secret_env` or the file `secret_file`, never from here.
    With `pull = false` nothing is read from it: it is only told, by `[lrs.NAME.tell]`.
    """

    url: str
    user: str = ""
    secret_env: str = ""
    secret_file: Path | None = None
    version: Literal["1.0.3", "2.0.0"] | None = None
    trust: Literal["trusted", "untrusted"] = "trusted"
    since_means: Literal["stored", "timestamp", "detect"] = "detect"
    overlap_minutes: Annotated[float, Field(ge=1, le=60 * 24 * 90)] = 60
    page_size: Annotated[int, Field(ge=0, le=5000)] = 500
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    ca_bundle: Path | None = None
    proxy: str | None = None
    pull: bool = True
    tell: TellSection | None = None

    def secret(self, folder: Path, name: str) -> str:
        """The password or token. Raises BridgeError, saying where it was looked for."""
        variable = self.secret_env or f"BRIDGE_{name.upper().replace('-', '_')}_SECRET"
        return secret_in(
            folder,
            self.secret_file,
            variable,
            f"There is no secret for the LRS '{name}'. Put it in the environment variable "
            f"{variable}, or name a file with secret_file in bridge.toml.",
        )

    def verify(self, folder: Path) -> bool | str:
        """What certificates are checked against."""
        return str(folder / self.ca_bundle) if self.ca_bundle else True
