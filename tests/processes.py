"""Processes of a test's own. They are forked from one that has imported what they run, because to
import the bridge takes longer than most tests; each is real, with a number, and can be killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

_forking = get_context("forkserver")
_forking.set_forkserver_preload(
    ["tests.jobs.site", "tests.mail.run_sender", "tests.telling.run_teller"]
)
#: What a process calls with what it has to say once it is ready.
Ready = Callable[[str], None]


class NotReady(AssertionError):
    """The process ended before it was ready, having said why on its error output."""


def start(
    run: Callable[[Mapping[str, Any], Ready], None], told: Mapping[str, Any]
) -> tuple[ForkServerProcess, str]:
    """Run a function (of a module) with these values; the process, and what it said when ready.

    Raises NotReady.
    """
    ours, its = _forking.Pipe(duplex=False)
    process = _forking.Process(target=_main, args=(run, told, its), daemon=True)
    with ours:
        with its:
            process.start()
        try:
            said: str = ours.recv()
        except EOFError:
            process.join()
            raise NotReady("it did not start; it said why above") from None
    return process, said


def _main(
    run: Callable[[Mapping[str, Any], Ready], None], told: Mapping[str, Any], its: Connection
) -> None:
    run(told, its.send)
