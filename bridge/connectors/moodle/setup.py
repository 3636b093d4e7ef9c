"""Walks through the set-up of one Moodle: does what a token allows, tells the pages for the rest.

Every step is found again by name or ID number, so the walk can be repeated at any time. An
administrator's token is held by the client that it is given, for as long as that lives.
"""

from __future__ import annotations

from bridge.connectors.moodle import uploads
from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.cohortlist import SEARCH_COHORTS, looking_up
from bridge.connectors.moodle.needs import (
    FUNCTIONS,
    PLUGIN_STATUS,
    SITE_INFO,
    capabilities_for,
    functions_for,
    roads_of,
)
from bridge.connectors.moodle.refusals import SERVICES_PAGE, TOKENS_PAGE
from bridge.connectors.moodle.reports import LIST, RETRIEVE
from bridge.connectors.moodle.settings import MoodleSettings
from bridge.connectors.moodle.setupaccess import Access, tried
from bridge.connectors.moodle.setupbadges import BadgeSetup
from bridge.connectors.moodle.setupreports import (
    BADGES,
    COMPLETIONS,
    EDITING,
    ReportSetup,
    ReportShape,
)
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.setup import PLUGIN_SERVICE, SetupWishes, Step, StepState, WayIn

ASSIGN_ROLES = "core_role_assign_roles"
FIND_USERS, CREATE_USERS = "core_user_get_users_by_field", "core_user_create_users"
UPDATE_USERS = "core_user_update_users"
#: Never a real token (Moodle's are 32 hexadecimal digits): it only shows whether anybody listens.
NO_TOKEN = "none"  # noqa: S105

_PLUGIN_PAGE = "/admin/tool/installaddon/index.php"
_ADVANCED_PAGE = "/admin/search.php?query=enablewebservices"
_PROTOCOLS_PAGE = "/admin/settings.php?section=webserviceprotocols"
_ROLE_PAGE = "/admin/roles/define.php?action=add"
_ASSIGN_PAGE = "/admin/roles/assign.php?contextid=1"
_USERS_PAGE = "/admin/tool/uploaduser/index.php"
_NEW_SERVICE_PAGE = "/admin/webservice/service.php?id=0"


_BY_PLUGIN = Step(
    "badges by the plugin",
    "Badges by the plugin",
    StepState.OPEN,
    "The plugin makes, awards, renews and revokes badges itself. With this change nothing of what "
    "follows is needed.",
    values=(
        ("In mappings/badges.yaml, at each target", "via: plugin, without the other settings"),
    ),
    optional=True,
)


