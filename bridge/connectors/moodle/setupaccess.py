"""What the walk of set-up has at hand in one Moodle: its tokens, and what each may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.needs import SITE_INFO, function_names, offers_plugin
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.domain.errors import PeerError
from bridge.domain.setup import Step, StepState


class Access:
    """Clients of the service user's and of an administrator's token, where there are any."""

    def __init__(
        self,
        settings: MoodleSettings,
        service: MoodleClient | None,
        admin: MoodleClient | None,
    ) -> None:
        self.settings = settings
        self._service, self._admin = service, admin
        self.service_info: Mapping[str, Any] | None = None
        self.admin_info: Mapping[str, Any] | None = None
        self.service_trouble: PeerError | None = None
        self.admin_trouble: PeerError | None = None

    def look(self) -> None:
        """See what the tokens are good for. Never raises for what a token lacks."""
        self.service_info, self.service_trouble = _info(self._service)
        self.admin_info, self.admin_trouble = _info(self._admin)

    def page(self, path: str) -> str:
        """The full address of one of the site's pages."""
        return self.settings.page(path)

    @property
    def service(self) -> MoodleClient | None:
        """The service user's client, where its token works."""
        return self._service if self.service_info is not None else None

    @property
    def admin(self) -> MoodleClient | None:
        """The administrator's client, where its token works."""
        return self._admin if self.admin_info is not None else None

    @property
    def offered(self) -> frozenset[str]:
        """The functions that the service user's token may call."""
        return _functions(self.service_info)

    @property
    def plugin(self) -> bool:
        """Whether the plugin is seen to be there."""
        return offers_plugin(self.offered) or offers_plugin(_functions(self.admin_info))

    def may(self, *functions: str) -> bool:
        """Whether the administrator's token may call all of these."""
        return _functions(self.admin_info).issuperset(functions)

    def editor(self, *functions: str) -> MoodleClient | None:
        """The administrator's client, where it may call all of these."""
        return self.admin if self.may(*functions) else None

    def reader(self, function: str) -> MoodleClient | None:
        """Whoever may call this: the administrator first, who sees more."""
        if self.may(function):
            return self.admin
        return self.service if function in self.offered else None


def tried(key: str, title: str, step: Callable[[], Step]) -> Step:
    """A step, or the error that it ended in: the others go on."""
    try:
        return step()
    except PeerError as error:
        return Step(key, title, StepState.OPEN, str(error))


def _info(client: MoodleClient | None) -> tuple[Mapping[str, Any] | None, PeerError | None]:
    if client is None:
        return None, None
    try:
        answer = client.call(SITE_INFO)
    except PeerError as error:
        return None, error
    if not isinstance(answer, dict) or not isinstance(answer.get("userid"), int):
        return None, client.unreadable(SITE_INFO)
    return answer, None


def _functions(info: Mapping[str, Any] | None) -> frozenset[str]:
    return function_names(info or {})
