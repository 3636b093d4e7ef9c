"""Statements of several sources about one activity, and of people whom nothing names."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from bridge.domain.identity import IdentityRule
from bridge.domain.mapping import Matcher
from bridge.services import activities, people
from tests.services.booked import drafts
from tests.services.told import COURSE_RULE, Lrs, Told, said
from tests.support import World


@pytest.mark.parametrize(("trust", "number"), [("trusted", 1), ("untrusted", 2)])
def test_what_two_sources_of_one_trust_tell_of_one_activity_is_one_draft(
    world: World, trust: str, number: int
) -> None:
    """As where one LRS forwards to another, or to us, and both are read."""
    one, two = Lrs(world), Lrs(world, trust, Told("another"))
    learner = world.person("u1")
    statement = said(day=-10, about="https://content.example.org/course")
    world.publish(
        [replace(COURSE_RULE, matchers=(Matcher(activity=statement["object"]["id"]),),
                 untrusted=True)], "told",
    )  # fmt: skip
    one.pull(statement)
    two.pull(statement)
    one.pull()
    assert len(drafts(world, learner)) == number
    joined = activities.activities(world.ctx, joined=True).items
    assert len(joined) == 2 - number
    for each in joined:
        (join,) = activities.activity(world.ctx, each.id).joins
        activities.part(world.ctx, join.id)
        two.pull(said(day=-9, about="https://content.example.org/course"))
        assert len(drafts(world, learner)) == 2


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ({"mbox": "mailto:nobody@x.example"}, "by an email address"),
        ({"mbox_sha1sum": hashlib.sha1(b"mailto:nobody@x.example").hexdigest()},  # noqa: S324
         "by an email address"),
        ({"openid": "https://id.example/me"}, "by an OpenID"),
        ({"account": {"homePage": "https://hr.example", "name": "E7"}}, "No account of that LMS"),
    ],
)  # fmt: skip
def test_why_nobody_is_found_is_said_of_what_the_statement_has(
    world: World, actor: dict[str, object], words: str
) -> None:
    lrs = Lrs(world, identity=(IdentityRule.LMS_ACCOUNT,))
    lrs.pull(said(actor, day=-10))
    (waiting,) = people.unmatched(world.ctx, {"lrs": (IdentityRule.LMS_ACCOUNT,)})
    assert words in waiting.why.message
