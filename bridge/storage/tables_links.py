"""The table of which competencies courses are linked to at their source, as it was last read."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from bridge.storage.tables import metadata, row_id
from bridge.storage.types import UtcDateTime

#: `said` is `edition:code` where the site's own table names the competency, or nothing. A course
#: that was read and has no link keeps one row without a `link_id`, so that it is known to be read.
course_links = Table(
    "course_links",
    metadata,
    row_id(),
    Column("source_key", String(80), nullable=False),
    Column("course", String(200), nullable=False),
    Column("link_id", Integer),
    Column("competency_id", Integer),
    Column("framework", Text, nullable=False),
    Column("idnumber", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("said", String(200), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("source_key", "course", "link_id"),
    Index(None, "source_key", "course"),
)
