"""Which numbers of a published table are hidden, so that nobody can be told by a small one.

A table has a row for each organisation and one for all of them together; its columns are the people
of the row, and the parts into which they fall. A number from 1 to 4 is hidden, and others with it,
until none can be worked out: every row adds up to its people, every column to its total, and that
is how somebody would try. Zeros are shown: nobody is no person's number.

Where there are hundreds of small organisations nearly every row of theirs has something to hide. So
organisations are put together by their kind (schools, surgeries). The kinds come first: what is
hidden of them is settled by themselves; what is hidden of the organisations gives nothing away even
to somebody who knows the whole row of their kind. What is true of nobody in a kind of five people
or more is told of the kind, and so of each organisation in it.

Of every competency of a group the same people are asked, so their number stands in all its tables:
where it is hidden in one of them it is hidden in all, or one table would tell of another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

#: Numbers of people under this are not published.
SMALL = 5


class _GivenAway(Exception):
    """Whatever is hidden in these rows, their known total gives a number away."""


#: A cell is (row, column); column 0 is the people, and the last row the total.
Cell = tuple[int, int]


def hidden_cells(
    rows: Sequence[Sequence[int]], secret: Collection[int] = ()
) -> list[frozenset[int]]:
    """For each row, and at the end for their total, the columns to hide.

    Each row is (people, part, part, ...), and its people are the sum of its parts. The people of
    the rows in `secret` (their total comes last) are hidden in any case.
    """
    if not rows:
        return []
    table = [list(row) for row in rows]
    table.append([sum(column) for column in zip(*rows, strict=True)])
    hidden = {
        (r, c)
        for r, row in enumerate(table)
        for c, value in enumerate(row)
        # Of a small group of people nothing is told at all, not even where none of them stands.
        if 0 < value < SMALL or 0 < row[0] < SMALL or (c == 0 and r in secret)
    }
    while _protect_lines(table, hidden) or _break_bridges(table, hidden):
        pass
    return [frozenset(c for c in range(len(row)) if (r, c) in hidden)
            for r, row in enumerate(table)]  # fmt: skip


#: For each row of each kind the columns to hide; and for each kind, and the total of all.
Hidden = tuple[list[list[frozenset[int]]], list[frozenset[int]]]
#: An organisation by its key and kind, a kind (without the key), or all together (without either).
_Place = tuple[str | None, int | None]
_ALL: _Place = (None, None)


def hidden_of_group(tables: Sequence[Mapping[str, Mapping[int, Sequence[int]]]]) -> list[Hidden]:
    """What to hide in several tables of the same people, as those of one group's competencies are.

    Each table has, by kind, the rows of its organisations by their keys, as for `hidden_by_kind`.
    """
    secret: set[_Place] = set()
    found: list[Hidden | None] = [None] * len(tables)
    told: list[set[_Place]] = [set() for _ in tables]
    settled = False
    while not settled:
        settled = True
        for i, table in enumerate(tables):
            theirs = _places(table) & secret
            if found[i] is None or not theirs <= told[i]:
                found[i] = hidden = _with_secrets(table, theirs)
                told[i] = _people_hidden(table, hidden)
                settled = settled and told[i] <= secret
                secret |= told[i]
    return [hidden for hidden in found if hidden is not None]


def _places(table: Mapping[str, Mapping[int, Sequence[int]]]) -> set[_Place]:
    return {_ALL, *((kind, key) for kind, rows in table.items() for key in (None, *rows))}


def _with_secrets(
    table: Mapping[str, Mapping[int, Sequence[int]]], secret: Collection[_Place]
) -> Hidden:
    return hidden_by_kind(
        [list(rows.values()) for rows in table.values()],
        [{r for r, key in enumerate(table[kind]) if (kind, key) in secret} for kind in table],
        {k for k, kind in enumerate((*table, None)) if (kind, None) in secret},
    )


def _people_hidden(table: Mapping[str, Mapping[int, Sequence[int]]], hidden: Hidden) -> set[_Place]:
    """The places of which the number of people is hidden."""
    members, of_kinds = hidden
    found: set[_Place] = {
        (kind, None) for kind, columns in zip((*table, None), of_kinds, strict=True) if 0 in columns
    }
    for (kind, rows), masks in zip(table.items(), members, strict=True):
        found |= {(kind, key) for key, columns in zip(rows, masks, strict=True) if 0 in columns}
    return found


def hidden_by_kind(
    kinds: Sequence[Sequence[Sequence[int]]],
    secret: Sequence[Collection[int]] = (),
    secret_above: Collection[int] = (),
) -> Hidden:
    """For each row of each kind the columns to hide; and for each kind, and the total of all.

    A kind is the rows of its organisations, as for `hidden_cells`; none is empty. The people of the
    rows in `secret`, by kind, are hidden in any case, and of the kinds (and the total, which comes
    last) in `secret_above`.
    """
    rows_of = secret or [()] * len(kinds)
    sums = [[sum(column) for column in zip(*rows, strict=True)] for rows in kinds]
    # An organisation that is all of its kind is what the kind is.
    alone = {k for k, rows in enumerate(kinds) if len(rows) == 1 and rows_of[k]}
    of_kinds = hidden_cells(sums, {*secret_above, *alone})
    return [_within(rows, of_kinds[k], rows_of[k]) for k, rows in enumerate(kinds)], of_kinds


def _within(
    rows: Sequence[Sequence[int]], above: frozenset[int], secret: Collection[int]
) -> list[frozenset[int]]:
    """The columns to hide in each row of one kind, of which those `above` are hidden; of the rows
    in `secret`, the people.

    Those are hidden in every row, so that whatever the kind's numbers could be, the rows could add
    up to it. All others are hidden as if the kind's row were known whole: then what the rows could
    be instead changes nothing above them, and the two go together without giving more away.
    """
    if len(rows) == 1:
        return [above]
    everything = frozenset(range(len(rows[0])))
    total = [sum(column) for column in zip(*rows, strict=True)]
    # Where the kind has nobody, no row has anybody, and that is known.
    kept = [c for c in sorted(everything) if total[c] or c in above]
    table = [[row[c] for c in kept] for row in (*rows, total)]
    hidden = {
        (r, c)
        for r, row in enumerate(table[:-1])
        for c, value in enumerate(row)
        if 0 < value < SMALL
        or 0 < row[0] < SMALL
        or kept[c] in above
        or (kept[c] == 0 and r in secret)
    }
    try:
        while _protect_lines(table, hidden, known=True) or _break_bridges(
            table, hidden, known=True
        ):
            pass
    except _GivenAway:
        return [everything] * len(rows)
    return [
        everything
        if 0 < row[0] < SMALL
        else above | {kept[c] for c in range(len(kept)) if (r, c) in hidden}
        for r, row in enumerate(rows)
    ]


def _lines(table: Sequence[Sequence[int]], known: bool) -> list[list[Cell]]:
    """Every sum that holds: the cell that is the whole, then those that it is the sum of.

    Where the total is `known`, its own row has nothing to tell.
    """
    last, width = len(table) - 1, len(table[0])
    by_row = [[(r, c) for c in range(width)] for r in range(last if known else last + 1)]
    by_column = [[(last, c), *((r, c) for r in range(last))] for c in range(width)]
    return by_row + by_column


def _protect_lines(
    table: Sequence[Sequence[int]], hidden: set[Cell], *, known: bool = False
) -> bool:
    """Hide more in each sum that gives a hidden number away; whether there was one.

    Raises _GivenAway where the total is `known` and there is nothing more to hide beside it.
    """
    changed = False
    for whole, *parts in _lines(table, known):
        while _tells(table, hidden, whole, parts):
            shown = [cell for cell in parts if cell not in hidden]
            if known and not shown and whole[0] == len(table) - 1:
                raise _GivenAway
            changed = True
            hidden.add(_next(table, shown) if shown else whole)
    return changed


def _tells(
    table: Sequence[Sequence[int]], hidden: set[Cell], whole: Cell, parts: Sequence[Cell]
) -> bool:
    """Whether this one sum gives a hidden number away, or leaves it next to no room."""
    unknown = [cell for cell in parts if cell in hidden]
    if whole in hidden:
        return not unknown and any(cell not in hidden for cell in parts)
    if not unknown:
        return False
    # Of hidden numbers that are known to be at least 1 each, none may be pinned down by their sum.
    room = sum(table[r][c] for r, c in unknown) - len(unknown)
    return len(unknown) == 1 or room < SMALL - 1


def _next(table: Sequence[Sequence[int]], shown: Sequence[Cell]) -> Cell:
    """The least that may be lost: the smallest number that is not zero, or else a zero."""

    def loss(cell: Cell) -> tuple[bool, int, Cell]:
        value = table[cell[0]][cell[1]]
        return value == 0, value, cell

    return min(shown, key=loss)


def _break_bridges(
    table: Sequence[Sequence[int]], hidden: set[Cell], *, known: bool = False
) -> bool:
    """Hide one more beside a number that all the sums together give away; whether there was one.

    The total is never hidden where it is `known`. Raises _GivenAway where nothing else is left.

    Rows and columns are the nodes of a graph whose edges are the hidden cells. The sums settle a
    cell exactly where its edge is a bridge: where no loop of hidden cells leads through it.
    """
    for row, column in sorted(_bridges(hidden)):
        shown = [(row, c) for c in range(len(table[0])) if (row, c) not in hidden]
        rows = len(table) - 1 if known else len(table)
        shown += [(r, column) for r in range(rows) if (r, column) not in hidden]
        if shown:
            hidden.add(_next(table, shown))
            return True
        if known:
            raise _GivenAway
    return False


def _bridges(hidden: set[Cell]) -> set[Cell]:
    near: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for r, c in sorted(hidden):
        near.setdefault(("row", r), []).append(("column", c))
        near.setdefault(("column", c), []).append(("row", r))
    order: dict[tuple[str, int], int] = {}
    found: set[Cell] = set()

    def lowest(node: tuple[str, int], parent: tuple[str, int] | None) -> int:
        """The earliest node that the part of the graph below this one leads back to."""
        order[node] = low = len(order)
        for other in near[node]:
            if other == parent:
                continue
            if other in order:
                low = min(low, order[other])
                continue
            below = lowest(other, node)  # rows and columns take turns, so it goes not deep
            low = min(low, below)
            if below > order[node]:
                ends = dict((node, other))
                found.add((ends["row"], ends["column"]))
        return low

    for node in near:
        if node not in order:
            lowest(node, None)
    return found
