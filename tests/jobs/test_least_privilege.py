"""The role that docs/operations.md describes does all the work and can switch no guard off."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from bridge.demo.moodle import StandInMoodle
from bridge.domain.lrs.readings import Readings
from bridge.domain.lrs.senders import Scope
from bridge.jobs import work
from bridge.services.verify import revoke
from bridge.storage.engine import migrate, open_engine
from tests.jobs.site import ROOT, TestSite, cohort_members, play, prepare
from tests.lrs.site import Endpoint, TickingClock, agent, statement, voiding
from tests.lrs.test_attachments import declared, first, multipart, part, send
from tests.support import NOW, FrozenClock, World


@pytest.fixture
def worker(postgres_url: str) -> Iterator[World]:
    """A prepared world in the hands of the role that only works with the tables."""
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    _, grants = re.findall(r"```sql\n(.*?)```", told, re.DOTALL)
    owner = open_engine(postgres_url)
    with owner.begin() as connection:
        connection.execute(text("CREATE ROLE bridge_app LOGIN"))
        connection.execute(text(grants))
    url = make_url(postgres_url).set(username="bridge_app", password=None)
    engine = open_engine(url.render_as_string(hide_password=False))
    yield World(engine, FrozenClock(NOW), publish_all=False)
    engine.dispose()
    with owner.begin() as connection:
        connection.execute(text("DROP OWNED BY bridge_app"))
        connection.execute(text("DROP ROLE bridge_app"))
    owner.dispose()


def test_it_does_everything_from_the_first_start_to_a_withdrawn_badge(
    worker: World, moodle: StandInMoodle
) -> None:
    migrate(worker.engine)
    world = prepare(worker.engine)
    works = TestSite("", moodle, time.time()).works(worker.engine)
    work.sweep(works, "moodle")
    work.grow_old(works)
    users = play(world, moodle, 2)
    work.deliver(works, "moodle")
    assert cohort_members(moodle.site) == sorted(users)
    claim, manager = world.rows("SELECT claim_id, verifier_id FROM verifications ORDER BY id")[0]
    revoke(world.as_(manager), claim, "It was somebody else's work.")
    work.deliver(works, "moodle")
    assert cohort_members(moodle.site) == [users[1]]
    work.reconcile(works, "moodle")


def test_it_takes_in_statements_and_lets_them_be_found(worker: World) -> None:
    migrate(worker.engine)
    endpoint = Endpoint(worker, TickingClock())
    endpoint.drain.readings = Readings(sites={"https://moodle.example.org": "moodle"})
    client = endpoint.client(scopes=(Scope.WRITE, Scope.READ_MINE, Scope.DOCUMENTS))
    sent, body = statement(), b"a file"
    client.kept(sent, voiding(sent["id"]))
    with_file = statement(attachments=[declared(body)])
    send(client, multipart([first(with_file), part(body)]))
    for sites in ({"https://elsewhere.example.org": "moodle"}, {}):
        assert endpoint.drained().items in (3, 0)
        endpoint.drain.readings = Readings(sites=sites)
        endpoint.drain.looked_round.clear()
        client.kept(statement())
        assert endpoint.drained().items in (1, 4)
    assert body in client.get("/statements", attachments=True, agent=agent("ana")).data
    place = {"activityId": "https://x.example/a", "profileId": "p"}
    for method in ("PUT", "DELETE"):
        more = {"If-None-Match": "*"} if method == "PUT" else {}
        answer = client.send(method, "/activities/profile", b"x", headers=more, **place)
        assert answer.status_code == 204


def test_it_may_delete_whatever_the_storage_layer_deletes(worker: World) -> None:
    found = re.compile(r"delete\(t\w*\.(\w+)\)|t\w*\.(\w+)\.delete\(\)|DELETE FROM (\w+)")
    sources = [path.read_text("utf-8") for path in (ROOT / "bridge" / "storage").glob("*.py")]
    # A table is named by its name, so that it is found here.
    assert not [name for each in sources for name in re.findall(r"\bdelete\((\w+)\)", each)]
    deleted = {next(filter(None, names)) for each in sources for names in found.findall(each)}
    allowed = worker.rows(
        "SELECT table_name FROM information_schema.table_privileges "
        "WHERE grantee = 'bridge_app' AND privilege_type = 'DELETE'"
    )
    assert len(deleted) > 10
    assert not deleted - {name for (name,) in allowed}


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER guard_claims_born_suggested ON claims",
        "ALTER TABLE claims DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "TRUNCATE verifications CASCADE",
        "DELETE FROM claims",
        "UPDATE verifications SET verifier_id = 1",
        "UPDATE audit SET actor = 'nobody'",
        "CREATE TABLE mine (id integer)",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_it_can_switch_no_guard_off(worker: World, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        worker.engine.begin() as connection,
    ):
        connection.execute(text(statement))
