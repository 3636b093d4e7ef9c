"""What a Moodle said of its people and was once overheard: each by what led to it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bridge.domain.errors import LostLease
from bridge.services.talking import conversation
from tests.services.lives import REPORT, moodle_beside
from tests.support import World


@dataclass
class Somebody:
    """Speaks with the same Moodle, for something else."""

    conversation: str


def test_waiting_for_another_conversation_is_no_failure_in_the_history(world: World) -> None:
    with moodle_beside(world, REPORT) as moodle:
        before = world.rows("SELECT id, outcome FROM pull_runs")
        other = Somebody(moodle.trusted.connector.conversation)  # type: ignore[attr-defined]
        with conversation(world.ctx, other, "moodle"):
            for _ in range(3):
                with pytest.raises(LostLease):
                    moodle.pull()
        assert world.rows("SELECT id, outcome FROM pull_runs") == before
        assert moodle.pull().complete
