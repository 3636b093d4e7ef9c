"""A world whose decisions are told to the stand-in LRS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from bridge.connectors.xapi import LrsSettings, LrsTeller
from bridge.demo.lrs import StandInLrs
from bridge.domain.telling import Telling
from bridge.services import telling, verify
from bridge.services.telling import TellReport
from tests.support import Cast, World, cast

HOME = "https://bridge.example.org"
SINCE = date(2026, 6, 1)
TELLING = Telling("lrs", SINCE, HOME)
VERIFIED = "https://w3id.org/xapi/tla/verbs/verified"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass
class ToldWorld:
    """A world, an LRS, and the people of the usual cast."""

    world: World
    lrs: StandInLrs
    naps: list[float] = field(default_factory=list)
    folk: Cast = field(init=False)
    teller: LrsTeller = field(init=False)

    def __post_init__(self) -> None:
        self.set_up()
        self.folk = cast(self.world)
        self.teller = self.make_teller()

    def set_up(self, *tells: Telling, **changes: Any) -> None:
        """Configure what is told: as usual, but for these changes."""
        told = tells or (replace(TELLING, **changes),)
        policy = replace(self.world.ctx.policy, tells=told)
        self.world.ctx = replace(self.world.ctx, policy=policy)

    def not_told(self) -> None:
        """Configure that nothing is told."""
        policy = replace(self.world.ctx.policy, tells=())
        self.world.ctx = replace(self.world.ctx, policy=policy)

    def make_teller(self, **changes: Any) -> LrsTeller:
        """The connector, which does not sleep."""
        altogether = changes.pop("altogether", 90.0)
        settings = LrsSettings("lrs", self.lrs.base_url, self.lrs.user, self.lrs.secret)
        return LrsTeller(replace(settings, **changes), self.naps.append, altogether)

    def verify(self, *codes: int) -> list[int]:
        """The learner puts these claims before the manager, who verifies them."""
        self.world.submit(self.folk.learner, self.folk.evidence, self.folk.manager, *codes)
        return self.world.verify(self.folk.manager, self.folk.evidence)

    def revoke(self, code: int, why: str = "A mistake of mine.") -> int:
        """The manager takes a verification back."""
        claim = self.world.claim_id(self.folk.evidence, code)
        return verify.revoke(self.world.as_(self.folk.manager), claim, why)

    def tell(self, teller: LrsTeller | None = None) -> TellReport:
        """One round."""
        return telling.tell_due(self.world.ctx, teller or self.teller)

    def held(self) -> list[dict[str, Any]]:
        """Every statement that the LRS holds, voided or not, in the order of storing."""
        return [orjson.loads(each.body) for each in self.lrs.store.everything()]

    def verbs(self) -> list[str]:
        """The last words of their verbs."""
        return [each["verb"]["id"].rsplit("/", 1)[-1] for each in self.held()]

    def open(self) -> Sequence[tuple[Any, ...]]:
        """What of the queue is not done: attempts, whether it needs somebody, and why."""
        return self.world.rows(
            "SELECT attempts, needs_you, error FROM outbox WHERE kind LIKE 'lrs:%'"
            " AND done_at IS NULL ORDER BY id"
        )
