"""The exact road, second half: objects of every type, contexts, attachments, whole statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.domain.xapi import formats
from bridge.domain.xapi.exact import IFIS, VOIDED, Enough, Walk
from bridge.domain.xapi.logstore import COMPONENTS_DIFFER
from bridge.domain.xapi.problems import BadStatement, Section, Version, step

#: Which lists of components each type of interaction has.
INTERACTIONS: dict[str, tuple[str, ...]] = {
    "true-false": (),
    "choice": ("choices",),
    "fill-in": (),
    "long-fill-in": (),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "numeric": (),
    "other": (),
}
COMPONENTS = ("choices", "scale", "source", "target", "steps")
AROUND = ("parent", "grouping", "category", "other")


def check_exactly(value: Any, version: Version) -> None:
    """Judge a decoded statement. Raises BadStatement with everything that is wrong in it."""
    walk = _Statements(version)
    try:
        walk.statement(value, "")
    except Enough:
        raise BadStatement(walk.problems, more=True) from None
    walk.done()


class _Statements(Walk):
    def statement(self, value: Any, at: str) -> None:
        if not self.object(value, at, "a statement", Section.PROPERTIES):
            return
        checks = self._both(value)
        checks["object"] = self.target
        checks["id"] = self.uuid
        checks["stored"] = self.instant(Section.STORED)
        checks["authority"] = self.authority
        checks["version"] = self._version
        self.members(
            value, at, "a statement", Section.PROPERTIES, checks, ("actor", "verb", "object")
        )
        self._voiding(value, at)

    def sub_statement(self, value: Any, at: str) -> None:
        """A statement about something that is not said to have happened."""
        checks = self._both(value)
        checks["object"] = self._sub_target
        checks["objectType"] = self.is_type("SubStatement", Section.STATEMENT_OBJECT)
        self.members(
            value, at, "a sub-statement", Section.STATEMENT_OBJECT, checks,
            ("actor", "verb", "object"),
        )  # fmt: skip
        self._voiding(value, at)

    def _both(self, value: dict[str, Any]) -> dict[str, Callable[[Any, str], None]]:
        about = value.get("object")
        kind = about.get("objectType", "Activity") if isinstance(about, dict) else "Activity"

        def context(inside: Any, where: str) -> None:
            self.context(inside, where, of_activity=kind == "Activity")

        return {
            "actor": self.actor,
            "verb": self.verb,
            "result": self.result,
            "context": context,
            "timestamp": self.instant(Section.TIMESTAMP),
            "attachments": self.each(self.attachment, "attachments", Section.ATTACHMENTS),
        }

    def _version(self, value: Any, at: str) -> None:
        wanted = "1.0.x or 2.0.x" if self.second else "1.0.x"
        if not isinstance(value, str) or not formats.is_version(value, second=self.second):
            self.null_or(value, at, f"it must be {wanted}", Section.VERSION)

    def _voiding(self, value: dict[str, Any], at: str) -> None:
        verb, about = value.get("verb"), value.get("object")
        if not isinstance(verb, dict) or verb.get("id") != VOIDED or not isinstance(about, dict):
            return
        if about.get("objectType") != "StatementRef":
            self.wrong(
                step(at, "object"), "what voids a statement must name it by a StatementRef",
                Section.VOIDING,
            )  # fmt: skip

    # --- objects ---------------------------------------------------------------------------------
    def target(self, value: Any, at: str) -> None:
        """What was acted on."""
        self._target(value, at, nested=False)

    def _sub_target(self, value: Any, at: str) -> None:
        self._target(value, at, nested=True)

    def _target(self, value: Any, at: str, *, nested: bool) -> None:
        if not self.object(value, at, "an object", Section.OBJECT):
            return
        kind = value.get("objectType", "Activity")
        if kind == "Activity":
            if "id" not in value and any(name in value for name in IFIS):
                self.wrong(
                    at, "an agent or a group must say its objectType here", Section.AGENT_OBJECT
                )
                return
            self.activity(value, at)
        elif kind == "Agent":
            self.agent(value, at)
        elif kind == "Group":
            self.group(value, at)
        elif kind == "StatementRef":
            self.reference(value, at)
        elif kind == "SubStatement" and nested:
            self.wrong(at, "a sub-statement must not contain another", Section.NESTED)
        elif kind == "SubStatement":
            self.sub_statement(value, at)
        else:
            self.null_or(
                kind, step(at, "objectType"),
                "it must be Activity, Agent, Group, StatementRef or SubStatement", Section.OBJECT,
            )  # fmt: skip

    def reference(self, value: Any, at: str) -> None:
        """The name of another statement."""
        if self.object(value, at, "a reference to a statement", Section.STATEMENT_OBJECT):
            self.members(
                value, at, "a reference to a statement", Section.STATEMENT_OBJECT,
                {
                    "objectType": self.is_type("StatementRef", Section.STATEMENT_OBJECT),
                    "id": self.uuid,
                },
                ("objectType", "id"),
            )  # fmt: skip

    def activity(self, value: Any, at: str) -> None:
        """A course, a module, a question."""
        if self.object(value, at, "an activity", Section.ACTIVITY):
            self.members(
                value, at, "an activity", Section.ACTIVITY,
                {
                    "objectType": self.is_type("Activity", Section.ACTIVITY),
                    "id": self.iri,
                    "definition": self.definition,
                },
                ("id",),
            )  # fmt: skip

    def definition(self, value: Any, at: str) -> None:
        """What an activity is, and how it is answered."""
        if not self.object(value, at, "a definition", Section.ACTIVITY):
            return
        component = self.each(self._component, "components", Section.ACTIVITY)

        def components(inside: Any, where: str) -> None:
            component(inside, where)
            if isinstance(inside, list):
                ids = [c["id"] for c in inside if isinstance(c, dict) and _text(c.get("id"))]
                if len(set(ids)) < len(ids):
                    self.wrong(where, COMPONENTS_DIFFER, Section.ACTIVITY)

        def interaction(inside: Any, where: str) -> None:
            if not isinstance(inside, str) or inside not in INTERACTIONS:
                self.null_or(
                    inside, where, f"it must be one of {', '.join(INTERACTIONS)}", Section.ACTIVITY
                )

        self.members(
            value, at, "a definition", Section.ACTIVITY,
            {
                "name": self.language_map,
                "description": self.language_map,
                "type": self.iri,
                "moreInfo": self.iri,
                "extensions": self.extensions,
                "interactionType": interaction,
                "correctResponsesPattern": self.each(
                    self.string(Section.ACTIVITY, "a pattern"), "strings", Section.ACTIVITY
                ),
                **dict.fromkeys(COMPONENTS, components),
            },
        )  # fmt: skip
        kind = value.get("interactionType")
        if kind is None:
            for name in ("correctResponsesPattern", *COMPONENTS):
                if name in value and "interactionType" not in value:
                    self.wrong(step(at, name), "it needs an interactionType", Section.ACTIVITY)
        elif isinstance(kind, str) and kind in INTERACTIONS:
            for name in COMPONENTS:
                if name in value and name not in INTERACTIONS[kind]:
                    self.wrong(
                        step(at, name), f"an interaction of type {kind} has none", Section.ACTIVITY
                    )

    def _component(self, value: Any, at: str) -> None:
        if self.object(value, at, "a component", Section.ACTIVITY):
            self.members(
                value, at, "a component", Section.ACTIVITY,
                {
                    "id": self.string(Section.ACTIVITY, "an id"),
                    "description": self.language_map,
                },
                ("id",),
            )  # fmt: skip

    # --- contexts --------------------------------------------------------------------------------
    def context(self, value: Any, at: str, *, of_activity: bool) -> None:
        """What was around it. `of_activity`: the statement's object is an activity."""
        if not self.object(value, at, "a context", Section.CONTEXT):
            return
        checks: dict[str, Callable[[Any, str], None]] = {
            "registration": self.uuid,
            "instructor": self.actor,
            "team": self.group,
            "contextActivities": self._around,
            "revision": self.string(Section.CONTEXT, "a revision"),
            "platform": self.string(Section.CONTEXT, "a platform"),
            "language": self.form(formats.is_language, "a language tag", Section.CONTEXT),
            "statement": self.reference,
            "extensions": self.extensions,
        }
        if self.second:
            checks["contextAgents"] = self._involved("contextAgent", "agent", self.agent)
            checks["contextGroups"] = self._involved("contextGroup", "group", self.group)
        self.members(value, at, "a context", Section.CONTEXT, checks)
        for name in ("revision", "platform"):
            if name in value and not of_activity:
                self.wrong(
                    step(at, name), "it is for statements about an activity only", Section.CONTEXT
                )

    def _around(self, value: Any, at: str) -> None:
        if not self.object(value, at, "context activities", Section.CONTEXT_ACTIVITIES):
            return
        several = self.each(self.activity, "activities", Section.CONTEXT_ACTIVITIES)

        def one_or_more(inside: Any, where: str) -> None:
            (self.activity if isinstance(inside, dict) else several)(inside, where)

        self.members(
            value, at, "the context", Section.CONTEXT_ACTIVITIES,
            dict.fromkeys(AROUND, one_or_more),
        )  # fmt: skip

    def _involved(
        self, kind: str, name: str, check: Callable[[Any, str], None]
    ) -> Callable[[Any, str], None]:
        def one(value: Any, at: str) -> None:
            if self.object(value, at, f"a {kind}", Section.CONTEXT_AGENTS):
                self.members(
                    value, at, f"a {kind}", Section.CONTEXT_AGENTS,
                    {
                        "objectType": self.is_type(kind, Section.CONTEXT_AGENTS),
                        name: check,
                        "relevantTypes": self.each(
                            self.iri, "types", Section.CONTEXT_AGENTS, some=True
                        ),
                    },
                    ("objectType", name),
                )  # fmt: skip

        return self.each(one, f"{kind}s", Section.CONTEXT_AGENTS)

    # --- attachments -----------------------------------------------------------------------------
    def attachment(self, value: Any, at: str) -> None:
        """What is told of a file that belongs to it."""
        if not self.object(value, at, "an attachment", Section.ATTACHMENTS):
            return

        def length(inside: Any, where: str) -> None:
            whole = isinstance(inside, int) or (isinstance(inside, float) and inside.is_integer())
            if isinstance(inside, bool) or not whole or inside < 0:
                self.null_or(inside, where, "it must be a number of octets", Section.ATTACHMENTS)

        self.members(
            value, at, "an attachment", Section.ATTACHMENTS,
            {
                "usageType": self.iri,
                "display": self.language_map,
                "description": self.language_map,
                "contentType": self.form(
                    formats.is_media_type, "an Internet media type", Section.ATTACHMENTS
                ),
                "length": length,
                "sha2": self.form(
                    formats.is_sha2, "a hash of the SHA-2 family in hexadecimal",
                    Section.ATTACHMENTS,
                ),
                "fileUrl": self.iri,
            },
            ("usageType", "display", "contentType", "length", "sha2"),
        )  # fmt: skip


def _text(value: Any) -> bool:
    return isinstance(value, str)
