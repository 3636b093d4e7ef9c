"""The API told as OpenAPI 3.1, from the same declarations that check requests and shape answers."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

import orjson
from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge import __version__
from bridge.domain.permissions import MAY, Permission
from bridge.web.access import permits, site
from bridge.web.api.operations import MAX_ID, OPERATIONS, Operation, api
from bridge.web.api.problems import TITLES, ProblemDetails

_REF = "#/components/schemas/{model}"
_TAGS = {
    "me": "Whose token this is, and where they stand",
    "evidence": "One's own evidence",
    "verifying": "What a verifier decides, and their team",
    "training": "The training team's desk",
    "badges": "The LMS administrator's",
    "counts": "The partnership's",
    "frameworks": "What there is to be competent in",
}
_ABOUT = """The same use cases as the pages. A program acts for one person, with that person's
roles and nothing more, by a personal token from their account page. Errors are problem+json
(RFC 9457): `errors` lists what is wrong, where, why, and what to do. Lists come in pages: follow
`next` until it is null."""


@api.get("/openapi.json")
@permits(Permission.PUBLIC)
def openapi() -> Response:
    """This description."""
    told = _document() | {"servers": [{"url": f"{site().settings.base_url}/api/v1"}]}
    return Response(orjson.dumps(told), content_type="application/json")


@cache
def _document() -> dict[str, Any]:
    goes_in: list[type[BaseModel]] = [o.body for o in OPERATIONS if o.body is not None]
    goes_out: list[type[BaseModel]] = [*(o.answer for o in OPERATIONS), ProblemDetails]
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    models += [(model, "validation") for model in dict.fromkeys(goes_in)]
    models += [(model, "serialization") for model in dict.fromkeys(goes_out)]
    names, schemas = models_json_schema(models, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Competency Bridge", "version": __version__, "description": _ABOUT},
        "security": [{"token": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "cb_..."}
            },
        },
    }


def _operation(one: Operation, names: Any) -> dict[str, Any]:
    roles = ", ".join(sorted(role.value for role in MAY[one.permission]))
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary.partition("\n")[0],
        "description": f"{one.summary}\n\nFor: {roles}.",
        "parameters": [*_of_path(one), *_of_query(one)],
        "responses": {
            str(one.status): _answer(one, names[one.answer, "serialization"]),
            **{str(code): _problem(code) for code in _statuses(one)},
        },
    }
    if one.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": names[one.body, "validation"]}},
        }
    return told


def _answer(one: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": "As asked.",
        "content": {"application/json": {"schema": schema}},
    }
    if one.status == 201:
        told["headers"] = {
            "Location": {"description": "Where it is.", "required": True,
                         "schema": {"type": "string", "format": "uri"}}
        }  # fmt: skip
    return told


def _statuses(one: Operation) -> list[int]:
    usual = {401, 403, 422, 429, 500}
    if "<" in one.path or one.query is not None:
        usual.add(404)
    if one.body is not None:
        # A claim, a person or an activity that a body names may not be there to see.
        usual |= {400, 404, 413, 415}
    return sorted(usual | set(one.may))


def _problem(code: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": TITLES[code],
        "content": {
            "application/problem+json": {"schema": {"$ref": _REF.format(model="ProblemDetails")}}
        },
    }
    header = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(code)
    if header:
        told["headers"] = {header: {"schema": {"type": "string"}, "required": code != 503}}
    return told


def _of_path(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID}
            if kind == "int"
            else {"type": "string", "minLength": 1, "maxLength": 80},
        }
        for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", one.path)
    ]


def _of_query(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    found = one.query.model_json_schema(ref_template=_REF)
    shared = found.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in found.get("required", ()),
            "description": schema.get("description", name),
            "schema": _plain(schema, shared),
        }
        for name, schema in found["properties"].items()
    ]


def _plain(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema: what may be left out is left out, and never null."""
    choices = [c for c in schema.get("anyOf", [schema]) if c.get("type") != "null"]
    (chosen,) = choices
    if "$ref" in chosen:
        chosen = shared[chosen["$ref"].rpartition("/")[2]]
    kept = {k: v for k, v in chosen.items() if k not in ("title", "description", "default")}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept
