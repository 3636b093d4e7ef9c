"""Messages and keys that are not what they say: each is refused, and each for its own reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

from bridge.connectors.lti import Tool
from bridge.demo.moodle import StandInMoodle, seed
from bridge.demo.moodle.lti import CLAIM, DL_CLAIM, Begun
from bridge.domain.lti import Launch, LaunchRefused, Message, Platform
from tests.connectors.lti.conftest import make_tool, someone_with_a_draft

NONCE = "the nonce that we sent"
BRIDGE = "https://bridge.example.org"
SETTINGS = f"{DL_CLAIM}deep_linking_settings"


class Forge:
    """A platform, its good messages, and the means to make bad ones."""

    def __init__(self, moodle: StandInMoodle, tool: Tool) -> None:
        self.moodle, self.tool = moodle, tool
        self.lti = moodle.lti
        self.user, self.course = someone_with_a_draft(moodle.site)
        self.added = self.lti.add_tool(
            "Bridge", f"{BRIDGE}/lti/launch", f"{BRIDGE}/lti/login", [f"{BRIDGE}/lti/launch"],
            f"{BRIDGE}/lti/jwks",
        )  # fmt: skip
        self.link = self.lti.add_link(self.course, self.added.id, "Bridge", {"open": "course"})
        page = f"{moodle.base_url}/mod/lti"
        self.platform = Platform(
            "Moodle", moodle.base_url, self.added.clientid, (str(self.added.id),),
            f"{page}/auth.php", f"{page}/token.php", f"{page}/certs.php", "moodle",
            1, datetime.now(UTC), "test",
        )  # fmt: skip

    def claims(self, *, deep: bool = False, **changes: Any) -> dict[str, Any]:
        """A good message's claims, with these changes; None takes one away."""
        begun = Begun(self.user.id, self.course, self.added.id, None if deep else self.link.id)
        good = self.lti.claims(begun, NONCE)
        changed = {**good, **changes}
        return {name: value for name, value in changed.items() if value is not None}

    def read(self, token: str, nonce: str = NONCE, **when: float) -> Launch:
        """What the tool makes of a token, so much later."""
        now = datetime.now(UTC) + timedelta(**when)
        sha256 = hashlib.sha256(nonce.encode()).digest()
        return self.tool.read(self.platform, token, sha256, now)

    def refusal(self, token: str, nonce: str = NONCE, **when: float) -> str:
        """Why the tool refuses it."""
        with pytest.raises(LaunchRefused) as raised:
            self.read(token, nonce, **when)
        return raised.value.code


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """The stand-in, with the bridge as its tool; one for all, because nothing here changes it."""
    now = datetime.now(UTC)
    with StandInMoodle(seed.demo_site(now, lambda: datetime.now(UTC))) as running:
        yield Forge(running, make_tool(running.base_url, tmp_path_factory.mktemp("key")))


def test_a_good_message_says_who_where_and_what(forge: Forge) -> None:
    said = forge.read(forge.lti.sign(forge.claims()))
    assert said.message is Message.RESOURCE_LINK
    assert said.account.kind == "moodle-user"
    assert said.account.value == str(forge.user.id)
    assert said.account.staff_number == forge.user.idnumber
    assert said.account.display_name == forge.user.fullname
    assert said.account.email is None
    assert said.course == str(forge.course)
    assert said.opens == "course"
    assert not said.framed


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "somebody-else"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["somebody-else"]}, "audience"),
        ({"azp": "somebody-else"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"exp": None}, "times"),
        ({"iat": None}, "times"),
        ({"exp": True}, "times"),
        ({"exp": "9999999999"}, "times"),
        ({"exp": 1}, "expired"),
        ({"iat": 1}, "expired"),
        ({"iat": 32503680000}, "early"),
        ({"nbf": 32503680000}, "early"),
        ({f"{CLAIM}deployment_id": "99"}, "deployment"),
        ({f"{CLAIM}deployment_id": None}, "deployment"),
        ({f"{CLAIM}version": "1.1"}, "version"),
        ({f"{CLAIM}version": None}, "version"),
        ({f"{CLAIM}message_type": "LtiSubmissionReviewRequest"}, "message-type"),
        ({f"{CLAIM}message_type": None}, "message-type"),
        ({"sub": None}, "nobody"),
        ({"sub": ""}, "nobody"),
        ({"sub": 7}, "nobody"),
        ({"sub": "9" * 256}, "nobody"),
    ],
)  # fmt: skip
def test_a_claim_that_is_wrong_or_missing(forge: Forge, changes: dict[str, Any], code: str) -> None:
    assert forge.refusal(forge.lti.sign(forge.claims(**changes))) == code


def test_several_audiences_need_to_name_the_party_that_asked(forge: Forge) -> None:
    several = [forge.platform.client_id, "another"]
    assert forge.refusal(forge.lti.sign(forge.claims(aud=several))) == "audience"
    named = forge.claims(aud=several, azp=forge.platform.client_id)
    assert forge.read(forge.lti.sign(named)).account.value == str(forge.user.id)


def test_clocks_may_differ_by_a_minute_and_no_more(forge: Forge) -> None:
    token = forge.lti.sign(forge.claims())
    assert forge.read(token, seconds=100)
    assert forge.refusal(token, seconds=125) == "expired"
    assert forge.read(token, seconds=-50)
    assert forge.refusal(token, seconds=-65) == "early"


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (json.dumps(one).encode() for one in (header, claims))
    return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."


