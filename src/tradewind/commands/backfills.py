"""What people ask over the past: run a DAG for each date of a stretch, with a concurrency of its own.

`plan_backfill` says what would be done for which date and what it costs (the dry run); `create_backfill` does it. All
runs are made at once, queued; schedulers start them within the backfill's `max_active_runs`, after other runs that
wait, beside the runs of the DAG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from tradewind.domain.timetables import DagRunInfo, Restriction, timetable_for
from tradewind.ports.backfill_rows import BackfillRow, BackfillRunRow, Reprocess
from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.inbox import PastChanged
from tradewind.wire.schedule import CustomSchedule
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState, DagRunTriggeredBy, DagRunType

from .deadlines import has_deadlines, note_deadlines
from .documents import Documents
from .params import check_conf
from .runs import clear_instances, generate_run_id, require_dag

RUNS_MAX = 50_000
"""Dates of one backfill: more are asked for in several."""
_MEASURED_RUNS = 10


class BackfillWish(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. Dates are logical dates, both included."""

    dag_id: str
    from_date: datetime
    to_date: datetime
    run_backwards: bool = False
    """The newest date first."""
    conf: object = None
    """Of every run: a JSON object."""
    reprocess: Reprocess = Reprocess.NONE
    max_active_runs: int = 10
    newest_version: bool = True
    """Runs that exist already and run again follow the newest version of the DAG."""


class Deed(StrEnum):
    """What a backfill does for one date."""

    CREATE = "create"
    REPROCESS = "reprocess"
    """The run exists and is cleared: it becomes a run of the backfill."""
    SKIP = "skip"


class PlannedDate(msgspec.Struct, frozen=True):
    """One date of the plan, in the order of the backfill."""

    info: DagRunInfo
    deed: Deed
    run: RunRow | None = None
    """The run that exists for the date."""
    reason: str | None = None
    """Why it is left alone."""


