"""The demo's LRS: what it holds of Moodle and elsewhere, what became of that, what it is told."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from bridge.bootstrap import Bridge, publish_files
from bridge.demo.lrs.server import StandInLrs
from bridge.domain.model import Record
from bridge.services import evidence as evidence_service
from bridge.services import pull as pull_service
from bridge.services import telling
from bridge.services.evidence import Item

SOURCE = "statements"
HOME = "https://bridge.northmere.example"
ELSEWHERE = "https://learning.northmere.example/courses/online-safety"
TITLE = "Online safety: a course of the health trust"
_ADL = "http://adlnet.gov/expapi/verbs/"
_EXTERNAL = "https://w3id.org/learning-analytics/learning-management-system/external-id"
#: The training team's rule for what the health trust's course tells.
MAPPING = f"""\
# yaml-language-server: $schema=mapping.schema.json
# Courses outside of Moodle, as their statements in the LRS name them.
mapping: told-by-statement
title: Courses that tell the LRS
effective_from: 2024-04-01

rules:
  - rule: online-safety
    title: Online safety
    match:
      - {{kind: xapi, activity: "{ELSEWHERE}"}}
    counts_when: {{status: [completed, passed], min_score: 0.7}}
    learning_activity: e-learning
    delivery: e-learning
    suggests:
      llr-2020: [4, 6]
    verification: manager
"""
SETTINGS = """
[lrs.{source}]
url = "{url}"
user = "{user}"
secret_file = "lrs.secret"
identity = ["lms-account"]         # who has an account of our Moodle is whose that account is

[lrs.{source}.tell]                # and it is told what was verified
since = {since}
home_page = "{home}"
"""


@dataclass(frozen=True, slots=True)
class StatementsShown:
    """What the statements came to, for `--check` to look at."""

    same_course_is_one_draft: bool
    one_log: bool
    voided_is_gone: bool
    second_pull_wrote_nothing: bool
    told: Counter[str]
    verified: int
    told_once: bool
    told_is_no_learning: bool


class Statements:
    """The demo's LRS, and what the demo does with it."""

    def __init__(self) -> None:
        self.lrs = StandInLrs()
        self.lrs.secret = secrets.token_urlsafe(24)

    def furnish(self, folder: Path) -> None:
        """Write what the site says of it: its settings, its secret, and the mapping."""
        with (folder / "bridge.toml").open("a", encoding="utf-8") as settings:
            since = (self.lrs.store.now() - timedelta(days=1)).date()
            where = {"url": self.lrs.base_url, "user": self.lrs.user, "home": HOME}
            settings.write(SETTINGS.format(source=SOURCE, since=since, **where))
        secret = folder / "lrs.secret"
        secret.touch(mode=0o600)
        secret.write_text(self.lrs.secret, encoding="utf-8")
        (folder / "mappings" / "told-by-statement.yaml").write_text(MAPPING, encoding="utf-8")
        # The courses' ID numbers are the same whoever tells them: these rules hold for both.
        courses = folder / "mappings" / "moodle-courses.yaml"
        rules = courses.read_text(encoding="utf-8")
        courses.write_text(rules.replace("{source: moodle, idnumber:", "{idnumber:"), "utf-8")

    def show(self, bridge: Bridge, moodle: str, console: Console) -> StatementsShown:
        """Let Moodle and the other course tell the LRS, pull it, and say what became of it.

        `moodle` is the source's name. Nothing is told of whom the demo has already drafted for.
        """
        publish_files(bridge, "the mapping of courses that tell the LRS")
        home = bridge.config.moodle[moodle].url
        learner, done = _somebody(bridge)
        before = _drafts(bridge, learner)
        at = done.occurred_at
        self._tell(home, done.account_value, at + timedelta(seconds=20), _course(home, done))
        self._tell(home, done.account_value, at + timedelta(days=1), _elsewhere(), scaled=0.85)
        mistake = self._tell(home, "nobody-yet", at + timedelta(days=2), _elsewhere(), scaled=0.9)
        first = pull_service.pull(bridge.context, bridge.sources[SOURCE])
        self._void(mistake)
        pull_service.pull(bridge.context, bridge.sources[SOURCE])
        again = pull_service.pull(bridge.context, bridge.sources[SOURCE])
        after = _drafts(bridge, learner)
        new = [item for item in after if item.evidence.id not in {i.evidence.id for i in before}]
        name = after[0].evidence.person_name
        with bridge.context.store.reading() as uow:
            supporting = uow.intake.records_of_evidence([done.evidence])
        behind = sorted(record.source_key for record in supporting)
        console.print(
            f"{first.tally.items} statements. {name} completed one course in Moodle, which Moodle "
            f"also told the LRS: that is one draft, with {' and '.join(behind)} behind it. The "
            "health trust's course is in the same log:",
            markup=False,
        )
        for item in new:
            codes = ", ".join(str(claim.ref) for claim in item.claims)
            console.print(f"  {item.evidence.title}: {codes}", markup=False)
        told, told_once = self._tell_verified(bridge, console)
        drafts = len(evidence_service.items(bridge.context))
        own = pull_service.pull(bridge.context, bridge.sources[SOURCE])
        return StatementsShown(
            same_course_is_one_draft=len(after) == len(before) + 1
            and behind == sorted([moodle, SOURCE]),
            one_log=[item.evidence.title for item in new] == [TITLE],
            voided_is_gone=_voided(bridge),
            second_pull_wrote_nothing=again.tally.wrote_nothing,
            told=told,
            verified=_verified(bridge),
            told_once=told_once,
            told_is_no_learning=own.tally.new == told.total()
            and len(evidence_service.items(bridge.context)) == drafts,
        )

    def _tell_verified(self, bridge: Bridge, console: Console) -> tuple[Counter[str], bool]:
        """Tell the LRS what was verified: what it was told, by verb, and whether only once."""
        before = len(self.lrs.store)
        report = telling.tell_due(bridge.context, bridge.tellers[SOURCE])
        told = [orjson.loads(held.body) for held in self.lrs.store.everything()[before:]]
        long_ago = date(2000, 1, 1)
        again = telling.catch_up(bridge.context, SOURCE, long_ago)
        telling.tell_due(bridge.context, bridge.tellers[SOURCE])
        once = not again and len(self.lrs.store) == before + len(told) == before + report.told
        console.print(
            f"The LRS was told of {report.told} verifications: who verified which competency of "
            "whom, by names that tell nothing, and no word that anybody wrote.",
            markup=False,
        )
        return Counter(each["verb"]["id"].rsplit("/", 1)[-1] for each in told), once

    def _tell(
        self,
        home: str,
        account: str,
        at: datetime,
        activity: dict[str, Any],
        scaled: float | None = None,
    ) -> str:
        statement: dict[str, Any] = {
            "actor": {"account": {"homePage": home, "name": account}},
            "verb": {"id": f"{_ADL}completed", "display": {"en": "completed"}},
            "object": activity,
            "timestamp": at.isoformat(),
        }
        if scaled is not None:
            statement["result"] = {"score": {"scaled": scaled}, "completion": True}
        return self.lrs.store.put(statement)

    def _void(self, key: str) -> None:
        self.lrs.store.put(
            {
                "actor": {"mbox": "mailto:training@northmere.example"},
                "verb": {"id": f"{_ADL}voided"},
                "object": {"objectType": "StatementRef", "id": key},
            }
        )