def test_no_algorithm_is_no_signature(forge: Forge) -> None:
    for name in ("none", "None", "NONE", ""):
        token = _unsigned({"alg": name, "kid": forge.lti.key.kid}, forge.claims())
        assert forge.refusal(token) in ("algorithm", "malformed")


def test_the_public_key_is_no_hmac_secret(forge: Forge) -> None:
    public = RSAKey.import_key(forge.lti.key.as_dict(private=False)).public_key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = {"alg": "HS256", "kid": forge.lti.key.kid}
    signing = _unsigned(head, forge.claims()).rstrip(".")
    mac = hmac.new(pem, signing.encode(), hashlib.sha256).digest()
    token = f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert forge.refusal(token) == "algorithm"
    own = jwt.encode({"alg": "HS256", "kid": "x"}, forge.claims(), OctKey.generate_key(256))
    assert forge.refusal(own) == "algorithm"


def test_another_key_under_the_same_name(forge: Forge) -> None:
    other = RSAKey.generate_key(2048, private=True)
    header = {"alg": "RS256", "kid": forge.lti.key.kid}
    assert forge.refusal(jwt.encode(header, forge.claims(), other)) == "signature"


def test_a_key_that_comes_with_the_message_is_not_used(forge: Forge) -> None:
    other = RSAKey.generate_key(2048, private=True)
    header = {"alg": "RS256", "kid": forge.lti.key.kid, "jwk": other.as_dict(private=False)}
    assert forge.refusal(jwt.encode(header, forge.claims(), other)) in ("signature", "malformed")
    header = {"alg": "RS256", "kid": "mine", "jku": "https://evil.example/jwks"}
    assert forge.refusal(jwt.encode(header, forge.claims(), other)) == "unknown-key"


def test_a_message_without_the_name_of_its_key(forge: Forge) -> None:
    token = jwt.encode({"alg": "RS256"}, forge.claims(), forge.lti.key)
    assert forge.refusal(token) == "algorithm"


def test_a_message_that_was_changed_on_its_way(forge: Forge) -> None:
    head, body, signature = forge.lti.sign(forge.claims()).split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    told["sub"] = "2"
    changed = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    assert forge.refusal(f"{head}.{changed}.{signature}") == "signature"


def test_a_message_whose_claims_are_no_object(forge: Forge) -> None:
    header = {"alg": "RS256", "kid": forge.lti.key.kid}
    token = jws.serialize_compact(header, b'["sub"]', forge.lti.key)
    assert forge.refusal(token) == "signature"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "é.é.é", "a" * 70_000])
def test_what_is_no_token_at_all(forge: Forge, token: str) -> None:
    assert forge.refusal(token) in ("no-token", "malformed")


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"))
def test_nothing_made_up_is_let_in(forge: Forge, token: str) -> None:
    with pytest.raises(LaunchRefused):
        forge.read(token)


def test_another_platforms_message_is_not_this_ones(forge: Forge) -> None:
    """Two platforms, each with good keys: a message counts for the one that was asked."""
    other = Platform(
        "Other", forge.platform.issuer, "other-client", ("7",), forge.platform.auth_url,
        forge.platform.token_url, forge.platform.jwks_url, "moodle", 2, datetime.now(UTC), "test",
    )  # fmt: skip
    token = forge.lti.sign(forge.claims())
    with pytest.raises(LaunchRefused) as raised:
        forge.tool.read(other, token, hashlib.sha256(NONCE.encode()).digest(), datetime.now(UTC))
    assert raised.value.code == "audience"


# Deep linking


def test_a_request_for_content_says_where_the_answer_goes(forge: Forge) -> None:
    said = forge.read(forge.lti.sign(forge.claims(deep=True)))
    assert said.message is Message.DEEP_LINKING
    assert said.deep_linking is not None
    assert said.deep_linking.return_url.startswith(forge.moodle.base_url)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {**s, "deep_link_return_url": "https://evil.example/take"},
        lambda s: {**s, "deep_link_return_url": "javascript:alert(1)"},
        lambda s: {**s, "deep_link_return_url": s["deep_link_return_url"].replace("//", "//a@b")},
        lambda s: {**s, "deep_link_return_url": None},
        lambda s: {**s, "accept_types": ["file"]},
        lambda s: {**s, "data": 7},
        lambda s: {**s, "data": "x" * 9000},
        lambda s: "nothing",
    ],
)
def test_a_request_for_content_that_leads_elsewhere(
    forge: Forge, change: Callable[[dict[str, Any]], Any]
) -> None:
    claims = forge.claims(deep=True)
    claims[SETTINGS] = change(claims[SETTINGS])
    assert forge.refusal(forge.lti.sign(claims)) in ("return-url", "content")


def test_data_goes_back_as_it_came(forge: Forge) -> None:
    claims = forge.claims(deep=True)
    claims[SETTINGS]["data"] = "opaque"
    said = forge.read(forge.lti.sign(claims))
    assert said.deep_linking is not None
    answer = forge.tool.answer(forge.platform, said.deep_linking, [], datetime.now(UTC))
    own = RSAKey.import_key(forge.tool.public_keys()["keys"][0])
    told = jwt.decode(answer, own, algorithms=["RS256"]).claims
    assert told[f"{DL_CLAIM}data"] == "opaque"
    assert told["iss"] == forge.platform.client_id
    assert told["aud"] == [forge.platform.issuer]
