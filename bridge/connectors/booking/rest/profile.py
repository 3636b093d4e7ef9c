"""A REST profile: where records are asked for, page by page, and which part of one is what."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import jmespath
import orjson
from jmespath.parser import ParsedResult

from bridge.connectors.booking.web import Origin
from bridge.connectors.files import Profile

_HOLE = re.compile(r"\{([a-z_]+)\}")
#: What a value for a hole in an address may be: it can neither leave its place nor the path.
VALUE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$")
ORDER_HOLE = "order"


@dataclass(frozen=True, slots=True)
class Paging:
    """How to get to the next page.

    `kind`: "none", "link" (`next` leads to an address in the answer), "header" (a Link header),
    "page" and "offset" (`param` is a number; with `size`, a shorter page is the last), "token"
    (`next` leads to what `param` must be). `more` leads to whether there is another page, and
    `last` to the number of the last one.
    """

    kind: str = "none"
    next: str = ""
    param: str = ""
    first: int = 1
    size_param: str = ""
    size: int = 0
    more: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Records of one order may all carry the name and address of whoever placed it.

    `of` leads to the order's id in a record. `url` (with {order}), `query` and `records` get all
    records of one order, where not all of them come with a pull.
    """

    of: str
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    records: str = "@"


@dataclass(frozen=True, slots=True)
class RestProfile:
    """One supplier's API. `rows` says what the parts of a record are, as for a table: there
    `columns` leads to each field by a JMESPath."""

    name: str
    url: str
    auth: Mapping[str, str]
    paging: Paging
    rows: Profile
    records: str = "@"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    since_param: str = ""
    since_format: str = "iso"
    order: Order | None = None
    digest: str = ""

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> RestProfile:
        """From a profile file's data, which has been checked against its schema."""
        request = data["request"]
        since = request.get("changed_since", {})
        order = data.get("order")
        rows = {k: v for k, v in data.items() if k not in ("request", "order")}
        if "reference" in data["columns"]:
            rows.setdefault("key", ["reference"])
        return RestProfile(
            name=data["profile"],
            url=request["url"],
            auth=dict(request.get("auth", {"kind": "none"})),
            paging=Paging(**request.get("paging", {})),
            rows=Profile.from_data(rows),
            records=request.get("records", "@"),
            query={k: str(v) for k, v in request.get("query", {}).items()},
            headers={k: str(v) for k, v in request.get("headers", {}).items()},
            since_param=since.get("param", ""),
            since_format=since.get("format", "iso"),
            order=Order(**order) if order else None,
            digest=hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16],
        )

    @property
    def paths(self) -> dict[str, ParsedResult]:
        """The way to each field in a record."""
        return {name: jmespath.compile(path) for name, path in self.rows.columns.items()}


@dataclass(frozen=True, slots=True)
class RestSettings:
    """One configured API. Raises ValueError, in words, for a value that cannot work.

    `values` fill the holes in the profile's addresses. `timeout` is in seconds.
    """

    key: str
    profile: RestProfile
    secret: str = field(repr=False, default="")
    values: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    verify: bool | str = True
    proxy: str | None = None

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            if not VALUE.match(value):
                raise ValueError(f"{self.key}: values.{name} holds what no address may hold")
        if self.profile.auth["kind"] != "none" and not self.secret.strip():
            raise ValueError(f"{self.key}: there is no secret")
        origin = self.origin()
        order = self.profile.order
        if order is not None and order.url and not origin.owns(self.filled(order.url, order="0")):
            raise ValueError(f"{self.key}: order.url lies on another host than request.url")

    def filled(self, url: str, order: str = "") -> str:
        """An address with its holes filled. Raises ValueError where a value is missing."""
        values = {**self.values, **({ORDER_HOLE: order} if order else {})}

        def fill(hole: re.Match[str]) -> str:
            if hole[1] not in values:
                raise ValueError(
                    f"{self.key}: the address needs values.{hole[1]}; set it in bridge.toml"
                )
            return quote(values[hole[1]], safe="")

        return _HOLE.sub(fill, url)

    def origin(self) -> Origin:
        """The API's address, with the secret in the header that it asks for."""
        url = self.filled(self.profile.url)
        if _HOLE.search(urlsplit(self.profile.url).netloc):
            raise ValueError(f"{self.key}: the host must stand in the profile itself")
        return Origin(
            key=self.key,
            url=url,
            headers={**self.profile.headers, **self._credentials()},
            refused="Make a new secret there, and see that it may read what the profile asks for.",
            timeout=self.timeout,
            verify=self.verify,
            proxy=self.proxy,
        )

    def _credentials(self) -> dict[str, str]:
        auth = self.profile.auth
        if auth["kind"] == "bearer":
            return {"Authorization": f"Bearer {self.secret}"}
        if auth["kind"] == "header":
            return {auth["name"]: f"{auth.get('prefix', '')}{self.secret}"}
        if auth["kind"] == "basic":
            pair = b64encode(f"{auth.get('user', '')}:{self.secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


def holes_in(url: str) -> Sequence[str]:
    """The names of the holes in an address."""
    return _HOLE.findall(url)
