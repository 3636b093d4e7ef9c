"""Bookings of pretix on both databases: pulled again, corrected, deleted; nobody's work is lost."""

from __future__ import annotations

from datetime import timedelta

from bridge.connectors.booking.pretix import PretixSettings, PretixSource
from bridge.demo.booking import Shop, StandInPretix
from bridge.demo.booking.state import Booker
from bridge.domain.counting import CountsWhen
from bridge.domain.identity import IdentityRule
from bridge.domain.mapping import Matcher, Rule
from bridge.domain.records import Status
from bridge.services import ledger
from bridge.services.pull import PullReport, Trusted, pull
from tests.support import World, ref

TOKEN = "stand-in-token-0123456789"
DAY = Rule(
    mapping="training", key="s47", title="Section 47", matchers=(Matcher(title="Section 47*"),),
    suggests=(ref(1), ref(2)), learning_activity="taught-course",
    counts_when=CountsWhen(frozenset({Status.ATTENDED})),
)  # fmt: skip


def test_what_became_of_bookings_follows_pretix_and_keeps_what_people_did(world: World) -> None:
    world.publish((DAY,))
    manager = world.person("mia", email="mia@n.example")
    ana, ben = (
        world.person(name, email=f"{name}@n.example", manager=manager) for name in ("ana", "ben")
    )
    shop = Shop("northmere", TOKEN, world.clock.now)
    with StandInPretix(shop) as pretix:
        settings = PretixSettings("events", pretix.base_url, "northmere", TOKEN, no_show=True)
        trusted = Trusted(
            PretixSource(settings, world.clock), "pretix", "trusted", (IdentityRule.VERIFIED_EMAIL,)
        )

        def pulled(*, full: bool = False, believe: bool = False) -> PullReport:
            return pull(world.ctx, trusted, full=full, believe=believe)

        start = world.clock.now() - timedelta(days=3)
        shop.add_event("s47", "Section 47 Enquiries", start, start + timedelta(hours=6))
        both = shop.book(
            "s47", Booker("Ana Reid", "ana@n.example"), Booker("Ben Cole", "ben@n.example"),
            Booker("Eve Hale", "eve@n.example"),
        )  # fmt: skip
        for number in (1, 2):
            shop.scan(both, number, start)
        assert pulled().tally.new == 3
        assert pulled().tally.wrote_nothing
        assert pulled(full=True).tally.wrote_nothing

        (of_ana,), (of_ben,) = world.items_of(ana), world.items_of(ben)
        evidence, untouched = of_ana.evidence.id, of_ben.evidence.id
        world.submit(ana, evidence, manager)
        world.verify(manager, evidence)

        # A day later both check-ins turn out to be wrong, and pretix does not touch the order.
        world.clock.advance(days=1)
        for number in (1, 2):
            shop.take_back(both, number)
        shop.scan(both, 3, start)
        assert pulled().tally.changed == 3
        assert world.states(evidence) == {"1": "verified", "2": "verified"}
        contested = "SELECT count(*) FROM claims WHERE contested_at IS NOT NULL"
        assert world.scalar(contested) == 2
        assert world.states(untouched) == {"1": "withdrawn", "2": "withdrawn"}

        # And they were right after all.
        for number in (1, 2):
            shop.scan(both, number, start)
        assert pulled().tally.changed == 2
        assert world.states(untouched) == {"1": "suggested", "2": "suggested"}

        shop.orders.remove(both)
        report = pulled(full=True, believe=True)
        assert report.tally.vanished == 3
        assert world.states(evidence) == {"1": "verified", "2": "verified"}
        assert all(line.adds_up for line in ledger.ledger(world.ctx))
