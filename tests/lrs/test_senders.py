"""Credentials: issuing and ending them, what is kept of secrets, guessing, and what is shared."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import text

from bridge.domain.errors import NotFound, Refused
from bridge.domain.lrs.senders import Scope, Trust
from bridge.services.lrs import senders
from tests.lrs.site import Endpoint, statement


def test_the_secret_is_kept_as_a_hash_alone(fresh: Endpoint) -> None:
    _, secret = senders.issue(fresh.world.ctx, "moodle-xapi", "Moodle")
    assert len(secret) >= 43
    with fresh.world.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM lrs_credentials")).all()
        trail = connection.execute(text("SELECT * FROM audit")).all()
    assert secret not in repr(rows) + repr(trail)
    assert "issue-xapi-credential" in repr(trail)


def test_a_revoked_credential_is_refused_soon_after(fresh: Endpoint) -> None:
    client = fresh.client()
    client.kept(statement())
    senders.revoke(fresh.world.ctx, client.sender.id)
    fresh.clock.pass_by(senders.REMEMBERED)
    assert client.post(statement()).status_code == 401
    with pytest.raises(NotFound):
        senders.revoke(fresh.world.ctx, client.sender.id)


def test_when_it_was_used_is_shown(fresh: Endpoint) -> None:
    client = fresh.client()
    client.kept(statement())
    (shown,) = senders.senders(fresh.world.ctx)
    assert shown.used_at is not None


def test_guessing_is_slowed_down_for_an_address_and_for_no_other(fresh: Endpoint) -> None:
    client = fresh.client()
    wrong = "Basic " + base64.b64encode(f"{client.sender.name}:guess".encode()).decode()

    def status(login: str, address: str) -> int:
        return (
            fresh.app.test_client()
            .get(
                "/xapi/statements",
                headers={"Authorization": login, "X-Experience-API-Version": "1.0.3"},
                environ_overrides={"REMOTE_ADDR": address},
            )
            .status_code
        )

    found = {status(wrong, "192.0.2.1") for _ in range(senders.MOST_WRONG)}
    assert found == {401}
    assert status(wrong, "192.0.2.1") == 429
    # Whoever shares the address and has the right one is let in.
    assert status(client.authorization, "192.0.2.1") == 200
    assert status(client.authorization, "192.0.2.2") == 200


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("Moodle!", {}),
        ("", {}),
        ("moodle", {"taken": ["moodle"]}),
        ("ok", {"scopes": ()}),
        ("ok", {"origins": ["*"]}),
        ("ok", {"origins": ["https://x.example/path"]}),
    ],
)
def test_what_cannot_be_issued_is_refused(
    fresh: Endpoint, source: str, options: dict[str, list[str]]
) -> None:
    with pytest.raises(Refused):
        senders.issue(fresh.world.ctx, source, "t", **options)  # type: ignore[arg-type]
    assert senders.senders(fresh.world.ctx) == []


def test_credentials_of_a_source_share_its_trust(fresh: Endpoint) -> None:
    fresh.client("content", trust=Trust.UNTRUSTED)
    fresh.client("content", trust=Trust.UNTRUSTED)
    with pytest.raises(Refused, match="untrusted"):
        fresh.client("content", trust=Trust.TRUSTED)


def test_a_source_that_is_pulled_is_no_senders(fresh: Endpoint) -> None:
    with fresh.world.store.begin() as uow:
        uow.ops.source("pulled", "xapi", "trusted")
    with pytest.raises(Refused, match="another kind"):
        fresh.client("pulled")


def test_by_itself_a_credential_may_only_send(fresh: Endpoint) -> None:
    sender, _ = senders.issue(fresh.world.ctx, "moodle-xapi", "Moodle")
    assert sender.scopes == {Scope.WRITE}
