"""A world with mail switched on, and a mailer that keeps what it is given or fails as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from bridge.domain.mail import Letter, MailKind
from bridge.domain.ports import Finding
from bridge.services import notify
from bridge.services.mailing import MailReport, MailRoom, send_due
from tests.support import World

KEY = b"u" * 32
GO_LIVE = date(2026, 6, 1)


@dataclass
class Postbox:
    """Implements `bridge.domain.mail.Mailer`: keeps letters; `fail` is raised instead, or after
    keeping where `lose_reply`. `during` is called while a letter is handed over."""

    letters: list[Letter] = field(default_factory=list)
    fail: Exception | None = None
    lose_reply: bool = False
    during: Callable[[], None] = lambda: None
    host: str = "bridge.example"

    def send(self, letter: Letter) -> None:
        """Take one."""
        self.during()
        if self.fail is None or self.lose_reply:
            self.letters.append(letter)
        if self.fail is not None:
            raise self.fail

    def close(self) -> None:
        """Nothing to close."""

    def doctor(self) -> Finding:
        """It is there."""
        return Finding("mail", True, "It is there.")

    def of(self, kind: MailKind) -> list[Letter]:
        """The letters of one kind."""
        return [letter for letter in self.letters if letter.kind is kind]

    def told(self) -> list[tuple[str, str]]:
        """(kind, address) of each letter."""
        return [(letter.kind.value, letter.to) for letter in self.letters]


def go_live(world: World, day: date | None = GO_LIVE) -> Postbox:
    """Switch mail on from that day."""
    world.ctx = replace(world.ctx, policy=replace(world.ctx.policy, mail_from=day))
    return Postbox()


def send(world: World, box: Postbox) -> MailReport:
    """One round."""
    return send_due(world.ctx, MailRoom(box, "https://bridge.example", KEY))


def later(world: World, box: Postbox, **parts: float) -> MailReport:
    """A round, after a while."""
    world.clock.advance(**parts)
    return send(world, box)


def morning(world: World, days: int = 1) -> None:
    """Go on to nine o'clock (UTC) so many days from now."""
    day = world.clock.moment + timedelta(days=days)
    world.clock.moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def on(world: World, year: int, month: int, day: int) -> None:
    """Go to nine o'clock (UTC) of that day."""
    world.clock.moment = datetime(year, month, day, 9, tzinfo=UTC)


def switch_off(world: World, person: int, kind: MailKind) -> None:
    """Somebody switches one kind off on their account page."""
    me = world.as_(person)
    notify.choose(me, {c.kind for c in notify.choices(me) if c.on} - {kind})
