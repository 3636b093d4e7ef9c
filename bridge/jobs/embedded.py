"""When work runs inside this process: APScheduler, a thread for each peer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bridge.domain.errors import BridgeError, InMaintenance, LostLease, PeerError
from bridge.domain.ports import LooksAgain
from bridge.domain.times import next_london
from bridge.jobs import work
from bridge.jobs.work import Stopped, Works
from bridge.services import inbox
from bridge.services.status import JobTime

_log = structlog.get_logger("bridge.jobs")
#: Somebody may be waiting for a link.
MAIL_EVERY = timedelta(seconds=15)
#: Counts of a partnership are looked at by the day, not by the minute.
COUNT_EVERY = timedelta(minutes=15)
#: Notes of webhooks are looked for so often, and found at once where this process took them.
LOOK_EVERY = timedelta(seconds=20)
#: Statements that were received become records, and are found by readers, soon after.
TAKE_EVERY = timedelta(seconds=2)
#: What was verified is told soon after; mostly one small query says that there is nothing.
TELL_EVERY = timedelta(seconds=20)
#: Other processes take notes too: one small query tells whose.
WATCH_SECONDS = 1.0
_DEFAULTS = {
    # However late (the machine slept), and however often missed: once.
    "coalesce": True,
    "misfire_grace_time": None,
    "max_instances": 1,
}


@dataclass(frozen=True, slots=True)
class JobTimes:
    """How often jobs come round, in minutes, and the London time ("HH:MM") of the nightly ones.

    `sweep_until`: when a full pull that can go on the next night stops.
    """

    pull_minutes: float = 15
    deliver_minutes: float = 5
    sweep_at: str = "02:30"
    sweep_until: str = "07:00"


class Nightly(BaseTrigger):  # type: ignore[misc]
    """Once every London date, at a time ("HH:MM"), also where the clocks change.

    APScheduler's own trigger comes twice in the hour that autumn repeats.
    """

    def __init__(self, at: str) -> None:
        self.at = at

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The next one after the last, so that one that was missed is made up."""
        return next_london(previous_fire_time or now, self.at)


