"""A world whose badges go to a stand-in Moodle, with the bridge's plugin or without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.connectors.moodle import MoodleSettings, MoodleTarget
from bridge.demo.moodle import StandInMoodle, seed
from bridge.domain.badges import BadgeDefinition, BadgeTarget, Criteria
from bridge.services import evidence, mappings, profile_status, publish, verify
from bridge.services.evidence import OwnActivity
from tests.support import NOW, Completion, World, ref

PLUGIN = {"via": "plugin"}
COHORT = {"via": "cohort", "cohort": "LLR-CORE-{year}", "badge": "LLR Core {year}"}
AUTO = {**COHORT, "via": "auto"}


def core(settings: Mapping[str, str], **more: str) -> BadgeDefinition:
    """A badge for competencies 1 and 2 that goes to the Moodle by these settings."""
    return BadgeDefinition(
        "core", more.get("title", "LLR Core"), "Two competencies, each verified.",
        Criteria(competencies=(ref(1), ref(2))), targets=(BadgeTarget("moodle", settings),),
    )  # fmt: skip


@dataclass
class Lms:
    """The world, the Moodle, and the target between them; people are named by Moodle user ids."""

    world: World
    moodle: StandInMoodle
    target: MoodleTarget
    manager: int

    def define(self, settings: Mapping[str, str], **more: str) -> None:
        """Publish the one badge with these settings."""
        mappings.publish_badges(self.world.ctx, [core(settings, **more)])

    def install(self) -> None:
        """Install the plugin, and let the bridge use it."""
        with self.moodle.lock:
            self.moodle.site.install_plugin()
            self.moodle.site.user(seed.SERVICE_USER).capabilities |= seed.PLUGIN_ROLE
        self.world.clock.advance(minutes=2)

    def learner(self, user: int) -> int:
        """Somebody with that account and a post, and a draft."""
        world = self.world
        person = world.person(f"u{user}", manager=self.manager)
        held = [*world.source.holds, Completion(str(user), "C1", email=f"u{user}@example.org")]
        world.pull(*held)
        return person

    def earns(self, person: int) -> int:
        """They earn the badge by new evidence of their own, verified today; the evidence."""
        today = self.world.clock.now().date()
        own = OwnActivity("Supervision", "supervision", today)
        made = evidence.add_own(self.world.as_(person), own, [ref(1), ref(2)])
        self.world.submit(person, made, self.manager)
        self.world.verify(self.manager, made)
        self.world.awarded()
        return made

    def loses(self, made: int) -> None:
        """A verification is revoked."""
        claim = self.world.claim_id(made, 1)
        verify.revoke(self.world.as_(self.manager), claim, "A mistake.")
        self.world.awarded()

    def deliver(self) -> publish.PublishReport:
        """Bring the Moodle into step."""
        return publish.deliver(self.world.ctx, self.target)

    def reconcile(self) -> publish.PublishReport:
        """Read everything back, and bring it into step."""
        return publish.reconcile(self.world.ctx, self.target)

    def show(self) -> profile_status.StatusReport:
        """Bring the profiles into step."""
        return profile_status.keep(self.world.ctx, self.target, "https://bridge.example/")

    def holds(self, user: int) -> dict[str, str]:
        """What a user's profile shows: names of badges to the days on which they end."""
        with self.moodle.lock:
            return {
                self.moodle.site.badges[one.badgeid].name: ""
                if one.dateexpire is None
                else f"{datetime.fromtimestamp(one.dateexpire):%Y-%m-%d}"
                for one in self.moodle.site.issued_to(user)
            }

    def states(self) -> list[tuple[str, str, str, str | None, bool]]:
        """Every state: period, road, desired, observed, and whether something needs somebody."""
        with self.world.store.reading() as uow:
            return [
                (s.period, s.road, s.desired, s.observed, s.needs_you is not None)
                for s in uow.awards.states(self.world.ctx.actor.scope)
            ]


@contextmanager
def open_lms(world: World, *, plugin: bool) -> Iterator[Lms]:
    """The world of a test, with a Moodle beside it that keeps the world's time."""
    site = seed.demo_site(NOW, world.clock.now, plugin=plugin)
    with StandInMoodle(site) as moodle:
        settings = MoodleSettings(
            "moodle", moodle.base_url, site.token_of(seed.SERVICE_USER), report=1,
            badges_report="Bridge issued badges",
        )  # fmt: skip
        target = MoodleTarget(settings, world.clock)
        lms = Lms(world, moodle, target, world.person("the manager"))
        yield lms


def a_year() -> timedelta:
    """As long as a verification is current, and a day."""
    return timedelta(days=366)
