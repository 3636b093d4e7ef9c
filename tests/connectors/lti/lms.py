"""Drives an LMS and the bridge as one browser does: the stand-in Moodle, and a real one alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from bridge.connectors.moodle import MoodleSettings
from bridge.demo.moodle import StandInMoodle
from bridge.demo.moodle.lti import Tool


@dataclass
class Form:
    """A form as it came, with what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if tag == "form":
            self.forms.append(Form(told.get("action", ""), told.get("method", "get").lower()))
        if not self.forms:
            return
        fields = self.forms[-1].fields
        if tag == "select":
            self._select = name
        elif (
            tag == "option" and self._select and ("selected" in told or self._select not in fields)
        ):
            fields[self._select] = told.get("value", "")
        elif tag == "textarea":
            fields[name] = ""
        elif tag == "input" and name:
            kind = told.get("type", "text")
            ticked = kind not in ("checkbox", "radio") or "checked" in told
            if kind not in ("submit", "button", "image", "file") and ticked:
                fields[name] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


def forms_of(answer: requests.Response) -> list[Form]:
    """The forms of a page, their addresses complete."""
    parser = _Forms()
    parser.feed(answer.text)
    for form in parser.forms:
        form.action = urljoin(answer.url, form.action)
    return parser.forms


class LmsBrowser:
    """One browser, which has both the LMS and the bridge open."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.trust_env = False

    def get(self, url: str, **more: Any) -> requests.Response:
        """Open a page."""
        return self.http.get(url, timeout=60, **more)

    def post(self, form: Form, changes: dict[str, str] | None = None, **more: Any) -> Any:
        """Send a form."""
        data = {**form.fields, **(changes or {})}
        return self.http.post(form.action, data=data, timeout=60, **more)

    def carry_on(self, answer: requests.Response, **headers: str) -> requests.Response:
        """Send on the forms that send themselves, between LMS and tool, until a page stays."""
        for _ in range(6):
            form = next((f for f in forms_of(answer) if self._sends_itself(f)), None)
            if form is None:
                return answer
            answer = self.post(form, headers=headers)
        raise AssertionError(f"it goes round and round: {answer.url}")

    @staticmethod
    def _sends_itself(form: Form) -> bool:
        return bool({"login_hint", "id_token", "JWT", "repost", "error"} & set(form.fields))


@dataclass
class StandInLms:
    """The stand-in Moodle."""

    moodle: StandInMoodle
    settings: MoodleSettings
    learner: int
    staff_number: str
    course: int
    course_idnumber: str

    @property
    def base_url(self) -> str:
        """Where it is."""
        return self.moodle.base_url

    def sign_in(self, admin: bool = False) -> LmsBrowser:
        """A browser, signed in as the learner or as the administrator."""
        browser = LmsBrowser()
        browser.get(f"{self.base_url}/login/as.php?user={2 if admin else self.learner}&course="
                    f"{self.course}")  # fmt: skip
        return browser

    def start_registration(self, browser: LmsBrowser, invite: str) -> requests.Response:
        """What "Add LTI Advantage" opens."""
        return browser.get(
            f"{self.base_url}/mod/lti/startltiadvregistration.php", params={"url": invite}
        )

    def add_by_hand(self, base_url: str) -> tuple[str, str]:
        """Configure the tool by its form; client id and deployment id."""
        tool: Tool = self.moodle.lti.add_tool(
            "By hand", f"{base_url}/lti/launch", f"{base_url}/lti/login",
            [f"{base_url}/lti/launch"], f"{base_url}/lti/jwks",
        )  # fmt: skip
        return tool.clientid, str(tool.id)

    def select(self, browser: LmsBrowser, deployment: str) -> requests.Response:
        """What "Select content" opens."""
        return browser.get(
            f"{self.base_url}/mod/lti/contentitem.php?id={deployment}&course={self.course}"
        )

    def selected(self, answer: requests.Response) -> list[str]:
        """The titles of what the LMS took from the tool."""
        return re.findall(r'lti/view\.php\?id=\d+">([^<]+)</a>', answer.text)

    def place(self, browser: LmsBrowser, deployment: str, opens: str) -> str:
        """Put a link into the course; the address that launches it."""
        link = self.moodle.lti.add_link(self.course, int(deployment), "Bridge", {"open": opens})
        return f"{self.base_url}/mod/lti/launch.php?id={link.id}"


@dataclass
class RealLms:
    """A real Moodle, by its own pages. It keeps the tools and activities that are made."""

    settings: MoodleSettings
    admin: tuple[str, str]
    learner_login: tuple[str, str]
    staff_number: str
    course: int
    course_idnumber: str

    @property
    def base_url(self) -> str:
        """Where it is."""
        return self.settings.base

    def sign_in(self, admin: bool = False) -> LmsBrowser:
        """A browser, signed in as the learner or as the administrator."""
        browser = LmsBrowser()
        (form, *_) = [
            f for f in forms_of(browser.get(f"{self.base_url}/login/index.php"))
            if "logintoken" in f.fields
        ]  # fmt: skip
        name, password = self.admin if admin else self.learner_login
        answer = browser.post(form, {"username": name, "password": password})
        assert "logout.php" in answer.text, "Moodle did not let us in"
        return browser

    def _sesskey(self, browser: LmsBrowser) -> str:
        found = re.search(r'"sesskey":"([^"]+)"', browser.get(f"{self.base_url}/my/").text)
        assert found is not None
        return found[1]

    def start_registration(self, browser: LmsBrowser, invite: str) -> requests.Response:
        """What "Add LTI Advantage" opens."""
        return browser.get(
            f"{self.base_url}/mod/lti/startltiadvregistration.php",
            params={"url": invite, "type": "0", "sesskey": self._sesskey(browser)},
        )

    def add_by_hand(self, base_url: str) -> tuple[str, str]:
        """Configure the tool by its form; client id and deployment id."""
        browser = self.sign_in(admin=True)
        page = browser.get(
            f"{self.base_url}/mod/lti/typessettings.php",
            params={"action": "add", "returnto": "toolconfigure",
                    "sesskey": self._sesskey(browser)},
        )  # fmt: skip
        (form,) = [f for f in forms_of(page) if "lti_typename" in f.fields]
        name = f"By hand {urlsplit(base_url).port}"
        browser.post(form, {
            "lti_typename": name,
            "lti_toolurl": f"{base_url}/lti/launch",
            "lti_ltiversion": "1.3.0",
            "lti_keytype": "JWK_KEYSET",
            "lti_publickeyset": f"{base_url}/lti/jwks",
            "lti_initiatelogin": f"{base_url}/lti/login",
            "lti_redirectionuris": f"{base_url}/lti/launch",
            "lti_contentitem": "1",
            "lti_coursevisible": "2",
            "lti_sendname": "1",
            "submitbutton": "Save changes",
        })  # fmt: skip
        listed = browser.http.post(
            f"{self.base_url}/lib/ajax/service.php", timeout=60,
            params={"sesskey": self._sesskey(browser), "info": "mod_lti_get_tool_types"},
            json=[{"index": 0, "methodname": "mod_lti_get_tool_types", "args": {}}],
        ).json()[0]["data"]  # fmt: skip
        (tool,) = [one for one in listed if one["name"] == name]
        return str(tool["clientid"]), str(tool["id"])

    def select(self, browser: LmsBrowser, deployment: str) -> requests.Response:
        """What "Select content" opens."""
        return browser.get(
            f"{self.base_url}/mod/lti/contentitem.php?id={deployment}&course={self.course}"
        )

    def selected(self, answer: requests.Response) -> list[str]:
        """The titles of what the LMS took from the tool."""
        return re.findall(r'"name":"([^"]+)","introeditor"', answer.text)

    def place(self, browser: LmsBrowser, deployment: str, opens: str) -> str:
        """Put a link into the course; the address that launches it."""
        page = browser.get(
            f"{self.base_url}/course/modedit.php",
            params={"add": "lti", "typeid": deployment, "course": self.course, "section": "1"},
        )
        (form,) = [f for f in forms_of(page) if "modulename" in f.fields]
        done = browser.post(form, {
            "name": f"Bridge {deployment}",
            "typeid": deployment,
            "instructorcustomparameters": f"open={opens}",
            "selectcontentstatus": "true",  # as the page notes once content was selected
            "submitbutton2": "Save and return to course",
        })  # fmt: skip
        found = re.findall(
            rf'mod/lti/view\.php\?id=(\d+)"[^>]*>(?:<[^>]*>|\s)*Bridge {deployment}\b', done.text
        )
        assert found, "Moodle did not take the activity"
        return f"{self.base_url}/mod/lti/launch.php?id={found[-1]}"


Lms = StandInLms | RealLms
