"""Badges awarded, run out, renewed and revoked; the bridge killed, replies lost, hands at it."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import Engine

from bridge.demo.moodle import Fault, StandInMoodle, seed
from tests.bench.badges import AGO, Storm, run
from tests.support import NOW, FrozenClock, World

FUNCTIONS = {
    "plugin": ("local_competencybridge_save_badges", "local_competencybridge_award_badges",
               "local_competencybridge_revoke_badges", "local_competencybridge_list_badges"),
    "cohort": ("core_cohort_search_cohorts", "core_cohort_add_cohort_members",
               "core_cohort_delete_cohort_members", "core_reportbuilder_retrieve_report"),
}  # fmt: skip
ROADS = {
    "plugin": {"via": "plugin"},
    "cohort": {"via": "cohort", "cohort": "LLR-CORE-{year}", "badge": "LLR Core {year}"},
}


def storm(engine: Engine, database_url: str, road: str) -> dict[str, Any]:
    """Thirty learners through it; what came of them."""
    world = World(engine, FrozenClock(NOW - AGO), publish_all=False)
    site = seed.demo_site(NOW, lambda: NOW, plugin=road == "plugin")
    with StandInMoodle(site) as moodle:
        for function in FUNCTIONS[road]:
            moodle.faults.add(Fault.SLOW, value=0.02, function=function)
            for skip in (0, 7, 19, 40):
                moodle.faults.add(
                    random.choice([Fault.LOST_REPLY, Fault.CUT_CONNECTION]),  # noqa: S311
                    function=function, times=3, skip=skip,
                )  # fmt: skip
        told = {
            "database": database_url, "url": moodle.base_url,
            "token": site.token_of(seed.SERVICE_USER), "badges_report": "2", "at": "",
            "started": 0.0,
        }  # fmt: skip
        found = run(Storm(world, told, ROADS[road], range(30, 60)), kills=4, within=1.5)
        found["issued twice"] = len(site.issued) - len(
            {(one.badgeid, one.userid) for one in site.issued}
        )
    return found


NOTHING = (
    "lacking", "with another end", "too much and not listed", "listed without need",
    "given by hand and not listed", "out of step and not listed", "issued twice",
)  # fmt: skip


def test_with_the_plugin_desired_is_observed_afterwards(engine: Engine, database_url: str) -> None:
    found = storm(engine, database_url, "plugin")
    assert {name: found[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert (found["too much"], found["listed for the administrator"]) == (0, 0)
    assert found["in step after awarding"]
    assert found["awards held"] == 30
    assert found["given by hand"] == 3


def test_on_stock_moodle_every_difference_is_listed_and_nothing_else_differs(
    engine: Engine, database_url: str
) -> None:
    found = storm(engine, database_url, "cohort")
    assert {name: found[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    # Eighteen were renewed; of six the word was taken back after the badge was issued.
    assert (found["too much"], found["listed for the administrator"]) == (6, 6)
    assert found["in step after awarding"]
