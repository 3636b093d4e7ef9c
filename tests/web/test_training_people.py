"""People on the desk: found, whole, merged and parted, approved, given roles; and staff lists."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bridge.domain.model import PostDetails
from bridge.domain.permissions import Role
from bridge.services import people
from tests.support import Completion, World, cast
from tests.web.site import Browser, WebWorld, csrf_of


@pytest.fixture
def team(pages: WebWorld) -> Browser:
    """A browser of the whole partnership's training team."""
    person = pages.world.person("team")
    pages.give(person, [Role.TRAINING_TEAM])
    return pages.browser(person)


def employed(world: World, name: str, organisation: str) -> int:
    """Somebody with a present post in an organisation."""
    person = world.person(name)
    details = PostDetails(organisation, "Worker", ("core",), (), None, date(2020, 1, 1), None)
    with world.store.begin() as uow:
        made, _ = uow.people.organisation(organisation, organisation.title(), "", None)
        uow.people.put_post(person, details, made)
    return person


def test_the_only_one_found_is_shown_at_once(pages: WebWorld, team: Browser) -> None:
    ada = pages.world.person("Ada Lovelace", staff_number="esr1")
    pages.world.person("Grace Hopper")
    pages.world.person("Grace Jones")
    for asked in ("lovel", "ada lovelace@example.org", "esr1", str(ada)):
        answer = team.get("/training/people", query_string={"q": asked})
        if asked == "ada lovelace@example.org":
            continue
        assert answer.status_code == 302, asked
        assert answer.headers["Location"].endswith(f"/training/people/{ada}")
    several = team.get("/training/people?q=grace").text
    assert "Grace Hopper" in several
    assert "Grace Jones" in several
    assert "Nobody" in team.get("/training/people?q=zzz").text


def test_a_persons_page_tells_how_each_account_was_joined(pages: WebWorld, team: Browser) -> None:
    world = pages.world
    manager = world.person("Mina Boss")
    person = world.person("u1", manager=manager)
    world.pull(Completion("u1", "C1"))
    page = team.get(f"/training/people/{person}").text
    assert "joined by verified email address: u1@example.org" in page
    assert f"/training/people/{manager}" in page
    standing = team.get(f"/training/people/{person}/standing").text
    assert "Competency 1" in standing
    why = team.get(f"/training/people/{person}/standing?why=care-2026:1").text
    assert "Suggested by rule training/r1" in why
    assert team.get(f"/training/people/{person}/standing?why=nothing:9").status_code == 404


def test_two_entries_are_merged_with_a_reason_and_parted_again(
    pages: WebWorld, team: Browser
) -> None:
    one = pages.world.person("Ada Byron")
    other = pages.world.person("Ada Lovelace")
    without = team.post(f"/training/people/{one}/merge", {"into": "Ada Lovelace"})
    assert without.status_code == 422
    assert "Say how you know" in without.text
    assert 'value="Ada Lovelace"' in without.text
    nobody = team.post(f"/training/people/{one}/merge", {"into": "Zuse", "reason": "x"})
    assert "Nobody is known as" in nobody.text
    done = team.post(f"/training/people/{one}/merge", {"into": str(other), "reason": "Married."})
    assert done.headers["Location"].endswith(f"/training/people/{other}")
    page = team.get(f"/training/people/{other}").text
    assert "Ada Byron" in page
    assert "Married." in page
    assert team.get(f"/training/people/{one}").headers["Location"].endswith(f"/people/{other}")
    without = team.post(f"/training/people/{one}/unmerge")
    assert without.status_code == 422
    assert f'href="#reason-merge-{one}"' in without.text
    team.post(f"/training/people/{one}/unmerge", {"reason": "Two birthdays."})
    alone = team.get(f"/training/people/{one}")
    assert alone.status_code == 200
    assert "They are two people again" in alone.text
    assert "“Two birthdays.”" in team.get(f"/training/trail?about=person:{one}").text


