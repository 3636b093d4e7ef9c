"""The client: every way a call fails is told apart, and the token never leaves the body."""

from __future__ import annotations

import ipaddress
import json
import logging
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bridge.connectors.moodle import MoodleClient, MoodleSettings
from bridge.connectors.moodle.client import php_fields
from bridge.demo.moodle import Fault, StandInMoodle
from bridge.domain.errors import (
    BadAnswer,
    InMaintenance,
    NeedsAdministrator,
    PeerError,
    TryLater,
)
from tests.connectors.moodle.conftest import Peer, Script

SITE_INFO = "core_webservice_get_site_info"
RETRIEVE = "core_reportbuilder_retrieve_report"
ADD = "core_cohort_add_cohort_members"
GRADE = "core_competency_grade_competency"


def refused(exception: str, code: str, message: str) -> dict[str, str]:
    return {"exception": exception, "errorcode": code, "message": message}


def test_nested_parameters_become_fields_as_php_reads_them() -> None:
    params = {
        "members": [{"cohorttype": {"type": "id", "value": 4}, "on": True}, {"x": None}],
        "plain": "a&b",
        "empty": [],
    }
    assert list(php_fields(params)) == [
        ("members[0][cohorttype][type]", "id"),
        ("members[0][cohorttype][value]", "4"),
        ("members[0][on]", "1"),
        ("plain", "a&b"),
    ]


def test_the_token_travels_in_the_body_alone(script: Script) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> dict[str, str]:
        seen.append(request)
        return {}

    script.says(SITE_INFO, answer)
    MoodleClient(script.settings()).call(SITE_INFO)
    (request,) = seen
    assert request.form["wstoken"] == "s3cret"
    assert request.form["moodlewssettinglang"] == "en"
    assert request.form["moodlewssettingtimezone"] == "UTC"
    assert "s3cret" not in request.url + str(request.headers)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            refused("moodle_exception", "invalidtoken", "Invalid token - token not found"),
            NeedsAdministrator,
            ["/admin/webservice/tokens.php"],
        ),
        (
            refused("webservice_access_exception", "accessexception", "Access control exception"),
            NeedsAdministrator,
            [SITE_INFO, "section=externalservices", "webservice/rest:use", "not expired"],
        ),
        (
            refused("moodle_exception", "wsaccessusersuspended", "Refused ... username: svc"),
            NeedsAdministrator,
            ["account", "/admin/user.php"],
        ),
        (
            refused("required_capability_exception", "nopermissions", "Sorry (View cohorts)."),
            NeedsAdministrator,
            ["View cohorts", "/admin/roles/manage.php"],
        ),
        (
            refused("dml_connection_exception", "dbconnectionfailed", "<p>Error: Database</p>"),
            InMaintenance,
            ["closed at the moment (Error: Database)"],
        ),
        (
            refused("dml_missing_record_exception", "invaliduser", "Invalid user"),
            BadAnswer,
            ["Invalid user (invaliduser)"],
        ),
        (Response("", 403), NeedsAdministrator, ["web services are switched off"]),
        (Response("", 404), NeedsAdministrator, ["there is no Moodle at"]),
        (
            refused("moodle_exception", "sitemaintenance", "The site is undergoing maintenance"),
            InMaintenance,
            ["closed at the moment", "undergoing maintenance"],
        ),
        (
            refused("moodle_exception", "upgraderunning", "Site is being upgraded, please retry"),
            InMaintenance,
            ["closed at the moment"],
        ),
        (
            Response("<h1>Site under maintenance</h1>", 503, content_type="text/html"),
            InMaintenance,
            ["maintenance"],
        ),
        (Response("busy", 503, content_type="text/plain"), TryLater, ["overloaded"]),
        (Response("", 502), TryLater, ["HTTP 502"]),
        (Response("slow down", 429), TryLater, ["too many requests"]),
        (Response("<html><b>Log in</b></html>", 200), BadAnswer, ["web page came", "Log in"]),
        (Response("", 200), BadAnswer, ["empty"]),
        (Response('{"sitename": "Lear', 200), BadAnswer, ["no complete JSON"]),
        (Response('{"exception": "moodle_ex', 200), BadAnswer, ["cut short"]),
        (Response(b'{"sitename": "\xff"}', 200), BadAnswer, ["no complete JSON"]),
    ],
)
def test_every_shape_of_failure_is_told_apart(
    script: Script, answer: Any, kind: type[PeerError], words: list[str]
) -> None:
    script.says(SITE_INFO, answer)
    with pytest.raises(PeerError) as caught:
        MoodleClient(script.settings()).call(SITE_INFO)
    assert type(caught.value) is kind
    assert caught.value.peer == "moodle"
    for each in words:
        assert each in str(caught.value)
    assert "s3cret" not in repr(caught.value) + str(caught.value)


