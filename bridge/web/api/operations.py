"""Operations of the API: one decorator declares route, permission, and what goes in and out.

The same declaration checks requests, shapes answers, and is told as OpenAPI; pydantic, which reads
our settings already, makes the schemas, so no other library is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.domain.errors import NotFound
from bridge.domain.permissions import Permission
from bridge.web.access import permits
from bridge.web.api.door import come_in
from bridge.web.api.problems import Fault, Faulty, of_error, problem

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.before_request(come_in)
api.register_error_handler(Exception, of_error)

#: The largest body that is read, in bytes: a long reflection.
BODY_BYTES = 300_000
#: The largest number that the database keeps.
MAX_ID = 2**63 - 1
View = TypeVar("View", bound=Callable[..., Any])


class Shape(BaseModel):
    """Something that goes in or out. Unknown members are faults, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True)


class Query(BaseModel):
    """Parameters of an address; they come as text."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Operation:
    """One of them, as it was declared. `changes` says that rules may refuse it (409)."""

    name: str
    method: str
    path: str
    permission: Permission
    tag: str
    summary: str
    answer: type[BaseModel]
    status: int
    body: type[Shape] | None
    query: type[Query] | None
    may: tuple[int, ...]


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    permission: Permission,
    answer: type[BaseModel],
    *,
    tag: str,
    status: int = 200,
    body: type[Shape] | None = None,
    query: type[Query] | None = None,
    may: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Declare an operation. The view is called with the path's values, and `body` and `query` where
    they are declared; it returns the answer, or that and the address of what was made.

    `may` lists the statuses beyond the usual ones that it answers with.
    """

    def declare(view: View) -> View:
        name = view.__name__
        made = Operation(
            name, method, path, permission, tag, (view.__doc__ or "").strip(), answer, status,
            body, query, may,
        )  # fmt: skip
        OPERATIONS.append(made)

        @permits(permission)
        def endpoint(**values: Any) -> Response:
            return _run(made, view, values)

        api.add_url_rule(path, name, endpoint, methods=[method])
        return view

    return declare


def _run(made: Operation, view: Callable[..., Any], values: dict[str, Any]) -> Response:
    if any(isinstance(v, int) and v > MAX_ID for v in values.values()):
        raise NotFound("There is nothing with that number.")
    faults: list[Fault] = []
    try:
        query = _query(made.query or Query)
    except Faulty as wrong:
        faults += wrong.faults
    else:
        if made.query is not None:
            values["query"] = query
    if made.body is not None:
        try:
            values["body"] = _body(made.body)
        except Faulty as wrong:
            faults += wrong.faults
    if faults:
        raise Faulty(faults)
    found = view(**values)
    told, where = found if isinstance(found, tuple) else (found, None)
    response = Response(told.model_dump_json(), made.status, content_type="application/json")
    if where is not None:
        response.headers["Location"] = where
    return response


def _query(model: type[Query]) -> Query:
    faults = [
        Fault(what=f"'{name}' is given more than once.", where=f"query parameter {name}",
              why="It is not clear which is meant.", remedy="Give it once.")
        for name in request.args
        if len(request.args.getlist(name)) > 1
    ]  # fmt: skip
    if faults:
        raise Faulty(faults)
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Faulty(_faults(error, "query parameter ", "/")) from None


def _body(model: type[Shape]) -> Shape:
    request.max_content_length = BODY_BYTES
    if not request.is_json:
        raise _Unsupported
    raw = request.get_data(cache=False)
    try:
        orjson.loads(raw)  # stricter than pydantic: no broken characters, no NaN
    except orjson.JSONDecodeError as error:
        raise _Malformed(str(error)) from None
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise Faulty(_faults(error, "", "/")) from None


class _Unsupported(Exception):
    """The body is in another format than JSON."""


class _Malformed(Exception):
    """The body is no JSON; says where it breaks."""


@api.errorhandler(_Unsupported)
def _unsupported(error: _Unsupported) -> Response:
    return problem(415)


@api.errorhandler(_Malformed)
def _malformed(error: _Malformed) -> Response:
    fault = Fault(what="The body is not JSON.", where="/", why=str(error),
                  remedy="Send JSON (RFC 8259) in UTF-8.")  # fmt: skip
    return problem(400, "The body cannot be read.", [fault])


def _faults(error: ValidationError, before: str, mark: str) -> Iterator[Fault]:
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        place = [str(part).replace("~", "~0").replace("/", "~1") for part in one["loc"]]
        where = before + (mark.join(place) if before else mark + mark.join(place))
        yield Fault(
            what=_WHAT.get(one["type"], "This value is not as it must be."),
            where=where,
            why=f"{one['msg']}.",
            remedy=_REMEDY.get(one["type"], "Correct it; /api/v1/openapi.json has the schema."),
        )


_WHAT: Mapping[str, str] = {
    "missing": "Something is missing.",
    "extra_forbidden": "There is no such member or parameter.",
}
_REMEDY: Mapping[str, str] = {
    "missing": "Add it.",
    "extra_forbidden": "Leave it out, or check its spelling.",
}