def test_an_account_is_taken_off_with_a_reason(pages: WebWorld, team: Browser) -> None:
    person = pages.world.person("u1")
    pages.world.pull(Completion("u1", "C1"))
    account = pages.world.scalar("SELECT id FROM accounts")
    path = f"/training/people/{person}/accounts/{account}/unlink"
    without = team.post(path)
    assert without.status_code == 422
    assert f'id="reason-account-{account}-error"' in without.text
    assert team.post(path, {"reason": "A namesake."}).status_code == 302
    page = team.get(f"/training/people/{person}").text
    assert "A namesake." in page
    assert "taken off" in page


def test_approvals_and_roles_are_given_and_ended(pages: WebWorld, team: Browser) -> None:
    person = employed(pages.world, "Ada", "north")
    path = f"/training/people/{person}"
    assert team.post(f"{path}/approve").status_code == 422
    assert team.post(f"{path}/approve", {"kind": "manager"}).status_code == 422
    team.post(f"{path}/approve", {"kind": "assessor"})
    page = team.get(path).text
    end = re.search(rf'action="({path}/approvals/\d+/end)"', page)
    assert end is not None
    team.post(end[1])
    assert "Only what their posts give" in team.get(path).text
    assert team.post(f"{path}/roles", {"role": "practitioner"}).status_code == 422
    team.post(f"{path}/roles", {"role": "training team", "organisation": "north"})
    page = team.get(path).text
    assert "Training team, for North only" in page
    end = re.search(rf'action="({path}/roles/\d+/end)"', page)
    assert end is not None
    team.post(end[1])
    assert "None besides practitioner" in team.get(path).text


def test_a_verifier_from_outside_is_added_and_approved_by_the_training_team(
    pages: WebWorld, team: Browser
) -> None:
    """Who holds no post, at an address that the training team gives; nobody else adds one."""
    world = pages.world
    folk = cast(world)
    form = {"name": "Olu Outside", "email": "Olu@Rivers.example", "organisation": "River Trust",
            "kind": "assessor"}  # fmt: skip
    for person in (folk.learner, folk.manager):
        assert pages.browser(person).post("/training/people/outside", form).status_code == 403
    for wrong, words in (
        ({"email": "no address"}, "that only they use"),
        ({"name": " "}, "name"),
        ({"organisation": ""}, "where they work"),
        ({"kind": "manager"}, "valid"),
        ({"email": "u1@example.org"}, f"u1 ({folk.learner}) is known by"),
    ):
        answer = team.post("/training/people/outside", form | wrong)
        assert answer.status_code == 422
        assert words in answer.text
        assert "Olu" in answer.text or "name" in wrong
    before = len(people.everyone(world.ctx))
    made = team.post("/training/people/outside", form)
    assert made.status_code == 303
    assert len(people.everyone(world.ctx)) == before + 1
    person = int(made.headers["Location"].rpartition("/")[2])
    assert "Assessor, from River Trust" in team.get(f"/training/people/{person}").text
    page = pages.browser(folk.learner).get(f"/evidence/{folk.evidence}").text
    assert "Olu Outside (assessor, River Trust)" in page
    assert "no post here" not in page
    # What is put before them goes to that address; the learner's choice names a person alone.
    world.submit(folk.learner, folk.evidence, person)
    mails = world.rows("SELECT kind, person_id FROM outbox WHERE kind LIKE '%verifier%'")
    assert [who for _, who in mails] == [person]
    again = team.post("/training/people/outside", form)
    assert "Olu Outside" in again.text
    assert again.status_code == 422


def test_an_invitation_goes_to_its_owner_alone(pages: WebWorld, team: Browser) -> None:
    person = pages.world.person("Ada")
    assert "/link/" not in team.post(f"/training/people/{person}/invite").text
    assert "on its way to Ada" in team.get(f"/training/people/{person}").text
    assert pages.links_sent == [person]
    browser = pages.browser(person)
    assert browser.get("/account/").status_code == 200
    team.post(f"/training/people/{person}/sign-out")
    assert browser.get("/account/").status_code == 302


