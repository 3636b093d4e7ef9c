"""How fast statements are parsed, judged, kept and hashed on one core, and the bare decoding."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import orjson

from bridge.domain.xapi import validate
from bridge.domain.xapi.fast import told_at_once
from tests.bench.logstore import as_php, completion


def measure_statements(count: int, repeat: int) -> dict[str, Any]:
    """Statements a second of one core; of `repeat` turns, the fastest each."""
    bodies = [as_php(completion(number)) for number in range(count)]
    turns = [(_per_second(_bare, bodies), _per_second(_judged, bodies)) for _ in range(repeat)]
    floor, judged = (max(one) for one in zip(*turns, strict=True))
    return {
        "statements": count,
        "mean_bytes": round(sum(map(len, bodies)) / count),
        "on_the_fast_road": round(sum(map(_fast, bodies)) / count, 3),
        "statements_per_second": round(judged),
        "floor_statements_per_second": round(floor),
        "times_floor": round(floor / judged, 2),
    }


def _fast(body: bytes) -> bool:
    return told_at_once(body, second=False) is not None


def _bare(body: bytes) -> tuple[Any, bytes, bytes]:
    return orjson.loads(body), body, hashlib.sha256(body).digest()


def _judged(body: bytes) -> tuple[Any, bytes, bytes]:
    return validate(body), body, hashlib.sha256(body).digest()


def _per_second(do: Callable[[bytes], object], bodies: Sequence[bytes]) -> float:
    gc.collect()
    # Of the processor's time, not the wall's: what else a machine does is not counted.
    began = process_time()
    for body in bodies:
        do(body)
    return len(bodies) / (process_time() - began)
