"""What Moodle's logstore_xapi does in its own way, so that it can point straight at the bridge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bridge.domain.xapi.problems import Problem

Json = dict[str, Any]
#: What it says of itself in each statement's context.
_INFO = "http://lrs.learninglocker.net/define/extensions/info"
_PLUGIN = "https://github.com/xAPI-vle/moodle-logstore_xapi"
_OF_SCORM = ("\\mod_scorm\\event\\scoreraw_submitted", "\\mod_scorm\\event\\status_submitted")
_ANSWER = "/result/response"
_COMPONENTS = re.compile(r"/object/definition/(choices|scale|source|target|steps)")
COMPONENTS_DIFFER = "the ids of components must differ"


def said_by_it(statement: Any) -> Json:
    """What the logstore says of itself in a statement; empty where another wrote it."""
    found = statement
    for name in ("context", "extensions", _INFO):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) and _PLUGIN in found else {}


def told_once(statement: Json) -> Json:
    """The statement without what the logstore says differently each time that it sends it.

    Its registration is the session of the process that sends: a second try has another.
    """
    if "registration" not in statement.get("context", {}) or not said_by_it(statement):
        return statement
    context = {k: v for k, v in statement["context"].items() if k != "registration"}
    return {**statement, "context": context}


def forgiven(statement: Any, problems: Sequence[Problem]) -> bool:
    """Whether all that is wrong in a statement is what the logstore cannot do otherwise.

    Of a question that was not answered it says null, and where two answers read the same it gives
    them one id. It sends these beside what came of the quiz, which is not to be lost for them.
    """
    return bool(said_by_it(statement)) and all(_small(statement, each) for each in problems)


def _small(statement: Json, problem: Problem) -> bool:
    if problem.pointer == _ANSWER:
        return statement["result"]["response"] is None
    return problem.rule == COMPONENTS_DIFFER and bool(_COMPONENTS.fullmatch(problem.pointer))


def is_doubtful(statement: Json) -> bool:
    """Whether a "completed" is one of a SCORM package, which the logstore also says when a score is
    sent in the middle of it, and when it was failed. What Moodle itself makes of it is told apart,
    as the completion of the module."""
    return said_by_it(statement).get("event_name") in _OF_SCORM
