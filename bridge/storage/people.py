"""People, what they are known by, their posts, and which accounts are theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from bridge.domain.errors import NotFound
from bridge.domain.identity import Identifier, IdentifierKind
from bridge.domain.model import Employment, Listed, Person, Post, PostDetails
from bridge.domain.scope import Scope
from bridge.storage import tables as t
from bridge.storage import tables_practice as tp
from bridge.storage.accounts import AccountLinks
from bridge.storage.bulk import among, chunks, new_ids, one_of_found
from bridge.storage.marks import mark_for_counts
from bridge.storage.other_means import by_other_means
from bridge.storage.scoping import works_there

_p, _i = t.people.c, t.person_identifiers.c
_manager = t.people.alias("manager")
_agreed, _any = tp.post_agreements.alias("agreed"), tp.post_agreements.alias("any_agreed")


def _labels(person: int) -> Select[Any]:
    """How a (canonical) person is named as the one who did something."""
    return select(literal("person:").concat(cast(_p.id, String))).where(_p.canonical_id == person)


class SqlPeople(AccountLinks):
    """Implements `bridge.domain.repositories.PeopleRepository`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._db = connection

    # --- persons ----------------------------------------------------------------------------
    def get(self, person: int) -> Person:
        """One person. Raises NotFound."""
        query = select(_p.id, _p.display_name, _p.canonical_id).where(_p.id == person)
        row = self._db.execute(query).first()
        if row is None:
            raise NotFound(f"There is no person {person} for you to see.")
        return Person(*row)

    def find(self, text: str) -> list[Person]:
        """People by id, exact email, exact staff number, or part of the name; for lookups."""
        wanted = text.strip().casefold()
        by_identifier = select(_i.person_id).where(_i.value == wanted, _i.valid_to.is_(None))
        same: list[ColumnElement[bool]] = [_p.id.in_(by_identifier)]
        if wanted.isdecimal() and len(wanted) < 19:
            same.append(_p.id == int(wanted))
        query = select(_p.id, _p.display_name, _p.canonical_id)
        exact = self._db.execute(query.where(or_(*same)).order_by(_p.id)).all()
        if not exact:
            like = func.lower(_p.display_name).contains(wanted, autoescape=True)
            exact = self._db.execute(query.where(like).order_by(_p.id).limit(20)).all()
        return [Person(*row) for row in exact]

    def everyone(self, scope: Scope) -> list[Person]:
        """All people, those of the reader's organisations, or the reader alone."""
        query = select(_p.id, _p.display_name, _p.canonical_id).where(_p.canonical_id == _p.id)
        if scope.narrowed:
            query = query.where(works_there(scope))
        elif not scope.unrestricted:
            query = query.where(_p.id == scope.person)
        return [Person(*row) for row in self._db.execute(query.order_by(_p.display_name, _p.id))]

    def add(self, name: str, now: datetime) -> int:
        """A new person."""
        # Being canonical means naming oneself, so the key must be known before the row is there.

        (person,) = new_ids(self._db, t.people, 1)
        self._db.execute(
            insert(t.people).values(
                id=person, display_name=name, canonical_id=person, created_at=now
            )
        )
        return person

    def rename(self, person: int, name: str) -> None:
        """Change the name that is shown."""
        self._db.execute(update(t.people).where(_p.id == person).values(display_name=name))

    def mark_for_awards(self, people: Collection[int]) -> None:
        """Look at these people's awards again."""
        for part in chunks(sorted(people)):
            self._db.execute(update(t.people).where(_p.id.in_(part)).values(awards_pending=True))

    # --- identifiers ------------------------------------------------------------------------
    def by_identifiers(self, wanted: Collection[Identifier]) -> dict[Identifier, frozenset[int]]:
        """The (canonical) people known by each of these identifiers."""
        found: dict[Identifier, set[int]] = defaultdict(set)
        found.update(by_other_means(self._db, wanted))
        for kind in (IdentifierKind.EMAIL, IdentifierKind.STAFF_NUMBER):
            values = {identifier.value for identifier in wanted if identifier.kind is kind}
            query = (
                select(_i.value, _p.canonical_id)
                .join(t.people, _p.id == _i.person_id)
                .where(_i.kind == kind, among(self._db, _i.value, values), _i.valid_to.is_(None))
            )
            for value, person in self._db.execute(query):
                found[Identifier(kind, value)].add(person)
        return {i: frozenset(found[i]) for i in wanted if i in found}

    def identifiers(self, person: int) -> list[Identifier]:
        """What a person is known by now."""
        rows = self._db.execute(
            select(_i.kind, _i.value)
            .where(_i.person_id == person, _i.valid_to.is_(None))
            .order_by(_i.id)
        )
        return [Identifier(IdentifierKind(kind), value) for kind, value in rows]

    def add_identifier(self, person: int, identifier: Identifier, now: datetime) -> None:
        """Another thing this person is known by."""
        self._db.execute(
            insert(t.person_identifiers).values(
                person_id=person, kind=identifier.kind, value=identifier.value, valid_from=now
            )
        )

    # --- organisations and posts ----------------------------------------------------------------
    def organisation(self, key: str, name: str, kind: str, exempt: str | None) -> tuple[int, bool]:
        """An organisation's id, and whether anything about it was new.

        `exempt` names the framework it follows instead (rule R11), or is None.
        """
        o = t.organisations
        row = self._db.execute(select(o).where(o.c.key == key)).first()
        values: dict[str, Any] = {
            "name": name, "kind": kind, "exempt": exempt is not None, "exempt_framework": exempt
        }  # fmt: skip
        if row is None:
            new = insert(o).values(key=key, **values).returning(o.c.id)
            return self._db.execute(new).scalar_one(), True
        if any(getattr(row, name) != value for name, value in values.items()):
            values["counts_due"] = True
            self._db.execute(update(o).where(o.c.id == row.id).values(values))
            return row.id, True
        return row.id, False

    def posts_of(self, people: Collection[int]) -> dict[int, list[Post]]:
        """The posts of these canonical people, those of merged persons included; newest first.

        What was agreed for a post goes before what the staff list says.
        """
        c, o, a = t.posts.c, t.organisations.c, _agreed.c
        newest = select(func.max(_any.c.id)).where(_any.c.post_id == c.id).scalar_subquery()
        found: dict[int, list[Post]] = defaultdict(list)
        for part in chunks(sorted(people)):
            query: Select[Any] = (
                select(c.id, _p.canonical_id, c.organisation_id, o.key, o.exempt,
                       o.exempt_framework, c.title,
                       c.target_groups, c.extra_competencies, c.london_level,
                       _manager.c.canonical_id, c.valid_from, c.valid_to,
                       a.target_groups, a.extra_competencies, a.london_level)
                .join(t.people, _p.id == c.person_id)
                .join(t.organisations, o.id == c.organisation_id)
                .outerjoin(_manager, _manager.c.id == c.manager_id)
                .outerjoin(_agreed, a.id == newest)
                .where(_p.canonical_id.in_(part))
                .order_by(c.valid_from.desc(), c.id)
            )  # fmt: skip
            for row in self._db.execute(query):
                listed = Listed(tuple(row[7]), tuple(row[8]), row[9])
                agreed = row[13] is not None
                ask = Listed(tuple(row[13]), tuple(row[14]), row[15]) if agreed else listed
                values = [*row[:13], listed if agreed else None]
                values[7:10] = ask.target_groups, ask.extra_competencies, ask.london_level
                post = Post(*values)
                found[post.person].append(post)
        return dict(found)

    def employment_of(self, people: Collection[int]) -> dict[int, list[Employment]]:
        """Where these canonical people work and worked; what `posts_of` has, for many at once."""
        c = t.posts.c
        query = (
            select(_p.canonical_id, c.organisation_id, c.valid_from, c.valid_to)
            .join(t.people, _p.id == c.person_id)
            .where(among(self._db, _p.canonical_id, people))
            .order_by(c.valid_from.desc(), c.id)
        )
        found: dict[int, list[Employment]] = defaultdict(list)
        for person, *employment in self._db.execute(query).all():
            found[person].append(Employment(*employment))
        return dict(found)

    def _post_id(self, person: int, details: PostDetails) -> int | None:
        c = t.posts.c
        return self._db.scalar(
            select(c.id)
            .join(t.organisations, t.organisations.c.id == c.organisation_id)
            .where(
                c.person_id == person,
                t.organisations.c.key == details.organisation_key,
                c.title == details.title,
                c.valid_from == details.valid_from,
            )
        )

    def put_post(self, person: int, details: PostDetails, organisation_id: int) -> bool:
        """Add a post or bring it up to date; whether anything changed."""
        c = t.posts.c
        values: dict[str, Any] = {
            "target_groups": list(details.target_groups),
            "extra_competencies": list(details.extra_competencies),
            "london_level": details.london_level,
            "valid_to": details.valid_to,
        }
        post = self._post_id(person, details)
        if post is None:
            mark_for_counts(self._db, [person])
            self._db.execute(
                insert(t.posts).values(
                    person_id=person,
                    organisation_id=organisation_id,
                    title=details.title,
                    valid_from=details.valid_from,
                    **values,
                )
            )
            return True
        row = self._db.execute(select(t.posts).where(c.id == post)).one()
        if all(getattr(row, name) == value for name, value in values.items()):
            return False
        mark_for_counts(self._db, [person])
        self._db.execute(update(t.posts).where(c.id == post).values(values))
        return True

    def rename_posts(
        self, person: int, organisation_id: int, listed: Collection[PostDetails], today: date
    ) -> bool:
        """Give posts in an organisation the titles that a list has for them; whether any changed.

        A post is known by its person, organisation and first day: a list that words the title anew
        means the same post, with what was agreed for it. Where several began on one day and it is
        not clear which is which, those that are not named end yesterday, and new ones are added.
        """
        c = t.posts.c
        titles: dict[date, set[str]] = defaultdict(set)
        for each in listed:
            titles[each.valid_from].add(each.title)
        rows = self._db.execute(
            select(c.id, c.title, c.valid_from, c.valid_to).where(
                c.person_id == person,
                c.organisation_id == organisation_id,
                c.valid_from.in_(sorted(titles)),
            )
        ).all()
        changed = False
        for day, named in titles.items():
            there = [row for row in rows if row.valid_from == day]
            new = named - {row.title for row in there}
            unnamed = [row for row in there if row.title not in named]
            unnamed = [row for row in unnamed if row.valid_to is None] or unnamed
            if not new or not unnamed:
                continue
            if len(new) == len(unnamed) == 1:
                values: dict[str, Any] = {"title": new.pop()}
            else:
                last = max(today, day) - timedelta(days=1)
                unnamed = [row for row in unnamed if row.valid_to is None or row.valid_to > last]
                values = {"valid_to": last}
            done = update(t.posts).where(c.id.in_([row.id for row in unnamed])).values(values)
            self._db.execute(done)
            mark_for_counts(self._db, [person])
            changed = True
        return changed

    def end_replaced_posts(
        self, person: int, organisation_id: int, listed: Collection[PostDetails]
    ) -> bool:
        """End open posts in an organisation that a newer listed one stands for; whether any did.

        A staff list that names somebody's later post there, and no longer the earlier one, says
        that they moved: whoever managed the earlier one manages them no more.
        """
        c = t.posts.c
        named = {(each.title, each.valid_from) for each in listed}
        newest = max(each.valid_from for each in listed)
        rows = self._db.execute(
            select(c.id, c.title, c.valid_from).where(
                c.person_id == person,
                c.organisation_id == organisation_id,
                c.valid_to.is_(None),
                c.valid_from < newest,
            )
        )
        replaced = [row.id for row in rows if (row.title, row.valid_from) not in named]
        if replaced:
            mark_for_counts(self._db, [person])
            self._db.execute(
                update(t.posts)
                .where(c.id.in_(replaced))
                .values(valid_to=newest - timedelta(days=1))
            )
        return bool(replaced)

    def set_manager(self, person: int, details: PostDetails, manager: int | None) -> bool:
        """Who manages this post; whether that changed."""
        c = t.posts.c
        post = self._post_id(person, details)
        if self._db.scalar(select(c.manager_id).where(c.id == post)) == manager:
            return False
        self._db.execute(update(t.posts).where(c.id == post).values(manager_id=manager))
        return True

    # --- who may verify ----------------------------------------------------------------------
    def possible_verifiers(self, learner: int) -> list[tuple[Person, list[str], str]]:
        """The managers of the learner's posts, their deputies, and everybody approved, with what
        they are approved as, and where one from outside works; rules decide later."""
        c, v, d = t.posts.c, t.verifier_approvals.c, tp.deputies.c
        managers = (
            select(_manager.c.canonical_id)
            .join(t.posts, c.manager_id == _manager.c.id)
            .join(t.people, _p.id == c.person_id)
            .where(_p.canonical_id == learner)
        )
        approved = (
            select(_p.canonical_id)
            .join(t.verifier_approvals, v.person_id == _p.id)
            .where(v.ended_at.is_(None), v.approved_by.not_in(_labels(learner)))
        )
        entry, lead = t.people.alias("entry"), t.people.alias("lead")
        deputies = (
            select(entry.c.canonical_id)
            .join(tp.deputies, d.deputy_id == entry.c.id)
            .join(lead, lead.c.id == d.manager_id)
            .where(lead.c.canonical_id.in_(managers))
        )
        approvals = select(entry.c.canonical_id, v.kind, v.organisation).join(
            t.verifier_approvals, v.person_id == entry.c.id
        )
        approval = approvals.where(
            v.ended_at.is_(None), v.approved_by.not_in(_labels(learner))
        ).subquery()
        query = (
            select(_p.id, _p.display_name, _p.canonical_id, approval.c.kind,
                   approval.c.organisation)
            .outerjoin(approval, approval.c.canonical_id == _p.id)
            .where(
                one_of_found(self._db, _p.id, union(managers, deputies, approved)),
                _p.id != learner,
            )
            .order_by(_p.display_name, _p.id)
        )  # fmt: skip
        found: dict[Person, list[str]] = defaultdict(list)
        works: dict[Person, str] = {}
        for person, name, canonical, kind, organisation in self._db.execute(query):
            one = Person(person, name, canonical)
            found[one] += [kind] if kind else []
            works[one] = organisation or works.get(one, "")
        return [(one, kinds, works[one]) for one, kinds in found.items()]

    def approvals_of(self, person: int, learner: int | None = None) -> list[str]:
        """The kinds of verifier a (canonical) person is approved as; for a learner, by others."""
        v = t.verifier_approvals.c
        query = (
            select(v.kind)
            .join(t.people, _p.id == v.person_id)
            .where(_p.canonical_id == person, v.ended_at.is_(None))
        )
        if learner is not None:
            query = query.where(v.approved_by.not_in(_labels(learner)))
        return list(self._db.scalars(query))

    def approve(
        self, person: int, kind: str, by: str, now: datetime, organisation: str | None = None
    ) -> None:
        """Approve somebody as an assessor or peer; one from outside with where they work."""
        self._db.execute(
            insert(t.verifier_approvals).values(
                person_id=person, kind=kind, approved_at=now, approved_by=by,
                organisation=organisation,
            )
        )  # fmt: skip

    # --- tokens ---------------------------------------------------------------------------------
    def add_token(
        self, person: int, sha256: bytes, by: str, now: datetime, expires: datetime
    ) -> None:
        """A token by its hash alone; the secret itself is never stored."""
        self._db.execute(
            insert(t.person_tokens).values(
                person_id=person, sha256=sha256, created_at=now, created_by=by, expires_at=expires
            )
        )

    def person_of_token(self, sha256: bytes, now: datetime) -> int | None:
        """The (canonical) person whose valid token this is."""
        c = t.person_tokens.c
        return self._db.scalar(
            select(_p.canonical_id)
            .join(t.person_tokens, c.person_id == _p.id)
            .where(c.sha256 == sha256, c.revoked_at.is_(None), c.expires_at > now)
        )

    def revoke_tokens(self, person: int, now: datetime) -> int:
        """End every token of a person; how many there were."""
        c = t.person_tokens.c
        done = self._db.execute(
            update(t.person_tokens)
            .where(c.person_id == person, c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return done.rowcount
