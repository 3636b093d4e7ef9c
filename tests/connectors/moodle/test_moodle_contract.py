"""What every Moodle must do for the bridge: run on the stand-in always, on a real one if named.

Nothing here knows which of them it talks to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from bridge.connectors.moodle import MoodleSource, MoodleTarget
from bridge.domain.errors import NeedsAdministrator, PeerError
from bridge.domain.ports import DeliveryStatus, Holding, Source, Target
from bridge.domain.records import LearningFact, Page, Precision, Pulled, Status, cycle_of
from tests.connectors.moodle.conftest import Peer

DONE, NEEDS_YOU = DeliveryStatus.DONE, DeliveryStatus.NEEDS_YOU


def items_of(pages: Iterable[Page]) -> dict[str, Pulled]:
    return {item.natural_key: item for page in pages for item in page.items}


def report_of(peer: Peer) -> tuple[int, str]:
    """The id and the name of the completions report."""
    listed = peer.client().call("core_reportbuilder_list_reports", {"perpage": 1000})["reports"]
    wanted = peer.settings.report
    ((number, name),) = (
        (one["id"], one["name"]) for one in listed if wanted in (one["id"], one["name"])
    )
    return number, name


def fact_of(item: Pulled) -> LearningFact:
    assert isinstance(item.fact, LearningFact), item
    return item.fact


# Pulling by the report


def test_both_ends_are_what_the_services_ask_for(peer: Peer) -> None:
    source: Source = peer.source()
    target: Target = peer.target()
    assert isinstance(source, MoodleSource)
    assert isinstance(target, MoodleTarget)
    assert source.key == target.key == peer.settings.key


def test_a_full_pull_ends_with_one_last_page_in_at_most_three_calls(peer: Peer) -> None:
    source = peer.source()
    pages = list(source.pull(None))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert source.client.calls <= 2 + len(pages)
    items = items_of(pages)
    assert pages[-1].expected is not None
    assert 0 < len(items) <= pages[-1].expected
    assert pages[-1].bookmark is not None
    assert timedelta(0) <= peer.clock.now() - pages[-1].bookmark < timedelta(minutes=5)


def test_every_fact_names_whose_it_is_what_was_completed_and_when(peer: Peer) -> None:
    for key, item in items_of(peer.source().pull(None)).items():
        fact = fact_of(item)
        assert fact.account.kind == "moodle-user"
        assert fact.activity.kind == "moodle-course"
        assert key == (
            f"completion:{int(fact.account.value)}:{int(fact.activity.value)}"
            f":{cycle_of(fact.occurred_at)}"
        )
        assert fact.status is Status.COMPLETED
        assert fact.precision is Precision.MINUTE
        assert fact.occurred_at.tzinfo is UTC
        assert datetime(2000, 1, 1, tzinfo=UTC) < fact.occurred_at <= peer.clock.now()
        assert fact.account.display_name
        assert fact.activity.title
        assert "&amp;" not in fact.activity.title
        assert fact.score is None or 0 <= fact.score <= 1


def test_pulling_again_gives_the_same_bytes(peer: Peer) -> None:
    first, second = list(peer.source().pull(None)), list(peer.source().pull(None))
    assert items_of(first) == items_of(second)
    assert {page.envelope for page in first} == {page.envelope for page in second}


def test_smaller_pages_give_the_same_and_share_one_envelope(peer: Peer) -> None:
    whole = items_of(peer.source().pull(None))
    pages = list(peer.source(page_size=97).pull(None))
    assert len(pages) > 1
    assert items_of(pages) == whole
    assert len({page.envelope for page in pages}) == 1


def test_an_incremental_pull_gives_what_a_full_one_knows_to_be_newer(peer: Peer) -> None:
    whole = items_of(peer.source().pull(None))
    moments = sorted(fact_of(item).occurred_at for item in whole.values())
    since = moments[len(moments) // 2]
    source = peer.source()
    pages = list(source.pull(since))
    assert pages[-1].last
    assert source.client.calls <= 3 + len(pages)
    assert items_of(pages) == {
        key: item for key, item in whole.items() if fact_of(item).occurred_at >= since
    }


def test_an_incremental_pull_leaves_no_filter_behind(peer: Peer) -> None:
    params = {"reportid": report_of(peer)[0], "perpage": 1}
    before = peer.client().call("core_reportbuilder_retrieve_report", params)
    list(peer.source().pull(peer.clock.now()))
    after = peer.client().call("core_reportbuilder_retrieve_report", params)
    assert after["data"]["totalrowcount"] == before["data"]["totalrowcount"] > 0


def test_by_name_or_by_id_the_report_takes_the_same_number_of_calls(peer: Peer) -> None:
    number, name = report_of(peer)
    by_id, by_name = peer.source(report=number), peer.source(report=name)
    pages = list(by_id.pull(None))
    assert items_of(by_name.pull(None)) == items_of(pages)
    assert by_name.client.calls == by_id.client.calls <= 2 + len(pages)


def test_stored_rows_read_again_the_same(peer: Peer) -> None:
    source = peer.source()
    for page in source.pull(None):
        for item in page.items:
            assert source.read(item.natural_key, item.body, page.envelope) == item


def test_dates_asked_for_in_another_zone_are_the_same_instants(peer: Peer) -> None:
    in_utc = items_of(peer.source().pull(None))
    source = peer.source(timezone="America/New_York")
    elsewhere = items_of(source.pull(None))
    unclear = sum(not isinstance(item.fact, LearningFact) for item in elsewhere.values())
    assert len(in_utc.keys() - elsewhere.keys()) == unclear <= 3
    bodies = {item.body for item in in_utc.values()}
    assert bodies.isdisjoint(item.body for item in elsewhere.values())


# Pulling person by person


def test_the_per_user_route_agrees_with_the_report(peer: Peer) -> None:
    by_report = items_of(peer.source().pull(None))
    source = peer.source(report=None)
    pages = list(source.pull(None))
    assert pages[-1].last
    by_user = items_of(pages)
    assert by_user

    def whose(keys: Iterable[str]) -> set[str]:
        return {key.rpartition(":")[0] for key in keys}

    assert whose(by_user) <= whose(by_report)
    assert len(whose(by_user)) >= 0.9 * len(whose(by_report))
    dated = {key for key in by_user if not key.endswith(":undated")}
    assert dated <= by_report.keys()
    assert all(fact_of(by_user[key]).precision is Precision.SECOND for key in dated)
    for page in pages:
        for item in page.items:
            assert source.read(item.natural_key, item.body, page.envelope) == item


# Refusals


def test_a_wrong_token_needs_the_administrator(peer: Peer) -> None:
    wrong = "deadbeefdeadbeefdeadbeefdeadbeef"
    with pytest.raises(NeedsAdministrator, match="does not know this token") as caught:
        list(peer.source(token=wrong).pull(None))
    assert "/admin/webservice/tokens.php" in str(caught.value)
    assert wrong not in repr(caught.value)


def test_an_unknown_function_and_an_unknown_report_say_what_is_missing(peer: Peer) -> None:
    with pytest.raises(NeedsAdministrator, match="no web service function core_foo_bar"):
        peer.client().call("core_foo_bar")
    with pytest.raises(NeedsAdministrator, match="report does not exist"):
        list(peer.source(report=987654).pull(None))
    with pytest.raises(NeedsAdministrator, match="named 'No such report'"):
        list(peer.source(report="No such report").pull(None))


def test_a_batch_goes_on_after_an_error(peer: Peer) -> None:
    badges = "core_badges_get_user_badges"
    users = [peer.user, 99_999_999, peer.user]
    client = peer.client()
    first, nobody, last = client.call_many([(badges, {"userid": user}) for user in users])
    assert first == last
    assert isinstance(first["badges"], list)
    assert isinstance(nobody, PeerError)
    assert nobody.detail == "invaliduser"
    assert client.calls == 2


def test_the_doctor_finds_nothing_to_mend(peer: Peer) -> None:
    findings = [*peer.source().doctor(), *peer.target().doctor()]
    assert [one for one in findings if not one.ok and not one.warning] == []
    assert {"connection", "language", "report rows", "badges readable"} <= {
        one.check for one in findings
    }


# Badges


def test_a_cohort_badge_is_issued_seen_and_not_issued_twice(cohort_peer: Peer) -> None:
    peer = cohort_peer
    target, placement = peer.target(badges_report=None), peer.placement(peer.cohort)
    assert [one.status for one in target.award([placement])] == [DONE]
    (held,) = target.observe([placement])
    assert held.holding is Holding.HELD
    assert held.ref
    assert held.issued_at is not None
    assert [one.status for one in target.award([placement])] == [DONE]
    assert target.observe([placement]) == [held]
    assert f"id={peer.user}" in target.profile_url(placement.account)


def test_the_badges_report_tells_the_same_as_asking_person_by_person(cohort_peer: Peer) -> None:
    peer = cohort_peer
    placements = [peer.placement(peer.cohort), peer.placement(peer.cohort, peer.user + 1)]
    peer.target().award(placements[:1])
    by_user, by_report = peer.target(badges_report=None), peer.target()
    exact, to_the_minute = by_user.observe(placements), by_report.observe(placements)
    assert [one.holding for one in to_the_minute] == [one.holding for one in exact]
    assert exact[0].issued_at is not None
    assert to_the_minute[0].issued_at == exact[0].issued_at.replace(second=0)
    by_report.observe(placements)
    assert by_report.client.calls <= 4


def test_withdrawing_stops_the_cause_and_says_what_only_a_person_can_do(cohort_peer: Peer) -> None:
    peer = cohort_peer
    target, placement = peer.target(), peer.placement(peer.cohort)
    target.award([placement])
    (told,) = target.withdraw([placement])
    assert told.status is NEEDS_YOU
    assert "/badges/recipients.php?id=" in told.message
    assert "never issues a badge again" in told.message
    assert target.observe([placement])[0].holding is Holding.HELD
    assert [one.status for one in target.withdraw([placement])] == [NEEDS_YOU]


def test_people_and_cohorts_that_do_not_exist_need_a_person(cohort_peer: Peer) -> None:
    peer = cohort_peer
    target = peer.target()
    nobody = peer.placement(peer.cohort, 99_999_999)
    nowhere = peer.placement(peer.cohort | {"cohort": "NO-SUCH-COHORT"})
    (unknown,) = target.award([nobody])
    assert (unknown.status, "no user 99999999" in unknown.message) == (NEEDS_YOU, True)
    (missing,) = target.award([nowhere])
    assert missing.status is NEEDS_YOU
    assert "'NO-SUCH-COHORT'" in missing.message
    assert "/cohort/index.php" in missing.message
    assert peer.target(badges_report=None).observe([nobody]) == []


def test_a_competency_badge_is_issued_and_rated_once(competency_peer: Peer) -> None:
    peer = competency_peer
    target, placement = peer.target(badges_report=None), peer.placement(peer.competency)
    assert [one.status for one in target.award([placement])] == [DONE]
    (held,) = target.observe([placement])
    assert held.holding is Holding.HELD
    before = target.client.calls
    assert [one.status for one in target.award([placement])] == [DONE]
    assert target.client.calls == before + 1  # it looked, and rated nothing
    assert target.observe([placement]) == [held]


def test_withdrawing_a_competency_badge_lowers_the_rating(competency_peer: Peer) -> None:
    peer = competency_peer
    target, placement = peer.target(), peer.placement(peer.competency)
    target.award([placement])
    (told,) = target.withdraw([placement])
    assert told.status is NEEDS_YOU
    assert "rated not proficient" in told.message
    assert "/badges/recipients.php?id=" in told.message
    assert target.observe([placement])[0].holding is Holding.HELD


def test_a_competency_that_does_not_exist_needs_a_person(competency_peer: Peer) -> None:
    peer = competency_peer
    target = peer.target()
    user = peer.user + 1
    for name in ("framework", "competency"):
        road = peer.competency | {name: "NO-SUCH-THING"}
        (told,) = target.award([peer.placement(road, user)])
        assert told.status is NEEDS_YOU
        assert "'NO-SUCH-THING'" in told.message
