"""The stand-in Moodle as an LTI 1.3 platform: its tools, its links in courses, its signed messages.

What it says and in which words follows mod_lti of Moodle 4.4; see docs/verified-against.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from bridge.demo.moodle.state import Site
from bridge.demo.moodle.tables import User

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
MESSAGE_LASTS = 60
_LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
_INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"


class LtiRefused(Exception):
    """Moodle says no: an HTTP status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Tool:
    """A configured external tool ("type"); its id is the deployment id."""

    id: int
    name: str
    clientid: str
    toolurl: str
    initiatelogin: str
    redirectionuris: list[str]
    publickeyset: str
    sendname: bool = False
    sendemailaddr: bool = False
    contentitem: bool = True


@dataclass
class ToolLink:
    """An external tool activity in a course. `window`: its launch container is a new window."""

    id: int
    courseid: int
    typeid: int
    name: str
    custom: dict[str, str] = field(default_factory=dict)
    toolurl: str = ""
    window: bool = True


@dataclass(frozen=True)
class Begun:
    """A launch that was begun: who, where, and by which link (None: to select content)."""

    userid: int
    courseid: int
    typeid: int
    linkid: int | None


class LtiPlatform:
    """One Moodle's side of LTI. `base_url` is known once it runs."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.base_url = ""
        self.tools: dict[int, Tool] = {}
        self.links: dict[int, ToolLink] = {}
        self.selected: list[dict[str, Any]] = []
        self._begun: dict[str, Begun] = {}
        self._keys: list[RSAKey] = []

    # --- keys -------------------------------------------------------------------------------
    @cached_property
    def _first_key(self) -> RSAKey:
        return self._new_key()

    def _new_key(self) -> RSAKey:
        made = RSAKey.generate_key(
            2048, {"kid": secrets.token_hex(10), "use": "sig", "alg": "RS256"}, private=True
        )
        self._keys.append(made)
        return made

    @property
    def key(self) -> RSAKey:
        """The key that signs."""
        return self._keys[-1] if self._keys else self._first_key

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish that one alone."""
        self._keys = []
        self._new_key()

    def certs(self) -> dict[str, Any]:
        """What certs.php answers."""
        return {"keys": [self.key.as_dict(private=False)]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token of this platform's."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, dict(claims), self.key)

    # --- registration -------------------------------------------------------------------------
    def configuration(self) -> dict[str, Any]:
        """What openid-configuration.php answers."""
        page = f"{self.base_url}/mod/lti"
        return {
            "issuer": self.base_url,
            "token_endpoint": f"{page}/token.php",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "jwks_uri": f"{page}/certs.php",
            "authorization_endpoint": f"{page}/auth.php",
            "registration_endpoint": f"{page}/openid-registration.php",
            "scopes_supported": ["openid"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
            PLATFORM: {
                "product_family_code": "moodle",
                "version": "4.4 (stand-in)",
                "messages_supported": [
                    {"type": "LtiResourceLinkRequest"},
                    {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
                ],
            },
        }

    def registration_token(self) -> str:
        """What startltiadvregistration.php hands to the tool: good for an hour, and one tool."""
        now = self.site.now
        return self.sign(
            {"sub": secrets.token_hex(8)[:15], "scope": "reg", "iat": now, "exp": now + 3600}
        )

    def register(self, token: str, wish: Mapping[str, Any]) -> dict[str, Any]:
        """What openid-registration.php answers. Raises LtiRefused, as Moodle checks it."""
        try:
            told = jwt.decode(token, self.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError) as error:
            raise LtiRefused(401, "invalid_registration_token") from error
        if told.get("scope") != "reg" or told["exp"] < self.site.now:
            raise LtiRefused(403, "Incorrect scope")
        if any(one.clientid == told["sub"] for one in self.tools.values()):
            raise LtiRefused(401, "token_already_used")
        needed = ("response_types", "initiate_login_uri", "redirect_uris", "client_name",
                  "jwks_uri", "token_endpoint_auth_method", TOOL)  # fmt: skip
        for name in needed:
            if not wish.get(name):
                raise LtiRefused(400, f"missing required attribute {name}")
        tool = wish[TOOL]
        if not tool.get("domain"):
            raise LtiRefused(400, "missing_domain")
        if urlsplit(tool["target_link_uri"]).netloc != tool["domain"]:
            raise LtiRefused(400, "domain_targetlinkuri_mismatch")
        if "id_token" not in wish["response_types"]:
            raise LtiRefused(400, "invalid_response_types")
        if wish["token_endpoint_auth_method"] != "private_key_jwt":  # noqa: S105  a method
            raise LtiRefused(400, "invalid_token_endpoint_auth_method")
        claims = tool.get("claims", [])
        added = self.add_tool(
            wish["client_name"], tool["target_link_uri"], wish["initiate_login_uri"],
            wish["redirect_uris"], wish["jwks_uri"], clientid=told["sub"],
            sendname="name" in claims, sendemailaddr="email" in claims,
        )  # fmt: skip
        return {
            "client_id": added.clientid,
            "response_types": ["id_token"],
            "jwks_uri": added.publickeyset,
            "initiate_login_uri": added.initiatelogin,
            "grant_types": ["client_credentials", "implicit"],
            "redirect_uris": added.redirectionuris,
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "client_name": added.name,
            "scope": "",
            TOOL: {
                "version": "1.3.0",
                "deployment_id": str(added.id),
                "target_link_uri": added.toolurl,
                "domain": tool["domain"],
                "messages": [{"type": "LtiDeepLinkingRequest"}],
            },
        }

    def add_tool(
        self,
        name: str,
        toolurl: str,
        initiatelogin: str,
        redirectionuris: Sequence[str],
        publickeyset: str,
        *,
        clientid: str = "",
        sendname: bool = True,
        sendemailaddr: bool = False,
    ) -> Tool:
        """Configure a tool, as the form "configure a tool manually" does."""
        tool = Tool(
            len(self.tools) + 1, name, clientid or secrets.token_hex(8)[:15], toolurl,
            initiatelogin, list(redirectionuris), publickeyset, sendname, sendemailaddr,
        )  # fmt: skip
        self.tools[tool.id] = tool
        return tool

    def add_link(
        self, courseid: int, typeid: int, name: str, custom: Mapping[str, str] | None = None,
        toolurl: str = "", *, window: bool = True,
    ) -> ToolLink:  # fmt: skip
        """Put an activity of a tool into a course."""
        link = ToolLink(len(self.links) + 1, courseid, typeid, name, dict(custom or {}), toolurl,
                        window)  # fmt: skip
        self.links[link.id] = link
        return link

    # --- launches -----------------------------------------------------------------------------
    def begin(self, begun: Begun) -> tuple[Tool, dict[str, str]]:
        """The tool, and what its login page is asked with."""
        tool = self.tools[begun.typeid]
        launchid = (
            f"ltilaunch{begun.linkid or '_ContentItemSelectionRequest'}_{secrets.randbits(31)}"
        )
        self._begun[launchid] = begun
        link = self.links.get(begun.linkid or 0)
        hint = f'{{"cmid":{link.id if link else 0},"launchid":"{launchid}"}}'
        return tool, {
            "iss": self.base_url,
            "target_link_uri": (link.toolurl if link else "") or tool.toolurl,
            "login_hint": str(begun.userid),
            "lti_message_hint": hint,
            "client_id": tool.clientid,
            "lti_deployment_id": str(tool.id),
        }

    def take_begun(self, launchid: str) -> Begun:
        """The launch of that hint, once. Raises LtiRefused."""
        begun = self._begun.pop(launchid, None)
        if begun is None:
            raise LtiRefused(400, "No launch id in LTI hint")
        return begun

    def claims(self, begun: Begun, nonce: str) -> dict[str, Any]:
        """What the message of a launch says."""
        user, tool = self.site.users[begun.userid], self.tools[begun.typeid]
        course, now = self.site.courses[begun.courseid], self.site.now
        link = self.links.get(begun.linkid or 0)
        lis = {"person_sourcedid": user.idnumber, "course_section_sourcedid": course.idnumber}
        claims: dict[str, Any] = {
            "nonce": nonce,
            "iat": now,
            "exp": now + MESSAGE_LASTS,
            "iss": self.base_url,
            "aud": tool.clientid,
            f"{CLAIM}deployment_id": str(tool.id),
            f"{CLAIM}target_link_uri": (link.toolurl if link else "") or tool.toolurl,
            "sub": str(user.id),
            f"{CLAIM}lis": lis,
            f"{CLAIM}roles": [_INSTRUCTOR if teaches(user) else _LEARNER],
            f"{CLAIM}context": {
                "id": str(course.id),
                "label": course.shortname,
                "title": course.fullname,
                "type": ["CourseSection"],
            },
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}ext": {"lms": "moodle-2", "user_username": user.username},
            f"{CLAIM}tool_platform": {"product_family_code": "moodle", "guid": "stand-in"},
        }
        if tool.sendname:
            claims |= {"given_name": user.firstname, "family_name": user.lastname,
                       "name": user.fullname}  # fmt: skip
        if tool.sendemailaddr:
            claims["email"] = user.email
        return claims | (self._resource(link) if link else self._deep_linking(begun))

    def _resource(self, link: ToolLink) -> dict[str, Any]:
        return {
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}resource_link": {"id": str(link.id), "title": link.name},
            f"{CLAIM}launch_presentation": {
                "locale": "en",
                "document_target": "window" if link.window else "iframe",
                "return_url": f"{self.base_url}/mod/lti/return.php?course={link.courseid}",
            },
            f"{CLAIM}custom": dict(link.custom),
        }

    def _deep_linking(self, begun: Begun) -> dict[str, Any]:
        back = f"{self.base_url}/mod/lti/contentitem_return.php"
        return {
            f"{CLAIM}message_type": "LtiDeepLinkingRequest",
            f"{CLAIM}launch_presentation": {"locale": "en"},
            f"{DL_CLAIM}deep_linking_settings": {
                "accept_types": ["ltiResourceLink"],
                "accept_presentation_document_targets": ["frame", "iframe", "window"],
                "accept_multiple": False,
                "auto_create": False,
                "deep_link_return_url": f"{back}?course={begun.courseid}&id={begun.typeid}",
                "title": "",
                "text": "",
            },
        }

    def take_answer(
        self, typeid: int, courseid: int, token: str, keyset: Mapping[str, Any]
    ) -> list[ToolLink]:
        """Put what was selected into the course. Raises LtiRefused for what Moodle would refuse."""
        tool = self.tools[typeid]
        try:
            keys = KeySet.import_key_set({"keys": list(keyset["keys"])})
            told = jwt.decode(token, keys, algorithms=["RS256"]).claims
        except (JoseError, ValueError, KeyError) as error:
            raise LtiRefused(400, "The answer is not signed by the tool") from error
        if told.get("iss") != tool.clientid:
            raise LtiRefused(400, "errorincorrectconsumerkey")
        if told.get(f"{CLAIM}message_type") != "LtiDeepLinkingResponse":
            raise LtiRefused(400, "The answer is of another type")
        self.selected = list(told.get(f"{DL_CLAIM}content_items", []))
        return [
            self.add_link(courseid, typeid, item.get("title") or tool.name, item.get("custom"),
                          item.get("url", ""))
            for item in self.selected
        ]  # fmt: skip


def teaches(user: User) -> bool:
    """Whether this account may put activities into courses: the administrator's alone, here."""
    return user.username == "admin"
