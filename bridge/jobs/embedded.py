"""When work runs inside this process: APScheduler, a thread for each peer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bridge.domain.errors import BridgeError, LostLease, PeerError
from bridge.domain.ports import LooksAgain
from bridge.domain.times import LONDON
from bridge.jobs import work
from bridge.jobs.work import Stopped, Works
from bridge.services.status import JobTime

_log = structlog.get_logger("bridge.jobs")
#: Somebody may be waiting for a link.
MAIL_EVERY = timedelta(seconds=15)
#: Counts of a partnership are looked at by the day, not by the minute.
COUNT_EVERY = timedelta(minutes=15)
#: Whoever was checked in by a webhook finds it soon after.
LOOK_EVERY = timedelta(seconds=20)
#: What was verified is told soon after; mostly one small query says that there is nothing.
TELL_EVERY = timedelta(seconds=20)
_DEFAULTS = {
    # However late (the machine slept), and however often missed: once.
    "coalesce": True,
    "misfire_grace_time": None,
    "max_instances": 1,
}


@dataclass(frozen=True, slots=True)
class JobTimes:
    """How often jobs come round, in minutes, and the London time ("HH:MM") of the nightly ones."""

    pull_minutes: float = 15
    deliver_minutes: float = 5
    sweep_at: str = "02:30"


class EmbeddedJobs:
    """The jobs of one process. They carry no data: tables say what, and whether it is due."""

    def __init__(self, works: Works, times: JobTimes) -> None:
        self._works = works
        self._times = times
        told = {_telling(key) for key in works.tellers}
        peers = sorted({*works.sources, *works.targets, *told, "mail", "counts"})
        # One conversation at a time with each peer, and none waits for another's.
        executors = {f"peer:{key}": ThreadPoolExecutor(1) for key in peers}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1), **executors},
            job_defaults=_DEFAULTS,
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin, with the first round of everything but the nightly work right away."""
        pull_every = timedelta(minutes=self._times.pull_minutes)
        deliver_every = timedelta(minutes=self._times.deliver_minutes)
        for key in self._works.sources:
            self._round(f"pull {key}", partial(work.pull, source=key, every=pull_every),
                        pull_every, key)  # fmt: skip
            if isinstance(self._works.sources[key].connector, LooksAgain):
                self._round(f"look again at {key}", partial(work.look_again, source=key),
                            LOOK_EVERY, key)  # fmt: skip
            self._nightly(f"sweep {key}", partial(work.sweep, source=key), key)
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
        self._nightly("retire old drafts", work.grow_old, at_once=True)
        self._round("count", work.count, COUNT_EVERY, "counts")
        self._nightly("count everybody", work.count_all, "counts")
        self._scheduler.start()

    def stop(self) -> None:
        """End: work in hand stops after its page, and leases are given back."""
        self._works.stopping.set()
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
        hour, minute = self._times.sweep_at.split(":")
        trigger = CronTrigger(hour=int(hour), minute=int(minute), timezone=LONDON)
        self._add(name, do, trigger, peer, at_once=at_once)

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


def attempt(works: Works, name: str, do: Callable[[Works], None]) -> None:
    """Do a job; where it fails, say so in the log and leave it to the next time."""
    if works.stopping.is_set():
        return
    try:
        do(works)
    except (LostLease, Stopped) as error:
        _log.info("left to another time", job=name, reason=str(error))
    except PeerError as error:
        _log.warning("a peer failed", job=name, error=str(error), kind=type(error).__name__)
    except BridgeError as error:
        _log.error("refused", job=name, error=str(error), kind=type(error).__name__)
    except Exception:
        _log.exception("failed", job=name)
