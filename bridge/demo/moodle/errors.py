"""The errors a Moodle web service answers with: HTTP 200 and exception, errorcode, message."""

from __future__ import annotations

CAPABILITY_NAMES = {
    "moodle/badges:viewotherbadges": "View public badges in other users' profiles",
    "moodle/cohort:assign": "Add and remove cohort members",
    "moodle/cohort:manage": "Create, delete and move cohorts",
    "moodle/cohort:view": "View site-wide cohorts",
    "moodle/competency:competencygrade": "Set competency rating",
    "moodle/competency:competencyview": "View competency frameworks",
    "moodle/competency:usercompetencyview": "View a user competency",
    "moodle/competency:competencymanage": "Manage competency frameworks",
    "moodle/competency:coursecompetencymanage": "Manage course competencies",
    "moodle/competency:coursecompetencyview": "View course competencies",
    "moodle/course:enrolreview": "Review course enrolments",
    "moodle/course:view": "View courses without participation",
    "moodle/course:viewparticipants": "View participants",
    "report/progress:view": "View activity completion reports",
}


class MoodleError(Exception):
    """An exception of Moodle's, with its class, code and message as a client sees them.

    `module` is where Moodle documents the code ("moodle" unless said otherwise).
    """

    def __init__(
        self, exception: str, errorcode: str, message: str, *, module: str = "moodle"
    ) -> None:
        super().__init__(message)
        self.exception = exception
        self.errorcode = errorcode
        self.message = message
        self.module = module

    def as_answer(self) -> dict[str, str]:
        """What the REST server sends."""
        return {
            "exception": self.exception,
            "errorcode": self.errorcode,
            "message": self.message,
        }


def access_denied() -> MoodleError:
    """One error for many causes: service off, function not in it, address, user, expired token."""
    return MoodleError(
        "webservice_access_exception",
        "accessexception",
        "Access control exception",
        module="webservice",
    )


def invalid_token() -> MoodleError:
    """A token that does not exist (any more)."""
    return MoodleError("moodle_exception", "invalidtoken", "Invalid token - token not found")


def invalid_parameter() -> MoodleError:
    """One text for a missing, a bad and an unexpected parameter."""
    return MoodleError(
        "invalid_parameter_exception",
        "invalidparameter",
        "Invalid parameter value detected",
        module="debug",
    )


def invalid_record(table: str) -> MoodleError:
    """Something that does not exist, named by the table where it was looked for."""
    return MoodleError(
        "dml_missing_record_exception",
        "invalidrecord",
        f"Can't find data record in database table {table}.",
    )


def invalid_user() -> MoodleError:
    """A user that never existed."""
    return MoodleError("dml_missing_record_exception", "invaliduser", "Invalid user")


def deleted_user() -> MoodleError:
    """A user that was deleted."""
    return MoodleError("moodle_exception", "userdeleted", "error/userdeleted")


def missing_capability(capability: str) -> MoodleError:
    """A capability that the service user lacks, where Moodle says so at all."""
    name = CAPABILITY_NAMES.get(capability, capability)
    return MoodleError(
        "required_capability_exception",
        "nopermissions",
        f"Sorry, but you do not currently have permissions to do that ({name}).",
    )


def course_closed() -> MoodleError:
    """A course that the service user may not enter."""
    return MoodleError(
        "require_login_exception", "requireloginerror", "Course or activity not accessible."
    )


def course_context(courseid: int, cause: MoodleError) -> MoodleError:
    """How some functions wrap a course that cannot be entered."""
    return MoodleError(
        "moodle_exception",
        "errorcoursecontextnotvalid",
        f"You cannot execute functions in the course context (course id:{courseid}). "
        f"The context error message was: {cause.message}",
    )


def invalid_persistent(what: str) -> MoodleError:
    """How the competency functions refuse a value."""
    return MoodleError(
        "core\\invalid_persistent_exception", "invalidpersistenterror", f"Error: {what}"
    )


def report_denied() -> MoodleError:
    """A report whose audience the service user is not in, or reports not allowed at all."""
    return MoodleError(
        "core_reportbuilder\\report_access_exception",
        "errorreportview",
        "You cannot view this report",
    )


def database_read() -> MoodleError:
    """A query that the database refused (an empty sort column, for one)."""
    return MoodleError("dml_read_exception", "dmlreadexception", "Error reading from database")


def site_maintenance() -> MoodleError:
    """Maintenance that was switched on in the administration."""
    return MoodleError(
        "moodle_exception",
        "sitemaintenance",
        "The site is undergoing maintenance and is currently not available",
        module="admin",
    )


def upgrade_running() -> MoodleError:
    """An upgrade that is under way."""
    return MoodleError(
        "moodle_exception", "upgraderunning", "Site is being upgraded, please retry later."
    )


def database_down() -> MoodleError:
    """No database: still HTTP 200, with HTML inside the message."""
    return MoodleError(
        "dml_connection_exception",
        "dbconnectionfailed",
        "<p>Error: Database connection failed</p>\r\n<p>It is possible that the database is "
        "overloaded or otherwise not running properly.</p>\r\n<p>The site administrator should "
        "also check that the database details have been correctly specified in config.php</p>",
    )