def test_a_report_refused_names_its_audience(script: Script) -> None:
    script.says(RETRIEVE, refused("report_access", "errorreportview", "You cannot view this"))
    with pytest.raises(NeedsAdministrator, match=r"moodle/reportbuilder:view.*tab Audience"):
        MoodleClient(script.settings()).call(RETRIEVE)


@responses.activate
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("300", 300.0),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_how_long_to_wait_is_taken_from_the_answer(said: str, seconds: float | None) -> None:
    headers = {"Retry-After": said, "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
    responses.post("https://m.example/webservice/rest/server.php", status=503, headers=headers)
    with pytest.raises(TryLater) as caught:
        MoodleClient(MoodleSettings("moodle", "https://m.example", "s3cret")).call(SITE_INFO)
    assert caught.value.retry_after == seconds


def test_an_answer_that_asks_to_wait_is_not_waited_for_here(script: Script) -> None:
    script.says(SITE_INFO, Response("", 503, {"Retry-After": "30"}))
    with pytest.raises(TryLater) as caught:
        MoodleClient(script.settings()).call(SITE_INFO)
    assert caught.value.retry_after == 30
    assert script.count(SITE_INFO) == 1


def test_redirects_are_told_and_never_followed(httpserver: HTTPServer) -> None:
    followed = []

    def lead_on(request: Request) -> Response:
        followed.append(request.url)
        return Response("", 302, {"Location": "https://elsewhere.example.org/login"})

    httpserver.expect_request("/webservice/rest/server.php").respond_with_handler(lead_on)
    settings = MoodleSettings("moodle", f"http://127.0.0.1:{httpserver.port}", "s3cret")
    with pytest.raises(NeedsAdministrator, match=r"https://elsewhere\.example\.org") as caught:
        MoodleClient(settings).call(SITE_INFO)
    assert "s3cret" not in str(caught.value)
    assert len(followed) == 1


def test_a_move_to_https_is_told_plainly(script: Script) -> None:
    target = "https://127.0.0.1/webservice/rest/server.php"
    script.says(SITE_INFO, Response("", 301, {"Location": target}))
    with pytest.raises(NeedsAdministrator, match="from http:// to https://127") as caught:
        MoodleClient(script.settings()).call(SITE_INFO)
    assert "make a new one" in str(caught.value)


@responses.activate
def test_a_redirect_to_what_is_no_address_is_no_answer() -> None:
    headers = {"Location": "http://[::1"}
    responses.post("https://m.example/webservice/rest/server.php", status=302, headers=headers)
    client = MoodleClient(MoodleSettings("moodle", "https://m.example", "s3cret"))
    with pytest.raises(BadAnswer, match="headers"):
        client.call(SITE_INFO)


def test_an_answer_beyond_the_limit_is_not_read(script: Script) -> None:
    script.says(SITE_INFO, {"sitename": "x" * 5000})
    with pytest.raises(BadAnswer, match="larger than 1,000 bytes"):
        MoodleClient(script.settings(max_answer=1000)).call(SITE_INFO)


def test_no_connection_and_no_answer_in_time_are_for_later(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    with pytest.raises(TryLater, match="no connection"):
        stand_in.client(url="http://127.0.0.1:9").call(SITE_INFO)
    moodle.faults.add(Fault.SLOW, value=1.5)
    with pytest.raises(TryLater, match=r"no answer within 0\.2 seconds"):
        stand_in.client(timeout=0.2).call(GRADE, once=True)


def test_an_address_that_speaks_no_https_needs_the_administrator(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    url = moodle.base_url.replace("http://", "https://")
    with pytest.raises(NeedsAdministrator, match="no https connection"):
        stand_in.client(url=url).call(SITE_INFO)


def test_a_certificate_nobody_trusts_needs_the_administrator_or_its_authority(
    tmp_path: Path,
) -> None:
    bundle, context = self_signed(tmp_path)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/webservice/rest/server.php").respond_with_json({"userid": 1})
        settings = MoodleSettings("moodle", f"https://127.0.0.1:{server.port}", "s3cret")
        with pytest.raises(NeedsAdministrator, match="CA bundle"):
            MoodleClient(settings).call(SITE_INFO)
        trusting = MoodleClient(replace(settings, verify=str(bundle)))
        assert trusting.call(SITE_INFO) == {"userid": 1}


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, as a file, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, secret = folder / "ca.pem", folder / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    return bundle, context


def test_a_cut_connection_is_for_later(stand_in: Peer, moodle: StandInMoodle) -> None:
    moodle.faults.add(Fault.CUT_CONNECTION)
    with pytest.raises(TryLater, match="cut in the middle"):
        stand_in.client().call(SITE_INFO)


def test_a_read_whose_answer_got_lost_is_repeated_and_counted(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.LOST_REPLY, times=1)
    client = stand_in.client()
    assert client.call(SITE_INFO)["username"] == "svc-bridge"
    assert client.calls == moodle.calls(SITE_INFO) == 2


def test_a_rating_whose_answer_got_lost_is_not_repeated(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.LOST_REPLY)
    params = {"userid": 30, "competencyid": 1, "grade": 2}
    with pytest.raises(TryLater):
        stand_in.client().call(GRADE, params, once=True)
    assert moodle.calls(GRADE) == 1


def test_proxies_of_the_environment_are_not_used(
    stand_in: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert stand_in.client().call(SITE_INFO)["username"] == "svc-bridge"


def test_a_configured_proxy_is_used(stand_in: Peer) -> None:
    with pytest.raises(TryLater, match="ProxyError"):
        stand_in.client(proxy="http://127.0.0.1:9").call(SITE_INFO)


def test_an_expired_token_is_an_administrators_matter_both_times(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.faults.add(Fault.TOKEN_EXPIRED)
    client = stand_in.client()
    with pytest.raises(NeedsAdministrator, match="not expired"):
        client.call(SITE_INFO)
    with pytest.raises(NeedsAdministrator, match="has expired"):
        client.call(SITE_INFO)


def test_nothing_logged_holds_the_token(
    stand_in: Peer, moodle: StandInMoodle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    moodle.faults.add(Fault.LOST_REPLY, times=1)
    stand_in.client().call(SITE_INFO)
    assert caplog.records
    assert stand_in.settings.token not in caplog.text


def test_a_message_that_repeats_the_token_is_cleaned(script: Script) -> None:
    script.says(SITE_INFO, refused("e", "invaliduser", "token s3cret of <b>x</b>"))
    with pytest.raises(BadAnswer, match=r"token \(token\) of x"):
        MoodleClient(script.settings()).call(SITE_INFO)


# Batches


def test_without_the_batch_function_each_call_is_its_own(
    stand_in: Peer, moodle: StandInMoodle
) -> None:
    moodle.site.services["competency_bridge"].functions.remove(
        "tool_mobile_call_external_functions"
    )
    client = stand_in.client()
    answers = client.call_many([(SITE_INFO, {})] * 3)
    assert [one["username"] for one in answers] == ["svc-bridge"] * 3
    assert moodle.calls(SITE_INFO) == 3
    client.call_many([(SITE_INFO, {})] * 2)
    assert moodle.calls("tool_mobile_call_external_functions") == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"responses": []},
        {"responses": [{"error": False, "data": "{}"}]},
        {"responses": [{"error": False}, {"error": False}]},
        {"responses": [{"error": False, "data": "{"}, {"error": False, "data": "{}"}]},
        {"responses": [{"error": False, "data": "{}"}] * 3},
        {"responses": 5},
        {"responses": {"0": {"error": False, "data": "{}"}}},
        {"responses": [{"error": False, "data": "[" * 100_000}]},
        {"responses": [{"error": True, "exception": "[" * 100_000}]},
        {"responses": [{"error": True, "exception": '{"errorcode": "x", "message": {}}'}]},
    ],
)
def test_a_batch_that_does_not_add_up_is_not_believed(script: Script, answer: Any) -> None:
    script.says("tool_mobile_call_external_functions", answer)
    with pytest.raises(BadAnswer):
        MoodleClient(script.settings()).call_many([(SITE_INFO, {}), (SITE_INFO, {})])


def test_a_message_in_a_batch_that_repeats_the_token_is_cleaned(script: Script) -> None:
    told = json.dumps({"errorcode": "x", "message": "wstoken=s3cret"})
    script.says(
        "tool_mobile_call_external_functions", {"responses": [{"error": True, "exception": told}]}
    )
    client = MoodleClient(script.settings())
    first, _ = client.call_many([(SITE_INFO, {}), (SITE_INFO, {})])
    assert "(token)" in str(first)
    assert "s3cret" not in str(first)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_an_answer_that_nests_without_end_is_not_believed(script: Script, opening: str) -> None:
    script.says(SITE_INFO, Response(opening * 100_000, content_type="application/json"))
    with pytest.raises(BadAnswer, match="no complete JSON"):
        MoodleClient(script.settings()).call(SITE_INFO)


def test_a_database_that_goes_down_within_a_batch_ends_it(script: Script) -> None:
    told = json.dumps({"errorcode": "dbconnectionfailed", "message": "down"})
    script.says(
        "tool_mobile_call_external_functions", {"responses": [{"error": True, "exception": told}]}
    )
    with pytest.raises(TryLater):
        MoodleClient(script.settings()).call_many([(SITE_INFO, {}), (SITE_INFO, {})])
