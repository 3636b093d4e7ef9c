"""The invented people of the demo: 200 learners in five organisations, and their managers.

Everything here follows from the number of the person, so it is the same on every run.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime

LEARNERS = 200
FIRST_LEARNER_ID = 3
SHARED_MAILBOX = "office@fairhaven.example.org"
_SHARERS = (40, 42)
_SUSPENDED = (23, 111)
_UNKNOWN_TO_STAFF_LIST = 7  # the last digit of the numbers that the staff list leaves out

_FIRST = (
    "Amara", "Bilal", "Carys", "Dmitri", "Efua", "Farah", "Gareth", "Hana", "Imran", "Jolanta",
    "Kofi", "Leah", "Mateus", "Niamh", "Oskar", "Priya", "Rosa", "Samir", "Tamsin", "Yusuf",
)  # fmt: skip
_LAST = (
    "Adeyemi-Frost", "Brackwater", "Castellan", "Dunmarrow", "Ebbsworth", "Fennimore-Rao",
    "Greenhythe", "Hollowell", "Iqbal-Thorne", "Jessamine",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Organisation:
    """An invented agency of the partnership, with the two roles its learners have."""

    name: str
    domain: str
    department: str
    roles: tuple[tuple[str, str], tuple[str, str]]
    """Two roles, each with the target groups it belongs to (separated by semicolons)."""


ORGANISATIONS = (
    Organisation(
        "Oakfield Primary School",
        "oakfield-school.example.org",
        "Teaching",
        (
            ("Teacher", "frontline"),
            ("Designated Safeguarding Lead", "frontline;dsl-advisers"),
        ),
    ),
    Organisation(
        "Northmere University Hospitals NHS Trust",
        "northmere-nhs.example.org",
        "Paediatrics",
        (
            ("Staff nurse", "frontline"),
            ("Named nurse", "frontline;dsl-advisers;specialist-frontline"),
        ),
    ),
    Organisation(
        "Northmere Council Children's Services",
        "northmere-council.example.org",
        "Children's social care",
        (
            ("Family support worker", "frontline"),
            ("Social worker", "frontline;specialist-frontline"),
        ),
    ),
    Organisation(
        "Fairhaven Family Centre",
        "fairhaven.example.org",
        "Family support",
        (
            ("Volunteer coordinator", ""),
            ("Family worker", "frontline"),
        ),
    ),
    Organisation(
        "Northmere Police",
        "northmere-police.example.org",
        "Public protection",
        (
            ("Police constable", "frontline"),
            ("Detective constable", "frontline;specialist-frontline"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; `number` counts learners from 1, and managers from 1 in each agency."""

    number: int
    first: str
    last: str
    organisation: Organisation
    email: str
    staff_number: str
    role: str
    target_groups: str
    level: int
    manager: str = ""

    @property
    def username(self) -> str:
        """The name they log in with."""
        return f"{self.first}.{self.last}".lower()

    @property
    def moodle_id(self) -> int:
        """The user id of a learner in the stand-in Moodle."""
        return FIRST_LEARNER_ID + self.number - 1

    @property
    def moodle_idnumber(self) -> str:
        """The staff number as Moodle has it: for every eighth learner nobody filled it in."""
        return "" if self.number % 8 == 0 else self.staff_number

    @property
    def suspended(self) -> bool:
        """Whether the learner's account was suspended."""
        return self.number in _SUSPENDED

    @property
    def in_staff_list(self) -> bool:
        """Whether the partnership's staff list knows this learner."""
        return self.number % 10 != _UNKNOWN_TO_STAFF_LIST


def learners() -> list[Person]:
    """The 200 learners, by number. Two of them share a mailbox."""
    return [_learner(number) for number in range(1, LEARNERS + 1)]


def _learner(number: int) -> Person:
    # 20 first names by 10 last names: every pair comes once.
    first, last = _FIRST[number % 20], _LAST[(number // 20 + number) % 10]
    which = 3 if number in _SHARERS else number % 5
    organisation = ORGANISATIONS[which]
    role, groups = organisation.roles[number % 3 == 0]
    email = f"{first}.{last}@{organisation.domain}".lower()
    return Person(
        number=number,
        first=first,
        last=last,
        organisation=organisation,
        email=SHARED_MAILBOX if number in _SHARERS else email,
        staff_number=f"ESR{100000 + number}",
        role=role,
        target_groups=groups,
        level=2 + (number % 3 == 0),
        manager=_manager_number(which, 1 + number % 2),
    )


def _manager_number(organisation: int, number: int) -> str:
    return f"ESR{200000 + organisation * 10 + number}"


def managers() -> list[Person]:
    """Two managers in each organisation; they learn elsewhere and have no Moodle account."""
    names = ("Aderyn", "Bashir", "Cosima", "Declan", "Esi", "Florin", "Ghislaine", "Haruto",
             "Ines", "Jarek")  # fmt: skip
    people = []
    for which, organisation in enumerate(ORGANISATIONS):
        for number in (1, 2):
            first, last = names[which * 2 + number - 1], "Wrenfield" if number == 1 else "Marlpit"
            people.append(
                Person(
                    number=number,
                    first=first,
                    last=last,
                    organisation=organisation,
                    email=f"{first}.{last}@{organisation.domain}".lower(),
                    staff_number=_manager_number(which, number),
                    role="Head of service" if number == 1 else "Team manager",
                    target_groups="managers;strategic-leads" if number == 1 else "managers",
                    level=4 if number == 1 else 3,
                    manager="" if number == 1 else _manager_number(which, 1),
                )
            )
    return people


def staff_list(now: datetime) -> str:
    """The partnership's staff list as CSV: the managers, and 180 of the 200 learners.

    Start dates lie between one and eight years before `now`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        (
            "staff_number",
            "email",
            "name",
            "organisation",
            "role",
            "target_groups",
            "manager_staff_number",
            "start_date",
            "london_level",
        )
    )
    for person in managers() + [one for one in learners() if one.in_staff_list]:
        started = now.year - 1 - person.number % 7
        writer.writerow(
            (
                person.staff_number,
                person.email,
                f"{person.first} {person.last}",
                person.organisation.name,
                person.role,
                person.target_groups,
                person.manager,
                f"{started}-{1 + person.number % 12:02d}-01",
                person.level,
            )
        )
    return text.getvalue()
