"""The plugin's outbox, and its signed webhook, as the stand-in Moodle keeps them.

Knows nothing of the site: the site tells it what happened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

VERSION = "2026112600"
API = 1
#: Younger changes may still be on their way in another transaction.
SETTLING = 15 * 60


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the outbox."""

    id: int
    kind: str
    time: int
    userid: int = 0
    courseid: int = 0
    cmid: int = 0
    itemid: int = 0
    badgeid: int = 0

    def as_answer(self) -> dict[str, Any]:
        """As the web service gives it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass
class Plugin:
    """An installed plugin. `site` is its random id; `secret` ("whsec_...") signs its webhook."""

    site: str
    complete_since: int
    outbox: list[Change] = field(default_factory=list)
    hook_url: str = ""
    secret: str = ""
    _last_id: int = 0
    _told: int = 0

    @property
    def last_id(self) -> int:
        """The id of the newest change there ever was."""
        return self._last_id

    def note(self, kind: str, now: int, **about: int) -> None:
        """What an observer writes down."""
        self._last_id += 1
        self.outbox.append(Change(self._last_id, kind, now, **about))

    def purge(self, before: int) -> None:
        """Forget changes from before then: from there on the outbox is complete."""
        self.outbox = [change for change in self.outbox if change.time >= before]
        self.complete_since = max(self.complete_since, before)

    def cron(self, now: int) -> int | None:
        """Send one webhook for all changes since the last; the status of the answer.

        None where there is nothing to tell. Anything but 2xx is told again the next time.
        """
        new = [change.id for change in self.outbox if change.id > self._told]
        if not new or not self.hook_url:
            return None
        body = {"site": self.site, "kind": "changes", "first": new[0], "last": new[-1],
                "count": len(new), "sent": now}  # fmt: skip
        status = self.send(body, now, f"msg_{self.site}_{new[0]}_{new[-1]}")
        if 200 <= status < 300:
            self._told = new[-1]
        return status

    def ping(self, now: int) -> int:
        """What the settings page sends to try the connection."""
        return self.send(
            {"site": self.site, "kind": "ping", "sent": now}, now, f"msg_{uuid.uuid4()}"
        )

    def send(self, body: dict[str, Any], now: int, number: str) -> int:
        """Post a signed body; the status of the answer, 0 where there was none."""
        data = json.dumps(body).encode()
        try:
            answer = requests.post(
                self.hook_url, data=data, headers=signed(self.secret, number, now, data), timeout=10
            )
        except requests.RequestException:
            return 0
        return answer.status_code


def signed(secret: str, number: str, moment: int, body: bytes) -> dict[str, str]:
    """The headers of the Standard Webhooks specification for a body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{number}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
