"""A partnership's people, made up but lifelike: organisations, teams, posts, names and accounts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from bridge.domain.frameworks import Edition
from tests.bench.copying import Copier

COLUMNS: dict[str, tuple[str, ...]] = {
    "organisations": ("id", "key", "name", "kind", "exempt", "exempt_framework"),
    "people": ("id", "display_name", "canonical_id", "created_at"),
    "person_identifiers": ("person_id", "kind", "value", "valid_from"),
    "person_merges": ("person_id", "into_id", "reason", "merged_at", "merged_by"),
    "posts": ("id", "person_id", "organisation_id", "title", "target_groups",
              "extra_competencies", "london_level", "manager_id", "valid_from", "valid_to"),
    "post_agreements": ("post_id", "target_groups", "extra_competencies", "london_level",
                        "agreed_by", "agreed_at"),
    "deputies": ("manager_id", "deputy_id", "valid_from", "valid_to", "named_by", "named_at"),
    "verifier_approvals": ("person_id", "kind", "approved_at", "approved_by"),
    "accounts": ("id", "source_id", "kind", "value", "email", "staff_number", "username",
                 "display_name", "suspended"),
    "account_links": ("account_id", "person_id", "rule", "proof", "valid_from", "linked_by"),
}  # fmt: skip

_FIRST = ("Aisha", "Ben", "Chloë", "Daniel", "Efua", "Fatima", "George", "Hannah", "Ioan", "Jo",
          "Kayleigh", "Liam", "Mónica", "Nadia", "Oluwaseun", "Priya", "Quentin", "Rhys", "Siobhán",
          "Tomasz", "Uma", "Victoria", "Wei", "Xanthe", "Yusuf", "Zofia")  # fmt: skip
_LAST = ("Adeyemi", "Brown", "Carter-Hughes", "Davies", "Evans", "Fernández", "Green", "Hussain",
         "Iqbal", "Jones", "Kowalska", "Li", "MacDonald", "Ní Bhriain", "O'Sullivan", "Patel",
         "Quaye", "Roberts", "Smith", "Taylor", "Underwood", "Vaughan", "Williams", "Xu", "Young",
         "Zieliński")  # fmt: skip
_LONG = ("Wilhelmina Oluwafunmilayo Constance de la Tour-Featherstonehaugh-Cholmondeley of the "
         "Children's Specialist Community Nursing Partnership")  # fmt: skip
_KINDS = ("council", "school", "health", "police", "charity", "early years", "housing")
_TITLES = {
    "frontline": ("Social Worker", "Family Support Worker", "Youth Worker", "Teaching Assistant"),
    "dsl-advisers": ("Designated Safeguarding Lead", "Childminder", "Safeguarding Adviser"),
    "managers": ("Team Manager", "Practice Supervisor"),
    "specialist-frontline": ("Specialist Nurse", "Child Protection Social Worker"),
    "strategic-leads": ("Head of Service", "Director of Children's Services"),
}
_BIG_TEAM = 60


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with what making their evidence takes."""

    id: int
    organisation: int | None
    manager: int | None
    account: int | None
    joined: date


