"""The stand-in LRS as a running server on loopback: statements in and out, About, and faults.

with StandInLrs(store) as lrs:
    LrsSource(LrsSettings("lrs", lrs.base_url, user=lrs.user, secret=lrs.secret), clock)
"""

from __future__ import annotations

import base64
import hmac
import itertools
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bridge.demo.lrs.faults import Fault, Faults
from bridge.demo.lrs.state import Conflict, Held, Question, Store
from bridge.demo.serving import Served
from bridge.domain.xapi import BadStatement, Version, validate_all
from bridge.domain.xapi.instants import read_instant

_PAGE = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Log in</body></html>"
_ELSEWHERE = "https://elsewhere.example"
MOST_PER_PAGE = 100
CAPPED_AT = 3


class _Answer(HTTPException):
    """An answer that ends the request."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(response=_json({"error": words}, status))


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, mimetype="application/json")


class StandInLrs:
    """A stand-in LRS on 127.0.0.1, serving `store` from a thread until it is stopped.

    `latency` is how long each answer takes, in seconds. `most` caps every page.
    """

    user, secret = "reader", "stand-in-secret-0123456789"

    def __init__(
        self, store: Store | None = None, *, latency: float = 0.0, most: int = MOST_PER_PAGE
    ) -> None:
        self.store = store or Store()
        self.latency, self.most = latency, most
        self.faults = Faults()
        self.requests: list[str] = []
        self.base_url = ""
        self._more: dict[str, tuple[Sequence[Held], int]] = {}
        self._numbers = itertools.count(1)
        self._served = Served(self._app(), "stand-in-lrs")

    def start(self, port: int = 0) -> str:
        """Serve from a thread of its own, on any free port unless told; the endpoint."""
        self.base_url = f"{self._served.start(port)}/xapi"
        return self.base_url

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._served.stop()

    def __enter__(self) -> StandInLrs:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _app(self) -> Flask:
        app = Flask("bridge.demo.lrs", static_folder=None)
        app.add_url_rule("/xapi/about", "about", self._about)
        app.add_url_rule("/xapi/statements", "get", self._get, methods=["GET"])
        app.add_url_rule("/xapi/statements", "post", self._post, methods=["POST"])
        app.add_url_rule("/xapi/statements", "put", self._put, methods=["PUT"])
        app.add_url_rule("/xapi/more/<token>", "more", self._next)
        app.before_request(self._before)
        app.after_request(self._after)
        return app

    def _before(self) -> Response | None:
        if self.latency:
            time.sleep(self.latency)
        self.requests.append(request.full_path.rstrip("?"))
        if request.path.endswith("/about"):
            return _json({"error": "no such resource"}, 404) if self._is(Fault.OLD) else None
        if self._is(Fault.TOO_MANY_REQUESTS):
            return Response(_PAGE, 429, {"Retry-After": "7"}, mimetype="text/html")
        if self._is(Fault.COME_BACK_LATER):
            return Response(_PAGE, 503, {"Retry-After": "3600"}, mimetype="text/html")
        if self._is(Fault.BROKEN):
            return Response(_PAGE, 500, mimetype="text/html")
        if self._is(Fault.HTML_PAGE):
            return Response(_PAGE, mimetype="text/html")
        pair = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        said = request.headers.get("Authorization", "")
        if self._is(Fault.SHUT_OUT) or not hmac.compare_digest(said, f"Basic {pair}"):
            return _json({"error": "Unauthorized"}, 401)
        version = request.headers.get("X-Experience-API-Version", "")
        known = ("1.0",) if self._is(Fault.OLD) else ("1.0", "2.0")
        if not version.startswith(known):
            return _json({"error": f"X-Experience-API-Version {version!r} is not spoken"}, 400)
        reads = request.method == "GET"
        if (reads and self._is(Fault.WRITES_ONLY)) or (not reads and self._is(Fault.READS_ONLY)):
            return _json({"error": "Forbidden"}, 403)
        if self._is(Fault.ELSEWHERE):
            return Response(status=307, headers={"Location": _ELSEWHERE + request.path})
        return None

    def _is(self, fault: Fault) -> bool:
        return self.faults.strikes(fault)

    def _after(self, response: Response) -> Response:
        version = request.headers.get("X-Experience-API-Version", "1.0.3")
        response.headers["X-Experience-API-Version"] = version
        return response

    def _about(self) -> Response:
        if self._is(Fault.DRIPPING):
            return Response(_drops(), headers={"Content-Length": "4000"})
        return _json({"version": ["1.0.3", "2.0.0"]})

    # --- out ----------------------------------------------------------------------------------
    def _get(self) -> Response:
        for name, voided in (("statementId", False), ("voidedStatementId", True)):
            if name in request.args:
                body = self.store.one(request.args[name], voided=voided)
                if body is None and self._is(Fault.POLITE):
                    return _json({"statements": []})
                if body is None:
                    raise _Answer(404, "There is no such statement.")
                return Response(body, mimetype="application/json")
        if self._is(Fault.DRIPPING):
            return Response(_drops(), headers={"Content-Length": "4000"})
        question = Question(
            since=_instant("since"),
            until=_instant("until"),
            ascending=request.args.get("ascending") == "true",
            happened=self._is(Fault.WRONG_CLOCK),
        )
        asked = request.args.get("limit", 0, int)
        size = min(asked or self.most, self.most)
        return self._page(self.store.found(question), size)

    def _next(self, token: str) -> Response:
        if self._is(Fault.MORE_EXPIRES) or token not in self._more:
            raise _Answer(404, "This link has expired.")
        return self._page(*self._more[token], token=token)

    def _page(self, found: Sequence[Held], size: int, token: str = "") -> Response:
        if self._is(Fault.CAPPED):
            size = min(size, CAPPED_AT)
        shown, rest = found[:size], found[size:]
        more = ""
        if rest:
            following = token
            if not (token and self._is(Fault.MORE_IN_A_CIRCLE)):
                following = str(next(self._numbers))
                self._more[following] = (rest, size)
            more = f"/xapi/more/{following}"
            if self._is(Fault.MORE_ELSEWHERE):
                more = _ELSEWHERE + more
        bodies = [held.body for held in shown]
        if len(bodies) > 1 and self._is(Fault.NOT_A_NUMBER):
            bodies[1] = bodies[1][:-1] + b',"result":{"score":{"raw":NaN}}}'
        body = b'{"statements":[%s],"more":%s}' % (b",".join(bodies), orjson.dumps(more))
        if self._is(Fault.TRUNCATED):
            body = body[: len(body) // 2]
        through = self.store.now()
        if self._is(Fault.HASTY):
            through += timedelta(minutes=30)
        return Response(
            body,
            headers={"X-Experience-API-Consistent-Through": _written(through)},
            mimetype="application/json",
        )

    # --- in -------------------------------------------------------------------------------------
    def _post(self) -> Response:
        version = request.headers["X-Experience-API-Version"]
        try:
            values = [s.value for s in validate_all(request.get_data(), Version.of(version))]
            if len(values) > CAPPED_AT and self._is(Fault.SMALL_BATCHES):
                raise _Answer(413, f"No more than {CAPPED_AT} at once.")
            if self._is(Fault.PICKY) and any(_is_two(value) for value in values):
                raise _Answer(400, "object.id: competency 2 of ana@example.org is not taken here")
            if self._is(Fault.CONFLICT) and any(self.store.knows(v.get("id", "")) for v in values):
                raise _Answer(409, "One of these is stored already.")
            ids = [self.store.put(value, version=version) for value in values]
        except BadStatement as error:
            raise _Answer(400, str(error)) from None
        except Conflict as error:
            raise _Answer(409, f"Another statement has the id {error}.") from None
        if self._is(Fault.LOST_ANSWER):
            return Response(_dropping(), headers={"Content-Length": "4000"})
        if self._is(Fault.DRIPPING):
            return Response(_drops(), headers={"Content-Length": "4000"})
        return Response(status=204) if self._is(Fault.BRIEF) else _json(ids)

    def _put(self) -> Response:
        key = request.args.get("statementId", "")
        version = request.headers["X-Experience-API-Version"]
        try:
            (valid,) = validate_all(request.get_data(), Version.of(version))
            self.store.put({**valid.value, "id": key}, version=version)
        except BadStatement as error:
            raise _Answer(400, str(error)) from None
        except Conflict as error:
            raise _Answer(409, f"Another statement has the id {error}.") from None
        return Response(status=204)


def _is_two(statement: dict[str, Any]) -> bool:
    return str(statement["object"]["id"]).endswith("/competencies/2")


def _dropping() -> Iterator[bytes]:
    yield b"["
    raise ConnectionAbortedError("the stand-in was told to drop this connection")


def _drops() -> Iterator[bytes]:
    while True:
        yield b" "
        time.sleep(0.02)


def _instant(name: str) -> datetime | None:
    said = request.args.get(name)
    if not said:
        return None
    moment = read_instant(said, second=False)
    if moment is None:
        raise _Answer(400, f"{name} is no timestamp.")
    return moment


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
