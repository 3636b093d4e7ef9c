"""The source behind a REST profile: all records, or those that changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from bridge.connectors.booking.rest.paging import Got, Record, pages, records_in
from bridge.connectors.booking.rest.profile import RestSettings
from bridge.connectors.booking.rest.reading import RecordReader
from bridge.connectors.booking.web import JsonClient
from bridge.connectors.files.reading import KEYLESS
from bridge.domain.errors import PeerError
from bridge.domain.ports import Clock, Finding
from bridge.domain.records import Page, Pulled, Trainer, Unreadable


class RestSource:
    """One API, read by its profile."""

    def __init__(self, settings: RestSettings, clock: Clock) -> None:
        self.settings = settings
        self.client = JsonClient(settings.origin())
        self.reader = RecordReader(settings.profile)
        self._clock = clock

    @property
    def key(self) -> str:
        """The configured name of the source."""
        return self.settings.key

    def pull(self, since: datetime | None) -> Iterator[Page]:
        """Every record, or those that changed at or after `since` where the API can tell.

        Where the profile names the order of a record, everything is read twice in a full pull:
        first to see which orders put one name and address on several records, as an order's owner
        does; in an incremental pull those orders are asked for by themselves. The bookmark is
        when the API sent its first page, by its own clock. While it cannot be read of a record
        which booking it is, nothing is taken to be gone. Raises PeerError.
        """
        profile, envelope = self.settings.profile, self.reader.envelope
        several: Counter[int] = Counter()
        if profile.order is not None and since is None:
            for got in self._pages(None):
                several.update(self._mark(record) for record in got.records)
        asked: dict[str, bool] = {}
        first: datetime | None = None
        started, count, keyless = self._clock.now(), 0, 0
        for got in self._pages(since):
            first = first or got.sent_at or started
            items: list[Pulled] = []
            trainers: list[Trainer] = []
            for record in got.records:
                count += 1
                if since is None or profile.order is None:
                    shared = several[self._mark(record)] > 1
                else:
                    shared = self._shared(record, asked)
                row = self.reader.read(
                    record, self._clock.now(), shared=shared, at=f"record {count}"
                )
                items += row.items
                keyless += sum(item.natural_key.startswith(KEYLESS) for item in row.items)
                trainers += row.trainers
            yield Page(tuple(items), envelope, trainers=tuple(dict.fromkeys(trainers)))
        note = ""
        if keyless and since is None:
            note = (
                f"Of {keyless} records it cannot be told which bookings they are, so nothing was "
                "taken to be gone. See 'bridge quarantine', and correct the profile."
            )
        yield Page(
            (), envelope, last=True, bookmark=min(first or started, started),
            whole=False if note else None, note=note,
        )  # fmt: skip

    def read(self, natural_key: str, body: bytes, envelope: bytes) -> Pulled:
        """A stored record read again. Raises Damaged for what is not ours."""
        return self.reader.read_kept(natural_key, body, envelope)

    def doctor(self) -> list[Finding]:
        """Whether pulling will work: the first page, and how much of it is understood."""
        try:
            got = next(self._pages(None))
        except PeerError as error:
            return [
                Finding(
                    "reach", False, str(error),
                    "See that the address in the profile opens with this secret, then run "
                    "'bridge booking dry-run'.",
                )
            ]  # fmt: skip
        found = [Finding("reach", True, f"{self.client.origin.url} answers.")]
        if not got.records:
            note = "There is no record yet; nothing can be said of the profile."
            return [*found, Finding("records", True, note)]
        wrong = [
            item.fact.message
            for number, record in enumerate(got.records, 1)
            for item in self.reader.read(
                record, self._clock.now(), shared=False, at=f"record {number}"
            ).items
            if isinstance(item.fact, Unreadable)
        ]
        share = f"{len(got.records) - len(wrong)} of the first {len(got.records)} records"
        found.append(
            Finding("records", True, f"{share} are understood.")
            if not wrong
            else Finding(
                "records", False, f"{share} are understood; {wrong[0]}",
                "Correct the profile, and look with 'bridge booking dry-run'.", warning=True,
            )
        )  # fmt: skip
        return found

    def _pages(self, since: datetime | None) -> Iterator[Got]:
        profile = self.settings.profile
        query = dict(profile.query)
        if since is not None and profile.since_param:
            query[profile.since_param] = written(since, profile.since_format)
        return pages(self.client, self.client.origin.url, query, profile.paging, profile.records)

    def _mark(self, record: Record) -> int:
        """A number for the order and the identity of a record."""
        return hash((self.reader.order_of(record), self.reader.identity_of(record)))

    def _shared(self, record: Record, asked: dict[str, bool]) -> bool:
        """Whether others of the record's order carry its name and address."""
        order = self.settings.profile.order
        number = self.reader.order_of(record)
        if order is None or not order.url or not number:
            return False
        mark = f"{number}|{self.reader.identity_of(record)}"
        if mark not in asked:
            url = self.settings.filled(order.url, order=number)
            value = self.client.get(url, order.query).value
            found = records_in(self.client, value, order.records)
            same = self.reader.identity_of(record)
            asked[mark] = sum(self.reader.identity_of(one) == same for one in found) > 1
        return asked[mark]


def written(moment: datetime, how: str) -> str:
    """An instant as an API asks for it: "iso", "epoch", "date", or a pattern of strftime."""
    utc = moment.astimezone(UTC)
    if how == "iso":
        return utc.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    if how == "epoch":
        return str(int(utc.timestamp()))
    return utc.strftime("%Y-%m-%d" if how == "date" else how)
