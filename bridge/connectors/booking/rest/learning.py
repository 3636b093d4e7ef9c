"""Proposes a REST profile from one answer of an API, and asks what the answer leaves open.

The records become a table whose headings are the ways to each of their parts; then what knows
suppliers' tables says which part is what.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jmespath

from bridge.connectors.booking.rest.pagehints import paging_of
from bridge.connectors.booking.rest.reading import text_of
from bridge.connectors.files.learn import learn
from bridge.domain.problems import BadFile, Problem
from bridge.domain.proposals import Choice, Proposal, Question

DEEPEST = 5
#: What the id of an order is called.
_ORDER = re.compile(
    r"(?:order|purchase|transaction|booking|group)_?(?:id|ref|number|no|code)?\"?$", re.IGNORECASE
)
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
#: Parts of one thing of which the first says it best, and the others say it again.
_SAME_THING = (("text", "html"), ("utc", "local", "timezone"))
#: What adds nothing to the name of a thing.
_EMPTY_WORDS = frozenset({"text", "utc", "value", "data", "attributes", "profile", "details"})
_KEPT = ("kind", "fixed", "dates", "timezone", "words", "when_silent", "key")


@dataclass(frozen=True, slots=True)
class Found:
    """A list of records in an answer, and the JMESPath that leads to it."""

    path: str
    records: Sequence[Mapping[str, Any]]


def learn_records(
    answer: Any,
    *,
    name: str,
    shown: str,
    request: Mapping[str, Any],
    answers: Mapping[str, str],
    link_header: bool = False,
) -> Proposal:
    """A profile called `name` for what an API answered; `shown` names the answer in messages.

    `request` is what is known of how it was asked (`url`, `auth`, `query`). `answers` are by the
    questions' ids; a column may be answered by its path. Raises BadFile where there are no records.
    """
    found, others = _choose(answer, shown, answers)
    labels = _labels(found.records)
    by_path = {path: label for label, path in labels.items()}
    given = {key: by_path.get(value, value) for key, value in answers.items()}
    proposal = _of_table(found.records, labels, name, shown, given)
    questions = [_by_path(question, labels) for question in proposal.questions]
    if others and "records" not in answers:
        questions.insert(0, Question(
            "records", "Which of its lists holds the bookings?", "Several could.",
            tuple(Choice(o.path, f"{o.path} ({len(o.records)})") for o in (found, *others)),
        ))  # fmt: skip
    url = str(request.get("url") or answers.get("url", ""))
    if not url:
        questions.append(
            Question("url", "At which address is this answered?", "A file does not say.")
        )
    paging, open_ = paging_of(answer, found.path, len(found.records), answers, link_header)
    questions += open_
    order, whose = _order(found.records, labels, proposal, answers)
    questions += whose
    learned = proposal.profile
    profile: dict[str, Any] = {
        "profile": name,
        "request": {
            "url": url or "https://",
            "auth": dict(request.get("auth", {"kind": "none"})),
            **({"query": dict(request["query"])} if request.get("query") else {}),
            "records": found.path,
            "paging": paging,
        },
        "columns": {f: labels[label] for f, label in learned["columns"].items() if label in labels},
        **({"order": {"of": order}} if order else {}),
        **{key: learned[key] for key in _KEPT if key in learned},
    }
    return replace(
        proposal,
        profile=profile,
        questions=questions,
        ignored=[labels.get(label, label) for label in proposal.ignored],
    )


def _order(
    records: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    proposal: Proposal,
    answers: Mapping[str, str],
) -> tuple[str, list[Question]]:
    """The way to a record's order, where several records of one carry one name and address."""
    columns = {f: labels.get(label, "") for f, label in proposal.profile["columns"].items()}
    whose = [columns[f] for f in ("name", "first_name", "last_name", "email") if f in columns]
    ways = [jmespath.compile(path) for path in whose if path]
    for path in labels.values():
        if path == columns.get("reference") or not _ORDER.search(path):
            continue
        way = jmespath.compile(path)
        seen = Counter(
            (text_of(way.search(r)), *(text_of(w.search(r)) for w in ways)) for r in records
        )
        ((most, count),) = seen.most_common(1)
        if count < 2 or not most[0]:
            continue
        if answers.get("order") in (path, "-"):
            return (path if answers["order"] == path else ""), []
        return "", [Question(
            "order", "Whose is a name that stands on several records of one order?",
            f"{count} records with one {path} carry '{' '.join(most[1:])}'.",
            (Choice(path, "that of whoever placed it: it is nobody's identity"),
             Choice("-", "the person's own: they booked several events or sessions")),
        )]  # fmt: skip
    return "", []


