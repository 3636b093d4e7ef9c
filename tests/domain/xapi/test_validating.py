"""Every class of statement that must be refused is, with where and by which rule; and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.domain.xapi import BadStatement, Version, validate, validate_all, validate_exactly
from bridge.domain.xapi.content import content_key, key_of_content
from bridge.domain.xapi.fast import told_at_once
from tests.domain.xapi.making import ACTIVITY, AGENT, GONE, REF, WHOLE, as_bytes, put

COURSE = "http://adlnet.gov/expapi/activities/cmi.interaction"


def _question(kind: Any, **more: Any) -> dict[str, Any]:
    definition = {"type": COURSE, "interactionType": kind, **more}
    return put("/object", {"id": "http://lms.example.org/q/1", "definition": definition})


def _without_frills() -> dict[str, Any]:
    """Whose object may be anything: revision and platform belong to activities."""
    return {k: v for k, v in WHOLE.items() if k in ("actor", "verb", "object")}


def _about(thing: Any) -> dict[str, Any]:
    return {**_without_frills(), "object": thing}


def _sub(**more: Any) -> dict[str, Any]:
    return _about({"objectType": "SubStatement", **_without_frills(), **more})


def _by(actor: Any) -> dict[str, Any]:
    return put("/actor", actor)


def _ids(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": i, "description": {"en": "x"}} for i in ids]


ACCOUNT = {"homePage": "http://lms.example.org", "name": "42"}
NOON = "2026-02-03T12:00:00"
SHA1 = "CD9B00A5611F94EAA7B1661EDAB976068E364975"

GOOD: dict[str, Any] = {
    "whole": WHOLE,
    "bare": _without_frills(),
    "by an account": _by({"account": ACCOUNT}),
    "by a hash in capitals": _by({"mbox_sha1sum": SHA1}),
    "by openid": _by({"openid": "https://ana.example.org/"}),
    "by a nameless group": _by({"objectType": "Group", "member": [AGENT, {"account": ACCOUNT}]}),
    "by a group with an account": _by({"objectType": "Group", "account": ACCOUNT}),
    "by a group with members": _by({"objectType": "Group", **AGENT, "member": [AGENT]}),
    "about an agent": _about({"objectType": "Agent", **AGENT}),
    "about a group": _about({"objectType": "Group", "openid": "urn:x"}),
    "about a statement": _about(REF),
    "about a sub-statement": _sub(timestamp="2026-11-02T09:30:00Z", context={"platform": "M"}),
    "a sub-statement about a statement": _sub(object=REF),
    "a voiding": {**_about(REF), "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}},
    "an authority of two": put("/authority", {"objectType": "Group", "member": [AGENT, AGENT]}),
    "a verb without display": put("/verb/display", GONE),
    "empty objects": put("/result", {}),
    "an IRI with other letters": put("/object/id", "http://lms.example.org/übung/日本"),
    "an urn": put("/object/id", "urn:uuid:8f87ccde-bb56-4c2e-ab83-44982ef22df0"),
    "a choice": _question("choice", choices=_ids("a", "b"), correctResponsesPattern=["a[,]b"]),
    "matching": _question("matching", source=_ids("a"), target=_ids("a")),
    "a scale": _question("likert", scale=_ids("1", "2")),
    "steps": _question("performance", steps=_ids("1")),
    "numeric": _question("numeric", correctResponsesPattern=["4[:]5"]),
    "weeks": put("/result/duration", "P4W"),
    "a fine duration": put("/result/duration", "P1DT12H36M0.12567S"),
    "a far future": put("/timestamp", "2140-01-01T00:00:00+05:30"),
    "a score below zero": put("/result/score/scaled", -1),
    "a private language": put("/context/language", "x-moodle"),
    "no member": _by({"objectType": "Group", **AGENT, "member": []}),
    "version 1.0": put("/version", "1.0"),
    "a patch to come": put("/version", "1.0.9"),
    "any extension": put("/context/extensions", {"urn:x": [[[[None]]], 1e300, "\u2028"]}),
}

#: What is wrong, at which pointer, and a word of the rule.
BAD: dict[str, tuple[Any, str, str]] = {
    "no object at all": ([], "", "must be an object"),
    "null": (None, "", "null"),
    "no actor": (put("/actor", GONE), "", "'actor'"),
    "no verb": (put("/verb", GONE), "", "'verb'"),
    "no object": (put("/object", GONE), "", "'object'"),
    "another property": (put("/mood", 1), "/mood", "no such property"),
    "a property in capitals": (put("/Actor", AGENT), "/Actor", "spelt 'actor'"),
    "null in a statement": (put("/result", None), "/result", "null"),
    "null deeper": (put("/result/score/raw", None), "/result/score/raw", "null"),
    "null in a map": (put("/verb/display/en", None), "/verb/display/en", "null"),
    "an id of a number": (put("/id", 12345), "/id", "UUID"),
    "an id too long": (put("/id", WHOLE["id"] + "8"), "/id", "UUID"),
    "an id with other letters": (put("/id", "M" + WHOLE["id"][1:]), "/id", "UUID"),
    "an id in braces": (put("/id", f"{{{WHOLE['id']}}}"), "/id", "UUID"),
    "an actor that is text": (_by("ana"), "/actor", "must be an object"),
    "an actor without identifier": (_by({"name": "Ana"}), "/actor", "exactly one"),
    "an actor with two": (_by({**AGENT, "openid": "urn:x"}), "/actor", "exactly one"),
    "an actor of another type": (
        _by({"objectType": "agent", **AGENT}),
        "/actor/objectType",
        "'Agent'",
    ),
    "an agent with members": (_by({**AGENT, "member": [AGENT]}), "/actor/member", "no such"),
    "a name that is no text": (_by({"name": 3, **AGENT}), "/actor/name", "string"),
    "an address without mailto": (_by({"mbox": "ana@example.org"}), "/actor/mbox", "mailto"),
    "no address": (_by({"mbox": "mailto:example.org"}), "/actor/mbox", "address"),
    "two addresses": (_by({"mbox": "mailto:a@b.org,c@d.org"}), "/actor/mbox", "address"),
    "a hash too short": (_by({"mbox_sha1sum": SHA1[1:]}), "/actor/mbox_sha1sum", "SHA-1"),
    "an openid without scheme": (_by({"openid": "ana.example.org"}), "/actor/openid", "scheme"),
    "an account without name": (
        _by({"account": {"homePage": "http://x"}}),
        "/actor/account",
        "'name'",
    ),
    "an account without home": (_by({"account": {"name": "4"}}), "/actor/account", "'homePage'"),
    "a home without scheme": (
        _by({"account": {"homePage": "lms.example.org", "name": "4"}}),
        "/actor/account/homePage",
        "IRI",
    ),
    "an account with a number": (
        _by({"account": {**ACCOUNT, "name": 42}}),
        "/actor/account/name",
        "string",
    ),
    "a group without anything": (_by({"objectType": "Group"}), "/actor", "'member'"),
    "a group with two": (
        _by({"objectType": "Group", **AGENT, "account": ACCOUNT}),
        "/actor",
        "two of",
    ),
    "a group in a group": (
        _by({"objectType": "Group", "member": [{"objectType": "Group", **AGENT}]}),
        "/actor/member/0/objectType",
        "'Agent'",
    ),
    "members that are no array": (
        _by({"objectType": "Group", "member": AGENT}),
        "/actor/member",
        "array",
    ),
    "a verb that is text": (put("/verb", "completed"), "/verb", "object"),
    "a verb without id": (put("/verb/id", GONE), "/verb", "'id'"),
    "a verb's id without scheme": (put("/verb/id", "completed"), "/verb/id", "IRI"),
    "a display that is text": (put("/verb/display", "x"), "/verb/display", "language map"),
    "a display by no language": (
        put("/verb/display", {"a12345678": "x"}),
        "/verb/display/a12345678",
        "language tag",
    ),
    "an underscore in a language": (
        put("/verb/display", {"en_GB": "x"}),
        "/verb/display/en_GB",
        "tag",
    ),
    "an agent without its type as object": (_about(AGENT), "/object", "objectType"),
    "an object of no known type": (
        _about({"objectType": "Course", "id": "urn:x"}),
        "/object/objectType",
        "StatementRef",
    ),
    "an activity without id": (_about({"objectType": "Activity"}), "/object", "'id'"),
    "an activity's id with a blank": (put("/object/id", "http://x/a b"), "/object/id", "IRI"),
    "a definition that is text": (put("/object/definition", "x"), "/object/definition", "object"),
    "a type without scheme": (
        put("/object/definition/type", "course"),
        "/object/definition/type",
        "IRI",
    ),
    "an extension by no IRI": (
        put("/context/extensions", {"x/y": 1}),
        "/context/extensions/x~1y",
        "IRI",
    ),
    "extensions that are an array": (put("/result/extensions", []), "/result/extensions", "object"),
    "an interaction of no known type": (
        _question("essay"),
        "/object/definition/interactionType",
        "true-false",
    ),
    "patterns without a type": (
        _about({"id": "urn:q", "definition": {"correctResponsesPattern": ["a"]}}),
        "/object/definition/correctResponsesPattern",
        "interactionType",
    ),
    "patterns that are text": (
        _question("choice", correctResponsesPattern="a"),
        "/object/definition/correctResponsesPattern",
        "array",
    ),
    "components of another type": (
        _question("choice", steps=_ids("a")),
        "/object/definition/steps",
        "type choice",
    ),
    "one component twice": (
        _question("choice", choices=_ids("a", "a")),
        "/object/definition/choices",
        "differ",
    ),
    "a component without id": (
        _question("choice", choices=[{"description": {}}]),
        "/object/definition/choices/0",
        "'id'",
    ),
    "a component with more": (
        _question("choice", choices=[{"id": "a", "x": 1}]),
        "/object/definition/choices/0/x",
        "no such",
    ),
    "a reference by no UUID": (_about({**REF, "id": "7"}), "/object/id", "UUID"),
    "a reference with more": (_about({**REF, "x": 1}), "/object/x", "no such"),
    "a sub-statement with an id": (_sub(id=WHOLE["id"]), "/object/id", "no such"),
    "a sub-statement with a version": (_sub(version="1.0.3"), "/object/version", "no such"),
    "a sub-statement that was stored": (_sub(stored=WHOLE["stored"]), "/object/stored", "no such"),
    "a sub-statement's authority": (_sub(authority=AGENT), "/object/authority", "no such"),
    "a sub-statement in another": (
        _sub(object={"objectType": "SubStatement", **_without_frills()}),
        "/object/object",
        "another",
    ),
    "a sub-statement without a verb": (
        _about({"objectType": "SubStatement", "actor": AGENT, "object": ACTIVITY}),
        "/object",
        "'verb'",
    ),
    "a voiding of an activity": (
        put("/verb/id", "http://adlnet.gov/expapi/verbs/voided"),
        "/object",
        "StatementRef",
    ),
    "success in words": (put("/result/success", "true"), "/result/success", "true or false"),
    "completion as a number": (put("/result/completion", 1), "/result/completion", "true or"),
    "a response that is no text": (put("/result/response", 4), "/result/response", "string"),
    "a duration of nothing": (put("/result/duration", "PT"), "/result/duration", "ISO 8601"),
    "weeks and days": (put("/result/duration", "P4W1D"), "/result/duration", "ISO 8601"),
    "a duration as a number": (put("/result/duration", 90), "/result/duration", "ISO 8601"),
    "a score as a number": (put("/result/score", 5), "/result/score", "object"),
    "a scaled score above 1": (
        put("/result/score/scaled", 1.01),
        "/result/score/scaled",
        "between -1 and 1",
    ),
    "a scaled score in words": (
        put("/result/score/scaled", "0.5"),
        "/result/score/scaled",
        "number",
    ),
    "a score that is true": (put("/result/score/raw", True), "/result/score/raw", "number"),
    "a raw score above max": (put("/result/score/raw", 11), "/result/score/raw", "more than max"),
    "a raw score below min": (put("/result/score/raw", -1), "/result/score/raw", "less than min"),
    "min that is max": (put("/result/score/max", 0), "/result/score/min", "less than max"),
    "another mark": (put("/result/score/grade", 1), "/result/score/grade", "no such"),
    "a registration by no UUID": (
        put("/context/registration", "7"),
        "/context/registration",
        "UUID",
    ),
    "a team that is an agent": (put("/context/team", AGENT), "/context/team", "'objectType'"),
    "an instructor without identifier": (
        put("/context/instructor", {"name": "Tom"}),
        "/context/instructor",
        "exactly one",
    ),
    "a context of another kind": (
        put("/context/contextActivities", {"child": [ACTIVITY]}),
        "/context/contextActivities/child",
        "no such",
    ),
    "a parent that is text": (
        put("/context/contextActivities/parent", "urn:x"),
        "/context/contextActivities/parent",
        "array",
    ),
    "a parent without id": (
        put("/context/contextActivities/parent", [{}]),
        "/context/contextActivities/parent/0",
        "'id'",
    ),
    "a parent that is an agent": (
        put("/context/contextActivities/parent", [{"objectType": "Agent", **AGENT}]),
        "/context/contextActivities/parent/0/objectType",
        "'Activity'",
    ),
    "a platform about an agent": (
        {**_about({"objectType": "Agent", **AGENT}), "context": {"platform": "M"}},
        "/context/platform",
        "about an activity",
    ),
    "a revision about a statement": (
        {**_about(REF), "context": {"revision": "1"}},
        "/context/revision",
        "about an activity",
    ),
    "a platform in a sub-statement about an agent": (
        _sub(object={"objectType": "Agent", **AGENT}, context={"platform": "M"}),
        "/object/context/platform",
        "about an activity",
    ),
    "a language in words": (put("/context/language", "English!"), "/context/language", "tag"),
    "a context's statement without its type": (
        put("/context/statement", {"id": REF["id"]}),
        "/context/statement",
        "'objectType'",
    ),
    "a day that there is not": (put("/timestamp", "2026-02-30T10:00:00Z"), "/timestamp", "there"),
    "a day without a time": (put("/timestamp", "2026-02-03"), "/timestamp", "date and time"),
    "an offset of nothing": (put("/timestamp", f"{NOON}-00:00"), "/timestamp", "-00"),
    "an offset of nothing, short": (put("/timestamp", f"{NOON}-00"), "/timestamp", ""),
    "an offset of nothing, packed": (
        put("/timestamp", "2026-02-03T10:00:00-0000"),
        "/timestamp",
        "",
    ),
    "a time as a number": (put("/timestamp", 1700000000), "/timestamp", "string"),
    "another way to write days": (put("/timestamp", "01/02/2026"), "/timestamp", "date"),
    "stored, in words": (put("/stored", "yesterday"), "/stored", "date"),
    "an authority of one": (
        put("/authority", {"objectType": "Group", "member": [AGENT]}),
        "/authority",
        "two members",
    ),
    "an authority with an identifier": (
        put("/authority", {"objectType": "Group", **AGENT, "member": [AGENT, AGENT]}),
        "/authority",
        "no identifier",
    ),
    "version 0.95": (put("/version", "0.95"), "/version", "1.0.x"),
    "version 1.1": (put("/version", "1.1.0"), "/version", "1.0.x"),
    "a version as a number": (put("/version", 1.0), "/version", "1.0.x"),
    "attachments that are no array": (put("/attachments", {}), "/attachments", "array"),
    "an attachment that is text": (put("/attachments/0", "x"), "/attachments/0", "object"),
    "an attachment without hash": (put("/attachments/0/sha2", GONE), "/attachments/0", "'sha2'"),
    "an attachment's use without scheme": (
        put("/attachments/0/usageType", "certificate"),
        "/attachments/0/usageType",
        "IRI",
    ),
    "a hash of another length": (put("/attachments/0/sha2", "ab"), "/attachments/0/sha2", "SHA-2"),
    "a length in words": (put("/attachments/0/length", "27"), "/attachments/0/length", "octets"),
    "a length below zero": (put("/attachments/0/length", -1), "/attachments/0/length", "octets"),
    "a content type of one word": (
        put("/attachments/0/contentType", "pdf"),
        "/attachments/0/contentType",
        "media type",
    ),
    "context agents before 2.0": (
        put("/context/contextAgents", []),
        "/context/contextAgents",
        "no such",
    ),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("version", list(Version))
def test_a_valid_statement_is_accepted_by_both_editions(name: str, version: Version) -> None:
    body = as_bytes(GOOD[name])
    assert validate(body, version) == GOOD[name] == validate_exactly(body, version)


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_with_its_place_and_rule(name: str) -> None:
    value, pointer, word = BAD[name]
    with pytest.raises(BadStatement) as refused:
        validate(as_bytes(value))
    told = [p for p in refused.value.problems if p.pointer == pointer and word in p.rule]
    assert told, refused.value
    assert "xAPI 1.0.3, part 2, section" in told[0].section


@pytest.mark.parametrize(
    ("changed", "first", "second"),
    [
        ({"verb": None}, "part 2, section 2.2", "4.2.1 Table Guidelines"),
        ({"stored": 7}, "part 2, section 2.4.8", "4.2.2 Statement"),
        ({"version": "9"}, "part 2, section 2.4.10", "4.2.2 Statement"),
        ({"context": {"language": "a b"}}, "part 2, section 2.4.6", "4.2.2.5 Context"),
        ({"id": "x"}, "part 2, section 4.4", "4.2.7 Additional Requirements for Data Types"),
    ],
)
def test_the_section_is_that_of_the_edition(
    changed: dict[str, Any], first: str, second: str
) -> None:
    body = as_bytes({**GOOD["whole"], **changed})
    for version, words in (
        (Version.V1, f"xAPI 1.0.3, {first}"),
        (Version.V2, f"IEEE 9274.1.1, clause {second}"),
    ):
        with pytest.raises(BadStatement) as refused:
            validate(body, version)
        assert [p.section for p in refused.value.problems] == [words]


@pytest.mark.parametrize(
    ("version", "section"),
    [
        (Version.V1, "xAPI 1.0.3, part 3, section 2.1.2"),
        (Version.V2, "IEEE 9274.1.1, clause 4.1.6.1 Statement Resource"),
    ],
)
def test_one_id_twice_is_a_rule_of_the_resource(version: Version, section: str) -> None:
    key = "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"
    one = as_bytes({**GOOD["whole"], "id": key}).decode()
    with pytest.raises(BadStatement) as refused:
        list(validate_all(f"[{one},{one}]".encode(), version))
    assert [(p.pointer, p.section) for p in refused.value.problems] == [("/1/id", section)]


INVOLVED = {"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["urn:coach"]}
TEAM = {"objectType": "contextGroup", "group": {"objectType": "Group", "member": [AGENT]}}


def test_the_second_edition_knows_who_else_was_involved() -> None:
    made = put("/context/contextAgents", [INVOLVED])
    made = put("/context/contextGroups", [TEAM], made)
    made = put("/version", "2.0.0", made)
    assert validate(as_bytes(made), Version.V2) == made
    with pytest.raises(BadStatement):
        validate(as_bytes(made), Version.V1)


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("contextAgents", {}, ""),
        ("contextAgents", [{**INVOLVED, "objectType": "Agent"}], "/0/objectType"),
        ("contextAgents", [{"agent": AGENT}], "/0"),
        ("contextAgents", [{**INVOLVED, "agent": {}}], "/0/agent"),
        ("contextAgents", [{**INVOLVED, "relevantTypes": []}], "/0/relevantTypes"),
        ("contextAgents", [{**INVOLVED, "relevantTypes": ["coach"]}], "/0/relevantTypes/0"),
        ("contextGroups", [{**TEAM, "group": AGENT}], "/0/group"),
        ("contextGroups", [{"objectType": "contextGroup"}], "/0"),
    ],
)
def test_who_else_was_involved_has_its_own_rules(name: str, value: Any, pointer: str) -> None:
    with pytest.raises(BadStatement) as refused:
        validate(as_bytes(put(f"/context/{name}", value)), Version.V2)
    assert any(p.pointer == f"/context/{name}{pointer}" for p in refused.value.problems)
    assert all(p.section.startswith("IEEE 9274.1.1") for p in refused.value.problems)


@pytest.mark.parametrize(
    "time", ["20260203T101500+0100", "2026-02-03T10:15", "2026-02-03T10:15:00"]
)
def test_only_the_first_edition_takes_iso_8601_beyond_rfc_3339(time: str) -> None:
    made = as_bytes(put("/timestamp", time))
    validate(made, Version.V1)
    with pytest.raises(BadStatement, match="RFC 3339"):
        validate(made, Version.V2)


def test_all_errors_are_told_at_once_and_not_without_end() -> None:
    made = put("/verb/id", "x", put("/id", "x"))
    with pytest.raises(BadStatement) as refused:
        validate(as_bytes(made))
    assert [p.pointer for p in refused.value.problems] == ["/id", "/verb/id"]
    many = put("/context/extensions", {str(n): 0 for n in range(1000)})
    with pytest.raises(BadStatement) as refused:
        validate(as_bytes(many))
    assert len(refused.value.problems) == 20
    assert refused.value.more


# --- keys that come twice ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ('"id":"8f87ccde-bb56-4c2e-ab83-44982ef22df0","id":"x"', "/id"),
        ('"verb":{"id":"urn:a","id":"urn:b"}', "/verb/id"),
        ('"context":{"extensions":{"urn:x":[{"a":1,"a":1}]}}', "/context/extensions/urn:x/0/a"),
        # Where the count of signs alone would not tell.
        ('"context":{"extensions":{"urn:x":{"a":1,"a" :":"}}}', "/context/extensions/urn:x/a"),
        ('"context":{"extensions":{"urn:x":{"a":1,"\\u0061":2}}}', "/context/extensions/urn:x/a"),
        (
            '"context":{"extensions":{"urn:x":{"a":"\\u003a","a":2}}}',
            "/context/extensions/urn:x/a",
        ),
        (
            '"context":{"extensions":{"urn:x":{"a":1,"a":2,"b":"\\u0022:"}}}',
            "/context/extensions/urn:x/a",
        ),
        (
            '"context":{"extensions":{"urn:x":{"a":1,"a":2,"b":"\\u003A-)"}}}',
            "/context/extensions/urn:x/a",
        ),
    ],
)
def test_a_key_that_comes_twice_is_refused_wherever_it_is(more: str, pointer: str) -> None:
    bare = {k: v for k, v in _without_frills().items() if f'"{k}":' not in more[:8]}
    body = f"{json.dumps(bare)[:-1]},{more}}}".encode()
    for road in (validate, validate_exactly):
        with pytest.raises(BadStatement, match="more than once") as refused:
            road(body)
        assert refused.value.problems[0].pointer == pointer


@pytest.mark.parametrize("text", ['":', ':x":', '\\":', "a:b", '"', "\\u003a"])
def test_a_text_that_looks_like_a_key_is_none(text: str) -> None:
    made = put("/result/response", text, _without_frills())
    assert validate(as_bytes(made))["result"]["response"] == text


def test_what_php_writes_takes_the_fast_road() -> None:
    made = {k: v for k, v in WHOLE.items() if k != "attachments"}
    made = put("/context", {"platform": "Moodle"}, made)
    body = json.dumps(made, separators=(",", ":")).replace("/", "\\/").encode()
    told = told_at_once(body, second=False)
    assert told is not None
    assert (told.id, told.moment) == (made["id"], True)
    assert key_of_content(told.content) == content_key(made)
    (valid,) = validate_all(body)
    assert valid.value == made


# --- several at once --------------------------------------------------------------------------
def test_an_array_is_judged_one_by_one_with_pointers_into_the_whole() -> None:
    good, bad = _without_frills(), put("/verb/id", "x", _without_frills())
    assert [s.value for s in validate_all(as_bytes([good, good]))] == [good, good]
    assert [s.value for s in validate_all(b" " + as_bytes(good))] == [good]
    assert list(validate_all(b"[]")) == []
    with pytest.raises(BadStatement) as refused:
        list(validate_all(as_bytes([good, bad])))
    assert refused.value.problems[0].pointer == "/1/verb/id"


def test_the_bytes_of_each_are_kept_as_they_came() -> None:
    parts = [json.dumps(_without_frills(), indent=n).encode() for n in (1, 2)]
    assert [s.body for s in validate_all(b"[ %s,\n%s ]" % tuple(parts))] == parts


def test_one_id_twice_in_an_array_is_refused_whatever_its_case() -> None:
    one = {**_without_frills(), "id": WHOLE["id"]}
    with pytest.raises(BadStatement, match="another statement") as refused:
        list(validate_all(as_bytes([one, {**one, "id": WHOLE["id"].upper()}])))
    assert refused.value.problems[0].pointer == "/1/id"


def test_more_statements_than_allowed_are_refused() -> None:
    with pytest.raises(BadStatement, match="more than 2 statements"):
        list(validate_all(as_bytes([_without_frills()] * 3), most=2))
