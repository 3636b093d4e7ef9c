"""The unit of work over SQLAlchemy: one connection, one transaction, its repositories."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError

from bridge.domain.errors import Refused
from bridge.storage.access import SqlAccess
from bridge.storage.awards import SqlAwards
from bridge.storage.booking import SqlBookings
from bridge.storage.catalog import SqlCatalog
from bridge.storage.counts import SqlCounts
from bridge.storage.course_links import SqlCourseLinks
from bridge.storage.desk import SqlDesk
from bridge.storage.engine import read_only
from bridge.storage.evidence import SqlEvidence
from bridge.storage.files import SqlFiles
from bridge.storage.inbox import SqlInbox
from bridge.storage.intake import SqlIntake
from bridge.storage.lists import SqlLists
from bridge.storage.logs import SqlLogs
from bridge.storage.lrs import SqlLrs
from bridge.storage.lrs_documents import SqlDocuments, SqlSenders
from bridge.storage.lrs_retention import SqlForgetting
from bridge.storage.lti import SqlLti
from bridge.storage.notebook import SqlNotebook
from bridge.storage.ops import SqlOps, SqlTrail
from bridge.storage.outbox import SqlOutbox
from bridge.storage.peers import SqlPeers
from bridge.storage.people import SqlPeople
from bridge.storage.preparations import SqlPreparations
from bridge.storage.profile_status import SqlProfileStatus
from bridge.storage.standing import SqlStanding
from bridge.storage.statements import SqlStatements
from bridge.storage.strays import SqlStrays
from bridge.storage.teams import SqlTeams
from bridge.storage.telling import SqlTellings


class SqlUnitOfWork:
    """Implements `bridge.domain.repositories.UnitOfWork`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rolled_back = False

    @cached_property
    def intake(self) -> SqlIntake:
        """What sources gave."""
        return SqlIntake(self.connection)

    @cached_property
    def bookings(self) -> SqlBookings:
        """Joined activities, trainers, accounts in doubt."""
        return SqlBookings(self.connection)

    @cached_property
    def peers(self) -> SqlPeers:
        """Who is left in peace, and full pulls that go on."""
        return SqlPeers(self.connection)

    @cached_property
    def statements(self) -> SqlStatements:
        """What statements take back, and what tells of no learning."""
        return SqlStatements(self.connection)

    @cached_property
    def people(self) -> SqlPeople:
        """People and their accounts."""
        return SqlPeople(self.connection)

    @cached_property
    def evidence(self) -> SqlEvidence:
        """Evidence and claims."""
        return SqlEvidence(self.connection)

    @cached_property
    def catalog(self) -> SqlCatalog:
        """Editions, mappings and badges."""
        return SqlCatalog(self.connection)

    @cached_property
    def awards(self) -> SqlAwards:
        """Awards and targets."""
        return SqlAwards(self.connection)

    @cached_property
    def strays(self) -> SqlStrays:
        """Badges on targets that nobody awarded."""
        return SqlStrays(self.connection)

    @cached_property
    def preparations(self) -> SqlPreparations:
        """Badges of a period, made ready ahead."""
        return SqlPreparations(self.connection)

    @cached_property
    def statuses(self) -> SqlProfileStatus:
        """What profiles show of people."""
        return SqlProfileStatus(self.connection)

    @cached_property
    def ops(self) -> SqlOps:
        """Runs, leases and the ledger."""
        return SqlOps(self.connection)

    @cached_property
    def access(self) -> SqlAccess:
        """Sessions, roles and links."""
        return SqlAccess(self.connection)

    @cached_property
    def lti(self) -> SqlLti:
        """Platforms that launch the bridge."""
        return SqlLti(self.connection)

    @cached_property
    def notebook(self) -> SqlNotebook:
        """The practitioner's own pages."""
        return SqlNotebook(self.connection)

    @cached_property
    def files(self) -> SqlFiles:
        """Files beside evidence."""
        return SqlFiles(self.connection)

    @cached_property
    def logs(self) -> SqlLogs:
        """Logs and their sign-off."""
        return SqlLogs(self.connection)

    @cached_property
    def teams(self) -> SqlTeams:
        """Who leads whom, deputies, agreements, and what waits."""
        return SqlTeams(self.connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Mails to send."""
        return SqlOutbox(self.connection)

    @cached_property
    def tellings(self) -> SqlTellings:
        """What LRSs are to be told."""
        return SqlTellings(self.connection)

    @cached_property
    def inbox(self) -> SqlInbox:
        """What other systems tell us."""
        return SqlInbox(self.connection)

    @cached_property
    def lrs(self) -> SqlLrs:
        """Statements of the xAPI endpoint."""
        return SqlLrs(self.connection)

    @cached_property
    def forgetting(self) -> SqlForgetting:
        """Statements of the xAPI endpoint that are kept no longer."""
        return SqlForgetting(self.connection)

    @cached_property
    def documents(self) -> SqlDocuments:
        """Documents of the xAPI endpoint."""
        return SqlDocuments(self.connection)

    @cached_property
    def senders(self) -> SqlSenders:
        """Credentials of the xAPI endpoint."""
        return SqlSenders(self.connection)

    @cached_property
    def counts(self) -> SqlCounts:
        """The partnership's counts."""
        return SqlCounts(self.connection)

    @cached_property
    def lists(self) -> SqlLists:
        """Long lists, a page at a time."""
        return SqlLists(self.connection)

    @cached_property
    def standing(self) -> SqlStanding:
        """Sums over several people."""
        return SqlStanding(self.connection)

    @cached_property
    def desk(self) -> SqlDesk:
        """Lists for the training team's desk."""
        return SqlDesk(self.connection)

    @cached_property
    def course_links(self) -> SqlCourseLinks:
        """Which competencies courses are linked to at their source."""
        return SqlCourseLinks(self.connection)

    @cached_property
    def trail(self) -> SqlTrail:
        """The audit trail."""
        return SqlTrail(self.connection)

    def roll_back(self) -> None:
        """Undo everything so far."""
        self.rolled_back = True


class SqlStore:
    """Implements `bridge.domain.repositories.Store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    @property
    def holder(self) -> str:
        """This process, in leases."""
        return self._holder

    @contextmanager
    def begin(self) -> Iterator[SqlUnitOfWork]:
        """A transaction: it commits when the block ends, and writes nothing when it raises.

        Raises Refused where one of the database's guards said no, or a value is none that it keeps.
        """
        with self.engine.connect() as connection, connection.begin() as transaction:
            connection.info.pop("top_ids", None)
            uow = SqlUnitOfWork(connection)
            try:
                yield uow
            except IntegrityError as error:
                raise Refused(f"The database refused it: {_words(error.orig)}.") from error
            except psycopg.IntegrityError as error:  # COPY goes past SQLAlchemy
                raise Refused(f"The database refused it: {_words(error)}.") from error
            except (DataError, psycopg.DataError) as error:
                # Its own words hold the value.
                raise Refused("The database keeps no such value; it may be too long.") from error
            if uow.rolled_back:
                transaction.rollback()

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        """A look at one consistent moment; writing fails."""
        with read_only(self.engine) as connection:
            yield SqlUnitOfWork(connection)


def _words(error: BaseException | None) -> str:
    return str(error).splitlines()[0].rstrip(".")