class BackfillPlan(msgspec.Struct, frozen=True):
    """What a backfill would do, and what that costs."""

    dates: tuple[PlannedDate, ...]
    tasks_per_run: int
    seconds_per_run: float | None
    """Mean of the last successful runs; None: there are none to measure."""
    max_active_runs: int

    @property
    def runs(self) -> int:
        """How many runs it makes or repeats."""
        return sum(each.deed is not Deed.SKIP for each in self.dates)

    @property
    def seconds(self) -> float | None:
        """How long it takes when nothing else holds it up."""
        if self.seconds_per_run is None:
            return None
        rounds = -(-self.runs // self.max_active_runs)
        return rounds * self.seconds_per_run


class Progress(msgspec.Struct, frozen=True):
    """How far a backfill is."""

    total: int
    queued: int = 0
    running: int = 0
    success: int = 0
    failed: int = 0


def plan_backfill(tx: Transaction, documents: Documents, now: datetime, wish: BackfillWish) -> BackfillPlan:
    """What `create_backfill` would do now.

    Raises:
        NotFound: there is no such DAG.
        Conflict: it has a backfill that is not completed; it is no longer defined; it does not allow backfills.
        BadInput: the range is reversed, in the future, empty or too long; the DAG has no periodic schedule; its tasks
            depend on their past and the wish would break that; `max_active_runs` is less than 1.
    """
    dag = require_dag(tx, wish.dag_id)
    document = documents.get(tx, dag.version_id).document
    _check(tx, dag, document, now, wish)
    dates = _planned(tx, wish, list(_infos(document, now, wish)))
    if not dates:
        raise BadInput(
            f"the schedule of DAG {wish.dag_id!r} has no run between {wish.from_date.isoformat()} and "
            f"{wish.to_date.isoformat()}"
        )
    if wish.run_backwards:
        dates.reverse()
    return BackfillPlan(tuple(dates), len(document.tasks), _seconds_per_run(tx, dag), wish.max_active_runs)


def create_backfill(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    new_id: Callable[[], str],
    wish: BackfillWish,
    *,
    user: str | None = None,
) -> BackfillRow:
    """Make the runs and let them begin. Raises as `plan_backfill`."""
    dag = require_dag(tx, wish.dag_id, lock=True)
    plan = plan_backfill(tx, documents, now, wish)
    conf = check_conf(documents.get(tx, dag.version_id).document, {} if wish.conf is None else wish.conf)
    row = BackfillRow(
        dag_id=wish.dag_id,
        from_date=wish.from_date,
        to_date=wish.to_date,
        dag_run_conf=conf,
        reprocess=wish.reprocess,
        max_active_runs=wish.max_active_runs,
        run_backwards=wish.run_backwards,
        newest_version=wish.newest_version,
        created_at=now,
        updated_at=now,
        triggering_user_name=user,
    )
    row = replace(row, backfill_id=tx.backfill_insert(row))
    made = [_run(dag, row, each.info, now, new_id()) for each in plan.dates if each.deed is Deed.CREATE]
    inserted = tx.run_insert_many(made)
    document = documents.get(tx, dag.version_id).document
    for run in made if has_deadlines(document) else ():
        if run.run_key in inserted:
            note_deadlines(tx, document, run, now)
    fresh = {_date_of(run): run.run_key for run in made if run.run_key in inserted}
    tx.backfill_runs_insert(
        [
            _carry_out(tx, documents, now, row, wish, ordinal, each, fresh)
            for ordinal, each in enumerate(plan.dates, start=1)
        ]
    )
    _tell_running(tx, wish.dag_id)
    tx.backfill_complete([row.backfill_id], now)  # when there is nothing to do
    tx.ring("runs", "changes")
    return require_backfill(tx, row.backfill_id)


def require_backfill(tx: Transaction, backfill_id: int, *, lock: bool = False) -> BackfillRow:
    """The backfill. Raises `NotFound`."""
    row = tx.backfill_get(backfill_id, lock=lock)
    if row is None:
        raise NotFound(f"there is no backfill {backfill_id}; `tradewind backfill list` shows what there is")
    return row


def pause_backfill(tx: Transaction, now: datetime, backfill_id: int) -> BackfillRow:
    """No further run of it begins. Raises `NotFound`, `Conflict` when it is completed."""
    return _switch(tx, now, backfill_id, True)


def unpause_backfill(tx: Transaction, now: datetime, backfill_id: int) -> BackfillRow:
    """Its runs begin again. Raises `NotFound`, `Conflict` when it is completed."""
    return _switch(tx, now, backfill_id, False)


def cancel_backfill(tx: Transaction, now: datetime, backfill_id: int, *, user: str | None = None) -> BackfillRow:
    """Its queued runs end as failed; those that run go on. Raises `NotFound`, `Conflict` when it is completed."""
    row = _require_active(tx, backfill_id)
    by = f" by {user}" if user else ""
    tx.backfill_cancel(row.backfill_id, f"backfill {backfill_id} was cancelled{by}", now)
    _tell_running(tx, row.dag_id)
    return require_backfill(tx, backfill_id)


def backfill_progress(tx: Transaction, backfill_id: int) -> Progress:
    """How many of its runs stand where. Raises `NotFound`."""
    require_backfill(tx, backfill_id)
    counts = tx.backfill_count_states([backfill_id]).get(backfill_id, {})
    return Progress(sum(counts.values()), **{str(state): count for state, count in counts.items()})


# --- the wish -------------------------------------------------------------------------------------------------------


def _check(tx: Transaction, dag: DagRow, document: DagDocument, now: datetime, wish: BackfillWish) -> None:
    for name, instant in (("from", wish.from_date), ("to", wish.to_date)):
        if instant.tzinfo is None:
            raise BadInput(f"the {name} date {instant.isoformat()} has no time zone: add one, for example +00:00")
    if wish.from_date > wish.to_date:
        raise BadInput(f"the range ends ({wish.to_date.isoformat()}) before it begins ({wish.from_date.isoformat()})")
    if wish.to_date > now:
        raise BadInput(f"a backfill runs over the past: {wish.to_date.isoformat()} is in the future")
    if wish.max_active_runs < 1:
        raise BadInput(f"max_active_runs must be at least 1, not {wish.max_active_runs}: pause a backfill to hold it")
    if not timetable_for(document.schedule).periodic:
        raise BadInput(f"DAG {dag.dag_id!r} has no schedule with dates to run for: trigger its runs one by one")
    if isinstance(document.schedule, CustomSchedule):
        raise BadInput(
            f"DAG {dag.dag_id!r} has a timetable of its author's own, which cannot be asked over the past yet: trigger "
            "its runs one by one"
        )
    if dag.is_stale:
        raise Conflict(f"DAG {dag.dag_id!r} is no longer defined by {dag.file}: restore the file first")
    if document.allowed_run_types is not None and DagRunType.BACKFILL not in document.allowed_run_types:
        raise Conflict(f"DAG {dag.dag_id!r} allows only runs of type {', '.join(document.allowed_run_types)}")
    _check_past(document, wish)
    active = tx.backfill_list(dag_id=dag.dag_id, active=True, limit=1)
    if active:
        raise Conflict(
            f"DAG {dag.dag_id!r} has a backfill already ({active[0].backfill_id}): wait for its end, or cancel it with "
            f"`tradewind backfill cancel {active[0].backfill_id}`"
        )


def _check_past(document: DagDocument, wish: BackfillWish) -> None:
    """Dates whose tasks wait for the date before must come in order, and none may be left out."""
    bound = [task.task_id for task in document.tasks if task.depends_on_past]
    if not bound:
        return
    if wish.run_backwards:
        raise BadInput(f"task {bound[0]!r} depends on its past: a backfill cannot go backwards")
    if wish.reprocess is Reprocess.NONE:
        raise BadInput(f"task {bound[0]!r} depends on its past: reprocess failed or completed runs")


def _infos(document: DagDocument, now: datetime, wish: BackfillWish) -> Iterator[DagRunInfo]:
    timetable = timetable_for(document.schedule)
    bounds = Restriction(wish.from_date.astimezone(UTC), wish.to_date.astimezone(UTC), catchup=True)
    count = 0
    info = timetable.next_run(None, bounds, now)
    while info is not None and info.run_after <= now:
        count += 1
        if count > RUNS_MAX:
            raise BadInput(f"the range has more than {RUNS_MAX} runs of DAG {wish.dag_id!r}: ask for parts of it")
        yield info
        info = timetable.next_run(info, bounds, now)


def _planned(tx: Transaction, wish: BackfillWish, infos: list[DagRunInfo]) -> list[PlannedDate]:
    if not infos:
        return []
    instants = [instant for info in infos for instant in (info.logical_date, info.run_after)]
    present = {_date_of(run): run for run in tx.run_list_window(wish.dag_id, min(instants), max(instants))}
    return [_planned_date(wish, info, present.get(_date(info))) for info in infos]


def _planned_date(wish: BackfillWish, info: DagRunInfo, run: RunRow | None) -> PlannedDate:
    if run is None:
        return PlannedDate(info, Deed.CREATE)
    if run.state in LIVE_RUN_STATES:
        return PlannedDate(info, Deed.SKIP, run, "in flight")
    again = wish.reprocess is Reprocess.COMPLETED or (
        wish.reprocess is Reprocess.FAILED and run.state is DagRunState.FAILED
    )
    return PlannedDate(info, Deed.REPROCESS, run) if again else PlannedDate(info, Deed.SKIP, run, "already exists")


def _seconds_per_run(tx: Transaction, dag: DagRow) -> float | None:
    runs = tx.list_runs(dag_id=dag.dag_id, states=(DagRunState.SUCCESS,), limit=_MEASURED_RUNS)
    took = [(run.ended_at - run.started_at).total_seconds() for run in runs if run.started_at and run.ended_at]
    return sum(took) / len(took) if took else None


# --- the act --------------------------------------------------------------------------------------------------------


def _run(dag: DagRow, backfill: BackfillRow, info: DagRunInfo, now: datetime, run_key: str) -> RunRow:
    return RunRow(
        run_key=run_key,
        dag_id=dag.dag_id,
        run_id=generate_run_id(DagRunType.BACKFILL, info.logical_date, info.run_after),
        version_id=dag.version_id,
        run_type=DagRunType.BACKFILL,
        triggered_by=DagRunTriggeredBy.BACKFILL,
        state=DagRunState.QUEUED,
        run_after=info.run_after,
        logical_date=None if info.partition_key is not None else info.logical_date,
        data_interval_start=info.data_interval_start,
        data_interval_end=info.data_interval_end,
        queued_at=now,
        conf=backfill.dag_run_conf,
        triggering_user_name=backfill.triggering_user_name,
        bundle_version=dag.bundle_version,
        backfill_id=backfill.backfill_id,
        partition_key=info.partition_key,
        partition_date=info.partition_date,
    )


def _carry_out(
    tx: Transaction,
    documents: Documents,
    now: datetime,
    backfill: BackfillRow,
    wish: BackfillWish,
    ordinal: int,
    planned: PlannedDate,
    fresh: dict[tuple[datetime | None, str | None], str],
) -> BackfillRunRow:
    date = _date(planned.info)
    row = BackfillRunRow(backfill_id=backfill.backfill_id, ordinal=ordinal, logical_date=date[0], partition_key=date[1])
    if planned.deed is Deed.CREATE:
        run_key = fresh.get(date)
        return replace(row, run_key=run_key, reason=None if run_key is not None else "already exists")
    if planned.run is None or planned.deed is Deed.SKIP:
        return replace(row, reason=planned.reason)
    conf = backfill.dag_run_conf if wish.conf is not None else None
    if not tx.run_adopt(planned.run.run_key, backfill.backfill_id, conf):
        return replace(row, reason="in flight")
    run = tx.run_get(planned.run.run_key, lock=True)
    assert run is not None
    rows = tx.task_list(run.run_key)
    clear_instances(tx, documents, now, run, rows, newest_version=wish.newest_version, only_new=not rows)
    return replace(row, run_key=run.run_key)


def _date(info: DagRunInfo) -> tuple[datetime | None, str | None]:
    """What tells a date from others: its logical date, or its partition."""
    return (None, info.partition_key) if info.partition_key is not None else (info.logical_date, None)


def _date_of(run: RunRow) -> tuple[datetime | None, str | None]:
    return (run.logical_date, None) if run.logical_date is not None else (None, run.partition_key)


def _tell_running(tx: Transaction, dag_id: str) -> None:
    """The runs of the DAG look at their past again: the one before may be a new one, or ended before it began."""
    running = tx.list_runs(dag_id=dag_id, states=(DagRunState.RUNNING,), limit=1000)
    if running:
        tx.inbox_put([(run.run_key, PastChanged(())) for run in running])


# --- its life -------------------------------------------------------------------------------------------------------


def _switch(tx: Transaction, now: datetime, backfill_id: int, paused: bool) -> BackfillRow:
    _require_active(tx, backfill_id)
    tx.backfill_set_paused(backfill_id, paused, now)
    return require_backfill(tx, backfill_id)


def _require_active(tx: Transaction, backfill_id: int) -> BackfillRow:
    row = require_backfill(tx, backfill_id, lock=True)
    if row.completed_at is not None:
        how = "cancelled" if row.cancelled_at is not None else "completed"
        raise Conflict(f"backfill {backfill_id} was {how} at {row.completed_at.isoformat()}")
    return row
