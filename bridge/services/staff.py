"""Taking in a staff list: people, organisations, posts and managers, all of it or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import BridgeError
from bridge.domain.identity import (
    Identifier,
    IdentifierKind,
    IdentityRule,
    normal_email,
    normal_staff_number,
)
from bridge.domain.model import PostDetails
from bridge.domain.repositories import UnitOfWork
from bridge.domain.staff import Organisation, StaffRow
from bridge.domain.times import london_date
from bridge.services.context import Context, audit, training_team_only
from bridge.services.people import rematch


class StaffListError(BridgeError):
    """Rows that cannot be right. `messages` are `line N: ...`, all of them; nothing was written."""

    def __init__(self, messages: Sequence[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("Nothing was taken in:\n" + "\n".join(messages))


@dataclass(frozen=True, slots=True)
class StaffFile:
    """A staff list that was read without a fault, and the organisations as configured."""

    rows: Sequence[StaffRow]
    organisations: Sequence[Organisation]


@dataclass(slots=True)
class StaffReport:
    """What a staff list changed: people, and organisations. The same list twice changes nothing."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    accounts_matched: int = 0


def take_staff_list(
    ctx: Context,
    rows: Sequence[StaffRow],
    organisations: Sequence[Organisation],
    rules_of: Mapping[str, Sequence[IdentityRule]],
) -> StaffReport:
    """Add and update people, posts and managers, then try unmatched accounts again.

    A person is known by staff number, else by an email that nobody else has; a post by its person,
    organisation and first day, so that a title may be worded anew. People who are not on the list
    stay as they are: a short list is never a deletion. On the pages nobody changes their own entry,
    nor what somebody is known by: both could let them in as their own verifier.
    Raises StaffListError.
    """
    training_team_only(ctx)
    report = StaffReport(rows=len(rows))
    now = ctx.clock.now()
    with ctx.store.begin() as uow:
        _Taking(uow, rows, organisations, now, report, ctx.actor.person).run()
        if report.added or report.changed:
            audit(ctx, uow, "staff-list", "people",
                  {"added": report.added, "changed": report.changed})  # fmt: skip
    report.accounts_matched = rematch(ctx, rules_of)
    return report


def look_at_staff_list(
    ctx: Context, rows: Sequence[StaffRow], organisations: Sequence[Organisation]
) -> StaffReport:
    """What taking a list in would change: done, counted, and rolled back. Raises StaffListError."""
    training_team_only(ctx)
    report = StaffReport(rows=len(rows))
    with ctx.store.begin() as uow:
        _Taking(uow, rows, organisations, ctx.clock.now(), report, ctx.actor.person).run()
        uow.roll_back()
    return report


