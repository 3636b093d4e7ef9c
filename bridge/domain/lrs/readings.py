"""How statements that were received are read into records: by source, as configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.domain.identity import IdentityRule
from bridge.domain.xapi.reading import USUAL, ReadingRules


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one source: how its statements are read, and the identity rules it is trusted with."""

    rules: ReadingRules = USUAL
    identity: Sequence[IdentityRule] = (IdentityRule.LMS_ACCOUNT,)


@dataclass(frozen=True, slots=True)
class Readings:
    """`of` gives the reading of a source by its key; `sites` are the addresses of configured LMSs,
    as accounts of statements name them, and their sources."""

    of: Callable[[str], Reading] = lambda key: Reading()
    sites: Mapping[str, str] = field(default_factory=dict)
