"""Peers that are left in peace, and full pulls that are not at their end, in SQL."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from bridge.domain.peers import Rest, SweepPart
from bridge.storage import tables_peers as tp

_r, _s = tp.peer_rests.c, tp.sweep_parts.c


class SqlPeers:
    """Implements `bridge.domain.peers.PeerRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def rest(self, peer: str) -> Rest | None:
        """Since when and until when this peer is left in peace, if it is."""
        row = self._db.execute(select(tp.peer_rests).where(_r.peer == peer)).first()
        return None if row is None else Rest(*row)

    def rests(self) -> dict[str, Rest]:
        """All of them."""
        return {row.peer: Rest(*row) for row in self._db.execute(select(tp.peer_rests))}

    def put_rest(self, rest: Rest) -> None:
        """Leave a peer in peace, or longer than before."""
        values = asdict(rest)
        done = self._db.execute(update(tp.peer_rests).where(_r.peer == rest.peer).values(values))
        if not done.rowcount:
            self._db.execute(insert(tp.peer_rests).values(values))

    def end_rest(self, peer: str) -> bool:
        """It answers again; whether it had been left in peace."""
        return self._db.execute(delete(tp.peer_rests).where(_r.peer == peer)).rowcount > 0

    def sweeps_begun(self) -> dict[int, datetime]:
        """When each source's full pull began that is not at its end, by the source's id."""
        rows = self._db.execute(
            select(_s.source_id, func.min(_s.started_at)).group_by(_s.source_id)
        )
        return {source_id: began for source_id, began in rows}

    def sweep_parts(self, source_id: int) -> list[SweepPart]:
        """What the full pull that is not at its end has seen, in order."""
        rows = self._db.execute(
            select(_s.started_at, _s.mark, _s.seen).where(_s.source_id == source_id).order_by(_s.id)
        )
        return [SweepPart(*row) for row in rows]

    def add_sweep_part(self, source_id: int, part: SweepPart) -> None:
        """What one more page has shown."""
        self._db.execute(insert(tp.sweep_parts).values(source_id=source_id, **part._asdict()))

    def forget_sweep(self, source_id: int) -> None:
        """It is at its end, or begins anew."""
        self._db.execute(delete(tp.sweep_parts).where(_s.source_id == source_id))
