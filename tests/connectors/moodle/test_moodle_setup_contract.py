"""What every Moodle must do for set-up: on the stand-in always, on a real one if it is named.

A real Moodle joins when BRIDGE_TEST_MOODLE_ADMIN_TOKEN is set too: an administrator's token for a
service with the functions of set-up. It keeps the frameworks and cohorts that these tests make.
"""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

import pytest

from bridge.connectors.moodle import MoodleClient
from bridge.connectors.moodle.competencies import MoodleCompetencies
from bridge.connectors.moodle.needs import capabilities_for, functions_for
from bridge.connectors.moodle.setup import SetupWalk
from bridge.connectors.moodle.setupaccess import Access
from bridge.connectors.moodle.setupchecks import place_findings, proofs
from bridge.connectors.moodle.setupreports import BADGES, COMPLETIONS, look_at, missing_columns
from bridge.connectors.moodle.uploads import (
    COHORTS_FILE,
    ROLE_FILE,
    USER_FILE,
    framework_csv,
    role_xml,
)
from bridge.demo.moodle import Fault, StandInMoodle, seed
from bridge.demo.moodle.functions import FUNCTIONS
from bridge.demo.moodle.tables import Service
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.lms_frameworks import (
    RuleOutcome,
    Wanted,
    WantedFramework,
    plan_framework,
)
from bridge.domain.setup import BadgeNeed, SetupWishes, Step, StepState, WayIn
from tests.connectors.moodle.conftest import ENV, REAL, Peer, Script, _peer

REAL_ADMIN = REAL and "admin_token" in ENV


@dataclass
class Pair:
    """A Moodle by two tokens: the service user's, and an administrator's."""

    peer: Peer
    admin_token: str

    def admin(self) -> MoodleClient:
        return MoodleClient(replace(self.peer.settings, token=self.admin_token))

    def access(self, *, service: bool = True, admin: bool = True) -> Access:
        settings = self.peer.settings if service else replace(self.peer.settings, token="none")
        made = Access(
            settings, MoodleClient(settings) if service else None, self.admin() if admin else None
        )
        made.look()
        return made


