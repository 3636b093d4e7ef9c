"""A site's APIs: looks at an answer of one with the learner, and keeps REST profiles as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bridge.catalog.rest_profiles import looks_secret, write_rest_profile
from bridge.connectors.booking.rest.learning import learn_records
from bridge.connectors.booking.rest.profile import RestProfile, RestSettings
from bridge.connectors.booking.web import MEGABYTE, Answer, JsonClient
from bridge.domain.errors import BridgeError, Refused
from bridge.domain.problems import BadFile, Problem
from bridge.domain.proposals import Proposal

#: An answer that is kept as a file is one page; more is no answer.
LARGEST = 64 * MEGABYTE


class SiteAnswers:
    """Implements `bridge.domain.proposals.Learner` for the answer of an API.

    The answer is in the file that is looked at; with a `url`, it is asked for there, once.
    `auth` is that of a profile's request, and `secret` what it needs. Raises BridgeError for an
    address with a secret in it.
    """

    def __init__(
        self,
        profiles: Path,
        *,
        url: str = "",
        auth: Mapping[str, str] | None = None,
        secret: str = "",
    ) -> None:
        address, _, query = url.partition("#")[0].partition("?")
        self._profiles, self._url, self._secret = profiles, address, secret
        self._query = dict(parse_qsl(query))
        for name in self._query:
            if looks_secret(name):
                raise BridgeError(
                    f"'{name}' in the address looks like a secret, and an address is no place for "
                    "one: servers write it into their logs. Nothing was asked. Leave it out, and "
                    "say --auth, with the secret in a variable or a file."
                )
        self._auth = dict(auth or {"kind": "none"})
        self._answer: Answer | None = None

    def propose(self, path: Path, shown: str, profile: str, answers: Mapping[str, str]) -> Proposal:
        """What an answer looks like, given these answers to questions.

        Raises BadFile where there are no records in it, PeerError where it cannot be asked for.
        """
        link = False
        if self._url:
            value, link = self._asked(profile)
        else:
            value = _read(path, shown)
        request = {"url": self._url, "auth": self._auth, "query": self._query}
        return learn_records(
            value, name=profile, shown=shown, request=request, answers=answers, link_header=link
        )

    def save(self, proposal: Proposal, *, replace: bool = False) -> Path:
        """Keep a settled proposal. Raises Refused while a question is open, BridgeError where a
        profile of that name stands already."""
        if not proposal.settled:
            open_ = "; ".join(question.asks for question in proposal.questions)
            raise Refused(f"It is not settled yet: {open_}")
        path = self._profiles / f"{proposal.profile['profile']}.yaml"
        return write_rest_profile(path, proposal.profile, replace=replace)

    def keeps(self, profile: str) -> bool:
        """Whether there is a profile of that name."""
        return (self._profiles / f"{profile}.yaml").exists()

    def _asked(self, name: str) -> tuple[Any, bool]:
        """The answer, and whether it came with a link to the next page in its headers."""
        if self._answer is None:
            data = {
                "profile": name, "columns": {},
                "request": {"url": self._url, "auth": self._auth},
            }  # fmt: skip
            try:
                settings = RestSettings(name, RestProfile.from_data(data), self._secret)
                client = JsonClient(settings.origin())
            except ValueError as error:
                raise BridgeError(str(error)) from None
            self._answer = client.get(client.origin.url, self._query)
        return self._answer.value, 'rel="next"' in self._answer.headers.get("Link", "")


def _read(path: Path, shown: str) -> Any:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BadFile([Problem(
                f"It is larger than {LARGEST // MEGABYTE} MB", "One answer of an API is one page",
                "Save the first page alone", shown,
            )])  # fmt: skip
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadFile([Problem(
            f"This is not JSON: {error.msg}", "An answer of an API is",
            "Save the answer as it came, whole", shown, error.lineno, error.colno,
        )]) from None  # fmt: skip


def auth_of(text: str) -> dict[str, str]:
    """What `--auth` says: "bearer", "header:X-Api-Key", "header:Authorization:Token ", "basic:me".

    Raises BridgeError, in words.
    """
    kind, _, rest = text.partition(":")
    if kind in ("none", "bearer") and not rest:
        return {"kind": kind}
    if kind == "header" and rest:
        name, _, prefix = rest.partition(":")
        return {"kind": kind, "name": name} | ({"prefix": prefix} if prefix else {})
    if kind == "basic" and rest:
        return {"kind": kind, "user": rest}
    raise BridgeError(
        f"'{text}' is no way to come in. Write bearer, header:X-Api-Key (with the prefix after "
        "another colon), or basic:USER."
    )


def is_url(text: str) -> bool:
    """Whether this is an address."""
    return text.startswith(("https://", "http://"))


def is_answer(text: str) -> bool:
    """Whether this names an API's answer: an address, or a file of JSON."""
    return is_url(text) or text.casefold().endswith(".json")
