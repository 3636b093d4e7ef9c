"""The web service functions of the stand-in's plugin: there only where it is installed."""

from bridge.demo.moodle.call import Function
from bridge.demo.moodle.plugin import badges, feed, profile

FUNCTIONS: tuple[Function, ...] = (*feed.FUNCTIONS, *badges.FUNCTIONS, *profile.FUNCTIONS)
