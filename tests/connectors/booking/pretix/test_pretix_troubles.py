"""What goes wrong with a pretix, and what corrections look like: on a stand-in, by a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.connectors.booking.pretix import PretixSettings
from bridge.demo.booking import Fault
from bridge.demo.booking.state import Booker
from bridge.domain.errors import BadAnswer, Damaged, NeedsAdministrator, PeerError, TryLater
from bridge.domain.records import LearningFact, Page, Status, Unreadable
from tests.connectors.booking.pretix.conftest import TOKEN, Trouble

ANA, BEN = Booker("Ana Reid", "ana@n.example"), Booker("Ben Cole", "ben@n.example")


def told(trouble: Trouble, since: timedelta | None = None, **changes: object) -> dict[str, Status]:
    """What a pull says of everybody by name; `since` is how long ago."""
    found = {}
    moment = None if since is None else trouble.clock.moment - since
    for page in trouble.source(**changes).pull(moment):
        for item in page.items:
            assert isinstance(item.fact, LearningFact), item
            found[str(item.fact.account.display_name)] = item.fact.status
    return found


def course(trouble: Trouble, *, days_ago: float = 3) -> str:
    """A day's course that began then."""
    start = trouble.clock.moment - timedelta(days=days_ago, hours=3)
    trouble.shop.add_event("s47", "Section 47", start, start + timedelta(hours=6))
    return "s47"


def test_a_check_in_taken_back_is_seen_though_its_order_is_not_touched(trouble: Trouble) -> None:
    slug = course(trouble)
    order = trouble.shop.book(slug, ANA, BEN)
    for number in (1, 2):
        trouble.shop.scan(order, number, trouble.shop.events[slug].date_from)
    assert told(trouble) == {"Ana Reid": Status.ATTENDED, "Ben Cole": Status.ATTENDED}
    trouble.clock.moment += timedelta(days=2)
    trouble.shop.take_back(order, 2)
    assert order.modified < trouble.clock.moment - timedelta(days=1)
    recent = told(trouble, timedelta(days=6), no_show=True)
    assert recent == {"Ana Reid": Status.ATTENDED, "Ben Cole": Status.MISSED}
    # So long afterwards only the nightly pull of everything would see it.
    assert told(trouble, timedelta(hours=1)) == {}


def test_nobody_has_attended_before_it_is_over(trouble: Trouble) -> None:
    slug = course(trouble, days_ago=0)
    order = trouble.shop.book(slug, ANA)
    trouble.shop.scan(order, 1, trouble.shop.events[slug].date_from)
    assert told(trouble) == {"Ana Reid": Status.BOOKED}
    trouble.clock.moment += timedelta(hours=4)
    assert told(trouble, timedelta(hours=1)) == {"Ana Reid": Status.ATTENDED}


def test_an_event_without_an_end_is_over_with_its_day(trouble: Trouble) -> None:
    trouble.shop.add_event("eve", "Evening", trouble.clock.moment - timedelta(hours=1), None)
    trouble.shop.book("eve", ANA)
    assert told(trouble) == {"Ana Reid": Status.BOOKED}
    trouble.clock.moment += timedelta(days=1)
    assert told(trouble, timedelta(hours=2)) == {"Ana Reid": Status.UNKNOWN}


def test_a_place_moved_to_another_date_is_the_same_place(trouble: Trouble) -> None:
    start = trouble.clock.moment - timedelta(days=3)
    trouble.shop.add_event("dsl", "DSL", start, None, series=True)
    first, second = (
        trouble.shop.add_session("dsl", "DSL", start + timedelta(days=n), None) for n in (0, 9)
    )
    order = trouble.shop.book("dsl", Booker("Ana Reid", "ana@n.example", first))
    (key,) = (item.natural_key for page in trouble.source().pull(None) for item in page.items)
    order.positions[0].session = second
    (item,) = (item for page in trouble.source().pull(None) for item in page.items)
    assert item.natural_key == key
    assert isinstance(item.fact, LearningFact)
    assert item.fact.status is Status.BOOKED


def test_orders_in_test_mode_are_nobodys(trouble: Trouble) -> None:
    trouble.shop.book(course(trouble), ANA, testmode=True)
    assert told(trouble) == {}


