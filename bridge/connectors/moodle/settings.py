"""How one Moodle is reached: its address, the service user's token, and which reports to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MEGABYTE = 1_000_000
WAYS = ("auto", "plugin", "report", "per-user")
#: In place of the kinds of activities: whatever kind there is.
ALL_KINDS = "all"


@dataclass(frozen=True, slots=True)
class MoodleSettings:
    """One configured Moodle. Raises ValueError, in words, for a value that cannot work.

    `report` and `badges_report` are the id or the name of a custom report, or None. `timeout` is
    in seconds; `max_answer` in bytes; `verify` is True, or the path of a CA bundle; `proxy` is
    the address of an HTTP proxy (the environment's own proxies are never used). `timezone` is the
    IANA name of the zone Moodle writes dates in: leave it at UTC unless the site forces another.
    `calls_per_second` holds for all threads of a process together, and 0 is no limit; `deadline` is
    the seconds that a call may take in all, however slowly its answer comes.
    `way` is one of WAYS; `activities` are the kinds of activities inside courses that are read too
    ("quiz"), or ALL_KINDS alone.
    `profile_status`: whether profiles are to show how people stand, where the plugin can.
    """

    key: str
    url: str
    token: str = field(repr=False)
    report: int | str | None = None
    badges_report: int | str | None = None
    grade_max: float = 100.0
    timeout: float = 60.0
    page_size: int = 1000
    verify: bool | str = True
    timezone: str = "UTC"
    proxy: str | None = None
    max_answer: int = 64 * MEGABYTE
    calls_per_second: float = 10.0
    deadline: float = 300.0
    way: str = "auto"
    activities: tuple[str, ...] = ()
    profile_status: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{self.key}: the Moodle address must start with https:// (or http://) and name "
                "a host, as in https://moodle.example.org"
            )
        if parts.username or parts.password:
            raise ValueError(f"{self.key}: leave user names and passwords out of the address")
        if parts.query or parts.fragment:
            raise ValueError(f"{self.key}: give the address of the site's front page alone")
        if not self.token.strip():
            raise ValueError(
                f"{self.key}: there is no token; see Site administration > Server > "
                "Web services > Manage tokens"
            )
        if self.calls_per_second < 0 or self.deadline <= 0:
            raise ValueError(f"{self.key}: calls a second must not be below 0, a deadline above it")
        if self.page_size < 1 or self.timeout <= 0 or self.grade_max <= 0:
            raise ValueError(f"{self.key}: page size, timeout and highest grade must be above 0")
        if self.way not in WAYS:
            raise ValueError(f"{self.key}: way must be one of {', '.join(WAYS)}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"{self.key}: {self.timezone!r} is no time zone; use a name like Europe/London"
            ) from None

    @property
    def base(self) -> str:
        """The site's address without a slash at the end."""
        return self.url.rstrip("/")

    @property
    def conversation(self) -> str:
        """What one conversation at a time is held by: the Moodle, whoever it is asked as."""
        base = self.base.casefold()
        return f"{urlsplit(base).netloc[:60]}:{sha256(base.encode()).hexdigest()[:16]}"

    def page(self, path: str) -> str:
        """The full address of one of the site's pages, for people to open."""
        return f"{self.base}{path}"