@pytest.fixture(params=["stand-in", "real"] if REAL_ADMIN else ["stand-in"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each Moodle that can be set up."""
    if request.param == "real":
        return Pair(_peer(request), ENV["admin_token"])
    moodle: StandInMoodle = request.getfixturevalue("moodle")
    service = Service("everything", set(FUNCTIONS))
    moodle.site.add_service(service)
    token = moodle.site.add_token(moodle.site.user("admin"), service)
    return Pair(request.getfixturevalue("stand_in"), token.value)


@pytest.fixture
def unique() -> str:
    """Something that no run before has used."""
    return f"T{time.time_ns():x}"


def small(unique: str) -> WantedFramework:
    top = Wanted(f"{unique}:level:1", "Level 1", "<p>Those who &amp; whom</p>")
    one = Wanted(f"{unique}:1", "1. Know & act", "<p>Know &lt;it&gt; &amp; act.</p>", top.idnumber)
    return WantedFramework(
        unique, f"Framework & {unique}", "<p>About it.</p>",
        "level,competency,competency,competency", (top, one),
    )  # fmt: skip


def made(peer: MoodleCompetencies, wanted: WantedFramework) -> tuple[int, dict[str, int]]:
    framework = peer.create_framework(wanted)
    ids: dict[str, int] = {}
    for item in wanted.items:
        parent = ids[item.parent] if item.parent else 0
        ids[item.idnumber] = peer.create_competency(framework.id, item, parent)
    return framework.id, ids


# Frameworks


def test_a_framework_that_was_made_reads_back_in_step(pair: Pair, unique: str) -> None:
    peer, wanted = MoodleCompetencies(pair.admin()), small(unique)
    number, _ = made(peer, wanted)
    (has,) = [one for one in peer.frameworks() if one.id == number]
    assert plan_framework(wanted, has, peer.competencies(number)).in_step
    assert '"scaledefault": 1, "proficient": 0' in has.scale_configuration


def test_what_was_changed_by_hand_is_seen_and_can_be_put_back(pair: Pair, unique: str) -> None:
    peer, wanted = MoodleCompetencies(pair.admin()), small(unique)
    number, ids = made(peer, wanted)
    top, one = wanted.items
    seen = {each.idnumber: each for each in peer.competencies(number)}
    hand = replace(one, name="Another name")
    peer.restore_competency(number, seen[one.idnumber], hand, 0)
    (has,) = [each for each in peer.frameworks() if each.id == number]
    plan = plan_framework(wanted, has, peer.competencies(number))
    assert [each.idnumber for each, _ in plan.unlike] == [one.idnumber]
    assert [each.idnumber for each, _ in plan.moved] == [one.idnumber]
    peer.restore_competency(number, plan.unlike[0][0], one, ids[top.idnumber])
    peer.rename_framework(has, wanted)
    (has,) = [each for each in peer.frameworks() if each.id == number]
    assert plan_framework(wanted, has, peer.competencies(number)).in_step


def test_a_link_adds_evidence_and_an_outcome_that_completes_is_never_set(
    pair: Pair, unique: str
) -> None:
    admin = pair.admin()
    peer, wanted = MoodleCompetencies(admin), small(unique)
    _, ids = made(peer, wanted)
    courses = peer.courses()
    assert courses
    course = min(courses, key=int)
    idnumber = f"{unique}:1"
    peer.link(course, ids[idnumber])
    peer.link(course, ids[idnumber])
    (link,) = [one for one in peer.course_links([course])[course] if one.idnumber == idnumber]
    assert link.outcome == RuleOutcome.EVIDENCE
    assert link.framework == unique
    with pytest.raises(ValueError, match="never completes"):
        peer.set_outcome(link.link_id, RuleOutcome.COMPLETE)
    admin.call(
        "core_competency_set_course_competency_ruleoutcome",
        {"coursecompetencyid": link.link_id, "ruleoutcome": 3},
    )
    (loud,) = [one for one in peer.course_links([course])[course] if one.idnumber == idnumber]
    assert loud.outcome == RuleOutcome.COMPLETE
    peer.set_outcome(link.link_id, RuleOutcome.EVIDENCE)
    (calm,) = [one for one in peer.course_links([course])[course] if one.idnumber == idnumber]
    assert calm.outcome == RuleOutcome.EVIDENCE


def test_courses_that_are_not_there_are_left_out_and_none_at_all_is_an_error(pair: Pair) -> None:
    peer = MoodleCompetencies(pair.admin())
    course = min(peer.courses() or {}, key=int)
    assert set(peer.course_links([course, "987654"])) == {course}
    with pytest.raises(Exception, match="core_competency_list_course_competencies"):
        peer.course_links(["987654"])


def test_the_service_user_may_not_make_a_framework(pair: Pair, unique: str) -> None:
    with pytest.raises(NeedsAdministrator):
        MoodleCompetencies(pair.peer.client()).create_framework(small(unique))


# The walk


def wishes_of(pair: Pair, unique: str, **changes: object) -> SetupWishes:
    needs = (
        BadgeNeed("Core " + unique, "cohort", cohort=f"CORE-{unique}"),
        BadgeNeed("Level " + unique, "competency", framework=f"F-{unique}", competency="L1"),
    )
    base = SetupWishes(WayIn.REPORT, needs, username=f"svc-{unique.lower()}",
                       token_variable="BRIDGE_X_TOKEN")  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def walked(access: Access, wishes: SetupWishes) -> tuple[dict[str, Step], dict[str, str]]:
    walk = SetupWalk(access, wishes)
    steps = {step.key: step for step in walk.walk()}
    return steps, walk.files


def test_with_an_administrators_token_what_services_allow_is_made_once(
    pair: Pair, unique: str
) -> None:
    wishes = wishes_of(pair, unique)
    steps, _ = walked(pair.access(), wishes)
    assert steps["cohorts"].state is StepState.MADE
    assert steps[f"competencies F-{unique}"].state is StepState.MADE
    assert steps["badge"].state is StepState.OPEN
    again, files = walked(pair.access(), wishes)
    assert again["cohorts"].state is StepState.DONE
    assert again[f"competencies F-{unique}"].state is StepState.DONE
    assert not files
    for key in ("web services", "token", "report", "badges report"):
        assert again[key].state is StepState.DONE, again[key]


def test_the_service_user_is_made_in_utc_and_english(pair: Pair, unique: str) -> None:
    wishes = wishes_of(pair, unique)
    steps, _ = walked(pair.access(service=False), wishes)
    assert "was made" in steps["user"].says
    asked = {"field": "username", "values": [wishes.username]}
    (user,) = pair.admin().call("core_user_get_users_by_field", asked)
    assert (user["timezone"], user["lang"]) == ("UTC", "en")
    assert "is there" in walked(pair.access(service=False), wishes)[0]["user"].says
    change = {"users": [{"id": user["id"], "timezone": "Europe/London"}]}
    pair.admin().call("core_user_update_users", change)
    assert "set to UTC" in walked(pair.access(service=False), wishes)[0]["user"].says


def test_without_any_token_every_step_has_its_page_and_its_values(pair: Pair, unique: str) -> None:
    wishes = wishes_of(pair, unique)
    steps, files = walked(pair.access(service=False, admin=False), wishes)
    assert steps["web services"].state is StepState.DONE, "they answer, whoever asks"
    still = [step for step in steps.values() if step.is_open]
    assert {step.key for step in still} >= {"role", "user", "service", "token", "report"}
    for step in still:
        assert step.page.startswith(pair.peer.settings.base), step
        assert step.values, step
    assert {ROLE_FILE, USER_FILE, COHORTS_FILE} <= set(files)


def test_the_service_users_eyes_find_what_badges_hang_on(pair: Pair) -> None:
    peer = pair.peer
    needs = (
        BadgeNeed(peer.cohort["badge"], "cohort", cohort=peer.cohort["cohort"]),
        BadgeNeed(
            peer.competency["badge"], "competency",
            framework=peer.competency["framework"], competency=peer.competency["competency"],
        ),
        BadgeNeed("Nobody made this", "cohort", cohort="NOBODY-MADE-THIS"),
    )  # fmt: skip
    wishes = SetupWishes(WayIn.REPORT, needs, links=True)
    found = {one.check: one for one in place_findings(pair.access(admin=False), wishes)}
    assert found["The cohorts"].warning
    assert "NOBODY-MADE-THIS" in found["The cohorts"].message
    assert found[f"The competencies of '{peer.competency['framework']}'"].ok
    assert found[f"The badge '{peer.cohort['badge']}'"].ok
    assert not found["The badge 'Nobody made this'"].ok
    proven = {one.check: one for one in proofs(pair.access(admin=False), wishes)}
    assert proven["cohort members can be changed"].ok


def test_the_reports_are_seen_to_be_complete(pair: Pair) -> None:
    for shape, name in (
        (COMPLETIONS, pair.peer.settings.report),
        (BADGES, pair.peer.settings.badges_report),
    ):
        assert name is not None
        assert missing_columns(shape, look_at(pair.peer.client(), name)) == []
    assert look_at(pair.peer.client(), "No report of that name") is None


# What only the stand-in can be brought to


@pytest.fixture
def here(moodle: StandInMoodle, stand_in: Peer) -> Pair:
    service = Service("everything", set(FUNCTIONS))
    moodle.site.add_service(service)
    token = moodle.site.add_token(moodle.site.user("admin"), service)
    return Pair(stand_in, token.value)


def test_an_empty_report_is_filled_in_and_what_is_left_is_told(
    here: Pair, moodle: StandInMoodle, unique: str
) -> None:
    report = moodle.site.reports[1]
    bridge = moodle.site.user(seed.SERVICE_USER)
    report.columns.clear()
    report.filters.clear()
    report.conditions.clear()
    report.audience.clear()
    steps, _ = walked(here.access(), wishes_of(here, unique))
    step = steps["report"]
    assert step.state is StepState.OPEN
    assert {name for name, *_ in COMPLETIONS.columns} == set(report.columns)
    assert report.sorted_by == ["completion:timecompleted", "user:username", "course:shortname"]
    assert report.filters == {"completion:timecompleted"}
    told = " ".join(name for name, _ in step.values)
    assert "Conditions" in told
    assert "Audience" in told
    report.conditions["completion:completed_operator"] = 1
    report.audience.add(bridge.id)
    assert walked(here.access(), wishes_of(here, unique))[0]["report"].state is StepState.DONE
    before = list(report.columns)
    walked(here.access(), wishes_of(here, unique))
    assert report.columns == before


def test_web_services_that_are_off_are_told_with_the_page(
    here: Pair, moodle: StandInMoodle, unique: str
) -> None:
    moodle.faults.add(Fault.WEB_SERVICES_OFF)
    steps, _ = walked(here.access(), wishes_of(here, unique))
    step = steps["web services"]
    assert step.state is StepState.OPEN
    assert "enablewebservices" in step.page


def test_functions_that_the_service_lacks_are_named(
    here: Pair, moodle: StandInMoodle, unique: str
) -> None:
    functions = moodle.site.services["competency_bridge"].functions
    functions.discard("core_reportbuilder_set_filters")
    step = walked(here.access(), wishes_of(here, unique))[0]["service"]
    assert step.state is StepState.OPEN
    assert step.values[0][1] == "core_reportbuilder_set_filters"


def test_an_administrators_token_as_the_service_users_is_told(
    here: Pair, moodle: StandInMoodle, unique: str
) -> None:
    settings = replace(here.peer.settings, token=here.admin_token)
    access = Access(settings, MoodleClient(settings), None)
    access.look()
    found = {one.check: one for one in place_findings(access, wishes_of(here, unique))}
    assert "site administrator" in found["least privilege"].message
    assert "core_cohort_create_cohorts" in found["functions beyond need"].message


def test_a_role_that_lacks_cohort_assign_is_found_only_by_trying(
    here: Pair, moodle: StandInMoodle
) -> None:
    moodle.site.user(seed.SERVICE_USER).capabilities.discard("moodle/cohort:assign")
    needs = (BadgeNeed("LLR Core 2026", "cohort", cohort="LLR-CORE-2026"),)
    (found,) = proofs(here.access(), SetupWishes(WayIn.REPORT, needs))
    assert not found.ok
    assert "moodle/cohort:assign" in found.remedy


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        ({"can_read": True, "can_award": True, "can_set_status": True}, ""),
        ({"can_read": True, "can_award": False, "can_set_status": True}, ":managebadges"),
        ({"can_read": False}, ":readchanges"),
    ],
)
def test_what_the_plugin_says_that_its_caller_may_is_told(
    script: Script, status: dict[str, bool], missing: str
) -> None:
    functions = [{"name": "local_competencybridge_get_status"}]
    info = {"userid": 5, "username": "svc", "functions": functions}
    script.says("core_webservice_get_site_info", info)
    script.says("local_competencybridge_get_status", {"api": 1, **status})
    access = Access(script.settings(), MoodleClient(script.settings()), None)
    access.look()
    (found,) = proofs(access, SetupWishes(WayIn.PLUGIN))
    assert found.ok is not bool(missing)
    assert missing in found.remedy


def test_with_the_plugin_its_own_service_and_rights_are_all_there_is(script: Script) -> None:
    settings = script.settings(token="none")
    access = Access(settings, None, None)
    access.look()
    wishes = SetupWishes(WayIn.PLUGIN, (BadgeNeed("Core", "plugin"),), token_variable="X")
    steps, files = walked(access, wishes)
    assert set(steps) == {"plugin", "web services", "role", "user", "service", "token"}
    assert not steps["plugin"].optional
    assert set(files) == {ROLE_FILE, USER_FILE}
    assert "moodle/" not in files[ROLE_FILE].replace("moodle/competencybridge", "")
    assert dict(steps["token"].values)["Service"] == "Competency Bridge (plugin)"


# The files


def test_the_role_file_has_the_capabilities_and_the_order_that_moodle_asks_for() -> None:
    wanted = capabilities_for(["report", "via cohort"])
    root = ET.fromstring(role_xml("competencybridge", wanted))  # noqa: S314
    assert [child.tag for child in root] == [
        "shortname", "name", "description", "archetype", "contextlevels", "allowassign",
        "allowoverride", "allowswitch", "allowview", "permissions",
    ]  # fmt: skip
    assert [one.text for one in root.iter("allow")] == wanted
    assert "moodle/course:view" not in wanted, "the report needs no way into courses"
    assert "moodle/competency:competencygrade" not in wanted


def test_each_road_asks_for_its_own_and_no_more() -> None:
    plugin = capabilities_for(["plugin", "via plugin"])
    assert {one.split(":")[0] for one in plugin} == {"webservice/rest", "local/competencybridge"}
    assert "core_reportbuilder_list_reports" not in functions_for(["plugin", "via plugin"])
    assert "moodle/user:update" not in capabilities_for(
        ["report", "per-user", "via cohort", "via competency", "links"]
    )


def test_files_read_back_as_tables(unique: str) -> None:
    rows = list(csv.DictReader(io.StringIO(framework_csv(small(unique)))))
    assert [row["Is framework"] for row in rows] == ["1", "", ""]
    assert rows[2]["Parent ID number"] == rows[1]["ID number"]
    assert rows[0]["Scale values"] == "Not yet competent,Competent"
