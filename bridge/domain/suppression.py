"""Which numbers of a published table are hidden, so that nobody can be told by a small one.

A table has a row for each organisation and one for all of them together; its columns are the people
of the row, and the parts into which they fall. A number from 1 to 4 is hidden, and others with it,
until none can be worked out: every row adds up to its people, every column to its total, and that
is how somebody would try. Zeros are shown: nobody is no person's number.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Numbers of people under this are not published.
SMALL = 5

#: A cell is (row, column); column 0 is the people, and the last row the total.
Cell = tuple[int, int]


def hidden_cells(rows: Sequence[Sequence[int]]) -> list[frozenset[int]]:
    """For each row, and at the end for their total, the columns to hide.

    Each row is (people, part, part, ...), and its people are the sum of its parts.
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
        if 0 < value < SMALL or 0 < row[0] < SMALL
    }
    while _protect_lines(table, hidden) or _break_bridges(table, hidden):
        pass
    return [frozenset(c for c in range(len(row)) if (r, c) in hidden)
            for r, row in enumerate(table)]  # fmt: skip


def _lines(table: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """Every sum that holds: the cell that is the whole, then those that it is the sum of."""
    last, width = len(table) - 1, len(table[0])
    by_row = [[(r, c) for c in range(width)] for r in range(last + 1)]
    by_column = [[(last, c), *((r, c) for r in range(last))] for c in range(width)]
    return by_row + by_column


def _protect_lines(table: Sequence[Sequence[int]], hidden: set[Cell]) -> bool:
    """Hide more in each sum that gives a hidden number away; whether there was one."""
    changed = False
    for whole, *parts in _lines(table):
        while _tells(table, hidden, whole, parts):
            shown = [cell for cell in parts if cell not in hidden]
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


def _break_bridges(table: Sequence[Sequence[int]], hidden: set[Cell]) -> bool:
    """Hide one more beside a number that all the sums together give away; whether there was one.

    Rows and columns are the nodes of a graph whose edges are the hidden cells. The sums settle a
    cell exactly where its edge is a bridge: where no loop of hidden cells leads through it.
    """
    for row, column in sorted(_bridges(hidden)):
        shown = [(row, c) for c in range(len(table[0])) if (row, c) not in hidden]
        shown += [(r, column) for r in range(len(table)) if (r, column) not in hidden]
        if shown:
            hidden.add(_next(table, shown))
            return True
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
