"""Finding people: by name, email address, staff number or number, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.lists import ListPage
from bridge.domain.model import Person, Post
from bridge.domain.times import london_date
from bridge.services.context import Context


@dataclass(frozen=True, slots=True)
class Entry:
    """A person with the posts that they hold today."""

    person: Person
    posts: tuple[Post, ...]


def search_people(
    ctx: Context, text: str = "", after: str | None = None, limit: int = 50
) -> ListPage[Entry]:
    """The people that the actor may see whose name holds every word of `text`, or who are known by
    exactly that; in the order of their names, from `after` on. Raises Refused for a broken `after`.
    """
    today = london_date(ctx.clock.now())
    with ctx.store.reading() as uow:
        found = uow.lists.people(ctx.actor.scope, text, after, limit)
        posts = uow.people.posts_of([person.id for person in found.items])
    entries = tuple(
        Entry(person, tuple(p for p in posts.get(person.id, ()) if p.holds_on(today)))
        for person in found.items
    )
    return ListPage(entries, found.after)