def _choose(answer: Any, shown: str, answers: Mapping[str, str]) -> tuple[Found, list[Found]]:
    """The list of records, and others that could be it as well."""
    lists = sorted(_lists(answer, "", 0), key=_weight, reverse=True)
    if not lists:
        raise BadFile([Problem(
            "There is no list of records in it", "Bookings come as a list of objects",
            "Use an address that answers with one, and with at least one booking in it", shown,
        )])  # fmt: skip
    wanted = answers.get("records")
    for one in lists:
        if one.path == wanted:
            return one, []
    best = lists[0]
    return best, [one for one in lists[1:] if _weight(one) * 2 > _weight(best)]


def _weight(found: Found) -> float:
    """How much like a list of bookings it is: many records, each saying much."""
    fields = len(_labels(found.records[:5]))
    return min(len(found.records), 20) * fields


def _lists(value: Any, path: str, depth: int) -> Iterator[Found]:
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            yield Found(path or "@", value)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _lists(one, _step(path, str(key)), depth + 1)


def _step(path: str, key: str) -> str:
    """The JMESPath one step further."""
    plain = key if _PLAIN.match(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{path}.{plain}" if path else plain


def _leaves(value: Any, path: str, keys: tuple[str, ...], depth: int) -> Iterator[
    tuple[str, tuple[str, ...]]
]:  # fmt: skip
    """The way to every single value in a record, as a path and as its keys."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, _step(path, str(key)), (*keys, str(key)), depth + 1)
    elif isinstance(value, list):
        if value and isinstance(value[0], dict):
            yield from _leaves(value[0], f"{path}[0]", keys, depth + 1)
        elif value:
            yield path, keys
    elif path:
        yield path, keys


def _labels(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A heading for each part of a record, in words, and the path that it stands for."""
    paths: dict[str, tuple[str, ...]] = {}
    for record in records[:200]:
        for path, keys in _leaves(record, "", (), 0):
            paths.setdefault(path, keys)
    labels: dict[str, str] = {}
    for path, keys in paths.items():
        if _said_better(keys, set(paths.values())):
            continue
        label = _in_words(keys)
        if label in labels:
            label = " ".join(keys)
        labels.setdefault(label, path)
    return labels


def _said_better(keys: tuple[str, ...], among: set[tuple[str, ...]]) -> bool:
    """Whether a part says again what the part beside it says."""
    return any(keys[-1] in rest and (*keys[:-1], first) in among for first, *rest in _SAME_THING)


def _in_words(keys: Sequence[str]) -> str:
    """ "event", "name", "text" are "event name"."""
    kept = [key for key in keys if key.casefold() not in _EMPTY_WORDS] or [keys[-1]]
    words = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key) for key in kept)
    return " ".join(words.replace("_", " ").replace("-", " ").split())


def _of_table(
    records: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    name: str,
    shown: str,
    answers: Mapping[str, str],
) -> Proposal:
    ways = [jmespath.compile(path) for path in labels.values()]
    with tempfile.TemporaryDirectory(prefix="bridge-learn-") as folder:
        path = Path(folder) / "records.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(labels)
            for record in records:
                writer.writerow([text_of(way.search(record)) for way in ways])
        return learn(path, name=name, shown=shown, answers=answers)


def _by_path(question: Question, labels: Mapping[str, str]) -> Question:
    """A question about columns, whose answers are paths."""
    if not question.id.startswith("column:"):
        return question
    return replace(
        question,
        choices=tuple(
            Choice(labels.get(c.value, c.value), f"{labels.get(c.value, c.value)}: {c.words}")
            for c in question.choices
        ),
    )
