"""Keys, ours and the platforms': where they are kept, when they are fetched, and from whom."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, RSAKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.connectors.lti import OwnKey, PeerWeb
from bridge.connectors.lti.keys import PlatformKeys
from bridge.domain.errors import BadAnswer, Damaged, NeedsAdministrator, Refused, TryLater
from bridge.domain.lti import LaunchRefused, Platform, ToolPages
from tests.connectors.lti.conftest import make_tool

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PLAIN = PeerWeb(plain_loopback=True)


def rsa(kid: str, bits: int = 2048, **more: str) -> dict[str, Any]:
    """A public key as a platform publishes it."""
    key = RSAKey.generate_key(bits, {"kid": kid, "use": "sig", "alg": "RS256", **more})  # type: ignore[arg-type]
    return dict(key.as_dict(private=False))


def platform(jwks_url: str) -> Platform:
    """A platform whose keys are at that address."""
    return Platform("M", "https://m.example", "c", ("1",), "https://m.example/auth",
                    "https://m.example/token", jwks_url, "moodle", 1, NOW, "test")  # fmt: skip


# Our own


def test_our_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "lti-key.pem"
    public = OwnKey(path).public()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert OwnKey(path).public() == public
    assert set(public) == {"kty", "n", "e", "kid", "use", "alg"}
    assert [p.name for p in tmp_path.iterdir()] == ["lti-key.pem"]


def test_a_file_that_holds_no_key_stops_everything(tmp_path: Path) -> None:
    path = tmp_path / "lti-key.pem"
    path.write_text("not a key")
    with pytest.raises(Damaged, match="no RSA key"):
        OwnKey(path).public()


# Theirs


def test_keys_are_kept_and_fetched_again_for_a_new_one(httpserver: HTTPServer) -> None:
    asked: list[Request] = []
    published = [rsa("old")]

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(orjson.dumps({"keys": published}), mimetype="application/json")

    httpserver.expect_request("/certs").respond_with_handler(answer)
    keys = PlatformKeys({"moodle": PLAIN})
    one = platform(httpserver.url_for("/certs"))
    assert keys.find(one, "old", NOW)
    assert keys.find(one, "old", NOW + timedelta(minutes=30))
    assert len(asked) == 1
    published[:] = [rsa("new")]
    assert keys.find(one, "new", NOW + timedelta(minutes=31))
    assert len(asked) == 2
    # What was taken out is good no more.
    with pytest.raises(LaunchRefused):
        keys.find(one, "old", NOW + timedelta(minutes=32))


def test_made_up_key_ids_do_not_make_us_hammer_the_platform(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/certs").respond_with_json({"keys": [rsa("k")]})
    keys = PlatformKeys({"moodle": PLAIN})
    one = platform(httpserver.url_for("/certs"))
    for number in range(20):
        with pytest.raises(LaunchRefused):
            keys.find(one, f"made-up-{number}", NOW)
    assert len(httpserver.log) == 1


def test_only_rsa_keys_for_signing_are_taken(httpserver: HTTPServer) -> None:
    good = rsa("good")
    listed: list[Any] = [
        good,
        rsa("encrypts") | {"use": "enc"},
        rsa("other-algorithm") | {"alg": "PS256"},
        {**rsa("x"), "kid": 7},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        ECKey.generate_key("P-256", {"kid": "curve"}).as_dict(private=False),
        {"kty": "RSA", "kid": "empty"},
        {"kty": "RSA", "kid": "odd", "n": "!", "e": "AQAB"},
        "text",
    ]
    httpserver.expect_request("/certs").respond_with_json({"keys": listed})
    keys = PlatformKeys({"moodle": PLAIN})
    one = platform(httpserver.url_for("/certs"))
    assert keys.find(one, "good", NOW)
    for kid in ("encrypts", "other-algorithm", "secret", "curve", "empty", "odd"):
        with pytest.raises(LaunchRefused):
            keys.find(one, kid, NOW)


# The way there


def test_we_follow_no_redirect(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/to").respond_with_json({"keys": []})
    httpserver.expect_request("/certs").respond_with_response(
        Response("", 302, {"Location": httpserver.url_for("/to")})
    )
    with pytest.raises(BadAnswer, match="do not follow"):
        PLAIN.get(httpserver.url_for("/certs"), "moodle")
    assert [request.path for request, _ in httpserver.log] == ["/certs"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("x" * 300_000, 200, BadAnswer),
        ("<html>", 200, BadAnswer),
        ("[]", 200, BadAnswer),
        ("{}", 503, TryLater),
        ("{}", 404, NeedsAdministrator),
    ],
)
def test_answers_that_are_not_to_be_trusted(
    httpserver: HTTPServer, body: str, status: int, error: type[Exception]
) -> None:
    httpserver.expect_request("/certs").respond_with_data(body, status)
    with pytest.raises(error):
        PLAIN.get(httpserver.url_for("/certs"), "moodle")


@pytest.mark.parametrize(
    "url",
    [
        "http://moodle.example/certs",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/certs",
        "http://127.0.0.1.evil.example/",
        "file:///etc/passwd",
        "https://user:password@moodle.example/",
        "https://moodle.example/#x",
        "https://[broken",
        "ftp://moodle.example/",
        "",
    ],
)
def test_addresses_that_are_never_asked(url: str) -> None:
    assert not PLAIN.may_ask(url)
    with pytest.raises(NeedsAdministrator):
        PLAIN.get(url, "moodle")


def test_without_development_this_computer_is_not_asked_by_http(httpserver: HTTPServer) -> None:
    assert not PeerWeb().may_ask(httpserver.url_for("/certs"))
    assert PeerWeb().may_ask("https://moodle.example/mod/lti/certs.php")


# Registering


Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: {**c, "issuer": "https://other.example"},
        lambda c: {**c, "jwks_uri": "https://other.example/jwks"},
        lambda c: {**c, "jwks_uri": None},
        lambda c: {**c, "authorization_endpoint": "javascript:alert(1)"},
        lambda c: {**c, "registration_endpoint": "http://169.254.169.254/"},
        lambda c: {**c, "id_token_signing_alg_values_supported": ["HS256"]},
    ],
)
def test_a_site_whose_settings_lead_elsewhere_is_not_registered(
    httpserver: HTTPServer, tmp_path: Path, change: Change
) -> None:
    base = httpserver.url_for("").rstrip("/")
    good = {
        "issuer": base,
        "authorization_endpoint": f"{base}/auth",
        "token_endpoint": f"{base}/token",
        "jwks_uri": f"{base}/jwks",
        "registration_endpoint": f"{base}/register",
    }
    httpserver.expect_request("/configuration").respond_with_json(change(good))
    tool = make_tool(base, tmp_path)
    with pytest.raises(LaunchRefused):
        tool.register("moodle", f"{base}/configuration", "t", ToolPages("https://b.example", "B"))
    assert [request.path for request, _ in httpserver.log] == ["/configuration"]


@pytest.mark.parametrize(
    "url", ["https://evil.example/c", "http://127.0.0.1:1/c", "file:///etc/passwd", "", "//x"]
)
def test_settings_are_read_from_the_configured_site_alone(
    httpserver: HTTPServer, tmp_path: Path, url: str
) -> None:
    tool = make_tool(httpserver.url_for("").rstrip("/"), tmp_path)
    with pytest.raises(LaunchRefused):
        tool.register("moodle", url, "token", ToolPages("https://b.example", "B"))


def test_by_hand_moodles_addresses_follow_from_the_source(tmp_path: Path) -> None:
    made = make_tool("https://moodle.example/learn", tmp_path).by_hand("moodle", " abc ", ["3"])
    assert made.issuer == "https://moodle.example/learn"
    assert made.client_id == "abc"
    assert made.jwks_url == "https://moodle.example/learn/mod/lti/certs.php"


@pytest.mark.parametrize("name", ["issuer", "auth_url", "token_url", "jwks_url"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://moodle.example.evil.example/x",
        "https://moodle.example:8443/x",
        "http://moodle.example/x",
        "https://moodle.example@evil.example/x",
    ],
)
def test_by_hand_too_everything_is_on_the_sources_own_site(
    tmp_path: Path, name: str, url: str
) -> None:
    tool = make_tool("https://moodle.example/learn", tmp_path)
    with pytest.raises(Refused, match=r"must begin with https://moodle\.example\."):
        tool.by_hand("moodle", "abc", ["1"], **{name: url})
    there = f"https://moodle.example/elsewhere/{name}"
    assert getattr(tool.by_hand("moodle", "abc", ["1"], **{name: there}), name) == there


@pytest.mark.parametrize(
    ("source", "client", "deployments", "given"),
    [
        ("nowhere", "abc", ["1"], {}),
        ("moodle", "", ["1"], {}),
        ("moodle", "abc", [], {}),
        ("moodle", "abc", [" "], {}),
        ("moodle", "abc", ["1"], {"jwks_url": "http://keys.example/"}),
        ("moodle", "abc", ["1"], {"auth_url": "javascript:alert(1)"}),
    ],
)
def test_what_cannot_work_is_refused_by_hand(
    tmp_path: Path, source: str, client: str, deployments: list[str], given: dict[str, str]
) -> None:
    tool = make_tool("https://moodle.example", tmp_path)
    with pytest.raises(Refused):
        tool.by_hand(source, client, deployments, **given)