class EmbeddedJobs:
    """The jobs of one process. They carry no data: tables say what, and whether it is due."""

    def __init__(self, works: Works, times: JobTimes) -> None:
        self._works = works
        self._times = times
        told = {_telling(key) for key in works.tellers}
        others = {"mail", "counts", "statements", "old statements"}
        peers = sorted({*works.sources, *works.targets, *told, *others})
        # One conversation at a time with each peer, and none waits for another's.
        executors = {f"peer:{key}": ThreadPoolExecutor(1) for key in peers}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1), **executors},
            job_defaults=_DEFAULTS,
            timezone=UTC,
        )
        self._woken = threading.Event()
        self._lookers = {k for k, s in works.sources.items() if isinstance(s.connector, LooksAgain)}
        #: Whose turn was called, until it comes.
        self._called: set[str] = set()
        self._watcher = threading.Thread(target=self._watch, name="notes", daemon=True)

    def start(self) -> None:
        """Begin, with the first round of everything but the nightly work right away."""
        pull_every = timedelta(minutes=self._times.pull_minutes)
        deliver_every = timedelta(minutes=self._times.deliver_minutes)
        for key in self._works.sources:
            self._round(f"pull {key}", partial(work.pull, source=key, every=pull_every),
                        pull_every, key)  # fmt: skip
            if key in self._lookers:
                self._round(_looking(key), partial(self._look_again, key), LOOK_EVERY, key)
            sweep = partial(work.sweep, source=key, ends=self._times.sweep_until)
            self._nightly(f"sweep {key}", sweep, key)
        for key in self._works.targets:
            self._round(f"deliver to {key}", partial(work.deliver, target=key), deliver_every, key)
            self._nightly(f"reconcile {key}", partial(work.reconcile, target=key), key)
        for key in self._works.tellers:
            # Not in the turn of the source of that name, of which a first pull can take hours.
            self._round(f"tell {key}", partial(work.tell, lrs=key), TELL_EVERY, _telling(key))
            look = partial(work.look_for_untold, lrs=key)
            self._nightly(f"look for what {key} was not told", look, _telling(key), at_once=True)
        self._round("draft and award", work.draft, deliver_every)
        if self._works.mail is not None:
            self._round("send mail", work.mail, MAIL_EVERY, "mail")
            self._nightly("look for what is overdue", work.overdue, at_once=True)
        if self._works.drain is not None:
            self._round("take statements in", work.take_statements, TAKE_EVERY, "statements")
        if self._works.forget_statements is not None:
            # Of the first night there may be much to do; nothing else waits for it.
            forget, peer = work.forget_statements, "old statements"
            self._nightly("forget old statements", forget, peer, at_once=True)
        self._nightly("retire old drafts", work.grow_old, at_once=True)
        self._round("count", work.count, COUNT_EVERY, "counts")
        self._nightly("count everybody", work.count_all, "counts")
        self._scheduler.start()
        if self._lookers:
            self._watcher.start()

    def wake(self) -> None:
        """A note was left in this process: look whose it is, now."""
        self._woken.set()

    def _look_again(self, key: str, works: Works) -> None:
        # Where the source rests or is being pulled, its notes wait for the next round.
        if work.look_again(works, key):
            self._called.discard(key)
            self._woken.set()

    def _watch(self) -> None:
        """Call the turn of each source of which there are notes, as soon as there are."""
        while not self._works.stopping.is_set():
            self._woken.wait(WATCH_SECONDS)
            self._woken.clear()
            try:
                due = self._lookers.intersection(inbox.sources_due(self._works.context))
            except Exception:
                # The database may be away for a moment; the rounds go on by themselves.
                _log.warning("could not look for notes", exc_info=True)
                due = set()
            for key in due - self._called:
                self._called.add(key)
                try:
                    self._scheduler.modify_job(_looking(key), next_run_time=datetime.now(UTC))
                except JobLookupError:
                    return

    def stop(self) -> None:
        """End: work in hand stops after its page, and leases are given back."""
        self._works.stopping.set()
        self._woken.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def next_times(self) -> list[JobTime]:
        """Every job and when it comes round next, the soonest first."""
        times = [JobTime(job.name, job.next_run_time) for job in self._scheduler.get_jobs()]
        never = datetime.max.replace(tzinfo=UTC)
        return sorted(times, key=lambda job: (job.next_at or never, job.name))

    def _round(
        self, name: str, do: Callable[[Works], None], every: timedelta, peer: str | None = None
    ) -> None:
        self._add(name, do, IntervalTrigger(seconds=every.total_seconds()), peer, at_once=True)

    def _nightly(
        self,
        name: str,
        do: Callable[[Works], None],
        peer: str | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        self._add(name, do, Nightly(self._times.sweep_at), peer, at_once=at_once)

    def _add(
        self,
        name: str,
        do: Callable[[Works], None],
        trigger: Any,
        peer: str | None,
        *,
        at_once: bool,
    ) -> None:
        first = {"next_run_time": datetime.now(UTC)} if at_once else {}
        executor = "default" if peer is None else f"peer:{peer}"
        self._scheduler.add_job(
            attempt, trigger, (self._works, name, do), id=name, name=name, executor=executor,
            **first,
        )  # fmt: skip


def _telling(key: str) -> str:
    return f"telling {key}"


def _looking(key: str) -> str:
    return f"look again at {key}"


def attempt(works: Works, name: str, do: Callable[[Works], None]) -> None:
    """Do a job; where it fails, say so in the log and leave it to the next time."""
    if works.stopping.is_set():
        return
    try:
        do(works)
    except (LostLease, Stopped, InMaintenance) as error:
        _log.info("left to another time", job=name, reason=str(error))
    except PeerError as error:
        _log.warning("a peer failed", job=name, error=str(error), kind=type(error).__name__)
    except BridgeError as error:
        _log.error("refused", job=name, error=str(error), kind=type(error).__name__)
    except Exception:
        _log.exception("failed", job=name)
