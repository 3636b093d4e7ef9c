"""Asks one booking system for JSON over HTTP: one configured origin, every failure told apart.

The secret travels in a header alone, and to no other origin: redirects are not followed, and a
"next" link that leads elsewhere is refused. It appears in no message, log or repr.
"""

from __future__ import annotations

import email.utils
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from bridge.domain.errors import BadAnswer, NeedsAdministrator, PeerError, TryLater

T = TypeVar("T")

_CHUNK = 1 << 16
MEGABYTE = 1_000_000

#: What is asked for; a list is asked for once for each of its values.
Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one system is, and how it knows us. Raises ValueError, in words.

    `url` is the address under which everything that is asked for lies. `headers` carry the secret.
    `timeout` is in seconds, `max_answer` in bytes; `verify` is True, or the path of a CA bundle;
    `proxy` the address of an HTTP proxy (the environment's own proxies are never used). `refused`
    tells an administrator what to look at where the secret is not accepted.
    """

    key: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    what: str = "booking system"
    refused: str = "Make a new one and configure that."
    timeout: float = 60.0
    verify: bool | str = True
    proxy: str | None = None
    max_answer: int = 64 * MEGABYTE

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{self.key}: the address must start with https:// and name a host, not "
                f"{self.url!r}"
            )
        if parts.username or parts.password:
            raise ValueError(f"{self.key}: leave user names and passwords out of the address")
        if parts.fragment:
            raise ValueError(f"{self.key}: leave out of the address what comes after the #")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(
                f"{self.key}: the secret would travel in the clear; write https:// for "
                f"{parts.hostname}. Only an address of this computer may go without."
            )
        if self.timeout <= 0:
            raise ValueError(f"{self.key}: the timeout must be above 0")

    def owns(self, url: str) -> bool:
        """Whether an address lies at this origin: same scheme, host and port."""
        return _origin(url) == _origin(self.url)


def is_loopback(host: str) -> bool:
    """Whether a host name is this computer itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    if parts.username or parts.password:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer before it is read: where it came from, its bytes, and its headers."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: where it came from, what it says, its headers, and when it was sent."""

    url: str
    value: Any
    headers: Mapping[str, str]

    @property
    def sent_at(self) -> datetime | None:
        """The peer's own clock, from the Date header."""
        return date_of(self.headers.get("Date", ""))


class JsonClient:
    """One origin. `calls` counts the requests made."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.calls = 0
        # Only a connection that never opened, or broke before any answer, is tried again at
        # once; whatever was answered goes to the caller, whose back-off is longer.
        retry = Retry(
            total=2, connect=2, read=1, status=0, redirect=0, other=0, allowed_methods=None,
            backoff_factor=0.2, respect_retry_after_header=False,
        )  # fmt: skip
        self._session = requests.Session()
        # Proxies and netrc of the environment would send the secret where nobody configured.
        self._session.trust_env = False
        self._session.verify = origin.verify
        if origin.proxy:
            self._session.proxies = {"http": origin.proxy, "https": origin.proxy}
        self._session.headers.update({"Accept": "application/json", **origin.headers})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def __repr__(self) -> str:
        return f"JsonClient({self.origin.key!r}, {self.origin.url!r})"

    def get(self, url: str, query: Query | None = None) -> Answer:
        """What lies at `url`, which may be relative to the origin's own address.

        Raises TryLater, NeedsAdministrator or BadAnswer; `detail` is the HTTP status, if there
        was one.
        """
        raw = self.raw(url, query)
        try:
            value = orjson.loads(raw.body)
        except orjson.JSONDecodeError:
            raise self.no_json(raw.body) from None
        if b"\\u0000" in raw.body:
            try:
                value = without_nul(value)
            except RecursionError:
                raise self.bad("an answer is nested deeper than can be read") from None
        return Answer(raw.url, value, raw.headers)

    def raw(self, url: str, query: Query | None = None) -> RawAnswer:
        """The same, as it came. Raises as `get` does."""
        full = urljoin(self.origin.url.rstrip("/") + "/", url)
        if not self.origin.owns(full):
            raise self.bad(f"a link leads away to {_shown(full)}; nothing was sent there")
        return self.spoken(lambda: self._get(full, query))

    def spoken(self, ask: Callable[[], T]) -> T:
        """What `ask` gives, and whatever goes wrong with the connection as a PeerError."""
        try:
            return ask()
        except PeerError:
            raise
        except requests.exceptions.SSLError as error:
            raise self._admin(
                "its certificate is not trusted. If your own authority signed it, name its CA "
                "bundle in bridge.toml (ca_bundle)."
                if "CERTIFICATE_VERIFY_FAILED" in str(error)
                else "no https connection can be made to its address; open it in a browser.",
                type(error).__name__,
            ) from None
        except requests.Timeout as error:
            raise self._later(f"no answer within {self.origin.timeout:g} seconds", error) from None
        except requests.exceptions.ChunkedEncodingError as error:
            raise self._later("the connection was cut in the middle of an answer", error) from None
        except requests.RequestException as error:
            raise self._later(f"no connection to {self.origin.url}", error) from None

    def _get(self, url: str, query: Query | None) -> RawAnswer:
        self.calls += 1
        with self._session.get(
            url, params=query, timeout=self.origin.timeout, stream=True, allow_redirects=False
        ) as response:
            self._check(response)
            return RawAnswer(response.url, self._read(response), response.headers)

    def no_json(self, body: bytes) -> BadAnswer:
        """The error for an answer that is no JSON."""
        return self.bad(
            "a web page came in place of data; a login page or a proxy may be in the way"
            if body.lstrip()[:1] == b"<"
            else "an answer is no complete JSON; it was cut short or altered"
        )

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if 300 <= status < 400:
            raise self._redirected(response.headers.get("Location", ""), status)
        if status in (408, 409, 429) or status >= 500:
            words = {429: "too many requests", 503: "it is in maintenance or overloaded"}
            raise TryLater(
                f"{self.origin.key}: the {self.origin.what} asks to try later: "
                f"{words.get(status, f'HTTP {status}')}.",
                peer=self.origin.key, detail=str(status), retry_after=retry_after(response.headers),
            )  # fmt: skip
        if status == 401:
            raise self._admin(
                f"the secret is not accepted (HTTP 401) at {_shown(response.url)}. "
                f"{self.origin.refused}", "401",
            )  # fmt: skip
        if status == 403:
            raise self._admin(
                f"permission is missing (HTTP 403) for {_shown(response.url)}. "
                f"{self.origin.refused}", "403",
            )  # fmt: skip
        if status == 404:
            raise self._admin(
                f"there is nothing at {_shown(response.url)} (HTTP 404). Look at the address in "
                "the configuration.", "404",
            )  # fmt: skip
        if status == 400:
            raise BadAnswer(
                f"{self.origin.key}: the question was not understood (HTTP 400) at "
                f"{_shown(response.url)}. Nothing was concluded from it.",
                peer=self.origin.key, detail="400",
            )  # fmt: skip
        if status != 200:
            raise self._admin(
                f"the server refuses the bridge (HTTP {status}) at {_shown(response.url)}.",
                str(status),
            )

    def _redirected(self, location: str, status: int) -> NeedsAdministrator:
        """Never followed: the secret would go wherever the answer says."""
        parts = urlsplit(location)
        target = f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.path
        return self._admin(
            f"the address leads on to {target or 'nowhere'}. Redirects are not followed, because "
            "the secret would go with them; put the address it really has in the configuration.",
            str(status),
        )

    def _read(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > self.origin.max_answer:
                raise self.bad(f"an answer is larger than {self.origin.max_answer:,} bytes")
            parts.append(part)
        return b"".join(parts)

    def bad(self, words: str) -> BadAnswer:
        """The error for what cannot be trusted."""
        return BadAnswer(
            f"{self.origin.key}: {words}. Nothing was concluded from it.", peer=self.origin.key
        )

    def _admin(self, words: str, detail: str) -> NeedsAdministrator:
        return NeedsAdministrator(
            f"{self.origin.key}: {words}", peer=self.origin.key, detail=detail
        )

    def _later(self, words: str, cause: Exception) -> TryLater:
        # The text of a requests error can hold parts of the request: its type is enough.
        return TryLater(
            f"{self.origin.key}: {words} ({type(cause).__name__}). It will be tried again.",
            peer=self.origin.key, detail=type(cause).__name__,
        )  # fmt: skip


def without_nul(value: Any) -> Any:
    """JSON without the NULs in its texts: no database keeps one, and no person typed it."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(each) for each in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(each) for name, each in value.items()}
    return value


def _shown(url: str) -> str:
    """An address without its query, which may name people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from either form of the Retry-After header."""
    said = headers.get("Retry-After", "").strip()
    if said.replace(".", "", 1).isdecimal():
        return float(said)
    until, sent = date_of(said), date_of(headers.get("Date", ""))
    return max(0.0, (until - sent).total_seconds()) if until and sent else None


def date_of(header: str) -> datetime | None:
    """An HTTP date as an aware instant; None for anything else."""
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
