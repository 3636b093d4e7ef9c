"""Small numbers are hidden, and none can be worked out from what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.suppression import SMALL, hidden_cells

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