class _Taking:
    """One staff list on its way in."""

    def __init__(
        self,
        uow: UnitOfWork,
        rows: Sequence[StaffRow],
        organisations: Sequence[Organisation],
        now: datetime,
        report: StaffReport,
        by: int | None,
    ) -> None:
        self.uow, self.rows, self.now, self.report, self.by = uow, rows, now, report, by
        self.known_as = {o.name.casefold(): o for o in organisations}
        self.known_as |= {o.key: o for o in organisations}
        self.errors: list[str] = []
        self.new: set[int] = set()
        self.changed: set[int] = set()
        self.organisations_changed = 0
        wanted = {i for row in rows for i in _identifiers(row)}
        self.people = {i: set(p) for i, p in uow.people.by_identifiers(wanted).items()}

    def run(self) -> None:
        """People and posts first, so that a manager may stand anywhere in the list."""
        taken = [(row, self._person(row)) for row in self.rows]
        posts = [
            (row, person, self._organisation(row)) for row, person in taken if person is not None
        ]
        listed: dict[tuple[int, int], list[PostDetails]] = defaultdict(list)
        for row, person, organisation_id in posts:
            listed[person, organisation_id].append(row.post)
        today = london_date(self.now)
        for (person, organisation_id), details in listed.items():
            if self.uow.people.rename_posts(person, organisation_id, details, today):
                self.changed.add(person)
        for row, person, organisation_id in posts:
            if self.uow.people.put_post(person, row.post, organisation_id):
                self.changed.add(person)
        for (person, organisation_id), details in listed.items():
            if self.uow.people.end_replaced_posts(person, organisation_id, details):
                self.changed.add(person)
        for row, person, _ in posts:
            manager = self._manager(row, person)
            if self.uow.people.set_manager(person, row.post, manager):
                self.changed.add(person)
        if self.by is not None and self.by in self.changed:
            self.errors += [
                f"line {row.line}: this changes your own post or name. A colleague takes it in."
                for row, person in taken
                if person == self.by
            ]
        if self.errors:
            raise StaffListError(self.errors)
        self.report.added = len(self.new)
        self.report.changed = len(self.changed - self.new) + self.organisations_changed

    def _person(self, row: StaffRow) -> int | None:
        number, email = _split(row)
        by_number = self.people.get(number, set()) if number else set()
        by_email = self.people.get(email, set()) if email else set()
        if len(by_number) > 1:
            self.errors.append(
                f"line {row.line}: several people have the staff number {row.staff_number}. "
                "Merge them first, or correct the number."
            )
            return None
        found = by_number or (by_email if len(by_email) == 1 else set())
        if number is not None and not by_number and any(map(self._has_number, found)):
            # A shared mailbox is no identity: another number means another person.
            found = set()
        if not found and number is None and len(by_email) > 1:
            self.errors.append(
                f"line {row.line}: several people share {row.email}. Give the staff number."
            )
            return None
        if found:
            (person,) = found
            if self.uow.people.get(person).name != row.name:
                self.uow.people.rename(person, row.name)
                self.changed.add(person)
        else:
            person = self.uow.people.add(row.name, self.now)
            self.new.add(person)
        for identifier in _identifiers(row):
            if person not in self.people.setdefault(identifier, set()):
                if self.by is not None and person not in self.new:
                    # Sign-in links go there: nobody gives somebody else's entry their own mailbox.
                    self.errors.append(
                        f"line {row.line}: {row.name} is not known by {identifier.value}. What "
                        "somebody is known by is changed on the server: bridge people import."
                    )
                self.people[identifier].add(person)
                self.uow.people.add_identifier(person, identifier, self.now)
        return person

    def _has_number(self, person: int) -> bool:
        kinds = {identifier.kind for identifier in self.uow.people.identifiers(person)}
        return IdentifierKind.STAFF_NUMBER in kinds

    def _organisation(self, row: StaffRow) -> int:
        configured = self.known_as.get(row.organisation.casefold()) or self.known_as.get(
            row.post.organisation_key
        )
        organisation = configured or Organisation(row.post.organisation_key, row.organisation)
        organisation_id, changed = self.uow.people.organisation(
            row.post.organisation_key, organisation.name, organisation.kind, organisation.exempt
        )
        self.organisations_changed += changed
        return organisation_id

    def _manager(self, row: StaffRow, person: int) -> int | None:
        if row.manager is None:
            return None
        found = self._known(row.manager)
        if len(found) != 1:
            self.errors.append(
                f"line {row.line}: the manager '{row.manager}' is "
                + ("not known. Add them to the list." if not found else "more than one person.")
            )
            return None
        (manager,) = found
        if manager == person:
            self.errors.append(f"line {row.line}: nobody manages themselves.")
            return None
        return manager

    def _known(self, text: str) -> set[int]:
        email = normal_email(text)
        identifier = (
            Identifier(IdentifierKind.EMAIL, email)
            if email
            else Identifier(IdentifierKind.STAFF_NUMBER, normal_staff_number(text) or "")
        )
        if identifier not in self.people:
            stored = self.uow.people.by_identifiers([identifier])
            self.people[identifier] = set(stored.get(identifier, ()))
        return self.people[identifier]


def _split(row: StaffRow) -> tuple[Identifier | None, Identifier | None]:
    number = row.staff_number and Identifier(IdentifierKind.STAFF_NUMBER, row.staff_number)
    email = row.email and Identifier(IdentifierKind.EMAIL, row.email)
    return number or None, email or None


def _identifiers(row: StaffRow) -> list[Identifier]:
    return [i for i in _split(row) if i is not None]
