"""The exact road: every rule of a statement, and for each error where, which rule, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.domain.xapi import formats
from bridge.domain.xapi.decoding import is_number
from bridge.domain.xapi.instants import read_instant
from bridge.domain.xapi.problems import MOST_TOLD, BadStatement, Problem, Section, Version, step

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
IFIS = ("mbox", "mbox_sha1sum", "openid", "account")


class Enough(Exception):
    """So many problems were found that the rest is not looked for."""


class Walk:
    """One look through a statement. `problems` are what was found so far."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.second = version is Version.V2
        self.problems: list[Problem] = []

    def wrong(self, at: str, rule: str, section: Section) -> None:
        """Note a problem. Raises Enough once there are `MOST_TOLD`."""
        if len(self.problems) == MOST_TOLD:
            raise Enough
        self.problems.append(Problem(at, rule, section.words(self.version)))

    # --- what all parts are made of ---------------------------------------------------------
    def object(self, value: Any, at: str, what: str, section: Section) -> bool:
        """Whether it is an object."""
        if isinstance(value, dict):
            return True
        self.null_or(value, at, f"{what} must be an object", section)
        return False

    def null_or(self, value: Any, at: str, rule: str, section: Section) -> None:
        """Note the rule, or that nothing but extensions may hold null."""
        if value is None:
            self.wrong(at, "null is allowed inside extensions only", Section.FORMAT)
        else:
            self.wrong(at, rule, section)

    def members(
        self,
        value: dict[str, Any],
        at: str,
        what: str,
        section: Section,
        allowed: Mapping[str, Callable[[Any, str], None]],
        required: tuple[str, ...] = (),
    ) -> None:
        """Check each member by its rule; refuse what is not allowed, ask for what is missing."""
        for name, inside in value.items():
            check = allowed.get(name)
            if check is not None:
                check(inside, step(at, name))
                continue
            like = next((known for known in allowed if known.casefold() == name.casefold()), None)
            hint = f"; its name is spelt '{like}'" if like else ""
            self.wrong(step(at, name), f"{what} has no such property{hint}", Section.FORMAT)
        for name in required:
            if name not in value:
                self.wrong(at, f"{what} must have '{name}'", section)

    def string(self, section: Section, what: str) -> Callable[[Any, str], None]:
        """Any text."""

        def check(value: Any, at: str) -> None:
            if not isinstance(value, str):
                self.null_or(value, at, f"{what} must be a string", section)

        return check

    def form(
        self, fits: Callable[[str], bool], what: str, section: Section
    ) -> Callable[[Any, str], None]:
        """A text of a given form."""

        def check(value: Any, at: str) -> None:
            if not isinstance(value, str) or not fits(value):
                self.null_or(value, at, f"it must be {what}", section)

        return check

    def iri(self, value: Any, at: str) -> None:
        """An IRI with its scheme."""
        self.form(formats.is_iri, "an IRI with a scheme", Section.IRI)(value, at)

    def uuid(self, value: Any, at: str) -> None:
        """A UUID."""
        self.form(formats.is_uuid, "a UUID in its standard form", Section.UUID)(value, at)

    def boolean(self, section: Section, what: str) -> Callable[[Any, str], None]:
        """True or false."""

        def check(value: Any, at: str) -> None:
            if not isinstance(value, bool):
                self.null_or(value, at, f"{what} must be true or false", section)

        return check

    def instant(self, section: Section) -> Callable[[Any, str], None]:
        """A timestamp."""
        form = "RFC 3339" if self.second else "ISO 8601"

        def check(value: Any, at: str) -> None:
            if not isinstance(value, str):
                self.null_or(value, at, "it must be a timestamp in a string", section)
            elif read_instant(value, second=self.second) is None:
                self.wrong(
                    at,
                    f"it must be a date and time that there is, by {form}, and not of the offset "
                    "-00:00",
                    Section.TIMES,
                )

        return check

    def language_map(self, value: Any, at: str) -> None:
        """Texts by language."""
        if not self.object(value, at, "a language map", Section.LANGUAGE):
            return
        for tag, text in value.items():
            if not formats.is_language(tag):
                self.wrong(step(at, tag), "its key must be a language tag", Section.LANGUAGE)
            if not isinstance(text, str):
                self.null_or(text, step(at, tag), "it must be a string", Section.LANGUAGE)

    def extensions(self, value: Any, at: str) -> None:
        """Anything at all, by IRIs."""
        if not self.object(value, at, "extensions", Section.EXTENSIONS):
            return
        for name in value:
            if not formats.is_iri(name):
                self.wrong(
                    step(at, name), "its key must be an IRI with a scheme", Section.EXTENSIONS
                )

    def each(
        self, check: Callable[[Any, str], None], what: str, section: Section, *, some: bool = False
    ) -> Callable[[Any, str], None]:
        """An array of something; with `some`, not an empty one."""

        def check_all(value: Any, at: str) -> None:
            if not isinstance(value, list):
                self.null_or(value, at, f"it must be an array of {what}", section)
                return
            if some and not value:
                self.wrong(at, f"it must name at least one of {what}", section)
            for number, one in enumerate(value):
                check(one, step(at, number))

        return check_all

    def is_type(self, wanted: str, section: Section) -> Callable[[Any, str], None]:
        """An object type that is given."""

        def check(value: Any, at: str) -> None:
            if value != wanted:
                self.null_or(value, at, f"it must be '{wanted}'", section)

        return check

    # --- agents and groups ---------------------------------------------------------------------
    def _ifis(self) -> dict[str, Callable[[Any, str], None]]:
        return {
            "mbox": self.form(formats.is_mailbox, "'mailto:' and an address", Section.IFI),
            "mbox_sha1sum": self.form(formats.is_sha1, "a SHA-1 in hexadecimal", Section.IFI),
            "openid": self.form(formats.is_iri, "a URI with a scheme", Section.IFI),
            "account": self.account,
        }

    def account(self, value: Any, at: str) -> None:
        """A user account on some system."""
        if self.object(value, at, "an account", Section.ACCOUNT):
            self.members(
                value, at, "an account", Section.ACCOUNT,
                {"homePage": self.iri, "name": self.string(Section.ACCOUNT, "a name")},
                ("homePage", "name"),
            )  # fmt: skip

    def agent(self, value: Any, at: str) -> None:
        """One person or system, with exactly one identifier."""
        if not self.object(value, at, "an agent", Section.AGENT):
            return
        self.members(
            value, at, "an agent", Section.AGENT,
            {
                "objectType": self.is_type("Agent", Section.AGENT),
                "name": self.string(Section.AGENT, "a name"),
                **self._ifis(),
            },
        )  # fmt: skip
        if sum(name in value for name in IFIS) != 1:
            self.wrong(at, f"an agent must have exactly one of {', '.join(IFIS)}", Section.AGENT)

    def group(self, value: Any, at: str) -> None:
        """Several agents, with one identifier or none."""
        if not self.object(value, at, "a group", Section.GROUP):
            return
        self.members(
            value, at, "a group", Section.GROUP,
            {
                "objectType": self.is_type("Group", Section.GROUP),
                "name": self.string(Section.GROUP, "a name"),
                "member": self.each(self.agent, "agents", Section.GROUP),
                **self._ifis(),
            },
            ("objectType",),
        )  # fmt: skip
        count = sum(name in value for name in IFIS)
        if count > 1:
            self.wrong(at, f"a group must not have two of {', '.join(IFIS)}", Section.GROUP)
        elif not count and "member" not in value:
            self.wrong(at, "a group without an identifier must have 'member'", Section.GROUP)

    def actor(self, value: Any, at: str) -> None:
        """An agent or a group."""
        if isinstance(value, dict) and value.get("objectType") == "Group":
            self.group(value, at)
        else:
            self.agent(value, at)

    def authority(self, value: Any, at: str) -> None:
        """An agent, or a group without identifier of an application and its user."""
        self.actor(value, at)
        if not isinstance(value, dict) or value.get("objectType") != "Group":
            return
        if any(name in value for name in IFIS):
            self.wrong(at, "an authority that is a group has no identifier", Section.AUTHORITY)
        members = value.get("member")
        if isinstance(members, list) and len(members) != 2:
            self.wrong(at, "an authority that is a group has two members", Section.AUTHORITY)

    # --- verb and result ------------------------------------------------------------------------
    def verb(self, value: Any, at: str) -> None:
        """What was done."""
        if self.object(value, at, "a verb", Section.VERB):
            self.members(
                value, at, "a verb", Section.VERB,
                {"id": self.iri, "display": self.language_map}, ("id",),
            )  # fmt: skip

    def result(self, value: Any, at: str) -> None:
        """What came of it."""
        if not self.object(value, at, "a result", Section.RESULT):
            return
        self.members(
            value, at, "a result", Section.RESULT,
            {
                "score": self.score,
                "success": self.boolean(Section.RESULT, "success"),
                "completion": self.boolean(Section.RESULT, "completion"),
                "response": self.string(Section.RESULT, "a response"),
                "duration": self.form(
                    formats.is_duration, "a duration of ISO 8601, such as PT1H30M", Section.DURATION
                ),
                "extensions": self.extensions,
            },
        )  # fmt: skip

    def score(self, value: Any, at: str) -> None:
        """Marks, within their bounds."""
        if not self.object(value, at, "a score", Section.SCORE):
            return

        def number(inside: Any, where: str) -> None:
            if not is_number(inside):
                self.null_or(inside, where, "it must be a number", Section.SCORE)

        names = ("scaled", "raw", "min", "max")
        self.members(value, at, "a score", Section.SCORE, dict.fromkeys(names, number))
        scaled, raw, least, most = (value[n] if is_number(value.get(n)) else None for n in names)
        if scaled is not None and not -1 <= scaled <= 1:
            self.wrong(step(at, "scaled"), "it must lie between -1 and 1", Section.SCORE)
        if least is not None and most is not None and not least < most:
            self.wrong(step(at, "min"), "it must be less than max", Section.SCORE)
        if raw is not None and least is not None and raw < least:
            self.wrong(step(at, "raw"), "it must not be less than min", Section.SCORE)
        if raw is not None and most is not None and raw > most:
            self.wrong(step(at, "raw"), "it must not be more than max", Section.SCORE)

    def done(self) -> None:
        """Raises BadStatement if anything was found."""
        if self.problems:
            raise BadStatement(self.problems)