def test_staff_number_and_id_number_come_from_where_settings_say(trouble: Trouble) -> None:
    start = trouble.clock.moment + timedelta(days=3)
    trouble.shop.add_event("s47", "Section 47", start, None, code="LSCP-S47")
    trouble.shop.book("s47", Booker("Ana Reid", "", answers=(("payroll", " 0042 "),)))
    source = trouble.source(staff_number_question="payroll", idnumber_property="code")
    (fact,) = (item.fact for page in source.pull(None) for item in page.items)
    assert isinstance(fact, LearningFact)
    assert (fact.account.staff_number, fact.activity.idnumber) == ("0042", "LSCP-S47")


def test_a_name_alone_is_another_account_in_every_order(trouble: Trouble) -> None:
    slug = course(trouble)
    for _ in range(2):
        trouble.shop.book(slug, Booker("Ana Reid"), BEN)
    facts = [item.fact for page in trouble.source().pull(None) for item in page.items]
    values = [f.account.value for f in facts if isinstance(f, LearningFact)]
    assert len(set(values)) == 3


def test_a_place_that_names_nobody_is_held_with_its_reason(trouble: Trouble) -> None:
    trouble.shop.book(course(trouble), Booker(), Booker())
    facts = [item.fact for page in trouble.source().pull(None) for item in page.items]
    assert [type(fact) for fact in facts] == [Unreadable, Unreadable]
    assert "names no attendee" in str(facts[0])


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.TOO_MANY_REQUESTS, TryLater, "too many requests"),
        (Fault.MAINTENANCE, TryLater, "maintenance"),
        (Fault.HTML_PAGE, BadAnswer, "web page"),
        (Fault.CUT_CONNECTION, TryLater, "cut"),
        (Fault.TRUNCATED_BODY, BadAnswer, "cut short"),
        (Fault.MOVED, NeedsAdministrator, "elsewhere.example"),
        (Fault.NEXT_ELSEWHERE, BadAnswer, "elsewhere.example"),
        (Fault.NO_ORDERS, NeedsAdministrator, "permission"),
        (Fault.SHRINKING, TryLater, "deleted"),
        (Fault.ODD_SHAPE, BadAnswer, "checkins"),
    ],
)
def test_troubles_are_told_apart_and_nothing_is_concluded(
    trouble: Trouble, fault: Fault, error: type[PeerError], words: str
) -> None:
    slug = course(trouble)
    for _ in range(3):
        trouble.shop.book(slug, ANA)
    trouble.pretix.faults.add(fault)
    pages: list[Page] = []
    with pytest.raises(error, match=words) as caught:
        pages.extend(trouble.source(page_size=2).pull(None))
    assert not any(page.last for page in pages)
    assert TOKEN not in str(caught.value)
    if fault is Fault.TOO_MANY_REQUESTS:
        assert isinstance(caught.value, TryLater)
        assert caught.value.retry_after == 7


def test_a_second_try_after_a_cut_line_gets_it_all(trouble: Trouble) -> None:
    trouble.shop.book(course(trouble), ANA)
    trouble.pretix.faults.add(Fault.CUT_CONNECTION, times=1)
    with pytest.raises(TryLater):
        told(trouble)
    assert told(trouble) == {"Ana Reid": Status.UNKNOWN}


def test_the_token_travels_in_a_header_alone(trouble: Trouble) -> None:
    trouble.shop.book(course(trouble), ANA)
    told(trouble)
    assert trouble.pretix.requests
    assert not any(TOKEN in asked for asked in trouble.pretix.requests)
    assert TOKEN not in repr(trouble.source().settings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://tickets.example.org"}, "in the clear"),
        ({"url": "ftp://tickets.example.org"}, "https://"),
        ({"url": "https://me:pw@tickets.example.org"}, "user names"),
        ({"organizer": "a/../b"}, "short form"),
        ({"token": " "}, "no API token"),
        ({"full_from": 0}, "share"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], words: str) -> None:
    values: dict[str, object] = {
        "key": "events", "url": "https://tickets.example.org", "organizer": "n", "token": "t",
        **changes,
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        PretixSettings(**values)  # type: ignore[arg-type]


def test_what_is_not_ours_is_not_read(trouble: Trouble) -> None:
    with pytest.raises(Damaged):
        trouble.source().read("order:1", b"{", b"{}")
    with pytest.raises(Damaged):
        trouble.source().read("order:1", b"{}", b'{"route":"report"}')
