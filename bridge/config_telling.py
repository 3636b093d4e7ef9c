"""`[lrs.NAME.tell]` of bridge.toml: what an LRS is told of verifications, and by what names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.config_secrets import secret_in
from bridge.domain.telling import KnownAs, Telling, Withdraw

_HOME = r"^https?://[^?#@\s/]+(/[^?#@\s]*[^?#@\s/])?$"
#: The outbox names what it holds in so many letters.
LONGEST_NAME = 36


class TellSection(BaseModel):
    """`[lrs.NAME.tell]`: this LRS is told what was verified, decided from `since` on.

    With `user`, `secret_env` or `secret_file` it is written to with credentials of their own, and
    with those of the LRS otherwise. docs/xapi-telling.md explains each setting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: date
    user: str = ""
    secret_env: str = ""
    secret_file: Path | None = None
    home_page: Annotated[str, Field(pattern=_HOME, max_length=200)] | None = None
    learner: KnownAs = KnownAs.OPAQUE
    assessor: KnownAs = KnownAs.OPAQUE
    staff_home: Annotated[str, Field(pattern=_HOME, max_length=200)] | None = None
    withdraw: Withdraw = Withdraw.VOID
    batch: Annotated[int, Field(ge=1, le=500)] = 50

    @model_validator(mode="after")
    def _staff_numbers_have_a_home(self) -> TellSection:
        if KnownAs.STAFF_NUMBER in (self.learner, self.assessor) and self.staff_home is None:
            raise ValueError(
                'staff_home: say whose staff numbers these are, as "https://hr.example.org"'
            )
        return self

    @property
    def own_credentials(self) -> bool:
        """Whether the LRS is written to with others than it is read with."""
        return bool(self.user or self.secret_env or self.secret_file)

    def secret(self, folder: Path, name: str) -> str:
        """The password or token for writing. Raises BridgeError, saying where it was looked for."""
        variable = self.secret_env or f"BRIDGE_{name.upper().replace('-', '_')}_TELL_SECRET"
        return secret_in(
            folder,
            self.secret_file,
            variable,
            f"There is no secret to tell the LRS '{name}' with. Put it in the environment "
            f"variable {variable}, or name a file with secret_file under [lrs.{name}.tell].",
        )


class _Lrs(Protocol):
    @property
    def tell(self) -> TellSection | None: ...


def tellings(lrss: Mapping[str, _Lrs], base_url: str | None) -> tuple[Telling, ...]:
    """What each LRS is told. Raises ValueError, in words."""
    return tuple(
        _telling(name, section.tell, base_url)
        for name, section in lrss.items()
        if section.tell is not None
    )


def _telling(name: str, tell: TellSection, base_url: str | None) -> Telling:
    home = tell.home_page or (base_url or "").rstrip("/")
    if not home:
        raise ValueError(
            f"[lrs.{name}.tell] needs home_page, or base_url under [web]: statements name people "
            "and competencies by the bridge's address"
        )
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"the name of an LRS that is told has at most {LONGEST_NAME} letters, not '{name}'"
        )
    return Telling(
        target=name,
        since=tell.since,
        home=home,
        learner=tell.learner,
        assessor=tell.assessor,
        staff_home=tell.staff_home or "",
        withdraw=tell.withdraw,
        batch=tell.batch,
    )
