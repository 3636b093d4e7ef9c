"""Links of courses to competencies, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bridge.domain.lms_frameworks import CourseLink, KeptLink
from bridge.domain.mapping import CompetencyRef
from bridge.storage import tables_links as tl

_c = tl.course_links.c


class SqlCourseLinks:
    """Implements `bridge.domain.lms_frameworks.CourseLinkRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def replace(
        self, source_key: str, course: str, links: Sequence[tuple[CourseLink, str]], now: datetime
    ) -> None:
        """All that is kept of one course; an empty one keeps a row that says it was read."""
        self._db.execute(
            delete(tl.course_links).where(_c.source_key == source_key, _c.course == course)
        )
        common = {"source_key": source_key, "course": course, "seen_at": now}
        rows = [
            {
                **common,
                "link_id": link.link_id,
                "competency_id": link.competency_id,
                "framework": link.framework,
                "idnumber": link.idnumber,
                "name": link.name,
                "outcome": link.outcome,
                "said": said,
            }
            for link, said in links
        ] or [
            {
                **common,
                "link_id": None,
                "competency_id": None,
                "framework": "",
                "idnumber": "",
                "name": "",
                "outcome": 0,
                "said": "",
            }
        ]
        self._db.execute(insert(tl.course_links), rows)

    def of(self, source_key: str | None = None) -> dict[tuple[str, str], list[KeptLink]]:
        """What is kept, by source and course; a course that was read without links has none."""
        asked = select(tl.course_links).order_by(_c.source_key, _c.course, _c.id)
        if source_key is not None:
            asked = asked.where(_c.source_key == source_key)
        found: dict[tuple[str, str], list[KeptLink]] = {}
        for row in self._db.execute(asked):
            kept = found.setdefault((row.source_key, row.course), [])
            if row.link_id is None:
                continue
            edition, _, code = row.said.rpartition(":")
            link = CourseLink(
                row.course,
                row.link_id,
                row.competency_id,
                row.framework,
                row.idnumber,
                row.name,
                row.outcome,
            )
            kept.append(KeptLink(link, CompetencyRef(edition, code) if code else None, row.seen_at))
        return found
