"""The demo's Moodle launches the demo's bridge: registered with it, with a link in every course."""

from __future__ import annotations

from bridge.bootstrap import Bridge
from bridge.bootstrap_doors import lti_tool, tool_pages
from bridge.demo.moodle import StandInMoodle
from bridge.domain.lti import Opens
from bridge.services import platforms


def connect(bridge: Bridge, moodle: StandInMoodle, source: str, address: str) -> None:
    """Register by hand, on both sides. `address` is where the bridge's pages are."""
    pages = tool_pages(bridge, address)
    with moodle.lock:
        tool = moodle.lti.add_tool(
            pages.title, pages.launch, pages.login, [pages.launch], pages.jwks
        )
        for course in moodle.site.courses.values():
            title = "My evidence from this course"
            moodle.lti.add_link(course.id, tool.id, title, {"open": Opens.COURSE})
    new = lti_tool(bridge, pages.base_url).by_hand(source, tool.clientid, [str(tool.id)])
    platforms.register_by_hand(bridge.context, new)


def course_page(bridge: Bridge, moodle: StandInMoodle, person: int) -> str | None:
    """A page of the stand-in on which that person can open the bridge from a course they did."""
    with bridge.context.store.reading() as uow:
        accounts = uow.people.accounts_of(person)
    for account in accounts:
        done = sorted(
            (one.timecompleted or 0, one.courseid)
            for one in moodle.site.completions.values()
            if str(one.userid) == account
        )
        if done:
            return f"{moodle.base_url}/login/as.php?user={account}&course={done[-1][1]}"
    return None
