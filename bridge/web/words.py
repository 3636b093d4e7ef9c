"""How things read on a page: dates as a London wall shows them, counts with their nouns."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from bridge.domain.times import LONDON, london_date

if TYPE_CHECKING:
    from flask import Flask


def day(at: date | datetime | None) -> str:
    """A date as people write it: "14 March 2026"."""
    if at is None:
        return "no date"
    on = london_date(at) if isinstance(at, datetime) else at
    return f"{on.day} {on:%B %Y}"


def short_day(at: date | datetime | None) -> str:
    """A date for tables: "14 Mar 2026"."""
    if at is None:
        return ""
    on = london_date(at) if isinstance(at, datetime) else at
    return f"{on.day} {on:%b %Y}"


def moment(at: datetime | None) -> str:
    """An instant as a London clock shows it."""
    if at is None:
        return "never"
    local = at.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def clock_time(at: datetime) -> str:
    """The time of day on a London clock ("14:02")."""
    return f"{at.astimezone(LONDON):%H:%M}"


def iso(at: datetime | date) -> str:
    """An instant or a date for machines."""
    return at.isoformat(timespec="seconds") if isinstance(at, datetime) else at.isoformat()


def time_tag(at: datetime | None) -> Markup:
    """An instant, for people and machines alike."""
    if at is None:
        return Markup("never")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), moment(at))


def span(length: timedelta) -> str:
    """A length of time in its largest whole unit ("3 hours")."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return plural(seconds // size, unit)
    return "less than a minute"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """A count with its noun: "1 draft", "2 drafts", "1,204 people"."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def listed(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Words as a sentence lists them: "a, b and c"."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def paragraphs(text: str) -> Markup:
    """What somebody wrote, escaped, with its line breaks."""
    parts = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(
            Markup("<br>").join(escape(line) for line in part.strip().split("\n"))
        )
        for part in parts
    )


def initial(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def add_words(app: Flask) -> None:
    """Make these filters known to the templates."""
    app.jinja_env.filters |= {
        "day": day, "short_day": short_day, "moment": moment, "clock_time": clock_time, "iso": iso,
        "span": span, "plural": plural, "listed": listed, "paragraphs": paragraphs,
        "time_tag": time_tag, "initial": initial,
    }  # fmt: skip
