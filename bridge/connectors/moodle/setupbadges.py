"""Set-up of what stock badges hang on: cohorts, competencies, and the badges themselves."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connectors.moodle import uploads
from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.cohortlist import GET_COHORTS, SEARCH_COHORTS, list_cohorts
from bridge.connectors.moodle.competencies import WRITING, MoodleCompetencies
from bridge.connectors.moodle.reports import RETRIEVE
from bridge.connectors.moodle.roads import COHORTS_PAGE, LIST_FRAMEWORKS
from bridge.connectors.moodle.setupaccess import Access, tried
from bridge.connectors.moodle.setupreports import look_at
from bridge.domain.errors import PeerError
from bridge.domain.lms_frameworks import Wanted, WantedFramework
from bridge.domain.setup import BadgeNeed, Step, StepState

CREATE_COHORTS = "core_cohort_create_cohorts"
_COHORT_UPLOAD_PAGE = "/cohort/upload.php?contextid=1"
FRAMEWORK_UPLOAD_PAGE = "/admin/tool/lpimportcsv/index.php?pagecontextid=1"
_NEW_BADGE_PAGE = "/badges/newbadge.php?type=1"
_BADGES_PAGE = "/badges/index.php?type=1"
_PAGE_SIZE = 1000
Pairs = tuple[tuple[str, str], ...]


class BadgeSetup:
    """The steps for the badges of this year and the next; `files` are what is to be uploaded."""

    def __init__(self, access: Access, files: dict[str, str]) -> None:
        self._access, self._files = access, files

    def steps(self, needs: Sequence[BadgeNeed]) -> list[Step]:
        """Every step, in order."""
        return [
            *self._cohorts([need for need in needs if need.via == "cohort"]),
            *self._competencies([need for need in needs if need.via == "competency"]),
            *self._badges(needs),
        ]

    def _cohorts(self, needs: Sequence[BadgeNeed]) -> list[Step]:
        if not needs:
            return []
        return [tried("cohorts", "The cohorts", lambda: self._cohorts_step(needs))]

    def _cohorts_step(self, needs: Sequence[BadgeNeed]) -> Step:
        wanted = {need.cohort: need.badge for need in needs if need.cohort}
        access, title = self._access, "The cohorts"
        looking = access.reader(SEARCH_COHORTS) or access.reader(GET_COHORTS)
        missing = dict(wanted)
        if looking is not None:
            there = {str(one["idnumber"]) for one in list_cohorts(looking)}
            missing = {key: badge for key, badge in wanted.items() if key not in there}
        if not missing:
            return Step("cohorts", title, StepState.DONE, f"{', '.join(wanted)} are there.")
        editor = self._access.editor(CREATE_COHORTS)
        if looking is not None and editor is not None:
            fields = [
                {
                    "categorytype": {"type": "system", "value": ""},
                    "name": f"{badge}: holders",
                    "idnumber": idnumber,
                    "description": "Kept by Competency Bridge.",
                }
                for idnumber, badge in missing.items()
            ]
            editor.call(CREATE_COHORTS, {"cohorts": fields}, once=True)
            return Step("cohorts", title, StepState.MADE, f"{', '.join(missing)} were made.")
        self._files[uploads.COHORTS_FILE] = uploads.cohorts_csv(missing.items())
        state = StepState.UNSEEN if looking is None else StepState.OPEN
        return Step(
            "cohorts", title, state, f"To be made: {', '.join(missing)}.",
            self._access.page(_COHORT_UPLOAD_PAGE),
            (("File", f"{uploads.COHORTS_FILE}; Preview; Upload cohorts"),
             (f"Or one by one at {self._access.page(COHORTS_PAGE)}", "by these ID numbers")),
            file=uploads.COHORTS_FILE,
        )  # fmt: skip

    def _competencies(self, needs: Sequence[BadgeNeed]) -> list[Step]:
        frameworks = sorted({need.framework for need in needs if need.framework})
        return [
            tried(
                f"competencies {name}",
                f"The competencies of '{name}'",
                lambda name=name: self._framework_step(  # type: ignore[misc]
                    name, [need for need in needs if need.framework == name]
                ),
            )
            for name in frameworks
        ]

    def _framework_step(self, name: str, needs: Sequence[BadgeNeed]) -> Step:
        """The framework that badges of `via: competency` name, and their competencies."""
        items = tuple(
            Wanted(need.competency, need.badge[:100], f"<p>The criterion of {need.badge}.</p>")
            for need in needs
        )
        wanted = WantedFramework(
            name, f"Badges of Competency Bridge ({name})"[:100], "<p>Criteria of badges.</p>",
            "competency,competency,competency,competency", items,
        )  # fmt: skip
        key, title = f"competencies {name}", f"The competencies of '{name}'"
        looking = self._access.reader(LIST_FRAMEWORKS)
        missing, has = list(items), None
        if looking is not None:
            peer = MoodleCompetencies(looking)
            has = next((one for one in peer.frameworks() if one.idnumber == name), None)
            there = {one.idnumber for one in peer.competencies(has.id)} if has else set()
            missing = [item for item in items if item.idnumber not in there]
        if has is not None and not missing:
            return Step(key, title, StepState.DONE, f"{len(items)} are there.")
        names = ", ".join(item.idnumber for item in missing)
        editor = self._access.editor(*WRITING)
        if looking is not None and editor is not None:
            peer = MoodleCompetencies(editor)
            made = has or peer.create_framework(wanted)
            for item in missing:
                peer.create_competency(made.id, item, 0)
            return Step(key, title, StepState.MADE, f"Made: {names}.")
        state = StepState.UNSEEN if looking is None else StepState.OPEN
        if has is not None:
            page = f"/admin/tool/lp/competencies.php?competencyframeworkid={has.id}&pagecontextid=1"
            pairs: Pairs = tuple(("Add competency, ID number", item.idnumber) for item in missing)
            return Step(key, title, state, f"To be made: {names}.", self._access.page(page), pairs)
        file = f"competency-bridge-framework-{_slug(name)}.csv"
        self._files[file] = uploads.framework_csv(wanted)
        return Step(
            key, title, state, f"To be made: the framework with {names}.",
            self._access.page(FRAMEWORK_UPLOAD_PAGE),
            (("File", f"{file}; Import; Confirm"),), file=file,
        )  # fmt: skip

    def _badges(self, needs: Sequence[BadgeNeed]) -> list[Step]:
        """One step a badge: no function of stock Moodle makes or lists badges, but the report on
        badges also shows those that nobody holds yet."""
        if not needs:
            return []
        seen = self._seen_badges()
        steps = []
        for need in needs:
            if seen is not None and need.badge in seen:
                steps.append(
                    Step("badge", f"The badge '{need.badge}'", StepState.DONE, "It is there.")
                )
                continue
            criterion: Pairs = (
                ("Add badge criteria", "Cohort membership"),
                (
                    "Add cohort",
                    f"{need.badge}: holders (that with the ID number {need.cohort}); Save",
                ),
            )
            if need.via == "competency":
                criterion = (
                    ("Add badge criteria", "Competencies"),
                    ("Add competency", f"{need.competency} of {need.framework}; Save"),
                )
            steps.append(
                Step(
                    "badge",
                    f"The badge '{need.badge}'",
                    StepState.UNSEEN if seen is None else StepState.OPEN,
                    "Stock Moodle has no function that makes a badge.",
                    self._access.page(_NEW_BADGE_PAGE),
                    (
                        ("Name", need.badge),
                        ("Description", need.description or need.badge),
                        ("Image", "a square picture; Create badge"),
                        *criterion,
                        (f"Then at {self._access.page(_BADGES_PAGE)}", "Enable access to it"),
                    ),
                )
            )
        return steps

    def _seen_badges(self) -> set[str] | None:
        """Names of the badges that the badges report shows; None where it cannot be read."""
        name = self._access.settings.badges_report
        looking = self._access.service or self._access.admin
        if name is None or looking is None:
            return None
        try:
            seen = look_at(looking, name)
            if seen is None or seen.headings is None or "Name" not in seen.headings:
                return None
            return _first_column(looking, seen.id, seen.headings.index("Name"))
        except PeerError:
            return None


def _first_column(client: MoodleClient, report: int, column: int) -> set[str]:
    """Every value of one column, whole pages at a time."""
    found: set[str] = set()
    page = 0
    while True:
        told = client.call(RETRIEVE, {"reportid": report, "page": page, "perpage": _PAGE_SIZE})
        rows = told["data"]["rows"]
        found |= {str(row["columns"][column]) for row in rows}
        page += 1
        if not rows or page * _PAGE_SIZE >= int(told["data"]["totalrowcount"]):
            return found


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").lower() or "badges"
