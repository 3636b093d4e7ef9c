"""How to reach one LRS, and how to read what it holds."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.connectors.booking.web import MEGABYTE, Origin
from bridge.domain.xapi.reading import USUAL, ReadingRules

#: The editions that are spoken, the newest first.
VERSIONS = ("2.0.0", "1.0.3")


class SinceMeans(StrEnum):
    """Which clock the LRS's `since` goes by: when it stored a statement, as the specification has
    it, or when the statement says that it happened; `DETECT`: it is tried out in each pull."""

    STORED = "stored"
    TIMESTAMP = "timestamp"
    DETECT = "detect"


@dataclass(frozen=True, slots=True)
class LrsSettings:
    """One LRS. Raises ValueError, in words.

    `url` is the endpoint, without "/statements". With `user`, `secret` is the password of Basic
    authentication, and a bearer token without. `version` is asked of the LRS where it is None.
    `page_size` is how many statements are asked for at once; 0 leaves it to the LRS, which may give
    fewer in any case. `timeout` is in seconds.
    """

    key: str
    url: str
    user: str = ""
    secret: str = field(default="", repr=False)
    version: str | None = None
    page_size: int = 500
    since_means: SinceMeans = SinceMeans.DETECT
    rules: ReadingRules = USUAL
    timeout: float = 60.0
    verify: bool | str = True
    proxy: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.version not in VERSIONS:
            raise ValueError(f"{self.key}: version must be one of {', '.join(VERSIONS)}")
        if self.page_size < 0:
            raise ValueError(f"{self.key}: page_size must not be below 0")
        if ":" in self.user:
            raise ValueError(f"{self.key}: a user's name holds no colon")
        if self.url.rstrip("/").endswith("/statements"):
            raise ValueError(
                f"{self.key}: url is the endpoint, to which '/statements' is added; leave that out"
            )
        self.origin(VERSIONS[-1])

    def origin(self, version: str) -> Origin:
        """Where it is and how it knows us, speaking that version."""
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
            auth = f"Basic {pair}"
        else:
            auth = f"Bearer {self.secret}"
        return Origin(
            key=self.key,
            url=self.url.rstrip("/"),
            headers={"Authorization": auth, "X-Experience-API-Version": version},
            what="LRS",
            refused="Make credentials in the LRS that may read all statements, and configure them.",
            timeout=self.timeout,
            verify=self.verify,
            proxy=self.proxy,
            max_answer=64 * MEGABYTE,
        )
