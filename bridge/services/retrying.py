"""When what needs an administrator is looked at again."""

from __future__ import annotations

from datetime import timedelta

#: What needs an administrator is looked at again after that long, or when they say so.
NEEDS_YOU_AGAIN = timedelta(hours=6)
