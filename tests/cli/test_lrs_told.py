"""An LRS that is told, in a site's settings: doctor, earlier decisions, what waits, the loop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.bootstrap import open_bridge, publish_files
from bridge.cli import bridge
from bridge.config import load_config
from bridge.demo.lrs import Fault, StandInLrs
from bridge.domain.model import PostDetails
from bridge.domain.problems import BadFile
from bridge.domain.scope import Actor, of_person
from bridge.services import evidence, verify
from bridge.sitefolder import make_site
from tests.connectors.xapi.conftest import statement

ELSEWHERE = "https://lms.example.org/course/view.php?id=1"
MAPPING = f"""\
mapping: told
title: Told
effective_from: 2024-04-01
rules:
  - rule: one
    title: One
    match:
      - {{kind: xapi, activity: "{ELSEWHERE}"}}
    counts_when: {{status: [completed]}}
    learning_activity: taught-course
    suggests:
      llr-2020: [1]
    verification: manager
"""
SECTION = """
[lrs.records]
url = "{url}"
user = "{user}"
secret_file = "lrs.secret"
identity = ["verified-email"]

[lrs.records.tell]
since = {since}
home_page = "https://bridge.example.org"
{more}
"""


@pytest.fixture
def lrs() -> Iterator[StandInLrs]:
    with StandInLrs() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, lrs: StandInLrs) -> Path:
    folder = tmp_path / "site"
    make_site(folder)
    for path in (folder / "mappings").glob("*.yaml"):
        path.unlink()
    (folder / "mappings" / "told.yaml").write_text(MAPPING)
    (folder / "lrs.secret").write_text(lrs.secret)
    configure(folder, lrs)
    return folder


def configure(folder: Path, lrs: StandInLrs, since: str = "2020-01-01", more: str = "") -> None:
    section = SECTION.format(url=lrs.base_url, user=lrs.user, since=since, more=more)
    (folder / "bridge.toml").write_text('database = "sqlite:///bridge.db"\n' + section)


def run(site: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(bridge, [*words, "--site", str(site)])
    return result.exit_code, result.output


def decide(site: Path, lrs: StandInLrs) -> tuple[int, int]:
    """Somebody completes a course, reflects, and their manager verifies; manager and claim."""
    lrs.store.put(statement(1, who="ana@example.org", when=datetime.now(UTC) - timedelta(days=3)))
    opened = open_bridge(site)
    try:
        publish_files(opened, "a test")
        ana, manager = (_person(opened.context, name) for name in ("ana", "mia"))
        with opened.context.store.begin() as uow:
            organisation, _ = uow.people.organisation("agency", "Agency", "", None)
            start = (datetime.now(UTC) - timedelta(days=900)).date()
            details = PostDetails("agency", "Worker", ("core",), (), None, start, None)
            uow.people.put_post(ana, details, organisation)
            uow.people.set_manager(ana, details, manager)
        assert run(site, "pull")[0] == 0
        as_ana = opened.context.acting_as(Actor(of_person(ana), "test"))
        (item,) = evidence.items(as_ana)
        refs = [claim.ref for claim in item.claims]
        evidence.submit(as_ana, item.evidence.id, refs, "I listened.", manager)
        as_mia = opened.context.acting_as(Actor(of_person(manager), "test"))
        verify.verify(as_mia, item.evidence.id, None, "supervision")
        return manager, item.claims[0].id
    finally:
        opened.close()


def _person(ctx, name: str) -> int:  # type: ignore[no-untyped-def]
    from bridge.domain.identity import Identifier, IdentifierKind

    with ctx.store.begin() as uow:
        person: int = uow.people.add(name, ctx.clock.now())
        address = Identifier(IdentifierKind.EMAIL, f"{name}@example.org")
        uow.people.add_identifier(person, address, ctx.clock.now())
    return person


def revoke(site: Path, manager: int, claim: int) -> None:
    opened = open_bridge(site)
    try:
        verify.revoke(opened.context.acting_as(Actor(of_person(manager), "test")), claim, "No.")
    finally:
        opened.close()


def test_what_was_told_never_comes_back_as_learning(site: Path, lrs: StandInLrs) -> None:
    manager, claim = decide(site, lrs)
    code, said = run(site, "lrs", "tell", "records")
    assert code == 0, said
    assert "1 told" in said
    assert len(lrs.store) == 2
    code, said = run(site, "pull")
    assert "1 new" in said
    assert "0 drafts" in said
    revoke(site, manager, claim)
    run(site, "lrs", "tell", "records")
    assert len(lrs.store) == 3
    run(site, "pull", "--full")
    _, said = run(site, "ledger", "--reasons", "--json")
    ledger = json.loads(said)
    (line,) = ledger["sources"]
    assert line["dispositions"]["evidence"] == 1
    assert line["dispositions"]["not counting"] == line["received"] - 1
    assert line["adds_up"]
    assert "about-a-competency" in said or "about a competency" in said


def test_earlier_decisions_are_told_when_asked_for(site: Path, lrs: StandInLrs) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    configure(site, lrs, since=tomorrow.isoformat())
    decide(site, lrs)
    _, said = run(site, "lrs", "tell", "records")
    assert "0 told" in said
    for queued, told in ((1, 1), (0, 0)):
        code, said = run(site, "lrs", "tell", "records", "--since", "2020-01-01")
        assert code == 0
        assert f"{queued} decisions were not queued yet." in said
        assert f"{told} told" in said
    _, said = run(site, "trail", "--json")
    assert "tell-lrs" in said


def test_what_waits_and_why_is_listed_and_let_go(site: Path, lrs: StandInLrs) -> None:
    decide(site, lrs)
    lrs.faults.add(Fault.READS_ONLY)
    code, said = run(site, "lrs", "tell", "records")
    assert code == 1
    assert "1 need somebody" in said
    code, said = run(site, "doctor")
    assert code == 1
    assert "right to write statements" in said
    assert "need somebody" in run(site, "lrs", "list")[1]
    (failed,) = json.loads(run(site, "lrs", "list", "--json")[1])["open"]
    assert "permission is missing" in failed["error"]
    _, said = run(site, "status")
    assert "Told of verifications, records: 0 waiting, 0 tried again, 1 need you." in said
    (told,) = json.loads(run(site, "status", "--json")[1])["told"]
    assert told["needs_you"] == 1
    lrs.faults.clear()
    assert "1 decisions go" in run(site, "lrs", "retry", "records")[1]
    assert "1 told" in run(site, "lrs", "tell", "records")[1]
    counts = json.loads(run(site, "lrs", "list", "--json")[1])["counts"]
    assert [(c["target"], c["waiting"], c["needs_you"]) for c in counts] == [("records", 0, 0)]


def test_what_it_knows_a_person_by_can_be_looked_up(site: Path, lrs: StandInLrs) -> None:
    decide(site, lrs)
    run(site, "lrs", "tell", "records")
    code, said = run(site, "lrs", "known-as", "records", "ana@example.org")
    assert code == 0, said
    name = said.split()[0]
    assert name.startswith("p-")
    assert name.encode() in lrs.store.everything()[-1].body
    assert "name-at-lrs" in run(site, "trail", "--json")[1]


def test_with_credentials_of_their_own(
    site: Path, lrs: StandInLrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(site, lrs, more='user = "writer"')
    code, said = run(site, "doctor")
    assert "BRIDGE_RECORDS_TELL_SECRET" in said
    monkeypatch.setenv("BRIDGE_RECORDS_TELL_SECRET", "not-the-one")
    decide(site, lrs)
    code, said = run(site, "lrs", "tell", "records")
    assert code == 1
    assert "[lrs.records.tell]" in said
    assert "not-the-one" not in said
    assert lrs.secret not in said


def test_an_lrs_that_is_only_told_is_no_source(site: Path, lrs: StandInLrs) -> None:
    path = site / "bridge.toml"
    path.write_text(path.read_text().replace("identity = [", "pull = false\nidentity = ["))
    opened = open_bridge(site)
    try:
        assert list(opened.sources) == []
        assert list(opened.tellers) == ["records"]
    finally:
        opened.close()
    _, said = run(site, "doctor")
    assert "It is told as xAPI 2.0.0" in said


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("since = 2026-01-01\n", "home_page"),
        ('home_page = "https://b.example.org"\n', "since"),
        ('since = 2026-01-01\nhome_page = "https://b.example.org/"\n', "home_page"),
        ('since = 2026-01-01\nhome_page = "https://b.example.org"\nlearner = "name"\n', "learner"),
        (
            'since = 2026-01-01\nhome_page = "https://b.example.org"\nassessor = "staff-number"\n',
            "staff_home",
        ),
        ('since = 2026-01-01\nhome_page = "https://b.example.org"\ncolour = 1\n', "no such"),
    ],
)
def test_what_is_wrong_in_its_settings_is_named(tmp_path: Path, section: str, words: str) -> None:
    (tmp_path / "bridge.toml").write_text(
        f'[lrs.records]\nurl = "https://lrs.example.org/xapi"\n\n[lrs.records.tell]\n{section}'
    )
    with pytest.raises(BadFile) as caught:
        load_config(tmp_path)
    assert words in str(caught.value)


def test_its_name_fits_where_it_is_kept(tmp_path: Path) -> None:
    name = "a" * 37
    (tmp_path / "bridge.toml").write_text(
        f'[lrs.{name}]\nurl = "https://lrs.example.org/xapi"\n\n[lrs.{name}.tell]\n'
        'since = 2026-01-01\nhome_page = "https://b.example.org"\n'
    )
    with pytest.raises(BadFile, match="at most 36"):
        load_config(tmp_path)


def test_the_address_of_the_pages_is_the_home_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(
        '[web]\nbase_url = "https://bridge.example.org"\n\n'
        '[lrs.records]\nurl = "https://lrs.example.org/xapi"\n\n[lrs.records.tell]\n'
        "since = 2026-01-01\n"
    )
    (telling,) = load_config(tmp_path).rules().tells
    assert telling.home == "https://bridge.example.org"
