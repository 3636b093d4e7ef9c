"""`[moodle.NAME]` of bridge.toml: Moodles, as sources of completions and targets of badges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.domain.errors import BridgeError
from bridge.domain.identity import IdentityRule

#: What an activity module of Moodle is called in its address, as in /mod/quiz/view.php.
ModuleKind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
USUAL_ACTIVITIES = ("quiz", "assign", "lesson", "scorm", "h5pactivity")


class MoodleSection(BaseModel):
    """`[moodle.NAME]`: one Moodle, as a source of completions and a target of badges.

    The token comes from the environment variable `token_env` or the file `token_file`, never from
    here. `identity` names the rules this Moodle is trusted with; `verified-email` only where
    it confirms addresses itself or gets them from the organisation's sign-in. `way` is how
    completions come in, and `activities` which kinds inside courses are read as well. The secret
    of the plugin's webhook is where `webhook_secret_env` or `webhook_secret_file` say. With the
    plugin, profiles show how people stand unless `profile_status` is off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    token_env: str = ""
    token_file: Path | None = None
    report: int | str = "Bridge completions"
    badges_report: int | str = "Bridge issued badges"
    competencies: Path | None = None
    identity: tuple[IdentityRule, ...] = (IdentityRule.STAFF_NUMBER,)
    trust: Literal["trusted", "untrusted"] = "trusted"
    grade_max: Annotated[float, Field(gt=0)] = 100.0
    timezone: str = "UTC"
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    deadline: Annotated[float, Field(gt=0, le=3600)] = 300.0
    calls_per_second: Annotated[float, Field(ge=0, le=1000)] = 10.0
    ca_bundle: Path | None = None
    proxy: str | None = None
    profile_status: bool = True
    way: Literal["auto", "plugin", "report", "per-user"] = "auto"
    activities: tuple[ModuleKind, ...] | Literal["all", "none"] = USUAL_ACTIVITIES
    webhook_secret_env: str = ""
    webhook_secret_file: Path | None = None

    @property
    def kinds_of_activities(self) -> tuple[str, ...]:
        """The kinds of activities inside courses that are read; ("all",) for every kind."""
        if isinstance(self.activities, str):
            return () if self.activities == "none" else ("all",)
        return self.activities

    @model_validator(mode="after")
    def _no_secret_here(self) -> MoodleSection:
        if {IdentityRule.BY_HAND, IdentityRule.LTI_LAUNCH} & set(self.identity):
            raise ValueError(
                "identity: name the automatic rules only, 'staff-number' and 'verified-email'; "
                "the others are what people do"
            )
        return self

    def token(self, folder: Path, name: str) -> str:
        """The service user's token. Raises BridgeError, saying where it was looked for."""
        variable = self.token_env or default_token_variable(name)
        if self.token_file is not None:
            path = folder / self.token_file
            try:
                return path.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BridgeError(
                    f"The token file {path} cannot be read ({error.strerror})."
                ) from None
        found = os.environ.get(variable, "").strip()
        if not found:
            raise BridgeError(
                f"There is no token for the Moodle '{name}'. Put it in the environment variable "
                f"{variable}, or name a file with token_file in bridge.toml."
            )
        return found

    def webhook_secrets(self, folder: Path, name: str) -> tuple[str, ...]:
        """The secrets that its webhooks may be signed with, newest first; none where none is set.

        Several lines, or several words, are several secrets: while one is replaced, both hold.
        Raises BridgeError for a file that cannot be read.
        """
        if self.webhook_secret_file is not None:
            path = folder / self.webhook_secret_file
            try:
                return tuple(path.read_text(encoding="utf-8").split())
            except OSError as error:
                raise BridgeError(
                    f"The file {path} with the webhook's secret cannot be read ({error.strerror})."
                ) from None
        return tuple(os.environ.get(self.webhook_variable(name), "").split())

    def webhook_variable(self, name: str) -> str:
        """The environment variable that the webhook's secret is looked for in."""
        return self.webhook_secret_env or f"BRIDGE_{name.upper().replace('-', '_')}_WEBHOOK_SECRET"


def default_token_variable(name: str) -> str:
    """The environment variable that a Moodle's token is looked for in."""
    return f"BRIDGE_{name.upper().replace('-', '_')}_TOKEN"
