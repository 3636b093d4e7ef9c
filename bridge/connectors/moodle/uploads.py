"""Files to upload in place of typing: the role, the service user, cohorts, competencies.

Each is in the format of Moodle's own import page for it.
"""

from __future__ import annotations

import csv
import io
import secrets
import string
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from bridge.connectors.moodle.competencies import scale_configuration
from bridge.domain.lms_frameworks import WantedFramework

ROLE_FILE, USER_FILE = "competency-bridge-role.xml", "competency-bridge-user.csv"
COHORTS_FILE = "competency-bridge-cohorts.csv"
ROLE_NAME = "Competency Bridge"
ROLE_DESCRIPTION = "The service user of Competency Bridge: the least that its roads need."
#: The headings of Moodle's competency import, in English.
_FRAMEWORK_HEADINGS = (
    "Parent ID number",
    "ID number",
    "Short name",
    "Description",
    "Description format",
    "Scale values",
    "Scale configuration",
    "Rule type (optional)",
    "Rule outcome (optional)",
    "Rule config (optional)",
    "Cross-referenced competency ID numbers",
    "Exported ID (optional)",
    "Is framework",
    "Taxonomy",
)
_SCALE_WORDS = "Not yet competent,Competent"


def role_xml(shortname: str, capabilities: Sequence[str]) -> str:
    """A role preset as *Define roles > Add a new role* takes it: for the system context, and
    everything else left unset. Elements stand in the order of Moodle's own schema."""
    role = ET.Element("role")
    for name, text in (
        ("shortname", shortname),
        ("name", ROLE_NAME),
        ("description", ROLE_DESCRIPTION),
        ("archetype", ""),
    ):
        ET.SubElement(role, name).text = text
    ET.SubElement(ET.SubElement(role, "contextlevels"), "level").text = "system"
    for name in ("allowassign", "allowoverride", "allowswitch", "allowview"):
        ET.SubElement(role, name)
    permissions = ET.SubElement(role, "permissions")
    for capability in capabilities:
        ET.SubElement(permissions, "allow").text = capability
    ET.indent(role)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(role, encoding="unicode")}\n'


def user_csv(username: str, role: str) -> str:
    """The service user for *Upload users*: UTC, English, and the role in the system context.

    Its password is random and for nobody: a user without one would be told to change it.
    """
    columns = {
        "username": username,
        "firstname": "Competency Bridge",
        "lastname": "Service",
        "email": service_address(username),
        "password": nobodys_password(),
        "lang": "en",
        "timezone": "UTC",
        "sysrole1": role,
    }
    return _csv(list(columns), [list(columns.values())])


def service_address(username: str) -> str:
    """An address that nobody reads, in a domain that no mail is ever sent to."""
    return f"{username}@competency-bridge.invalid"


def nobodys_password() -> str:
    """A password that meets any policy and that is written down nowhere else."""
    some = string.ascii_letters + string.digits
    return "".join(secrets.choice(some) for _ in range(40)) + "aA1-."


def cohorts_csv(idnumbers: Iterable[tuple[str, str]]) -> str:
    """Cohorts (ID number, badge) for *Cohorts > Upload cohorts*."""
    rows = [[f"{badge}: holders", idnumber, _COHORT_WORDS] for idnumber, badge in idnumbers]
    return _csv(["name", "idnumber", "description"], rows)


_COHORT_WORDS = "Kept by Competency Bridge: membership is the criterion of a badge."


def framework_csv(wanted: WantedFramework) -> str:
    """A competency framework for *Import competency framework*."""
    scale = scale_configuration(0, (1, 2))
    taxonomies = wanted.taxonomies
    rows = [
        ["", wanted.idnumber, wanted.name, wanted.description, "1", _SCALE_WORDS, scale,
         "", "", "", "", "", "1", taxonomies],
    ]  # fmt: skip
    for item in wanted.items:
        rows.append(
            [item.parent or "", item.idnumber, item.name, item.description, "1", "", "", "", "0",
             "", "", "", "", ""]
        )  # fmt: skip
    return _csv(list(_FRAMEWORK_HEADINGS), rows)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return out.getvalue()
