"""A stand-in identity provider on 127.0.0.1: code flow with PKCE, and troubles to switch on.

It checks what a real one checks (client, secret, redirect address, PKCE, a code's single use), so
that a client which passes here does its part right.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import secrets
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

CLIENT_ID = "competency-bridge"
CODE_LASTS = timedelta(minutes=2)


class Fault(StrEnum):
    """What the provider can be told to do wrong."""

    WRONG_NONCE = "wrong nonce"
    NO_NONCE = "no nonce"
    WRONG_AUDIENCE = "wrong audience"
    SEVERAL_AUDIENCES = "several audiences, none of them authorised"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from the future"
    OTHER_ISSUER = "other issuer"
    OTHER_TENANT = "other tenant"
    ALG_NONE = "alg none"
    PUBLIC_KEY_AS_SECRET = "HMAC with the public key"  # noqa: S105
    OTHER_KEY = "signed with another key under the same id"
    CHANGED_AFTERWARDS = "claims changed after signing"
    OTHER_ISS_PARAMETER = "another issuer in the answer"
    NO_ISS_PARAMETER = "no issuer in the answer"
    TOKEN_REDIRECT = "the token endpoint sends one elsewhere"  # noqa: S105
    TOKEN_DOWN = "the token endpoint is busy"  # noqa: S105
    HUGE = "an endless answer"
    DENIED = "the person says no"


@dataclass(frozen=True, slots=True)
class WorkUser:
    """Somebody with an account at the provider. `claims` go into the id token as they are."""

    sub: str
    name: str
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Code:
    user: WorkUser
    redirect_uri: str
    challenge: str
    nonce: str
    ends: datetime


class StandInProvider:
    """Serves from a thread until stopped. With `tenant`, it behaves as Entra ID's v2.0 endpoint
    does: its issuer carries a tenant, and its tokens `tid` and `oid`.

    Whoever comes to its page chooses one of `users`; `chosen`, if set, is chosen at once.
    """

    def __init__(
        self,
        users: list[WorkUser],
        clock: Callable[[], datetime],
        *,
        tenant: str = "",
        algorithm: str = "RS256",
    ) -> None:
        self.users = users
        self.chosen: str | None = None
        self.secret = secrets.token_urlsafe(24)
        self.redirect_uris: set[str] = set()
        self.faults: set[Fault] = set()
        self.asked: list[str] = []
        self.base_url = ""
        self._clock = clock
        self._tenant = tenant
        self._algorithm = algorithm
        self._codes: dict[str, _Code] = {}
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self.rotate()

    def rotate(self) -> None:
        """A new signing key; the old one is published no longer."""
        options: Any = {"kid": secrets.token_hex(4), "use": "sig"}
        self._key: RSAKey | ECKey = (
            ECKey.generate_key("P-256", options)
            if self._algorithm.startswith("ES")
            else RSAKey.generate_key(2048, options)
        )

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"{self.base_url}/{{tenantid}}/v2.0" if self._tenant else self.base_url

    @property
    def discovery_base(self) -> str:
        """What a client is configured with."""
        return f"{self.base_url}/organizations/v2.0" if self._tenant else self.base_url

    def start(self, port: int = 0) -> str:
        """Serve on any free port unless told; the address."""
        self._server = make_server(
            "127.0.0.1", port, self._app(), threaded=True, request_handler=_Quiet
        )
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05},
            name="stand-in-provider", daemon=True,
        )  # fmt: skip
        self._thread.start()
        return self.base_url

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def _app(self) -> Flask:
        app = Flask("bridge.demo.idp", static_folder=None)
        before = "/organizations/v2.0" if self._tenant else ""
        app.add_url_rule(f"{before}/.well-known/openid-configuration", "discovery", self._discovery)
        app.add_url_rule("/keys", "keys", self._keys)
        app.add_url_rule("/authorize", "authorize", self._authorize)
        app.add_url_rule("/token", "token", self._token, methods=["POST"])

        @app.before_request
        def seen() -> None:
            self.asked.append(request.path)

        return app

    def _discovery(self) -> Response:
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.base_url}/authorize",
            token_endpoint=f"{self.base_url}/token",
            jwks_uri=f"{self.base_url}/keys",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=[self._algorithm],
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=not self._tenant,
        )

    def _keys(self) -> Response:
        return jsonify(keys=[self._key.as_dict(private=False)])

    def _authorize(self) -> Response:
        asked = request.args
        back = asked.get("redirect_uri", "")
        if asked.get("client_id") != CLIENT_ID or back not in self.redirect_uris:
            return Response("This client, or where it wants answers sent, is unknown.", 400)
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return self._answer(back, {"error": "invalid_request"})
        if Fault.DENIED in self.faults:
            return self._answer(back, {"error": "access_denied"})
        chosen = asked.get("choose") or self.chosen
        user = next((u for u in self.users if u.sub == chosen), None)
        if user is None:
            return self._choose()
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            user, back, asked["code_challenge"], asked.get("nonce", ""),
            self._clock() + CODE_LASTS,
        )  # fmt: skip
        return self._answer(back, {"code": code})

    def _answer(self, back: str, said: dict[str, str]) -> Response:
        said["state"] = request.args.get("state", "")
        if not self._tenant and Fault.NO_ISS_PARAMETER not in self.faults:
            other = Fault.OTHER_ISS_PARAMETER in self.faults
            said["iss"] = "https://attacker.example" if other else self.issuer
        return Response(status=302, headers={"Location": f"{back}?{urlencode(said)}"})

    def _choose(self) -> Response:
        rows = "".join(
            f'<li><a href="?{html.escape(urlencode([*request.args.items(), ("choose", u.sub)]))}">'
            f"{html.escape(u.name)}</a></li>"
            for u in self.users
        )
        return Response(
            '<!doctype html><html lang="en-GB"><title>Stand-in sign-in</title><main>'
            "<h1>Stand-in work sign-in</h1><p>Who are you? This page stands for your "
            f"organisation's own sign-in.</p><ul>{rows}</ul></main></html>"
        )

    def _token(self) -> Response:
        if Fault.TOKEN_REDIRECT in self.faults:
            return redirect("http://127.0.0.1:9/elsewhere", 307)  # type: ignore[return-value]
        if Fault.TOKEN_DOWN in self.faults:
            return Response("busy", 503)
        if Fault.HUGE in self.faults:
            return Response((b" " * 65_536 for _ in range(10_000)), 200)
        form = request.form
        if not self._is_client():
            return _error("invalid_client", 401)
        code = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            code is None
            or code.ends <= self._clock()
            or form.get("redirect_uri") != code.redirect_uri
            or _base64(verifier) != code.challenge
        ):
            return _error("invalid_grant")
        return jsonify(
            access_token=secrets.token_urlsafe(16), token_type="Bearer", expires_in=3600,  # noqa: S106
            id_token=self._id_token(code),
        )  # fmt: skip

    def _is_client(self) -> bool:
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        name, _, secret = b64decode(encoded).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, self.secret)

    def _id_token(self, code: _Code) -> str:
        faults, now = self.faults, self._clock()
        if Fault.EXPIRED in faults:
            now -= timedelta(hours=2)
        if Fault.FROM_THE_FUTURE in faults:
            now += timedelta(hours=2)
        tenant = "99999999-9999-4999-8999-999999999999" if Fault.OTHER_TENANT in faults else ""
        claims: dict[str, Any] = {
            "iss": self.issuer.replace("{tenantid}", tenant or self._tenant),
            "sub": code.user.sub, "aud": CLIENT_ID, "nonce": code.nonce, "name": code.user.name,
            "iat": int(now.timestamp()), "exp": int((now + timedelta(hours=1)).timestamp()),
            **code.user.claims,
        }  # fmt: skip
        if self._tenant:
            claims["tid"] = tenant or self._tenant
        if Fault.OTHER_ISSUER in faults:
            claims["iss"] = "https://attacker.example"
        if Fault.WRONG_AUDIENCE in faults:
            claims["aud"] = "another-client"
        if Fault.SEVERAL_AUDIENCES in faults:
            claims["aud"] = [CLIENT_ID, "another-client"]
        if Fault.WRONG_NONCE in faults:
            claims["nonce"] = secrets.token_urlsafe(16)
        if Fault.NO_NONCE in faults:
            del claims["nonce"]
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": self._algorithm, "kid": self._key.kid, "typ": "JWT"}
        # Written by hand: no library that is worth its salt signs like this.
        if Fault.PUBLIC_KEY_AS_SECRET in self.faults:
            signed = _part({**header, "alg": "HS256"}) + "." + _part(claims)
            tag = hmac.digest(self._key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_base64(tag)}"
        if Fault.ALG_NONE in self.faults:
            return _part({**header, "alg": "none"}) + "." + _part(claims) + "."
        key = RSAKey.generate_key(2048) if Fault.OTHER_KEY in self.faults else self._key
        token = jwt.encode(header, claims, key, algorithms=[self._algorithm])
        if Fault.CHANGED_AFTERWARDS in self.faults:
            head, _, signature = token.split(".")
            return f"{head}.{_part({**claims, 'sub': 'somebody-else'})}.{signature}"
        return token


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _part(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


class _Quiet(WSGIRequestHandler):
    """Serves without a line in the log for each request."""

    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


def _error(code: str, status: int = 400) -> Response:
    answer = jsonify(error=code)
    answer.status_code = status
    return answer
