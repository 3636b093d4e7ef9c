"""A browser window: it fails on console errors, refused content and requests to other hosts."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request
from playwright.sync_api import Response as Answer

from tests.browser.site import BridgeSite, Someone

DESKTOP, PHONE, NARROW = 1280, 390, 320
#: What axe looks for: WCAG 2.0 to 2.2, A and AA, and what its makers call best practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
_axe = Axe()
#: What is wrong with a page whatever it says, each found in the browser itself.
_LOOK = """() => {
  const found = [];
  const seen = e => e.checkVisibility({visibilityProperty: true});
  const name = e => (e.id ? '#' + e.id : e.tagName.toLowerCase() + '.' + e.className) + ' ' +
    (e.textContent || e.value || '').trim().slice(0, 40);
  const heads = [...document.querySelectorAll('h1')].filter(seen);
  if (heads.length !== 1) found.push(heads.length + ' first headings');
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('main *, header *, footer *')].filter(e =>
      e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest('.scroll'));
    found.push('scrolls sideways: ' + root.scrollWidth + ' of ' + root.clientWidth + ' by ' +
      wide.slice(0, 4).map(name).join(' | '));
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (twice.length) found.push('the same id twice: ' + twice.slice(0, 5).join(', '));
  for (const e of document.querySelectorAll('.btn:not(.btn-sm), select, textarea, ' +
      'input:not([type=hidden]):not([type=checkbox]):not([type=radio]):not([type=file])')) {
    if (seen(e) && e.getBoundingClientRect().height < 43.5) found.push('low target: ' + name(e));
  }
  const inline = '[style]:not([style=""]), [onclick], [onchange], [onsubmit]';
  for (const e of document.querySelectorAll(inline))
    found.push('inline style or handler: ' + name(e));
  for (const e of document.querySelectorAll('main *')) {
    const style = getComputedStyle(e);
    if (seen(e) && style.overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1 &&
        !e.classList.contains('visually-hidden') && e.clientWidth > 1)
      found.push('cut off: ' + name(e));
  }
  for (const e of document.querySelectorAll('[aria-describedby], [aria-labelledby], label[for]'))
    for (const at of ['aria-describedby', 'aria-labelledby', 'for'])
      for (const id of (e.getAttribute(at) || '').split(' ').filter(Boolean))
        if (!document.getElementById(id)) found.push(at + ' names nothing: ' + id);
  return found;
}"""
#: What has the focus, and whether somebody would see that it has.
_FOCUS = """() => {
  const e = document.activeElement;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const name = (e.labels && e.labels.length ? e.labels[0].textContent : '') ||
    e.getAttribute('aria-label') || e.textContent || e.value || '';
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const within = box.bottom > 0 && box.top < innerHeight && box.width > 0;
  return {name: name.trim().replace(/\\s+/g, ' '),
          shown: e === document.body || (ring && within)};
}"""
#: Slips that a reader would notice, in any page's text.
SLIPS = re.compile(
    r"[a-z,:(] None\b|\bundefined\b|\bNaN\b|\{\{|\}\}|bridge\.domain|<class |"
    r"\bTrue\b|\bFalse\b|\[\]|"
    r"(?<![\d,.])1 (?:drafts|people|claims|competencies|items|days|badges|records|things)\b|"
    r" \.(?=\s|$)| ,|\.\.(?!\.)|,,|\(\)|\bcolor\b|\borganization",
)


@dataclass
class Visit:
    """One window of one person. `troubles` gathers what a test's end must not find."""

    site: BridgeSite
    context: BrowserContext
    page: Page
    shots: Path
    abroad: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    pages_seen: int = 0
    interactions: int = 0

    def watch(self) -> Visit:
        """Begin to gather troubles."""
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        self.context.on("request", self._request)
        self.context.on("response", self._response)
        return self

    def _console(self, message: ConsoleMessage) -> None:
        # An answer other than 200 is looked at in `_response`, where its kind is known.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        ours = urlsplit(self.site.address).netloc
        if parts.scheme in ("http", "https") and parts.netloc not in {ours, *self.abroad}:
            self.troubles.append(f"request to another host: {request.url}")

    def _response(self, answer: Answer) -> None:
        request = answer.request
        if not request.is_navigation_request():
            if answer.status >= 400:
                self.troubles.append(f"{answer.status} for {answer.url}")
        elif request.frame == self.page.main_frame and not 300 <= answer.status < 400:
            self.pages_seen += 1
            if answer.status >= 500:
                self.troubles.append(f"{answer.status} for {answer.url}")

    def sign_in(self, person: Someone | int, data: Mapping[str, Any] | None = None) -> Visit:
        """Be signed in as somebody, as if they had been here before."""
        number = person if isinstance(person, int) else person.id
        secret = self.site.session(number, data)
        self.context.add_cookies(
            [{"name": "bridge", "value": secret, "url": self.site.address, "httpOnly": True,
              "sameSite": "Lax"}]
        )  # fmt: skip
        return self

    def open(self, path: str = "/") -> Answer:
        """Go to a page by its address."""
        url = path if path.startswith("http") else f"{self.site.address}{path}"
        answer = self.page.goto(url)
        assert answer is not None
        return answer

    # --- what people do, counted -----------------------------------------------------------------
    def click(self, role: Literal["link", "button", "checkbox", "radio"], name: str) -> None:
        """Click the one thing of that kind and name (its beginning is enough)."""
        self.press(self.by(role, name))

    def by(
        self, role: Literal["link", "button", "checkbox", "radio", "heading"], name: str
    ) -> Locator:
        """The first thing of that kind whose name begins so."""
        return self.page.get_by_role(role, name=re.compile(f"^{re.escape(name)}")).first

    def press(self, what: Locator) -> None:
        """Click something."""
        self.interactions += 1
        what.click()

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.interactions += 1
        field = self.field(label)
        options = field.locator("option").all_text_contents()
        (wanted,) = (text for text in options if text.strip().startswith(option))
        field.select_option(label=wanted)

    def write(self, label: str, text: str) -> None:
        """Type into a field, which is not counted."""
        self.field(label).fill(text)

    def field(self, label: str) -> Locator:
        """The first field whose label begins so."""
        labelled = self.page.get_by_label(re.compile(f"^{re.escape(label)}"))
        return labelled.and_(self.page.locator("input, textarea, select")).first

    @property
    def text(self) -> str:
        """What the page says, in its main part."""
        return self.page.locator("main").inner_text()

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return self.page.locator("h1").inner_text()

    def says(self, *words: str) -> None:
        """The page says all of these."""
        text = " ".join(self.text.split())
        missing = [each for each in words if each not in text]
        assert not missing, f"{self.page.url} does not say {missing}:\n{text}"

    # --- by keyboard alone ------------------------------------------------------------
    def tab_to(self, name: str) -> None:
        """Tab until the thing of that name has the focus, which must be seen at every step."""
        for _ in range(250):
            self.page.keyboard.press("Tab")
            told: dict[str, Any] = self.page.evaluate(_FOCUS)
            assert told["shown"], f"the focus is not seen on {told['name']!r} of {self.page.url}"
            if told["name"].startswith(name):
                return
        raise AssertionError(f"the keyboard does not come to {name!r} on {self.page.url}")

    def key(self, key: str) -> None:
        """Press a key, which is an interaction."""
        self.interactions += 1
        self.page.keyboard.press(key)

    def enter(self, name: str) -> None:
        """Tab to a link or a button, press Enter, and come to the next page."""
        self.tab_to(name)
        with self.page.expect_navigation():
            self.key("Enter")

    # --- looking ----------------------------------------------------------------------
    def faults(self) -> list[str]:
        """What is wrong with the page by our own rules and by axe's."""
        found: list[str] = list(self.page.evaluate(_LOOK))
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_axe.axe_script)
        # What passed is not asked for: to hand it over takes as long as to find it.
        run = "options => axe.run(document, options).then(report => report.violations)"
        options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
        for each in self.page.evaluate(run, options):
            where = "; ".join(str(node["target"]) for node in each["nodes"][:3])
            found.append(f"axe {each['id']}: {each['help']} at {where}")
        slips = [m[0] for m in SLIPS.finditer(self.page.locator("body").inner_text())]
        if slips:
            found.append(f"slips in the words: {slips[:5]}")
        return found

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        self.shots.mkdir(parents=True, exist_ok=True)
        root = "(e => [e.scrollWidth, e.scrollHeight])(document.documentElement)"
        width, height = self.page.evaluate(root)
        session = self.context.new_cdp_session(self.page)
        taken = session.send(
            "Page.captureScreenshot",
            # Playwright's own would ask Chromium to press the picture as small as it can.
            {"format": "png", "optimizeForSpeed": True, "captureBeyondViewport": True,
             "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}},
        )  # fmt: skip
        session.detach()
        (self.shots / f"{name}.png").write_bytes(b64decode(taken["data"]))

    def done(self) -> None:
        """Close the window; fail where something went wrong behind the pages."""
        self.context.close()
        assert not self.troubles, "\n".join(self.troubles)


def open_window(
    browser: Browser, site: BridgeSite, shots: Path, *, width: int = DESKTOP, **more: Any
) -> Visit:
    """A fresh window, with nothing remembered."""
    height = 900 if width > 600 else 844
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion="reduce",
        **more,
    )
    context.set_default_timeout(15_000)
    return Visit(site, context, context.new_page(), shots).watch()


Window = Callable[..., Visit]