@dataclass(frozen=True, slots=True)
class _Done:
    """A completion that Moodle told: whose account, of which course, when."""

    evidence: int
    account_value: str
    course: str
    title: str
    idnumber: str
    occurred_at: datetime


def _somebody(bridge: Bridge) -> tuple[int, _Done]:
    """A learner with a draft of a Moodle course, a few days old."""
    now = bridge.clock.now()
    items = [
        item for item in evidence_service.items(bridge.context)
        if all(claim.state.value == "suggested" for claim in item.claims)
        and now - timedelta(days=200) < item.evidence.occurred_at < now - timedelta(days=20)
    ]  # fmt: skip
    with bridge.context.store.reading() as uow:
        records: list[Record] = []
        for item in items:
            records = uow.intake.records_of_evidence([item.evidence.id])
            if len(records) == 1 and records[0].alias.source_kind == "moodle":
                break
        record = records[0]
        account, _ = uow.intake.account(record.account_id)
    facts = record.alias.facts
    assert record.person is not None and record.evidence_id is not None  # noqa: S101, PT018
    return record.person, _Done(
        record.evidence_id, account.facts.value, facts.value, facts.title or "",
        facts.idnumber or "", record.occurred_at,
    )  # fmt: skip


def _course(home: str, done: _Done) -> dict[str, Any]:
    """The course as Moodle's logstore names it."""
    return {
        "id": f"{home}/course/view.php?id={done.course}",
        "definition": {
            "type": "https://w3id.org/xapi/cmi5/activitytype/course",
            "name": {"en": done.title},
            "extensions": {_EXTERNAL: done.idnumber},
        },
    }


def _elsewhere() -> dict[str, Any]:
    return {"id": ELSEWHERE, "definition": {"name": {"en": TITLE}}}


def _drafts(bridge: Bridge, person: int) -> list[Item]:
    with bridge.context.store.reading() as uow:
        own = {
            r.evidence_id for r in uow.intake.records_of_person(person) if r.evidence_id is not None
        }
    return [i for i in evidence_service.items(bridge.context) if i.evidence.id in own]


def _verified(bridge: Bridge) -> int:
    """How many claims stand verified."""
    with bridge.context.store.reading() as uow:
        return uow.evidence.state_counts().get("verified", 0)


def _voided(bridge: Bridge) -> bool:
    with bridge.context.store.reading() as uow:
        found = uow.intake.records_with("not counting", SOURCE, 10)
    return [record.reason for record in found] == ["voided"]


def check(shown: StatementsShown) -> list[tuple[str, bool]]:
    """What must be so."""
    return [
        ("one course told by Moodle and by statement is one draft", shown.same_course_is_one_draft),
        ("a course elsewhere is in the same log", shown.one_log),
        ("a voided statement does not count", shown.voided_is_gone),
        ("statements pulled again write nothing", shown.second_pull_wrote_nothing),
        (
            "the LRS was told of every verification",
            shown.told == {"verified": shown.verified} and shown.verified > 0,
        ),
        ("and of each once, however often", shown.told_once),
        ("what it was told does not come back as learning", shown.told_is_no_learning),
    ]