def name_of(person: int) -> str:
    """A name: mostly ordinary, sometimes very long or of one letter."""
    if person % 997 == 0:
        return _LONG
    if person % 1499 == 0:
        return "Z"
    first, last = _FIRST[person % 26], _LAST[person // 26 % 26]
    return f"{first} {_LAST[person // 676 % 26]} {last}" if person % 5 == 0 else f"{first} {last}"


def staff_number_of(person: int) -> str:
    """What a staff list and a Moodle know the person by."""
    return f"s{person:06d}"


def team_sizes(rng: random.Random, count: int, big: bool) -> list[int]:
    """How `count` people of one organisation split into teams: of about 8, one of 60 if `big`."""
    sizes = [_BIG_TEAM + 1] if big and count > _BIG_TEAM + 1 else []
    while (left := count - sum(sizes)) > 0:
        sizes.append(min(left, rng.randint(6, 11)))
    return sizes


def make_crowd(
    copier: Copier, rng: random.Random, people: int, edition: Edition, today: date, source: int
) -> list[Someone]:
    """Write everybody and what they are; returns them, ids from 1. The first leads 60 people."""
    count = max(5, people // 250)
    weights = [1 / (rank + 4) for rank in range(count)]
    sizes = [max(1, int(people * 0.98 * w / sum(weights))) for w in weights]
    groups = [g.key for g in edition.groups if not g.everyone]
    crowd: list[Someone] = []
    for organisation, size in enumerate(sizes, start=1):
        exempt = organisation % 23 == 0
        kind = _KINDS[organisation % len(_KINDS)]
        name = f"{_LAST[organisation % 26]} {kind.title()} {organisation}"
        copier.row("organisations", organisation, f"org-{organisation}", name, kind, exempt,
                   "Intercollegiate document" if exempt else None)  # fmt: skip
        leads: list[int] = []
        for number, team in enumerate(team_sizes(rng, size, organisation <= 5)):
            lead = len(crowd) + 1
            # Whoever leads a team has a manager in their turn, who leads at most eight of them.
            above = leads[(number - 1) // 8] if leads else None
            leads.append(lead)
            for place in range(team):
                person = len(crowd) + 1
                manager = lead if place else above
                crowd.append(
                    _person(copier, rng, person, organisation, manager, groups, today, source)
                )
        if organisation % 4 == 0 and size > 3:
            copier.row("deputies", leads[0], leads[0] + 1, today - timedelta(days=100), None,
                       "training team", f"{today}T08:00:00+00")  # fmt: skip
    while len(crowd) < people:
        crowd.append(_person(copier, rng, len(crowd) + 1, None, None, groups, today, source))
    return crowd


def _person(
    copier: Copier,
    rng: random.Random,
    person: int,
    organisation: int | None,
    manager: int | None,
    groups: list[str],
    today: date,
    source: int,
) -> Someone:
    joined = today - timedelta(days=rng.randint(200, 3000))
    since = f"{joined}T08:00:00+00"
    merged = person % 701 == 0 and manager != person - 1
    copier.row("people", person, name_of(person), person - 1 if merged else person, since)
    if merged:
        copier.row("person_merges", person, person - 1, "The same staff number", since, "bench")
    number = staff_number_of(person)
    copier.row("person_identifiers", person, "staff number", number, since)
    if person % 3:
        email = f"{number}@org{organisation or 0}.example"
        copier.row("person_identifiers", person, "email", email, since)
    if organisation is not None:
        _post(copier, rng, person, organisation, manager, groups, joined, today)
    account = None
    if person % 20:
        account = person
        copier.row("accounts", account, source, "moodle-user", str(account), None, number, number,
                   name_of(person), person % 211 == 0)  # fmt: skip
        copier.row("account_links", account, person, "staff-number", number, since, "rule")
    if person % 500 == 3:
        copier.row("verifier_approvals", person, "assessor", since, "training team")
    return Someone(person, organisation, manager, account, joined)


def _post(
    copier: Copier,
    rng: random.Random,
    person: int,
    organisation: int,
    manager: int | None,
    groups: list[str],
    joined: date,
    today: date,
) -> None:
    group = "managers" if manager is None else rng.choice(groups)
    title = rng.choice(_TITLES.get(group, ("Practitioner",)))
    asked = [group] if rng.random() < 0.85 else sorted({group, rng.choice(groups)})
    listed = "[" + ",".join(f'"{g}"' for g in asked) + "]"
    extras = '["31"]' if rng.random() < 0.03 else "[]"
    level = rng.choice("12345") if rng.random() < 0.2 else None
    if rng.random() < 0.05:
        changed = joined + (today - joined) / 2
        copier.row("posts", 2 * person - 1, person, organisation, "Assistant", '["frontline"]',
                   "[]", None, manager, joined, changed - timedelta(days=1))  # fmt: skip
        joined = changed
    copier.row("posts", 2 * person, person, organisation, title, listed, extras, level, manager,
               joined, None)  # fmt: skip
    if manager is not None and rng.random() < 0.1:
        copier.row("post_agreements", 2 * person, listed, '["31"]', level, manager,
                   f"{today - timedelta(days=60)}T10:00:00+00")  # fmt: skip
