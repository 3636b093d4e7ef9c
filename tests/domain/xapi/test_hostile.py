"""Whatever the bytes are, the answer is a judgement; and the two roads never disagree."""

from __future__ import annotations

import copy
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.xapi import BadStatement, Version, fast, validate, validate_all, validate_exactly
from bridge.domain.xapi.content import content_key, key_of_content
from bridge.domain.xapi.fast import Told, told_at_once
from tests.domain.xapi.making import WHOLE, as_bytes, put

_BARE = {k: v for k, v in WHOLE.items() if k in ("actor", "verb", "object")}


def _holding(json_text: str) -> bytes:
    """A statement whose extension has that value, written as it is."""
    made = put("/result", {"extensions": {"urn:x": "HERE"}}, _BARE)
    return as_bytes(made).replace(b'"HERE"', json_text.encode())


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"   ",
    "no UTF-8": b'{"actor":"\xff\xfe"}',
    "half a letter": as_bytes(_BARE)[:-1] + b'\xc3"}',
    "a mark of byte order": b"\xef\xbb\xbf" + as_bytes(_BARE),
    "UTF-16": as_bytes(_BARE).decode().encode("utf-16"),
    "cut short": as_bytes(WHOLE)[:-7],
    "two values": as_bytes(_BARE) * 2,
    "half a surrogate": _holding('"\\ud800"'),
    "NaN": _holding("NaN"),
    "without end": _holding("1e999"),
    "minus without end": _holding("-Infinity"),
    "a number of a million digits": _holding("9" * 1_000_000),
    "arrays in arrays": _holding("[" * 100_000 + "]" * 100_000),
    "arrays never closed": _holding("[" * 1_000_000),
    "objects in objects": _holding('{"a":' * 5_000 + "1" + "}" * 5_000),
    "arrays, 300 deep": _holding("[" * 300 + "]" * 300),
    "a million keys that are no IRIs": as_bytes(
        put("/result", {"extensions": {str(n): n for n in range(200_000)}}, _BARE)
    ),
    "a key a thousand times": _holding("{" + ",".join(['"a":1'] * 100_000) + "}"),
    "a tag without end": as_bytes(put("/verb/display", {"a-" * 500_000: "x"}, _BARE)),
    "an IRI that nearly is": as_bytes(put("/object/id", "http:" + "//a@" * 200_000 + " ", _BARE)),
    "an address that nearly is": as_bytes(
        put("/actor", {"mbox": "mailto:" + "a." * 300_000}, _BARE)
    ),
    "a duration that nearly is": as_bytes(
        put("/result", {"duration": "P" + "1" * 300_000 + "X"}, _BARE)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("version", list(Version))
def test_hostile_bytes_get_a_judgement_and_nothing_else(name: str, version: Version) -> None:
    for road in (validate, validate_exactly):
        with pytest.raises(BadStatement):
            road(HOSTILE[name], version)
    if HOSTILE[name].strip():
        with pytest.raises(BadStatement):
            list(validate_all(b"[" + HOSTILE[name] + b"]", version))
    with pytest.raises(BadStatement):
        list(validate_all(HOSTILE[name], version))


def test_a_large_extension_is_no_error_and_costs_its_share() -> None:
    many = {f"http://example.org/{n}": n for n in range(200_000)}
    body = as_bytes(put("/result", {"extensions": many}, _BARE))
    tracemalloc.start()
    assert validate(body)["result"]["extensions"] == many
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25 * len(body)
    # Nothing of it is remembered for long: what is known is forgotten before it grows large.
    from bridge.domain.xapi import fast

    assert len(fast._iri.seen) <= fast._iri.MOST


def test_numbers_that_are_large_but_numbers_are_let_through() -> None:
    for number in ("123456789012345678901234567890", "1e300", "-0", "0.1e-400"):
        for road in (validate, validate_exactly):
            road(_holding(number))


# --- the two roads ----------------------------------------------------------------------------
_TEXTS = st.sampled_from(
    ["", "x", "http://x/y", "urn:x", "mailto:a@b.org", "en", "en_GB", "PT1S", "P1", "1.0.0",
     "2.0.0", "2026-11-02T09:30:00Z", "2026-11-02T09:30:00", "2026-11-02T09:30:00-00:00",
     "Agent", "Group", "Activity", "StatementRef", "choice", '":', ":", "\\", "\u2028", "é",
     WHOLE["id"], WHOLE["id"].upper(), "http://adlnet.gov/expapi/verbs/voided"]
)  # fmt: skip
_ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 12), st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS, st.text(max_size=4),
)  # fmt: skip
_VALUES = st.recursive(
    _ATOMS,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "objectType", "mbox", "account", "name", "member", "definition", "en",
                 "urn:x", "extensions", "homePage", "type", "scaled", "raw", "min", "max"]
            ),
            inside,
            max_size=4,
        )
    ),
    max_leaves=6,
)  # fmt: skip


