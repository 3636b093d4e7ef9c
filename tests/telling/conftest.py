"""The stand-in LRS, and a world that tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.demo.lrs import StandInLrs
from tests.support import World
from tests.telling.told import ToldWorld


@pytest.fixture
def lrs() -> Iterator[StandInLrs]:
    """An empty one."""
    with StandInLrs() as running:
        yield running


@pytest.fixture
def told(world: World, lrs: StandInLrs) -> ToldWorld:
    """A world that tells it."""
    return ToldWorld(world, lrs)
