"""How Moodle writes dates and headings, in English and in French.

The formats are `strftimedaydatetime` of the language packs. The French headings follow the
sense of the French pack; take them as an example of another language, not as its wording.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_MONTHS = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
}
_FRENCH = {
    "ID number": "Numéro d'identification",
    "Email address": "Adresse de courriel",
    "Username": "Nom d'utilisateur",
    "Full name": "Nom complet",
    "Full name with link": "Nom complet avec lien",
    "Suspended": "Suspendu",
    "Course ID number": "N° d'identification du cours",
    "Course short name": "Nom abrégé du cours",
    "Course full name": "Nom complet du cours",
    "Course full name with link": "Nom complet du cours avec lien",
    "Category name": "Nom de catégorie",
    "Completed": "Terminé",
    "Time completed": "Date d'achèvement",
    "Grade": "Note",
    "Status": "Statut",
    "Name": "Nom",
    "Name with link": "Nom avec lien",
    "Date issued": "Date d'obtention",
    "Expiry date": "Date d'échéance",
    "Visible": "Visible",
    "Yes": "Oui",
    "No": "Non",
    "Active": "Actif",
    "Not current": "Non actuel",
}


def word(text: str, lang: str) -> str:
    """A heading or a short word in the language; English where no other is known."""
    return _FRENCH.get(text, text) if lang == "fr" else text


def userdate(moment: int | None, *, lang: str, timezone: str) -> str:
    """A date as the user sees it, to the minute; empty for none or zero.

    `moment` is Unix seconds; `timezone` an IANA name.
    """
    if not moment:
        return ""
    local = datetime.fromtimestamp(moment, ZoneInfo(timezone))
    day, month = _DAYS[lang][local.weekday()], _MONTHS[lang][local.month - 1]
    if lang == "fr":
        return f"{day} {local.day} {month} {local.year}, {local:%H:%M}"
    half = "AM" if local.hour < 12 else "PM"
    return f"{day}, {local.day} {month} {local.year}, {local.hour % 12 or 12}:{local:%M} {half}"