def _places(value: Any, pointer: str = "") -> list[str]:
    found = [pointer] if pointer else []
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in inside:
        here = f"{pointer}/{str(name).replace('/', '~1')}"
        found += _places(each, here) if isinstance(each, dict | list) else [here]
    return found


_PLACES = _places(WHOLE)
_NAMES = sorted({p.rpartition("/")[2] for p in _PLACES})


def _change(made: Any, pointer: str, value: Any) -> None:
    *way, last = pointer.split("/")[1:]
    place = made
    try:
        for name in way:
            place = place[int(name) if isinstance(place, list) else name.replace("~1", "/")]
        place[int(last) if isinstance(place, list) else last.replace("~1", "/")] = value
    except (KeyError, TypeError, ValueError, IndexError):
        pass  # An earlier change took the place away.


@settings(max_examples=1500, deadline=None)
@given(
    keep=st.sets(st.sampled_from(sorted(set(WHOLE) - {"actor", "verb", "object"}))),
    changes=st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(_PLACES),
                st.tuples(st.sampled_from(_PLACES), st.sampled_from(_NAMES)).map("/".join),
            ),
            _VALUES,
        ),
        max_size=2,
    ),
    indent=st.sampled_from([None, 1]),
    ascii_=st.booleans(),
    version=st.sampled_from(list(Version)),
)
def test_what_the_fast_road_accepts_has_no_error(
    keep: set[str],
    changes: list[tuple[str, Any]],
    indent: int | None,
    ascii_: bool,
    version: Version,
) -> None:
    made = copy.deepcopy(
        {k: v for k, v in WHOLE.items() if k in keep or k in ("actor", "verb", "object")}
    )
    if "context" in made:
        # What only the exact road accepts would hide all else from the fast one.
        for name in ("team", "statement", "contextActivities"):
            del made["context"][name]
    for pointer, value in changes:
        _change(made, pointer, value)
    body = json.dumps(made, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    if indent is None:
        body = body.replace(b'": ', b'":')
    for _ in range(2):  # the second time it remembers
        told = told_at_once(body, second=version is Version.V2)
        try:
            exact = validate_exactly(body, version)
        except BadStatement:
            assert told is None
        else:
            assert told is None or _tells(told, exact)


def _tells(told: Told, exact: dict[str, Any]) -> bool:
    return (
        told.id == exact.get("id")
        and told.moment is ("timestamp" in exact)
        and key_of_content(told.content) == content_key(exact)
    )


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0123aé ', max_size=40).map(str.encode))
def test_any_bytes_at_all_get_a_judgement(body: bytes) -> None:
    for version in Version:
        try:
            judged = list(validate_all(body, version))
        except BadStatement:
            continue
        # No such small thing has an actor, a verb and an object.
        assert judged == []


_EXTENSIONS = st.lists(
    st.tuples(
        st.sampled_from(['"x:a"', '"x\\u003aa"', '"\\u0078:a"', '"x:b"', '"x:\\":"']),
        st.sampled_from(["", " ", "\n"]),
        st.sampled_from(["", " "]),
        st.sampled_from(["1", '":"', '"x\\":y"', '"\\u0022:"', '{"a":1}', '{"a":1,"a":2}']),
    ),
    max_size=3,
)
_MEMBERS = {
    "actor": ['{"mbox":"mailto:a@example.org"}', '{"name":"a\\":","mbox":"mailto:a@example.org"}',
              '{"mbox":"mailto:a@example.org","mbox":"mailto:a@example.org"}'],
    "verb": ['{"id":"x:v"}', '{"id":"x:v","id":"x:v"}', '{"id" :"x:v"}'],
    "object": ['{"id":"x:o"}', '{"id":"x:o","definition":{"type":"x:t"}}',
               '{"id":"x:o","definition":{"name":{"en":"1","en":"1"}}}'],
    "id": ['"7ccd3322-e1a5-411a-a67d-6a735c76f119"'],
    "timestamp": ['"2026-09-01T08:00:00Z"', '"2026-09-01T08:00\\u003a00Z"'],
    "result": ['{"success":true}', '{"success":true,"success":true}', '{"response":"\\":"}'],
    "version": ['"1.0.3"'],
}  # fmt: skip
_CONTEXT = {
    "platform": ['"Moodle"', '"\\":"', '"a\\u0022:b"', '" :"'],
    "language": ['"en"'],
    "registration": ['"7ccd3322-e1a5-411a-a67d-6a735c76f119"'],
    "instructor": ['{"mbox":"mailto:a@example.org"}'],
    "contextActivities": ['{"parent":[{"id":"x:p"}]}', '{"parent":[],"parent":[]}'],
}


def _some(members: dict[str, list[str]]) -> st.SearchStrategy[list[tuple[str, str]]]:
    each = st.one_of([st.tuples(st.just(f'"{n}"'), st.sampled_from(v)) for n, v in members.items()])
    return st.lists(each, max_size=7)


def _written(members: list[tuple[str, str]], blank: str = "") -> str:
    return "{" + ",".join(f"{name}{blank}:{value}" for name, value in members) + "}"


@settings(max_examples=1500, deadline=None)
@given(
    st.data(),
    _EXTENSIONS,
    _some(_CONTEXT),
    _some(_MEMBERS),
    st.sampled_from(["", "", "", " ", "\n"]),
)
def test_no_key_that_comes_twice_ever_takes_the_fast_road(
    data: st.DataObject,
    extensions: list[tuple[str, str, str, str]],
    context: list[tuple[str, str]],
    members: list[tuple[str, str]],
    blank: str,
) -> None:
    if extensions:
        told = "{" + ",".join(f"{k}{b}:{a}{v}" for k, b, a, v in extensions) + "}"
        context = [*context, ('"extensions"', told)]
    if context:
        members = [*members, ('"context"', _written(context, blank))]
    there = {name for name, _ in members}
    for name in ("actor", "verb", "object"):
        if f'"{name}"' not in there:
            members = [*members, (f'"{name}"', data.draw(st.sampled_from(_MEMBERS[name])))]
    text = _written(members)

    def strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "twice"
        return dict(pairs)

    for _ in range(2):
        told_of = told_at_once(text.encode(), second=False)
        try:
            value = json.loads(text, object_pairs_hook=strict)
        except AssertionError:
            assert told_of is None
        else:
            assert told_of is None or _tells(told_of, value)


def test_what_repeats_is_remembered_and_forgotten_in_time() -> None:
    of_verbs = fast._verb.seen
    rest = b'"actor":{"mbox":"mailto:a@example.org"},"object":{"id":"x:o"}'
    most = 0
    for number in range(20_000):
        verb = b"x:%s%d" % (b"v" * 200, number)
        assert told_at_once(b'{%s,"verb":{"id":"%s"}}' % (rest, verb), second=False)
        assert of_verbs.bytes <= of_verbs.MOST_BYTES + 2 * of_verbs.LONGEST
        most = max(most, len(of_verbs))
    assert 2_000 < most < 20_000
    before = len(of_verbs)
    assert told_at_once(b'{%s,"verb":{"id":"x:%s"}}' % (rest, b"v" * 3000), second=False)
    assert len(of_verbs) == before
