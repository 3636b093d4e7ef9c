"""`python -m tests.bench.badges`: awarded, run out, renewed, revoked for many, killed on the way.

Against the Moodle that BRIDGE_BENCH_MOODLE_URL and _TOKEN name. The accounts from the id in _USERS
on ("1001" for 500 from there) are awarded badges, and those of the next three ids are given some by
hand. By the plugin the badge is of key "bench-core"; by a stock road it is that of _COHORT and
_BADGE, or of _FRAMEWORK, _COMPETENCY and _BADGE, each with {year} for the year, read back by the
report _BADGES_REPORT. It prints JSON: use a test site, for issued badges stay.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bridge.connectors.moodle import MoodleSettings, MoodleTarget
from bridge.connectors.moodle.issued import all_issued
from bridge.connectors.moodle.roads import CohortRoad, CompetencyRoad
from bridge.domain.badges import BadgeDefinition, BadgeTarget, Criteria
from bridge.domain.errors import LostLease, PeerError, TryLater
from bridge.domain.policy import Policy
from bridge.domain.ports import Placement
from bridge.domain.times import end_of_london_day
from bridge.jobs import work
from bridge.jobs.work import Works
from bridge.services import awards, evidence, mappings, publish, strays, verify
from bridge.services.context import Context
from bridge.services.evidence import OwnActivity
from bridge.storage.engine import migrate, open_engine
from bridge.storage.unit import SqlStore
from tests import processes
from tests.support import EDITION, MAPPING, Completion, FrozenClock, World, ref

KEY = "bench-core"
T = TypeVar("T")
STRANGERS = 3
#: So far back the first awards lie: they have run out by now.
AGO = timedelta(days=400)


class Onward:
    """Goes on from an instant as real time does, in every process alike."""

    def __init__(self, at: datetime, started: float) -> None:
        self._at, self._started = at, started

    def now(self) -> datetime:
        """That instant."""
        return self._at + timedelta(seconds=time.time() - self._started)


def settings_of(told: Mapping[str, Any]) -> MoodleSettings:
    """The Moodle as a process is told it."""
    return MoodleSettings(
        "moodle", told["url"], told["token"], report=None,
        badges_report=told["badges_report"] or None, calls_per_second=0, timeout=60,
    )  # fmt: skip


def works(engine: Any, told: Mapping[str, Any]) -> Works:
    """What the jobs work with."""
    clock = Onward(datetime.fromisoformat(told["at"]), told["started"])
    world = World(engine, FrozenClock(clock.now()), publish_all=False)
    policy = Policy(lease_seconds=1, retry_seconds=1, retry_ceiling_seconds=2)
    ctx = Context(SqlStore(engine), clock, world.vault, world.ctx.actor, policy)
    return Works(ctx, {}, {"moodle": MoodleTarget(settings_of(told), clock)})


def deliver_for_ever(told: Mapping[str, Any], ready: processes.Ready) -> None:
    """A bridge that delivers and reconciles in turn; a process of its own runs it till killed."""
    engine = open_engine(told["database"])
    at_work = works(engine, told)
    ready("")
    turn = 0
    while True:
        turn += 1
        try:
            work.draft(at_work)
            if turn % 3:
                publish.deliver(at_work.context, at_work.targets["moodle"])
            else:
                publish.reconcile(at_work.context, at_work.targets["moodle"])
        except (PeerError, LostLease):
            # It has been noted where a person sees it; a real bridge comes round again as well.
            time.sleep(0.05)


@dataclass
class Storm:
    """Learners whose badges are awarded, renewed and revoked while the bridge is killed."""

    world: World
    told: dict[str, Any]
    badge: Mapping[str, str]
    users: Sequence[int]
    people: dict[int, int] = field(default_factory=dict)
    kills: int = 0

    @property
    def by_plugin(self) -> bool:
        """Whether the badge goes by the plugin."""
        return self.badge["via"] == "plugin"

    def set_up(self) -> None:
        """People with accounts and posts, in a world as it was AGO."""
        world = self.world
        mappings.publish_frameworks(world.ctx, [EDITION])
        world.publish(MAPPING)
        definition = BadgeDefinition(
            KEY, "Bench: LLR Core", "Two competencies, each verified.",
            Criteria(competencies=(ref(1), ref(2))),
            targets=(BadgeTarget("moodle", dict(self.badge)),),
        )  # fmt: skip
        mappings.publish_badges(world.ctx, [definition])
        self.manager = world.person("the manager")
        for user in self.users:
            self.people[user] = world.person(f"u{user}", manager=self.manager)
        long_ago = world.clock.now() - timedelta(days=800)
        world.pull(*(
            Completion(str(user), "C1", when=long_ago, email=f"u{user}@example.org")
            for user in self.users
        ))  # fmt: skip

    def verify_all(self, users: Sequence[int]) -> dict[int, int]:
        """New evidence of each, verified at the world's present; by user."""
        made = {}
        for user in users:
            person = self.people[user]
            own = OwnActivity("Supervision", "supervision", self.world.clock.now().date())
            made[user] = evidence.add_own(self.world.as_(person), own, [ref(1), ref(2)])
            self.world.submit(person, made[user], self.manager)
            self.world.verify(self.manager, made[user])
        return made

    def revoke(self, made: Mapping[int, int]) -> None:
        """A verification of each is taken back."""
        for each in made.values():
            claim = self.world.claim_id(each, 1)
            verify.revoke(self.world.as_(self.manager), claim, "A mistake.")

    def kill_often(self, times: int, within: float, meanwhile: Callable[[], None]) -> None:
        """Start the bridge and kill it at a random instant, again and again."""
        self.told |= {"at": self.world.clock.now().isoformat(), "started": time.time()}
        for number in range(times):
            process, _ = processes.start(deliver_for_ever, self.told)
            if number == times // 2:
                meanwhile()
            time.sleep(random.uniform(0.05, within))  # noqa: S311  no secret
            process.kill()
            process.join()
            self.kills += 1

    def settle(self) -> float:
        """Let it run undisturbed until nothing more can be done without a person; the seconds."""
        began = time.monotonic()
        self.told |= {"at": self.world.clock.now().isoformat(), "started": time.time()}
        at_work = works(self.world.engine, self.told)
        for _ in range(40):
            awards.update_awards(at_work.context)
            try:
                report = publish.reconcile(at_work.context, at_work.targets["moodle"])
                still = report.error or report.resting or report.waiting or report.tried
                if not still:
                    break
            except (PeerError, LostLease):
                pass
            time.sleep(1.1)
        self.calls = at_work.targets["moodle"].client.calls  # type: ignore[attr-defined]
        return time.monotonic() - began

    def wanted(self) -> dict[tuple[int, str], int]:
        """(user, badge there) to the end that it should have, from the awards alone."""
        ends: dict[tuple[int, str], int] = {}
        rows = self.world.rows(
            "SELECT a.person_id, a.period, a.expires_on FROM awards a WHERE a.status = 'held'"
        )
        by_person = {person: user for user, person in self.people.items()}
        for person, period, expires_on in rows:
            day = datetime.fromisoformat(str(expires_on)).date()
            end = int(end_of_london_day(day).timestamp()) if self.by_plugin else 0
            name = KEY if self.by_plugin else self.badge["badge"].replace("{year}", period)
            place = (by_person[person], name)
            ends[place] = max(end, ends.get(place, 0))
        return ends

    def held(self) -> dict[tuple[int, str], int]:
        """The same as the Moodle has it, of whomever."""
        return insist(self._held)

    def _held(self) -> dict[tuple[int, str], int]:
        target = MoodleTarget(settings_of(self.told), self.world.clock)
        if self.by_plugin:
            return {
                (one.user, one.key): int(one.expires_at.timestamp()) if one.expires_at else 0
                for one in target._plugin.held([KEY])
            }
        issued = all_issued(target.client, self.told["badges_report"]) or {}
        prefix = self.badge["badge"].replace("{year}", "")
        mine = {*self.users, *self.strangers}
        return {
            (user, one.name): 0
            for user, badges in issued.items()
            for one in badges
            if user in mine and one.name.startswith(prefix)
        }

    @property
    def strangers(self) -> list[int]:
        """Accounts of nobody that are given the badge by hand."""
        return [self.users[-1] + n for n in range(1, STRANGERS + 1)]

    def edit_by_hand(self, users: Sequence[int]) -> None:
        """Somebody in Moodle takes badges away, changes ends, and gives some; as far as it can be
        done by web service, by which the bridge does not learn of it."""
        insist(lambda: self._edit_by_hand(users))

    def _edit_by_hand(self, users: Sequence[int]) -> None:
        target = MoodleTarget(settings_of(self.told), self.world.clock)
        if self.by_plugin:
            settings = {"via": "plugin", "key": KEY}
            half = len(users) // 2
            target._plugin.revoke([Placement(u, str(u), settings) for u in users[:half]], "By hand")
            target.client.call("local_competencybridge_award_badges", {"awards": [
                {"key": KEY, "userid": user, "expires": 2_000_000_000}
                for user in (*users[half:], *self.strangers)
            ]})  # fmt: skip
            return
        year = str(self.world.clock.now().year)
        if self.badge["via"] == "competency":
            ratings = CompetencyRoad(target.client)
            name = self.badge["competency"].replace("{year}", year)
            competency, grade = ratings.competency(self.badge["framework"], name)
            for user in self.strangers:
                ratings._rate(user, competency, grade, "By hand")
            return
        road = CohortRoad(target.client)
        cohort = road.cohort(self.badge["cohort"].replace("{year}", year))
        road._delete_users(cohort, users)
        road._add_users(cohort, self.strangers)


