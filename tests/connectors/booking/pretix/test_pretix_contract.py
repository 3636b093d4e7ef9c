"""What every pretix must do for the bridge: run on the stand-in always, on a real one if named.

Nothing here knows which of them it talks to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from bridge.connectors.booking.pretix.settings import Series
from bridge.domain.errors import NeedsAdministrator
from bridge.domain.ports import LooksAgain, Source
from bridge.domain.records import AttendanceState, Booking, LearningFact, Status
from tests.connectors.booking.pretix.conftest import PAST, Office

State = AttendanceState


def booking(fact: LearningFact) -> Booking:
    assert fact.booking is not None
    return fact.booking


def test_it_is_what_the_services_ask_for(office: Office) -> None:
    source: Source = office.source()
    assert isinstance(source, LooksAgain)
    assert source.key == office.settings.key


def test_a_full_pull_ends_with_one_last_page_and_pretix_own_time(office: Office) -> None:
    pages = list(office.source(page_size=2).pull(None))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].bookmark is not None
    assert abs(datetime.now(UTC) - pages[-1].bookmark) < timedelta(minutes=5)
    keys = [item.natural_key for page in pages for item in page.items]
    assert len(keys) == len(set(keys))


def test_who_was_checked_in_attended_and_others_stay_unknown(office: Office) -> None:
    came, absent = office.fact("two", 1), office.fact("two", 2)
    assert (came.status, booking(came).state) == (Status.ATTENDED, State.FULLY_ATTENDED)
    assert (booking(came).said, booking(came).minutes) == ("checked in", None)
    assert came.occurred_at == PAST
    assert came.activity.title == "Section 47 Enquiries"
    assert came.activity.shortname == office.slug("held")
    assert came.account.display_name == "Ana Reid"
    assert came.account.email == "ana@n.example"
    assert (absent.status, booking(absent).state) == (Status.UNKNOWN, None)


def test_a_no_show_needs_a_setting_and_a_register_that_was_used(office: Office) -> None:
    assert office.fact("two", 2, no_show=True).status is Status.MISSED
    assert office.fact("unmarked", no_show=True).status is Status.UNKNOWN
    assert office.fact("two", 2, no_show=True, lists=("Register",)).status is Status.MISSED
    other = office.fact("two", 1, no_show=True, lists=("Lunch",))
    assert other.status is Status.UNKNOWN


def test_check_outs_give_minutes(office: Office) -> None:
    half, full = office.fact("shared", 1), office.fact("shared", 2)
    assert (half.status, half.attendance) == (Status.PARTLY_ATTENDED, 0.5)
    assert (booking(half).minutes, booking(half).planned) == (180, 360)
    assert (full.status, booking(full).minutes) == (Status.ATTENDED, 360)


def test_two_names_on_one_address_are_two_accounts(office: Office) -> None:
    one, other = office.fact("shared", 1).account, office.fact("shared", 2).account
    assert one.email == other.email == "office@n.example"
    assert one.value != other.value


def test_a_cancelled_order_is_cancelled_whatever_its_positions_say(office: Office) -> None:
    assert office.fact("cancelled").status is Status.CANCELLED
    assert office.fact("ahead", 2).status is Status.CANCELLED


def test_what_is_still_to_come_is_booked(office: Office) -> None:
    assert booking(office.fact("ahead")).state is State.BOOKED
    assert booking(office.fact("pending")).state is State.APPROVED
    assert booking(office.fact("pending")).said == "pending"


def test_a_waiting_list_is_read(office: Office) -> None:
    (entry,) = (i for k, i in office.pulled().items() if k.startswith("waiting:"))
    assert isinstance(entry.fact, LearningFact)
    assert entry.fact.status is Status.WAITLISTED
    assert entry.fact.account.email == "eli@n.example"


def test_a_lunch_is_no_place(office: Office) -> None:
    code = office.booked["two"].code
    assert sum(f":{code}:" in key for key in office.pulled()) == 2


def test_whoever_books_the_only_place_without_a_name_books_it_for_themselves(
    office: Office,
) -> None:
    assert office.fact("alone").account.email == "solo@n.example"


@pytest.mark.parametrize(
    ("series", "sessions", "activities"),
    [(Series.BOOKED, 2, 1), (Series.ALL, 3, 1), (Series.SEPARATE, None, 2)],
)
def test_dates_of_a_series_are_sessions_or_activities(
    office: Office, series: Series, sessions: int | None, activities: int
) -> None:
    facts = [office.fact("series", n, series=series) for n in (1, 2)]
    assert [booking(fact).sessions for fact in facts] == [sessions] * 2
    assert len({fact.activity.value for fact in facts}) == activities
    assert [fact.status for fact in facts] == [Status.ATTENDED, Status.UNKNOWN]
    assert len({booking(fact).session for fact in facts}) == (1 if sessions is None else 2)


def test_what_is_stored_reads_back_the_same_and_holds_no_ticket_secret(office: Office) -> None:
    source = office.source()
    for page in source.pull(None):
        for item in page.items:
            assert source.read(item.natural_key, item.body, page.envelope) == item
            assert b"secret" not in item.body
            orjson.loads(item.body)


def test_pulled_twice_it_says_the_same(office: Office) -> None:
    assert office.pulled() == office.pulled()


def test_an_incremental_pull_tells_what_changed_since(office: Office) -> None:
    fresh = office.pulled(datetime.now(UTC) - timedelta(days=1))
    assert fresh.keys() >= {office.booked[n].key() for n in ("two", "ahead", "alone")}
    later = office.pulled(datetime.now(UTC) + timedelta(days=1))
    assert not {key for key in later if key.startswith("order:")}


def test_one_order_is_looked_at_again(office: Office) -> None:
    two, slug = office.booked["two"], office.slug("held")
    notes = [f"order:{slug}:{two.code}", f"order:{slug}:ZZZZZ", f"waiting:{office.slug('ahead')}"]
    pages = list(office.source().look_again(notes))
    keys = [item.natural_key for page in pages for item in page.items]
    assert keys[:2] == [two.key(1), two.key(2)]
    assert len(keys) == 3
    assert not any(page.last for page in pages)
    whole = office.source().look_again([f"event:{slug}"])
    assert office.booked["shared"].key() in {i.natural_key for page in whole for i in page.items}


def test_doctor_finds_nothing_wrong(office: Office) -> None:
    assert [f for f in office.source().doctor() if not f.ok] == []


def test_doctor_names_what_is_missing(office: Office) -> None:
    (found,) = office.source(token="not-a-token").doctor()
    assert not found.ok
    assert "API token" in found.remedy
    (found,) = office.source(organizer="nobody-of-that-name").doctor()
    assert not found.ok
    absent = [f for f in office.source(lists=("Nowhere",)).doctor() if not f.ok]
    assert ["Nowhere" in f.message for f in absent] == [True]


def test_a_wrong_token_says_what_to_do_and_keeps_it_to_itself(office: Office) -> None:
    with pytest.raises(NeedsAdministrator, match="not accepted") as caught:
        list(office.source(token="not-a-token").pull(None))
    assert "not-a-token" not in str(caught.value)