def test_a_team_of_one_organisation_sees_its_people_and_changes_nothing_for_all(
    pages: WebWorld,
) -> None:
    world = pages.world
    theirs, others = employed(world, "Nora North", "north"), employed(world, "Sue South", "south")
    person = employed(world, "Tom Team", "north")
    pages.give(person, [Role.TRAINING_TEAM], "north")
    team = pages.browser(person)
    assert team.get(f"/training/people/{theirs}").status_code == 200
    assert team.get(f"/training/people/{others}").status_code == 404
    assert team.get(f"/training/people/{others}/standing").status_code == 404
    assert "Sue South" not in team.get("/training/people?q=o").text
    page = team.get(f"/training/people/{theirs}").text
    for action in ("merge", "roles", "invite", "approve", "sign-out"):
        assert f"/people/{theirs}/{action}" not in page
    for path in ("trail", "quarantine", "unmatched", "unmatched/1"):
        assert team.get(f"/training/{path}").status_code == 403, path
    tries = {
        f"people/{theirs}/merge": {"into": "Sue South", "reason": "no"},
        f"people/{theirs}/approve": {"kind": "peer"},
        f"people/{theirs}/roles": {"role": "training team", "organisation": ""},
        f"people/{theirs}/invite": {},
        f"people/{theirs}/sign-out": {},
        "mappings/publish": {"comment": "no"},
        "quarantine/moodle/replay": {},
    }
    for path, values in tries.items():
        answer = team.post(f"/training/{path}", values)
        assert answer.status_code in (403, 404, 422), path
        assert "Sue South" not in answer.text.replace('value="Sue South"', "").replace(
            "“Sue South”", "").replace("&#34;Sue South&#34;", "")  # fmt: skip
    assert "Sue South" not in team.get("/training/stuck").text
    assert "Nora North" in team.get("/training/stuck").text


LIST = "name,staff_number,organisation,start_date,role,manager\n"


def send(team: Browser, text: str, do: str, name: str = "staff.csv") -> tuple[int, str]:
    """Send a staff list, as a browser does.

    The body is put together here: of a long one the test client would leave a file open.
    """
    fields = {"csrf_token": csrf_of(team.secret), "do": do}
    parts = [f'name="{key}"\r\n\r\n{value}' for key, value in fields.items()]
    parts.append(f'name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n{text}')
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    answer = team.client.post(
        "/training/staff",
        data=f"{body}--b--\r\n".encode(),
        content_type="multipart/form-data; boundary=b",
    )
    return answer.status_code, answer.text


def test_a_staff_list_is_checked_first_and_then_taken_in(pages: WebWorld, team: Browser) -> None:
    rows = LIST + "Ada,1,North,2024-01-01,Nurse,2\nMina,2,North,2024-01-01,Boss,\n"
    status, page = send(team, rows, "check")
    assert status == 200
    assert "It would add 2 people" in page
    assert "Nobody" in team.get("/training/people?q=mina").text
    status, _ = send(team, rows, "take")
    assert status == 302
    assert "2 people added" in team.get("/training/staff").text
    assert team.get("/training/people?q=mina").status_code == 302


@pytest.mark.parametrize("do", ["check", "take"])
def test_a_wrong_staff_list_names_every_line_and_changes_nothing(
    pages: WebWorld, team: Browser, do: str
) -> None:
    status, page = send(team, LIST + "Ada,1,North,soon,,\n,2,North,2024-01-01,,\n", do)
    assert status == 422
    assert "staff.csv:2:4" in page
    assert "staff.csv:3:1" in page
    status, page = send(team, LIST + "Ada,1,North,2024-01-01,,99\n", do)
    assert status == 422
    assert "line 2: the manager" in page
    assert "Nobody" in team.get("/training/people?q=ada").text
    assert team.post("/training/staff", {"do": do}).status_code == 422


def test_a_long_staff_list_fits_and_a_stranger_may_not_send_one(
    pages: WebWorld, team: Browser, tmp_path: Path
) -> None:
    rows = LIST + "".join(f"Person {n} {'x' * 2000},{n},North,2024-01-01,,\n" for n in range(600))
    assert len(rows) > 1_000_000
    status, page = send(team, rows, "check")
    assert status == 200
    assert "600 lines" in page
    stranger = pages.browser()
    status, _ = send(stranger, rows, "check")
    assert status in (302, 400)
