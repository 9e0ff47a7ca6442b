"""One unit of work: the families of queries, transitions and read models over one session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tradewind.kernel.clock import Clock

from .dialects.base import Session
from .queries.asset_log import AssetLogQueries
from .queries.assets import AssetQueries
from .queries.backfills import BackfillQueries
from .queries.components import ComponentQueries
from .queries.connection_tests import ConnectionTestQueries
from .queries.dags import DagQueries
from .queries.deadlines import DeadlineQueries
from .queries.favorites import FavoriteQueries
from .queries.files import FileQueries
from .queries.hitl import HitlQueries
from .queries.inbox import InboxQueries
from .queries.limits import LimitQueries
from .queries.outbox import OutboxQueries
from .queries.past import PastQueries
from .queries.people import PeopleQueries
from .queries.retention import RetentionQueries
from .queries.run_retries import RunRetryQueries
from .queries.runs import RunQueries
from .queries.secrets import SecretQueries
from .queries.state_store import StateStoreQueries
from .queries.tasks import TaskQueries
from .queries.timetables import TimetableQueries
from .queries.triggers import TriggerQueries
from .queries.xcoms import XComQueries
from .read.api import ApiReadQueries
from .read.lists import ReadQueries
from .read.ui_lines import UiReadQueries
from .transitions.runs import RunMoves
from .transitions.tasks import TaskMoves


class SqlTransaction(
    AssetQueries,
    AssetLogQueries,
    TimetableQueries,
    FileQueries,
    DagQueries,
    RunQueries,
    RunMoves,
    TaskQueries,
    TaskMoves,
    XComQueries,
    InboxQueries,
    LimitQueries,
    ComponentQueries,
    SecretQueries,
    TriggerQueries,
    RunRetryQueries,
    HitlQueries,
    OutboxQueries,
    StateStoreQueries,
    PastQueries,
    BackfillQueries,
    DeadlineQueries,
    RetentionQueries,
    PeopleQueries,
    ReadQueries,
    UiReadQueries,
    ApiReadQueries,
    FavoriteQueries,
    ConnectionTestQueries,
):
    """See `ports.store.Transaction`. Made by `transaction`, used by one thread, worthless after the block."""

    def finish(self) -> frozenset[str]:
        """Write what waits for the end; the topics to ring."""
        self._flush_run_slots()
        return frozenset(self._topics)


@contextmanager
def transaction(begin: Callable[[], Session], judge: Clock | None) -> Iterator[SqlTransaction]:
    """Commit at the end of the block, roll back on an exception.

    Parameters:
        begin: opens the session.
        judge: tells the judge's time, once, when the session is open; None: the database does.
    """
    session = begin()
    tx = SqlTransaction(session, None if judge is None else judge.now())
    try:
        yield tx
        topics = tx.finish()
    except BaseException:
        session.rollback()
        raise
    session.commit(topics)
