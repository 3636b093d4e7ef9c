"""Badges that were once lost, kept too long or put in the wrong year: each by what led to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from bridge.domain.ports import Delivered, Placement
from bridge.services import people, strays
from tests.services.lms import AUTO, PLUGIN, Lms, open_lms
from tests.support import World


@pytest.fixture
def lms(world: World) -> Iterator[Lms]:
    """A Moodle with the plugin."""
    with open_lms(world, plugin=True) as lms:
        yield lms


def test_an_award_that_rests_on_new_verification_keeps_the_badge_of_its_year(lms: Lms) -> None:
    lms.define({"via": "plugin", "badge": "LLR Core {year}"})
    learner = lms.learner(30)
    made = lms.earns(learner)
    lms.deliver()
    lms.world.clock.moment = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
    lms.earns(learner)
    lms.loses(made)
    lms.deliver()
    assert lms.holds(30) == {"LLR Core 2026": "2028-02-01"}
    assert len(lms.states()) == 1
