"""Moodle by its stock web services: completions in (MoodleSource), badges out (MoodleTarget)."""

from bridge.connectors.moodle.badges import MoodleTarget
from bridge.connectors.moodle.client import MoodleClient
from bridge.connectors.moodle.connector import MoodleSource
from bridge.connectors.moodle.settings import MoodleSettings

__all__ = ["MoodleClient", "MoodleSettings", "MoodleSource", "MoodleTarget"]
