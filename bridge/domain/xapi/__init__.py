"""xAPI statements: which are valid, and what they say of a learner. Pure: bytes in, facts out."""

from bridge.domain.xapi.problems import BadStatement, Problem, Section, Version
from bridge.domain.xapi.validating import Valid, validate, validate_all, validate_exactly

__all__ = [
    "BadStatement",
    "Problem",
    "Section",
    "Valid",
    "Version",
    "validate",
    "validate_all",
    "validate_exactly",
]