def insist(what: Callable[[], T]) -> T:
    """Whoever edits by hand tries again when the connection was lost."""
    for _ in range(20):
        try:
            return what()
        except TryLater:
            continue
    return what()


def run(storm: Storm, *, kills: int, within: float) -> dict[str, Any]:
    """The whole story. What was lacking or too much at the end is told by its numbers."""
    users = storm.users
    began = time.monotonic()
    storm.set_up()
    storm.verify_all(users)
    prepared = time.monotonic() - began
    storm.kill_often(kills, within, lambda: None)
    awarded = storm.settle()
    calls_awarded = storm.calls
    first = storm.wanted() == {k: v for k, v in storm.held().items() if k[0] in storm.people}
    # Today: the awards have run out. Three in five are verified again, a third of those revoked.
    storm.world.clock.moment += AGO
    renewed = [user for n, user in enumerate(users) if n % 5 < 3]
    made = storm.verify_all(renewed)
    storm.kill_often(kills, within, lambda: storm.edit_by_hand(users[:: max(4, len(users) // 20)]))
    storm.settle()
    storm.edit_by_hand(users[1 :: max(4, len(users) // 20)])
    revoked = {user: each for n, (user, each) in enumerate(made.items()) if n % 3 == 0}
    storm.kill_often(kills, within, lambda: storm.revoke(revoked))
    settled = storm.settle()
    wanted, held = storm.wanted(), storm.held()
    needing = _needing(storm)
    listed = {
        (int(each.seen.account), each.seen.title)
        for each in strays.listed(storm.world.ctx, limit=10_000).items
    }
    theirs = {place: end for place, end in held.items() if place[0] in storm.people}
    return {
        "learners": len(users),
        "road": storm.badge["via"],
        "kills": storm.kills,
        "seconds": {"setting up": round(prepared, 1), "settling after awards": round(awarded, 1),
                    "settling at the end": round(settled, 1)},
        "calls": {"settling after awards": calls_awarded, "settling at the end": storm.calls},
        "awards held": len(wanted),
        "in step after awarding": first,
        "lacking": len(wanted.keys() - theirs.keys()),
        "with another end": sum(theirs[p] != end for p, end in wanted.items() if p in theirs),
        "too much": len(theirs.keys() - wanted.keys()),
        "too much and not listed": len({p for p in theirs.keys() - wanted.keys()} - needing),
        "listed for the administrator": len(needing),
        "listed without need": len(needing - (theirs.keys() - wanted.keys())),
        "given by hand": sum(place[0] in storm.strangers for place in held),
        "given by hand and not listed": sum(
            place[0] in storm.strangers and place[0] not in {user for user, _ in listed}
            for place in held
        ),
        "out of step and not listed": storm.world.scalar(
            "SELECT count(*) FROM target_states WHERE needs_you IS NULL"
            " AND (observed IS NULL OR observed <> desired)"
        ),
    }  # fmt: skip


def _needing(storm: Storm) -> set[tuple[int, str]]:
    """(user, badge there) of what an administrator is asked to do."""
    with storm.world.store.reading() as uow:
        return {
            (int(s.account or 0), KEY if s.road == "plugin" else s.settings["badge"])
            for s in uow.awards.states(storm.world.ctx.actor.scope, out_of_step=True)
            if s.needs_you
        }


def main() -> None:
    """Read the command line and the environment, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.badges", description=__doc__)
    parser.add_argument("--learners", type=int, default=500)
    parser.add_argument("--road", choices=["plugin", "cohort", "competency"], default="plugin")
    parser.add_argument("--kills", type=int, default=8, help="in each of three phases")
    parser.add_argument("--within", type=float, default=4.0, help="killed within so many seconds")
    given = parser.parse_args()
    env = {k.removeprefix("BRIDGE_BENCH_MOODLE_"): v for k, v in os.environ.items()}
    first = int(env["USERS"])
    badge = {"via": given.road}
    if given.road == "cohort":
        badge |= {"cohort": env["COHORT"], "badge": env["BADGE"]}
    elif given.road == "competency":
        badge |= {name.lower(): env[name] for name in ("FRAMEWORK", "COMPETENCY", "BADGE")}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bridge.db'}"
        engine = open_engine(url)
        migrate(engine)
        world = World(engine, FrozenClock(datetime.now(UTC) - AGO), publish_all=False)
        told = {
            "database": url, "url": env["URL"], "token": env["TOKEN"],
            "badges_report": env.get("BADGES_REPORT", ""), "at": "", "started": 0.0,
        }  # fmt: skip
        storm = Storm(world, told, badge, range(first, first + given.learners))
        print(json.dumps(run(storm, kills=given.kills, within=given.within), indent=2))
        engine.dispose()


if __name__ == "__main__":
    main()
