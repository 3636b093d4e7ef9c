"""Which records of one activity are one piece of evidence, whatever their order (DESIGN 5.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Dated(NamedTuple):
    """A record that counts, and the London date on which it is filed."""

    record_id: int
    on: date


class Piece(NamedTuple):
    """A piece of evidence that there is, and the records that count for it.

    `kept`: a person has worked on it or split something from it, so no machine takes it apart.
    `apart`: it was split off, so nothing joins it either.
    """

    id: int
    on: date
    kept: bool
    apart: bool
    records: tuple[Dated, ...]


class Grouped(NamedTuple):
    """Which records belong to which piece: `old` by its id, and `new` ones yet to be made."""

    old: Mapping[int, tuple[Dated, ...]]
    new: tuple[tuple[Dated, ...], ...]


def group(
    pieces: Sequence[Piece], arrived: Sequence[Dated], alone: Collection[int], within: int
) -> Grouped:
    """Share out the records of one person and activity among pieces of evidence.

    What people have worked on keeps its records, and takes in what lies within `within` days of
    its date, on either side, the nearest piece first. All others are grouped by their dates alone:
    the earliest begins a piece, everything up to `within` days later belongs to it, and the next
    begins another. So the order in which they arrived makes no difference. A group goes by the
    oldest piece that holds one of its records, or else by one near it that holds none any more.
    Records in `alone` were split off by a person; each is a piece of its own.
    """
    held: dict[int, list[Dated]] = {}
    at_home: dict[int, int] = {}
    free: list[Dated] = []
    apart: list[Dated] = []
    for piece in sorted(pieces):
        for record in piece.records:
            at_home[record.record_id] = piece.id
        if piece.kept or piece.apart:
            held[piece.id] = list(piece.records)
        else:
            free += piece.records
    for record in arrived:
        (apart if record.record_id in alone else free).append(record)
    open_ = [piece for piece in pieces if piece.kept and not piece.apart]
    groups: list[list[Dated]] = []
    for record in sorted(free, key=lambda r: (r.on, r.record_id)):
        near = [p for p in open_ if abs((p.on - record.on).days) <= within]
        if near:
            nearest = min(near, key=lambda p: (abs((p.on - record.on).days), p.on, p.id))
            held[nearest.id].append(record)
        elif groups and (record.on - groups[-1][0].on).days <= within:
            groups[-1].append(record)
        else:
            groups.append([record])
    new: list[tuple[Dated, ...]] = [(record,) for record in apart]
    taken: set[int] = set()
    left: list[list[Dated]] = []
    for each in groups:
        homes = {at_home[r.record_id] for r in each if r.record_id in at_home} - taken
        if homes:
            taken.add(home := min(homes))
            held[home] = each
        else:
            left.append(each)
    empty = [p for p in pieces if not (p.kept or p.apart) and p.id not in taken]
    for each in left:
        near = [p for p in empty if abs((p.on - each[0].on).days) <= within]
        if near:
            found = min(near, key=lambda p: (abs((p.on - each[0].on).days), p.on, p.id))
            empty.remove(found)
            held[found.id] = each
        else:
            new.append(tuple(each))
    return Grouped({piece: tuple(records) for piece, records in held.items()}, tuple(new))
