"""The demo's Moodle tells the demo's bridge at once: its plugin's webhook, set up and shown."""

from __future__ import annotations

import threading
from pathlib import Path

from rich.console import Console

from bridge.bootstrap import Bridge, web_site
from bridge.config import FILE_NAME
from bridge.demo.moodle import StandInMoodle
from bridge.demo.serving import Served
from bridge.services import evidence as evidence_service
from bridge.services import inbox
from bridge.services.ledger import unmapped
from bridge.web.app import create_app
from webhooks.receivers.moodle import new_secret

_SECRET_FILE = "webhook.secret"  # noqa: S105  a file's name
#: Moodle's cron runs once a minute; this one has nothing else to do.
_CRON_SECONDS = 1.0


def configure(folder: Path, moodle: StandInMoodle) -> None:
    """Give both sides a secret; the site's configuration names the file with it."""
    secret = new_secret()
    path = folder / _SECRET_FILE
    path.touch(mode=0o600)
    path.write_text(f"{secret}\n", encoding="utf-8")
    config = folder / FILE_NAME
    text = config.read_text(encoding="utf-8")
    line = f'webhook_secret_file = "{_SECRET_FILE}"\n'
    config.write_text(text.replace("\n[mail]", f"\n{line}\n[mail]", 1), encoding="utf-8")
    if moodle.site.plugin is not None:
        moodle.site.plugin.secret = secret


def show(bridge: Bridge, moodle: StandInMoodle, source: str, person: int, console: Console) -> bool:
    """Somebody completes a course; whether the webhook came and a draft was there after it."""
    plugin = moodle.site.plugin
    if plugin is None:
        return False
    woken = threading.Event()
    served = Served(create_app(web_site(bridge, "http://localhost", wake=woken.set)), "hooked")
    try:
        plugin.hook_url = f"{served.start()}/hooks/moodle/{source}"
        # What was done before anybody listened was pulled.
        moodle.cron()
        inbox.fetch_noted(bridge.context, bridge.sources[source])
        woken.clear()
        before = len(evidence_service.items(bridge.context, person=person))
        title = _complete(bridge, moodle, source, person)
        status = moodle.cron()
        console.print(
            f"Somebody completes '{title}' in Moodle. Its plugin sends a signed webhook, which is "
            f"answered {status}."
        )
        report = inbox.fetch_noted(bridge.context, bridge.sources[source])
        after = len(evidence_service.items(bridge.context, person=person))
        console.print(
            f"The bridge asks Moodle what has changed: {report.tally.new} new completion, and "
            f"{after - before} draft more."
        )
        return status == 202 and woken.is_set() and after == before + 1
    finally:
        served.stop()
        plugin.hook_url = ""


def _complete(bridge: Bridge, moodle: StandInMoodle, source: str, person: int) -> str:
    """Let that person complete a course that is mapped, and that they have not done yet."""
    with bridge.context.store.reading() as uow:
        account = next(a for a in uow.people.accounts_of(person) if a.isdecimal())
    left_out = {alias.facts.value for alias, _, _ in unmapped(bridge.context)}
    with moodle.lock:
        site = moodle.site
        course = next(
            each
            for each in site.courses.values()
            if str(each.id) not in left_out and (int(account), each.id) not in site.completions
            and each.idnumber.startswith("LSCP-") and each.visible
        )  # fmt: skip
        site.complete(int(account), course.id, site.clock(), grade=88.0)
    return course.fullname


class Cron:
    """Sends the plugin's webhooks from a thread, until stopped. `address` is the bridge's."""

    def __init__(self, moodle: StandInMoodle, source: str, address: str) -> None:
        if moodle.site.plugin is not None:
            moodle.site.plugin.hook_url = f"{address.rstrip('/')}/hooks/moodle/{source}"
        self._moodle = moodle
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="moodle-cron", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(_CRON_SECONDS):
            self._moodle.cron()

    def stop(self) -> None:
        """End; the thread is gone when this returns."""
        self._stopping.set()
        self._thread.join()
