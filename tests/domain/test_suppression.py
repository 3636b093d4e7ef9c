"""Small numbers are hidden, and none can be worked out from what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.suppression import (
    SMALL,
    Hidden,
    hidden_by_kind,
    hidden_cells,
    hidden_of_group,
)

Table = list[list[int]]


def with_totals(parts: Sequence[tuple[int, ...]]) -> Table:
    """Rows of (people, parts), with the row of all together."""
    rows = [[sum(row), *row] for row in parts]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def shown(table: Table) -> list[list[int | None]]:
    """The table as it is published: None where a number is hidden."""
    hidden = hidden_cells(table[:-1])
    return [
        [None if c in hidden[r] else value for c, value in enumerate(row)]
        for r, row in enumerate(table)
    ]


def fits(parts: Sequence[tuple[int, ...]], published: list[list[int | None]]) -> bool:
    """Whether these could be the numbers behind the published table."""
    return all(
        seen is None or seen == value
        for row, seen_row in zip(with_totals(parts), published, strict=True)
        for value, seen in zip(row, seen_row, strict=True)
    )


tables = st.lists(
    st.tuples(*[st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 9, 20])] * 3), min_size=1, max_size=6
).map(with_totals)


@given(tables)
def test_no_small_number_is_shown(table: Table) -> None:
    for row in shown(table):
        assert not any(value is not None and 0 < value < SMALL for value in row)


@given(tables)
def test_of_a_small_group_nothing_is_shown(table: Table) -> None:
    for row, published in zip(table, shown(table), strict=True):
        if 0 < row[0] < SMALL:
            assert set(published) == {None}


@given(tables)
def test_no_row_and_no_column_gives_a_number_away(table: Table) -> None:
    published = shown(table)
    *rows, total = published
    for whole, parts in [
        *((row[0], row[1:]) for row in published),
        *((total[c], [row[c] for row in rows]) for c in range(len(total))),
    ]:
        assert [whole, *parts].count(None) != 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=2).map(
        with_totals
    )
)
def test_every_hidden_number_could_be_another(table: Table) -> None:
    """Somebody who tries every table that fits what is published learns no hidden number."""
    published = shown(table)
    cells = [(r, c) for r, row in enumerate(published) for c, v in enumerate(row) if v is None]
    open_cells: list[Iterable[int]] = [
        range(12) if (known := published[r][c]) is None else (known,)
        for r in range(len(table) - 1)
        for c in (1, 2)
    ]
    seen: dict[tuple[int, int], set[int]] = {cell: set() for cell in cells}
    for values in product(*open_cells):
        parts = [(values[i], values[i + 1]) for i in range(0, len(values), 2)]
        if fits(parts, published):
            full = with_totals(parts)
            for r, c in cells:
                seen[r, c].add(full[r][c])
        if all(len(found) > 1 for found in seen.values()):
            break
    assert all(len(found) > 1 for found in seen.values())


def test_large_numbers_are_all_shown() -> None:
    assert shown(with_totals([(10, 20), (5, 0)])) == [[30, 10, 20], [5, 5, 0], [35, 15, 20]]


def test_hundreds_of_organisations_are_done_in_a_moment() -> None:
    table = with_totals([(n % 7, n % 11, n % 3, n * 5 % 13, n) for n in range(1000)])
    assert any(None in row for row in shown(table))


# --- organisations put together by their kind
Kinds = list[list[list[int]]]
_part = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 9, 20])


def kinds_of(kinds: int, members: int, parts: int) -> st.SearchStrategy[Kinds]:
    """Kinds of organisations with rows of (people, parts)."""
    row = st.tuples(*[_part] * parts).filter(any).map(lambda r: [sum(r), *r])
    return st.lists(st.lists(row, min_size=1, max_size=members), min_size=1, max_size=kinds)


Published = list[tuple[list[int], frozenset[int], int | None]]


def everything(kinds: Kinds, masks: Hidden | None = None) -> Published:
    """Every row that is published, with what is hidden of it, and of which kind it is a member;
    then the rows of the kinds, and that of all together."""
    members, of_kinds = masks or hidden_by_kind(kinds)
    sums = [[sum(column) for column in zip(*rows, strict=True)] for rows in kinds]
    total = [sum(column) for column in zip(*sums, strict=True)]
    found: Published = [
        (row, hidden, k)
        for k, rows in enumerate(kinds)
        for row, hidden in zip(rows, members[k], strict=True)
    ]
    return [*found, *((row, h, None) for row, h in zip([*sums, total], of_kinds, strict=True))]


@given(kinds_of(4, 5, 3))
def test_by_kind_no_small_number_is_shown_nor_anything_of_few_people(kinds: Kinds) -> None:
    for row, hidden, _ in everything(kinds):
        assert all(c in hidden for c, value in enumerate(row) if 0 < value < SMALL)
        if 0 < row[0] < SMALL:
            assert hidden == set(range(len(row)))


def settled(rows: Published, kinds: int) -> set[tuple[int, int]]:
    """The hidden cells (row of `everything`, column) that the sums which hold between what is shown
    determine: by linear algebra, over everything that is published of a table at once."""
    n = len(rows) - kinds - 1
    width = len(rows[0][0])
    sums: list[tuple[tuple[int, int], list[tuple[int, int]]]] = [
        ((r, 0), [(r, c) for c in range(1, width)]) for r in range(len(rows))
    ]
    for c in range(width):
        for k in range(kinds):
            sums.append(((n + k, c), [(r, c) for r in range(n) if rows[r][2] == k]))
        sums.append(((len(rows) - 1, c), [(n + k, c) for k in range(kinds)]))
    unknown = [(r, c) for r, (_, hidden, _) in enumerate(rows) for c in sorted(hidden)]
    place = {cell: i for i, cell in enumerate(unknown)}
    matrix = []
    for whole, parts in sums:
        line = [Fraction(0)] * len(unknown)
        for cell, factor in [(whole, 1), *((part, -1) for part in parts)]:
            if cell in place:
                line[place[cell]] += factor
        matrix.append(line)
    pivots = list(_reduced(matrix))
    return {unknown[i] for i, line in pivots if not any(v for j, v in enumerate(line) if j != i)}


def _reduced(matrix: list[list[Fraction]]) -> Iterator[tuple[int, list[Fraction]]]:
    """The pivots of the reduced row echelon form: the column, and the line."""
    done: list[tuple[int, list[Fraction]]] = []
    for line in matrix:
        for i, pivot in done:
            if line[i]:
                line = [a - line[i] * b for a, b in zip(line, pivot, strict=True)]
        lead = next((j for j, v in enumerate(line) if v), None)
        if lead is None:
            continue
        line = [v / line[lead] for v in line]
        done = [
            (i, [a - pivot[lead] * b for a, b in zip(pivot, line, strict=True)])
            for i, pivot in done
        ]
        done.append((lead, line))
    return iter(done)


@settings(max_examples=60, deadline=None)
@given(kinds_of(3, 4, 3))
def test_by_kind_no_sums_together_settle_a_hidden_number(kinds: Kinds) -> None:
    check_nothing_settled(everything(kinds), len(kinds))


def check_nothing_settled(rows: Published, kinds: int) -> None:
    """Of what is hidden in a table the sums settle no more than what is true of nobody."""
    for r, c in settled(rows, kinds):
        kind = rows[r][2]
        # Nobody in a whole kind of five and more is nobody in each of its organisations.
        assert kind is not None, (r, c)
        whole, hidden, _ = rows[len(rows) - kinds - 1 + kind]
        assert whole[c] == 0, (r, c)
        assert c not in hidden, (r, c)


@st.composite
def same_people(draw: st.DrawFn) -> list[Kinds]:
    """Tables of several competencies, of which the same people are asked."""
    kinds = draw(st.lists(st.lists(st.integers(1, 13), min_size=1, max_size=3), min_size=1,
                          max_size=3))  # fmt: skip

    def row(people: int) -> list[int]:
        one = draw(st.integers(0, people))
        other = draw(st.integers(0, people - one))
        return [people, one, other, people - one - other]

    return [[[row(people) for people in kind] for kind in kinds] for _ in range(3)]


@settings(max_examples=60, deadline=None)
@given(same_people())
def test_what_is_hidden_of_the_people_is_told_by_no_other_table(tables: list[Kinds]) -> None:
    """The same people are asked of every competency: one number of them is all that a reader needs
    to hold the tables side by side."""
    keyed = [
        {f"kind {k}": dict(enumerate(rows)) for k, rows in enumerate(table)} for table in tables
    ]
    published = [
        everything(table, masks)
        for table, masks in zip(tables, hidden_of_group(keyed), strict=True)
    ]
    for same in zip(*published, strict=True):
        assert len({0 in hidden for _, hidden, _ in same}) == 1
    for rows in published:
        check_nothing_settled(rows, len(tables[0]))


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(any)] * 3))
def test_by_kind_every_hidden_number_could_be_another(parts: tuple[tuple[int, int], ...]) -> None:
    """As above, by trying: two organisations of one kind, and one of another."""
    kinds = [[[sum(p), *p] for p in parts[:2]], [[sum(parts[2]), *parts[2]]]]
    rows = everything(kinds)

    def published(values: Sequence[Sequence[int]]) -> list[list[int]]:
        own = [[sum(v), *v] for v in values]
        first = [sum(column) for column in zip(*own[:2], strict=True)]
        total = [sum(column) for column in zip(*own, strict=True)]
        return [*own, first, own[2], total]

    hidden = [(r, c) for r, (_, columns, _) in enumerate(rows) for c in columns]
    seen: set[tuple[int, int]] = set()
    for moves in product(range(-2, 3), repeat=6):
        values = [
            (a + x, b + y) for (a, b), x, y in zip(parts, moves[::2], moves[1::2], strict=True)
        ]
        if min(map(min, values)) < 0:
            continue
        table = published(values)
        if all(
            c in columns or table[r][c] == row[c]
            for r, (row, columns, _) in enumerate(rows)
            for c in range(3)
        ):
            seen |= {(r, c) for r, c in hidden if table[r][c] != rows[r][0][c]}
            if len(seen) == len(hidden):
                break
    for r, c in set(hidden) - seen:
        assert r < 2, (r, c)
        assert rows[3][0][c] == 0, (r, c)
        assert c not in rows[3][1], (r, c)


def test_by_kind_hundreds_of_small_organisations_show_something() -> None:
    schools = [[sum(p), *p] for p in ((n % 7, n % 3, n % 5) for n in range(1, 300)) if any(p)]
    forces = [[900, 500, 300, 100], [700, 400, 200, 100]]
    members, of_kinds = hidden_by_kind([schools, forces])
    assert of_kinds == [frozenset()] * 3
    assert members[1] == [frozenset()] * 2
    assert sum(map(bool, members[0])) > 200
