"""The web application, as the tests of its pages have it."""

from __future__ import annotations

import pytest

from tests.support import World
from tests.web.site import WebWorld


@pytest.fixture
def pages(world: World) -> WebWorld:
    """The web application over a small published world, on both kinds of database."""
    return WebWorld(world)
