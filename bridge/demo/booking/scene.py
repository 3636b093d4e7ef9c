"""Shows what becomes of bookings: a no-show, a part of a day, a shared mailbox, a correction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bridge.bootstrap import Bridge, web_site
from bridge.demo.booking import register
from bridge.demo.booking.seed import MAPPING, SETTINGS, SOURCE, TITLE, Scene
from bridge.demo.booking.server import StandInPretix
from bridge.demo.moodle.people import Person as Invented
from bridge.demo.serving import Served
from bridge.domain.claims import ClaimState
from bridge.services import evidence as evidence_service
from bridge.services import inbox, ledger
from bridge.services import people as people_service
from bridge.services import pull as pull_service
from bridge.web.app import create_app


@dataclass(frozen=True, slots=True)
class BookingsShown:
    """What came of it, for `--check` to look at. Drafts are by role in the story."""

    before: dict[str, bool]
    after: dict[str, bool]
    reasons: dict[str, int]
    shared_why: tuple[str, ...]
    webhook_status: int
    adds_up: bool
    register: register.RegisterShown


@dataclass
class Bookings:
    """The booking system in the demo."""

    pretix: StandInPretix
    scene: Scene

    def furnish(self, folder: Path) -> None:
        """Put the booking system into the demo site's settings, and its rule beside the others."""
        token = folder / "pretix.token"
        token.touch(mode=0o600)
        token.write_text(self.scene.shop.token, encoding="utf-8")
        settings = SETTINGS.format(
            source=SOURCE, url=self.pretix.base_url, organizer=self.scene.shop.organizer
        )
        with (folder / "bridge.toml").open("a", encoding="utf-8") as config:
            config.write(settings)
        (folder / "mappings" / "booked-events.yaml").write_text(MAPPING, encoding="utf-8")
        register.furnish(folder, self.scene)

    def show(self, bridge: Bridge, console: Console) -> BookingsShown:
        """Pull, tell what became of everybody, and then correct one of them by a webhook."""
        scene = self.scene
        report = pull_service.pull(bridge.context, bridge.sources[SOURCE])
        console.print(
            f"{report.tally.new} bookings from the stand-in pretix at {self.pretix.base_url}: "
            f"'{TITLE}' on {scene.began:%-d %B}, and a day that is still to come."
        )
        before = self._drafts(bridge)
        made = Table(title=f"Who booked '{TITLE}'", title_justify="left", header_style="bold")
        for column in ("person", "what pretix says", "draft"):
            made.add_column(column, overflow="fold")
        for role, person, words in self._story():
            made.add_row(f"{person.first} {person.last}", words, _yes(before[role]))
        for name in scene.shared:
            made.add_row(
                name, f"checked in; booked as {scene.sharer.email}", _yes(before["shared"])
            )
        console.print(made)
        waiting = self._shared(bridge)
        for name, why in waiting:
            console.print(f"  {name}: {why}", markup=False, soft_wrap=True)
        console.print(
            f"Days later: {_name(scene.mistaken)} was checked in by mistake. The office takes it "
            "back, and pretix tells the bridge by its webhook."
        )
        status = self._correct(bridge)
        after = self._drafts(bridge)
        words = "is withdrawn" if not after["mistaken"] else "STAYS"
        console.print(
            f"The webhook was answered with {status}; pretix was asked again, and the draft "
            f"{words}. What somebody had written in it would have stayed."
        )
        reasons = {
            reason: count
            for source, _, reason, count in ledger.reasons(bridge.context)
            if source == SOURCE
        }
        sums = [line for line in ledger.ledger(bridge.context) if line.source == SOURCE]
        for reason, count in reasons.items():
            console.print(f"  {count} x {reason}", markup=False, soft_wrap=True)
        return BookingsShown(
            before, after, reasons, tuple(why for _, why in waiting), status,
            all(line.adds_up for line in sums), register.show(bridge, scene, console),
        )  # fmt: skip

    def _story(self) -> list[tuple[str, Invented, str]]:
        scene = self.scene
        return [
            ("came", scene.came, "checked in, and out at the end"),
            ("absent", scene.absent, "not checked in, and others were: a no-show"),
            ("left", scene.left, "checked out at lunch: a part of the day"),
            ("mistaken", scene.mistaken, "checked in, and out at the end"),
        ]

    def _drafts(self, bridge: Bridge) -> dict[str, bool]:
        """Who has a draft of that day."""
        found = {}
        everybody = [*((role, person) for role, person, _ in self._story()),
                     ("shared", self.scene.sharer)]  # fmt: skip
        for role, person in everybody:
            known = people_service.find(bridge.context, person.staff_number)
            found[role] = any(
                item.evidence.title == TITLE
                and any(claim.state is ClaimState.SUGGESTED for claim in item.claims)
                for item in evidence_service.items(bridge.context, person=known.id)
            )
        return found

    def _shared(self, bridge: Bridge) -> list[tuple[str, str]]:
        """The accounts of the shared mailbox, and why they are nobody's."""
        return [
            (str(each.account.facts.display_name), each.why.message)
            for each in people_service.unmatched(bridge.context, bridge.identity)
            if each.source_key == SOURCE and each.account.facts.email == self.scene.sharer.email
        ]

    def _correct(self, bridge: Bridge) -> int:
        """Take the check-in back and let pretix tell; the status that its webhook got."""
        secret = inbox.issue_hook(bridge.context, SOURCE)
        app = create_app(web_site(bridge, "http://localhost"))
        with Served(app, "bridge-demo-hook") as address:
            self.scene.correct()
            (status,) = self.pretix.send_notices(f"{address}/hooks/pretix/{SOURCE}/{secret}")
        inbox.fetch_noted(bridge.context, bridge.sources[SOURCE])
        inbox.end_hooks(bridge.context, SOURCE)
        return status


def check(shown: BookingsShown) -> list[tuple[str, bool]]:
    """What must hold, in words."""
    return [
        ("who came to a booked day has a draft", shown.before["came"]),
        ("a no-show has none", not shown.before["absent"]),
        ("a part of a day gives none", not shown.before["left"]),
        ("an address on two names is nobody's", len(shown.shared_why) == 2
         and not shown.before["shared"]),
        ("the webhook was accepted at once", shown.webhook_status == 202),
        ("a check-in that was taken back withdraws its draft", shown.before["mistaken"]
         and not shown.after["mistaken"]),
        ("and no other", shown.after["came"]),
        ("the bookings add up", shown.adds_up),
        *register.check(shown.register),
    ]  # fmt: skip


def _yes(drafted: bool) -> str:
    return "yes" if drafted else "no"


def _name(person: Invented) -> str:
    return f"{person.first} {person.last}"