class SetupWalk:
    """One walk, with what is at hand; `files` are what is to be uploaded, once it was walked."""

    def __init__(self, access: Access, wishes: SetupWishes) -> None:
        self._access, self._wishes = access, wishes
        self.files: dict[str, str] = {}

    def walk(self) -> list[Step]:
        """Every step in order. What can be done by web service is done on the way."""
        wishes, access = self._wishes, self._access
        steps = [*self._plugin_step(), self._web_services()]
        steps += [self._role(), self._user(), self._service_step(), self._token()]
        if wishes.way_in is WayIn.REPORT:
            steps.append(self._report(COMPLETIONS, access.settings.report))
        stock = [need for need in wishes.badges if need.via != "plugin"]
        if stock and (wishes.way_in is WayIn.PLUGIN or access.plugin):
            steps.append(_BY_PLUGIN)
        if stock and access.settings.badges_report is not None:
            steps.append(self._report(BADGES, access.settings.badges_report))
        return steps + BadgeSetup(access, self.files).steps(stock)

    def _page(self, path: str) -> str:
        return self._access.page(path)

    def _plugin_step(self) -> list[Step]:
        if self._access.plugin:
            offered = self._access.offered
            service = offered and PLUGIN_STATUS not in offered
            says = "The plugin is installed" + (
                ", and not in the service of this token." if service else "."
            )
            return [Step("plugin", "The plugin", StepState.DONE, says, optional=True)]
        wanted = self._wishes.way_in is WayIn.PLUGIN
        return [
            Step(
                "plugin",
                "The plugin",
                StepState.OPEN,
                f"With it most of what follows falls away: its service '{PLUGIN_SERVICE}' is "
                "ready-made, and no report, cohort, competency or badge is made by hand.",
                self._page(_PLUGIN_PAGE),
                (
                    ("First, here", "bridge moodle plugin --zip"),
                    ("ZIP package", "the file that it made; Install plugin from the ZIP file"),
                ),
                optional=not wanted,
            )
        ]

    def _web_services(self) -> Step:
        title = "Web services"
        if self._access.service is not None or self._access.admin is not None:
            return Step("web services", title, StepState.DONE, "They answer by REST.")
        try:
            MoodleClient(_with_token(self._access.settings, NO_TOKEN)).call(SITE_INFO)
        except NeedsAdministrator as error:
            if error.detail == "invalidtoken":
                return Step("web services", title, StepState.DONE, "They answer by REST.")
            if "switched off" in str(error):
                return Step(
                    "web services", title, StepState.OPEN, "They are switched off.",
                    self._page(_ADVANCED_PAGE),
                    (
                        ("Enable web services", "yes; Save changes"),
                        (f"Then at {self._page(_PROTOCOLS_PAGE)}", "REST protocol: enable"),
                    ),
                )  # fmt: skip
            return Step(
                "web services", title, StepState.OPEN, str(error), self._access.settings.base
            )
        except PeerError as error:
            return Step(
                "web services", title, StepState.OPEN, str(error), self._access.settings.base
            )
        return Step("web services", title, StepState.DONE, "They answer by REST.")

    def _role(self) -> Step:
        """No web service tells of roles: with the service user's token its rights are tried."""
        wanted = capabilities_for(roads_of(self._wishes))
        title = "The role"
        if self._access.service is not None:
            return Step(
                "role", title, StepState.DONE,
                "The service user may speak to Moodle; what else it may is tried at the end.",
            )  # fmt: skip
        self.files[uploads.ROLE_FILE] = uploads.role_xml(self._wishes.role, wanted)
        return Step(
            "role",
            title,
            StepState.UNSEEN,
            f"It allows {len(wanted)} things and no more: {', '.join(wanted)}.",
            self._page(_ROLE_PAGE),
            (
                ("Use role preset", f"{uploads.ROLE_FILE}; Continue"),
                ("On the page after", "Create this role"),
            ),
            file=uploads.ROLE_FILE,
        )

    def _user(self) -> Step:
        """The account: UTC and English, and the role in the system context."""
        name, title = self._wishes.username, "The service user"
        info = self._access.service_info
        if info is not None:
            return Step(
                "user", title, StepState.DONE, f"The token belongs to {info.get('username')}."
            )
        editor = self._access.editor(FIND_USERS, CREATE_USERS)
        if editor is not None:
            return tried("user", title, lambda: self._made_user(editor, name, title))
        self.files[uploads.USER_FILE] = uploads.user_csv(name, self._wishes.role)
        return Step(
            "user",
            title,
            StepState.UNSEEN,
            "The file makes it with the time zone UTC, English, a password that nobody knows, and "
            "the role in the system context. Delete the file afterwards.",
            self._page(_USERS_PAGE),
            (
                ("File", f"{uploads.USER_FILE}; Upload users"),
                ("On the page after", "Upload users, with everything as it is"),
            ),
            file=uploads.USER_FILE,
        )

    def _made_user(self, admin: MoodleClient, name: str, title: str) -> Step:
        found = admin.call(FIND_USERS, {"field": "username", "values": [name]})
        says = f"{name} is there."
        if not found:
            fields = {
                "username": name,
                "password": uploads.nobodys_password(),
                "firstname": "Competency Bridge",
                "lastname": "Service",
                "email": uploads.service_address(name),
                "lang": "en",
                "timezone": "UTC",
            }
            found = admin.call(CREATE_USERS, {"users": [fields]}, once=True)
            says = f"{name} was made, with UTC and English."
        elif (found[0].get("timezone"), found[0].get("lang")) != ("UTC", "en"):
            if self._access.may(UPDATE_USERS):
                change = {"id": found[0]["id"], "timezone": "UTC", "lang": "en"}
                admin.call(UPDATE_USERS, {"users": [change]})
                says = f"{name} was set to UTC and English."
            else:
                says = f"{name} is there. Set its time zone to UTC and its language to English."
        role, assigner = self._wishes.role_id, self._access.editor(ASSIGN_ROLES)
        if role is not None and assigner is not None:
            place = {"roleid": role, "userid": found[0]["id"], "contextid": 1}
            assigner.call(ASSIGN_ROLES, {"assignments": [place]})
            return Step("user", title, StepState.MADE, f"{says} It has the role {role} now.")
        return Step(
            "user",
            title,
            StepState.UNSEEN,
            f"{says} Whether it has the role, no web service tells.",
            self._page(_ASSIGN_PAGE),
            ((f"{uploads.ROLE_NAME}, Potential users", f"{name}; Add"),),
        )

    def _service_step(self) -> Step:
        """The external service with exactly the functions of the roads."""
        wanted, title = functions_for(roads_of(self._wishes)), "The web service"
        if self._access.service is not None:
            offered = self._access.offered
            missing = [name for name in wanted if name not in offered]
            if looking_up(offered) != SEARCH_COHORTS:
                missing = [name for name in missing if name != SEARCH_COHORTS]
            if not missing:
                return Step("service", title, StepState.DONE, "It has every function needed.")
            only_links = set(missing) <= set(FUNCTIONS["links"])
            says = f"Not in it: {len(missing)} of the functions that the chosen roads call."
            if only_links:
                says = "Not in it: what reads which competencies courses are linked to."
            return Step(
                "service", title, StepState.OPEN, says,
                self._page(SERVICES_PAGE),
                (("The service's Functions, Add functions", ", ".join(missing)),),
                optional=only_links,
            )  # fmt: skip
        users = ("The service's Authorised users, add", self._wishes.username)
        if self._wishes.way_in is WayIn.PLUGIN:
            return Step(
                "service", title, StepState.UNSEEN, "The plugin's own service is ready-made.",
                self._page(SERVICES_PAGE), (users,),
            )  # fmt: skip
        return Step(
            "service",
            title,
            StepState.UNSEEN,
            f"A service for authorised users only, with {len(wanted)} functions.",
            self._page(_NEW_SERVICE_PAGE),
            (
                ("Name", self._wishes.service),
                ("Enabled, Authorised users only", "yes, both; Add service"),
                ("Add functions", ", ".join(wanted)),
                (f"Then at {self._page(SERVICES_PAGE)}", "Authorised users of the service"),
                users,
            ),
        )

    def _token(self) -> Step:
        title = "The token"
        if self._access.service is not None:
            return Step("token", title, StepState.DONE, "It is known, and works.")
        trouble = self._access.service_trouble
        says = str(trouble) if trouble else "There is none yet."
        return Step(
            "token",
            title,
            StepState.OPEN,
            says,
            self._page(f"{TOKENS_PAGE}?action=create"),
            (
                ("User", self._wishes.username),
                ("Service", self._wishes.service),
                ("Valid until", "not enabled, or the day when you will make a new one"),
                ("Put the token into", self._wishes.token_variable),
            ),
        )

    def _report(self, shape: ReportShape, name: int | str | None) -> Step:
        access = self._access
        called = name if name is not None else shape.default_name
        setup = ReportSetup(
            shape,
            called,
            admin=access.editor(LIST, RETRIEVE, *EDITING),
            service=access.service if LIST in access.offered else None,
            page=access.page,
        )
        return tried(shape.key, f"The report '{called}'", lambda: setup.step(self._wishes.username))


def _with_token(settings: MoodleSettings, token: str) -> MoodleSettings:
    return MoodleSettings(
        key=settings.key,
        url=settings.url,
        token=token,
        timeout=settings.timeout,
        verify=settings.verify,
        proxy=settings.proxy,
    )
