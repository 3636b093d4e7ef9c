"""Fills a site with people in every state: the demo's, long names, none, sixty, hundreds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bridge.bootstrap import publish_files
from bridge.demo.moodle import seed
from bridge.demo.moodle.tables import Course
from bridge.demo.play import Cast, choose_cast, play
from bridge.demo.visitors import office
from bridge.domain.mapping import CompetencyRef
from bridge.domain.times import london_date
from bridge.services import evidence as evidence_service
from bridge.services import verify as verify_service
from bridge.services.evidence import OwnActivity
from tests.browser.site import ACADEMY, AGENCY, BridgeSite, Someone, long_ago

LONG_NAME = (
    "Oluwaseun-Temitope Bartholomew-Featherstonehaugh Chukwuemeka Montgomery-"
    "Donaudampfschifffahrtsgesellschaft"
)
LONG_ORGANISATION = (
    "Leicester, Leicestershire and Rutland Integrated Children's and Young People's Emotional "
    "Health and Wellbeing Partnership NHS Foundation Trust"
)
LONG_TITLE = (
    "Contextual safeguarding, extra-familial harm and transitional safeguarding of adolescents: "
    "a multi-agency two-day workshop for practitioners, managers and independent chairs, with "
    "preparatory reading (Donaudampfschifffahrtselektrizitätenhauptbetriebswerk)"
)
HUNDREDS = 120
SIXTY = 60


def fill(site: BridgeSite) -> None:
    """Bring in everybody. What the walk needs afterwards is kept in `site.kept`."""
    now = site.moodle.site.clock()
    site.staff_list(seed.staff_list(now))
    office(site.bridge)
    site.pull(full=True)
    cast = choose_cast(site.ctx)
    play(site.ctx, cast, lambda words: None)
    big, team = _sixty(site)
    long = _long(site, big)
    none = site.person("Nia Nothing-Yet", big, moodle=False)
    many = site.person("Hanna Hundreds", big)
    pupil = site.person("Tess Academy", organisation=ACADEMY, role="Teacher", groups="")
    site.complete(pupil, "SGC-L1", hours_ago=400)
    site.pull(full=True)
    _hundreds(site, many, big)
    _lively(site, team, big)
    site.deliver()
    site.count()
    site.kept.update(
        cast=cast, big=big, long=long, none=none, many=many, pupil=pupil, team=team,
        training=_known(site, "LSCP001", "Priya Nair"),
        admin=_known(site, "LSCP002", "Tom Okafor"),
        analyst=_known(site, "LSCP003", "Grace Lindqvist"),
    )  # fmt: skip


def _known(site: BridgeSite, number: str, name: str) -> Someone:
    return Someone(site.find(number), name, number)


def cast_of(site: BridgeSite) -> Cast:
    """The demo's played people."""
    found: Cast = site.kept["cast"]
    return found


def someone(site: BridgeSite, key: str) -> Someone:
    """One of the people that `fill` brought in."""
    found: Someone = site.kept[key]
    return found


def _sixty(site: BridgeSite) -> tuple[Someone, list[Someone]]:
    """A manager with sixty people, each with courses done in Moodle."""
    big = site.person("Morwenna Sixty-Strong", role="Head of service", groups="managers",
                      moodle=False)  # fmt: skip
    courses = ("SGC-L1", "WT", "S47", "NEGLECT", "DA", "FGM")
    team = []
    first = ("Aisha", "Ben", "Chloe", "Dev", "Ewa", "Femi", "Grace", "Hugo", "Iris", "Jonah")
    last = ("Ashcombe", "Bellweather", "Cartmell", "Dovecote", "Elderfield", "Foxglove")
    rows = []
    for number in range(SIXTY):
        name = f"{first[number % 10]} {last[number // 10]}"
        site._users += 1
        staff = f"SIX{number:03d}"
        groups = ("frontline", "frontline;specialist-frontline", "")[number % 3]
        rows.append(f"{staff},{staff}@northmere.example.org,{name},\"{AGENCY}\",Social worker,"
                    f"{groups},{big.number},2020-09-01,2")  # fmt: skip
        team.append(Someone(0, name, staff, site.account(name, staff)))
    site.staff(*rows)
    found = [Someone(site.find(each.number), each.name, each.number, each.moodle) for each in team]
    for number, each in enumerate(found):
        for course in courses[: number % len(courses)]:
            site.complete(each, course, hours_ago=24 * (5 + number))
    return big, found


def _long(site: BridgeSite, manager: Someone) -> Someone:
    """Somebody whose name, employer and course are as long as they come."""
    long = site.person(LONG_NAME, manager, organisation=LONG_ORGANISATION,
                       role="Independent reviewing officer", groups="frontline")  # fmt: skip
    moodle = site.moodle.site
    with site.moodle.lock:
        moodle.add_course(Course(900, "LONG", LONG_TITLE, seed.CLASSROOM, "LSCP-LONG"))
        moodle.add_course(Course(901, "LONG-UNMAPPED", f"{LONG_TITLE} (second edition)",
                                 seed.CLASSROOM, "LSCP-LONG-2"))  # fmt: skip
    (site.bridge.folder / "mappings" / "long.yaml").write_text(
        f"""\
mapping: long
title: A course with a long title
effective_from: 2024-04-01
rules:
  - rule: long
    title: "{LONG_TITLE}"
    match:
      - {{source: moodle, idnumber: LSCP-LONG}}
    learning_activity: taught-course
    delivery: multi-agency
    suggests:
      llr-2020: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    verification: manager
""",
        encoding="utf-8",
    )
    publish_files(site.bridge, "A course with a long title")
    for course in ("LONG", "LONG-UNMAPPED", "SGC-L1"):
        site.complete(long, course, hours_ago=60)
    return long


def _hundreds(site: BridgeSite, many: Someone, manager: Someone) -> None:
    """Hundreds of pieces of evidence of one's own, in every state."""
    ctx = site.acting(many)
    today = london_date(site.ctx.clock.now())
    kinds = ("reflective-supervision", "personal-research", "mentoring-shadowing", "briefing")
    for number in range(HUNDREDS):
        codes = [CompetencyRef("llr-2020", str(1 + (number + n) % 12)) for n in range(2)]
        evidence_service.add_own(
            ctx,
            OwnActivity(
                f"Supervision and reading, week {number + 1}",
                kinds[number % 4],
                today - timedelta(days=1 + number),
                f"Supervision file, note {number + 1}",
            ),
            codes,
        )
    for number, item in enumerate(site.items(many)):
        if number % 3 != 0:
            site.submit(many, item, manager)
            if number % 3 == 1:
                site.verify(manager, item)


def _lively(site: BridgeSite, team: Sequence[Someone], manager: Someone) -> None:
    """A team in the middle of its work: some submitted, some verified, some returned."""
    for number, each in enumerate(team):
        for item in site.items(each)[: number % 4]:
            if item.evidence.occurred_at < long_ago(360):
                continue
            codes = [c.ref.code for c in item.claims if c.ref.edition == "llr-2020"]
            if not codes:
                continue
            site.submit(each, item, manager, *codes)
            if number % 3 == 1:
                site.verify(manager, item)
            elif number % 7 == 0:
                verify_service.send_back(
                    site.acting(manager), item.evidence.id, [CompetencyRef("llr-2020", codes[0])],
                    "What did you do differently since, and what did the family say to it?",
                )  # fmt: skip
