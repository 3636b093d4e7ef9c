"""Calls a Moodle's REST web services: one POST a call, every way it can fail told apart.

The token travels in the body alone and appears in no message, log or repr. Every call asks for
English and for the configured time zone, which Moodle grants unless the site forces a zone.
"""

from __future__ import annotations

import email.utils
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.util.retry import Retry

from bridge.connectors.moodle.pace import Deadline, WatchedAdapter, bucket_of
from bridge.connectors.moodle.refusals import plain, refusal
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import (
    BadAnswer,
    InMaintenance,
    NeedsAdministrator,
    PeerError,
    TryLater,
)

ENDPOINT = "/webservice/rest/server.php"
BATCH = "tool_mobile_call_external_functions"
BATCH_SIZE = 100
_CHUNK = 1 << 16
_PROTOCOLS_PAGE = "/admin/settings.php?section=webserviceprotocols"
#: What decoding an answer ends in where it is not the JSON it should be: also one so deeply nested
#: that no reader follows it.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Call = tuple[str, Params]


class _Refused(msgspec.Struct):
    """How Moodle reports an error: HTTP 200 and this."""

    exception: str
    errorcode: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its bytes, and when Moodle's own clock said it was sent, if it said."""

    body: bytes
    sent_at: datetime | None


class MoodleClient:
    """One Moodle through one token. `calls` counts the requests made, retries included."""

    def __init__(self, settings: MoodleSettings) -> None:
        self.settings = settings
        self.calls = 0
        self._pace = bucket_of(settings.base, settings.calls_per_second)
        self._batches = True
        # Only a connection that never opened, or broke before any answer, is tried again at
        # once; whatever Moodle did answer goes to the caller, whose back-off is longer.
        self._patient = _session(
            settings,
            Retry(
                total=2,
                connect=2,
                read=1,
                status=0,
                redirect=0,
                other=0,
                allowed_methods=None,
                backoff_factor=0.2,
                respect_retry_after_header=False,
            ),
        )
        self._once = _session(
            settings, Retry(total=0, redirect=0, respect_retry_after_header=False)
        )

    def __repr__(self) -> str:
        return f"MoodleClient({self.settings.key!r}, {self.settings.base!r})"

    def call(self, function: str, params: Params | None = None, *, once: bool = False) -> Any:
        """What a function answers, as plain Python values. `once` forbids repeating the request.

        Raises TryLater, NeedsAdministrator or BadAnswer; their `detail` is Moodle's error code.
        """
        return self._decode(function, self.fetch(function, params, once=once).body)

    def fetch(self, function: str, params: Params | None = None, *, once: bool = False) -> Answer:
        """As `call`, with the answer's bytes untouched."""
        form = {
            "wstoken": self.settings.token,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            "moodlewssettinglang": "en",
            "moodlewssettingtimezone": self.settings.timezone,
            **dict(php_fields(params or {})),
        }
        self._pace.wait()
        with Deadline(self.settings.deadline) as deadline:
            try:
                answer = self._answer(function, form, once=once)
            except PeerError:
                # What a connection that was cut off in the middle looks like is beside the point.
                if not deadline.over:
                    raise
            if deadline.over:
                raise TryLater(
                    f"{self.settings.key}: an answer came so slowly that it was not complete after "
                    f"{self.settings.deadline:g} seconds. It will be tried again.",
                    peer=self.settings.key,
                    detail="deadline",
                )
        return answer

    def _answer(self, function: str, form: Mapping[str, str], *, once: bool) -> Answer:
        try:
            return self._post(function, form, self._once if once else self._patient)
        except PeerError:
            raise
        except requests.exceptions.SSLError as error:
            raise self._needs_administrator(
                "the certificate of this Moodle is not trusted. If your own authority signed it, "
                "name its CA bundle in the configuration (verify)."
                if "CERTIFICATE_VERIFY_FAILED" in str(error)
                else "no https connection can be made to this address; open it in a browser.",
                error,
            ) from None
        except requests.Timeout as error:
            raise self._later(
                f"no answer within {self.settings.timeout:g} seconds", error
            ) from None
        except requests.exceptions.ChunkedEncodingError as error:
            raise self._later("the connection was cut in the middle of an answer", error) from None
        except requests.RequestException as error:
            raise self._later(f"no connection to {self.settings.url}", error) from None
        except ValueError:
            # Such as a redirect to what is no address: requests looks at it even unfollowed.
            raise self._bad("an answer's headers cannot be read") from None

    def call_many(self, calls: Sequence[Call]) -> list[Any]:
        """The answer to each read, or the PeerError it ended in, in batches where permitted.

        Moodle stops a batch at its first error; the rest goes into the next one. Without the
        batch function in the service each call is a request of its own.
        """
        results: list[Any] = []
        while len(results) < len(calls):
            rest = calls[len(results) :]
            if self._batches and len(rest) > 1:
                results += self._batch(rest[:BATCH_SIZE])
            else:
                results.append(self._one(*rest[0]))
        return results

    def first_of(self, calls: Sequence[Call]) -> list[Any]:
        """As `call_many` in one request: what stands after the first error was not asked.

        Without the batch function in the service, the first call is made alone.
        """
        answers = self._batch(calls) if self._batches and len(calls) > 1 else []
        return answers or [self._one(*calls[0])]

    def _one(self, function: str, params: Params) -> Any:
        try:
            return self.call(function, params)
        except TryLater:
            raise
        except PeerError as error:
            return error

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        """At least one result, unless batches turn out not to be allowed."""
        asked = [
            {"function": function, "arguments": json.dumps(params)} for function, params in calls
        ]
        try:
            answer = self.call(BATCH, {"requests": asked})
        except NeedsAdministrator as error:
            if error.detail != "accessexception":
                raise
            _log.info("%s: %s is not in the service; calling one by one", self.settings.key, BATCH)
            self._batches = False
            return []
        responses = answer.get("responses") if isinstance(answer, dict) else None
        if not isinstance(responses, list) or not 0 < len(responses) <= len(calls):
            raise self._bad(f"{BATCH} did not answer every request")
        results = [
            self._from_batch(function, response)
            for (function, _), response in zip(calls, responses, strict=False)
        ]
        if len(results) < len(calls) and not isinstance(results[-1], PeerError):
            raise self._bad(f"{BATCH} stopped without an error")
        return results

    def _from_batch(self, function: str, response: Any) -> Any:
        try:
            if response["error"]:
                told = json.loads(response["exception"])
                said = self._clean(told.get("message", ""))
                error = refusal(self.settings, function, told["errorcode"], "", said)
                if isinstance(error, TryLater):
                    raise error
                return error
            return json.loads(response["data"])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._bad(f"{function} in a batch: {self._clean(str(error))}") from None

    def _post(self, function: str, form: Mapping[str, str], session: requests.Session) -> Answer:
        self.calls += 1
        url = self.settings.page(ENDPOINT)
        with session.post(
            url, data=form, timeout=self.settings.timeout, stream=True, allow_redirects=False
        ) as response:
            retries = response.raw.retries
            self.calls += len(retries.history) if isinstance(retries, Retry) else 0
            self._check_status(response)
            body = self._read(response)
            self._check_body(function, response, body)
            return Answer(body, _date_of(response))

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if response.is_redirect:
            raise self._redirected(response.headers["Location"])
        if status == 429 or status == 408 or status >= 500:
            words = {
                429: "too many requests",
                503: "it is in maintenance or overloaded",
            }.get(status, f"HTTP {status}")
            closed = status == 503 and "html" in response.headers.get("Content-Type", "")
            raise (InMaintenance if closed else TryLater)(
                f"{self.settings.key}: Moodle asks to try later: {words}.",
                peer=self.settings.key,
                detail=str(status),
                retry_after=_retry_after(response),
            )
        if status == 403:
            raise self._needs_administrator(
                "the web services are switched off (HTTP 403). Enable them at "
                f"{self.settings.page('/admin/search.php?query=enablewebservices')} and the REST "
                f"protocol at {self.settings.page(_PROTOCOLS_PAGE)}. If both are on, a firewall "
                "in front of Moodle refuses the bridge."
            )
        if status == 404:
            raise self._needs_administrator(
                f"there is no Moodle at {self.settings.base} (HTTP 404). Put the address of the "
                "site's front page in the configuration."
            )
        if status != 200:
            raise self._needs_administrator(
                f"the server in front of Moodle refuses the bridge (HTTP {status}): something "
                "before Moodle itself asks for a sign-in or lets only some addresses through. Ask "
                "whoever runs it to let the bridge reach /webservice/rest/server.php."
            )

    def _redirected(self, location: str) -> NeedsAdministrator:
        """Never followed: the token would go wherever the answer says."""
        here, there = urlsplit(self.settings.base), urlsplit(location)
        if (here.scheme, there.scheme, here.hostname) == ("http", "https", there.hostname):
            return self._needs_administrator(
                "this Moodle is on https; change the address in the configuration from http:// "
                f"to https://{here.netloc.removesuffix(':80')}{here.path}. The token was just "
                "sent unencrypted: make a new one."
            )
        target = f"{there.scheme}://{there.netloc}" if there.netloc else there.path
        return self._needs_administrator(
            f"the address leads on to {target}. Redirects are not followed, because the token "
            "would go with them; put the address Moodle really has in the configuration."
        )

    def _read(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > self.settings.max_answer:
                raise self._bad(
                    f"an answer is larger than {self.settings.max_answer:,} bytes; lower the "
                    "page size in the configuration"
                )
            parts.append(part)
        return b"".join(parts)

    def _check_body(self, function: str, response: requests.Response, body: bytes) -> None:
        start = body[:200].lstrip()
        if start.startswith(b'{"exception"'):
            try:
                told = msgspec.json.decode(body, type=_Refused)
            except UNREADABLE:
                raise self._bad(f"{function}: an error message was cut short") from None
            raise refusal(
                self.settings, function, told.errorcode, told.exception, self._clean(told.message)
            )
        if start.startswith(b"<"):
            shown = self._clean(plain(body.decode("utf-8", "replace"), 120))
            raise self._bad(
                f"{function}: a web page came in place of data ({shown}). A login page, a proxy "
                "or a PHP warning may be in the way; open the site in a browser and look"
            )
        if not start and body.strip() == b"":
            raise self._bad(f"{function}: the answer was empty ({response.status_code})")

    def _decode(self, function: str, body: bytes) -> Any:
        try:
            return msgspec.json.decode(body)
        except UNREADABLE:
            raise self.unreadable(function) from None

    def unreadable(self, function: str) -> BadAnswer:
        """The error for an answer that is not (all of) the JSON it should be."""
        return self._bad(f"{function}: the answer is no complete JSON; it was cut short or altered")

    def _clean(self, text: str) -> str:
        return text.replace(self.settings.token, "(token)")

    def _bad(self, words: str) -> BadAnswer:
        return BadAnswer(
            f"{self.settings.key}: {words}. Nothing was concluded from it.", peer=self.settings.key
        )

    def _needs_administrator(
        self, words: str, cause: Exception | None = None
    ) -> NeedsAdministrator:
        detail = type(cause).__name__ if cause else ""
        return NeedsAdministrator(
            f"{self.settings.key}: {words}", peer=self.settings.key, detail=detail
        )

    def _later(self, words: str, cause: Exception) -> TryLater:
        # The text of a requests error can hold parts of the request: its type is enough.
        return TryLater(
            f"{self.settings.key}: {words} ({type(cause).__name__}). It will be tried again.",
            peer=self.settings.key,
            detail=type(cause).__name__,
        )


def php_fields(params: Params, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested parameters as PHP reads them from a form: `members[0][userid]=3`. None is left out."""
    for name, value in params.items():
        yield from _php_field(f"{prefix}[{name}]" if prefix else str(name), value)


def _php_field(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from php_fields(value, name)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _php_field(f"{name}[{index}]", item)
    elif isinstance(value, bool):
        yield name, str(int(value))
    elif value is not None:
        yield name, str(value)


def _session(settings: MoodleSettings, retry: Retry) -> requests.Session:
    session = requests.Session()
    # Proxies and netrc of the environment would send the token where nobody configured.
    session.trust_env = False
    session.verify = settings.verify
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    session.headers["Accept"] = "application/json"
    adapter = WatchedAdapter(max_retries=retry)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from either form of the header."""
    said = response.headers.get("Retry-After", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        until = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    if not until.tzinfo:
        return None
    # By the peer's own clock, as far as it tells it.
    sent = _date_of(response) or datetime.now(UTC)
    return max(0.0, (until - sent).total_seconds())


def _date_of(response: requests.Response) -> datetime | None:
    """Moodle's own clock, from the Date header."""
    try:
        moment = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
