"""What people do while the engine works: through the same commands as the command line and the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulation.dags import SimulatedDag
from tests.simulation.engine_books import Commit

from tradewind.commands.backfills import (
    BackfillWish,
    cancel_backfill,
    create_backfill,
    pause_backfill,
    unpause_backfill,
)
from tradewind.commands.dags import pause_dag, unpause_dag
from tradewind.commands.deletion import delete_run
from tradewind.commands.hitl import respond
from tradewind.commands.marking import MARKS, MarkWish, mark, set_run_state
from tradewind.commands.pools import delete_pool, set_pool
from tradewind.commands.runs import clear_instances, stop_run, trigger_run
from tradewind.ports.backfill_rows import Reprocess
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, Conflict, NotFound
from tradewind.wire.states import LIVE_RUN_STATES, DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine import World


class People:
    """They trigger (also twice with one id), clear, mark, stop, delete, pause and unpause, backfill, resize and delete
    pools.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.triggered: list[tuple[str, str]] = []
        """(dag id, run id) of runs that were promised."""
        self.free_since: dict[str, datetime] = {}
        """dag id → when something that keeps its schedule back was last in the way."""
        self._wishes: list[Callable[[], None]] = [
            *[self._trigger] * 4,
            self._trigger_twice,
            *[self._clear] * 3,
            *[self._stop] * 2,
            *[self._pause] * 2,
            *[self._resize] * 2,
            self._delete,
            *[self._answer] * 3,
            *[self._mark] * 2,
            self._mark_run,
            self._delete_run,
            self._backfill,
            self._hold_backfill,
        ]

    def act(self) -> None:
        """One wish."""
        self._world.random.choice(self._wishes)()

    def unpause(self, tx: Transaction, dag: SimulatedDag) -> None:
        unpause_dag(tx, self._world.documents, self._world.clock.now(), dag.document.dag_id)

    def unpause_backfills(self, tx: Transaction) -> None:
        for row in tx.backfill_list(active=True):
            unpause_backfill(tx, self._world.clock.now(), row.backfill_id)

    def saw(self, commit: Commit) -> None:
        """A schedule is on time only from when the DAG was unpaused or a run slot became free."""
        for _, dag in commit.dags:
            if dag is not None:
                self.free_since[dag.dag_id] = commit.at
        for _, run in commit.runs:
            if run is not None:
                self.free_since[run.dag_id] = commit.at

    def _dag(self) -> str:
        return self._world.random.choice(self._world.dags).document.dag_id

    def _trigger(self) -> None:
        world, now = self._world, self._world.clock.now()
        dag_id, run_id = self._dag(), f"by-hand-{len(self.triggered)}-{world.acts}"
        logical = now if world.random.random() < 0.7 else None
        try:
            with world.store.begin() as tx:
                trigger_run(tx, world.documents, now, world.new_id, dag_id, run_id=run_id, logical_date=logical)
        except Conflict:
            return  # the date is taken
        self.triggered.append((dag_id, run_id))

    def _trigger_twice(self) -> None:
        if not self.triggered:
            return
        world = self._world
        dag_id, run_id = world.random.choice(self.triggered)
        try:
            with world.store.begin() as tx:
                trigger_run(tx, world.documents, world.clock.now(), world.new_id, dag_id, run_id=run_id)
        except Conflict:
            return
        world.wrong.append(f"seed {world.seed}: run id {run_id} of {dag_id} was taken a second time")

    def _run(self, tx: Transaction) -> RunRow | None:
        runs = tx.list_runs(limit=10)
        return self._world.random.choice(runs) if runs else None

    def _clear(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            run = self._run(tx)
            if run is None:
                return
            part = world.random.choice((0.2, 0.5, 1.0))
            rows = [
                row
                for row in tx.task_list(run.run_key)
                if world.random.random() < part and row.state is not TaskInstanceState.REMOVED
            ]
            clear_instances(tx, world.documents, world.clock.now(), run, rows)

    def _stop(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            run = self._run(tx)
            if run is not None and run.state in LIVE_RUN_STATES:
                state = world.random.choice((DagRunState.FAILED, DagRunState.SUCCESS))
                stop_run(tx, world.clock.now(), run.dag_id, run.run_id, state, "a person said so")

    def _mark(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            run = self._run(tx)
            rows = tx.task_list(run.run_key) if run is not None else []
            if run is None or not rows:
                return
            row = world.random.choice(rows)
            wish = MarkWish(
                dag_id=run.dag_id,
                run_id=run.run_id,
                state=world.random.choice(tuple(MARKS)),
                tasks=((row.task_id, row.map_path if world.random.random() < 0.7 else None),),
                downstream=world.random.random() < 0.3,
            )
            mark(tx, world.documents, world.clock.now(), wish)

    def _mark_run(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            run = self._run(tx)
            if run is None:
                return
            state = world.random.choice((DagRunState.FAILED, DagRunState.SUCCESS, DagRunState.QUEUED))
            if state is not DagRunState.QUEUED or run.state not in LIVE_RUN_STATES:
                set_run_state(tx, world.clock.now(), run.dag_id, run.run_id, state, "a person said so")

    def _delete_run(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            run = self._run(tx)
            # Not one that stands for a date of a schedule: those must all be there in the end.
            if run is not None and run.state not in LIVE_RUN_STATES and run.logical_date is None:
                delete_run(tx, run.dag_id, run.run_id)
                self.triggered = [each for each in self.triggered if each != (run.dag_id, run.run_id)]

    def _backfill(self) -> None:
        world, now = self._world, self._world.clock.now()
        wish = BackfillWish(
            dag_id=self._dag(),
            from_date=now - timedelta(seconds=world.random.randint(20, 120)),
            to_date=now,
            run_backwards=world.random.random() < 0.3,
            reprocess=world.random.choice(tuple(Reprocess)),
            max_active_runs=world.random.randint(1, 3),
        )
        try:
            with world.store.begin() as tx:
                create_backfill(tx, world.documents, now, world.new_id, wish)
        except (BadInput, Conflict):
            return  # it has no schedule, no date in the range, a past, or another backfill

    def _hold_backfill(self) -> None:
        world, now = self._world, self._world.clock.now()
        with world.store.begin() as tx:
            for row in tx.backfill_list(active=True):
                match world.random.randrange(4):
                    case 0:
                        cancel_backfill(tx, now, row.backfill_id)
                    case 1:
                        pause_backfill(tx, now, row.backfill_id)
                    case _:
                        unpause_backfill(tx, now, row.backfill_id)

    def _pause(self) -> None:
        world, dag_id = self._world, self._dag()
        with world.store.begin() as tx:
            if not pause_dag(tx, dag_id, "a person said so"):
                unpause_dag(tx, world.documents, world.clock.now(), dag_id)

    def _resize(self) -> None:
        world = self._world
        name, slots = world.random.choice(sorted(world.pools)), world.random.choice((-1, 0, 1, 2, 3, 5))
        with world.store.begin() as tx:
            set_pool(tx, name, slots)

    def _answer(self) -> None:
        world = self._world
        with world.store.begin() as tx:
            open_ = [row for row in world.store.data.questions if row.responded_at is None]
            if not open_:
                return
            question = world.random.choice(open_)
            try:
                respond(tx, world.clock.now(), question.ti_id, [world.random.choice(question.options)], user_id="ann")
            except Conflict:
                tx.hitl_list(())  # it waits no longer: the answer is written, and nothing follows from it

    def _delete(self) -> None:
        name = self._world.random.choice(sorted(self._world.pools))
        try:
            with self._world.store.begin() as tx:
                delete_pool(tx, name)
        except (Conflict, NotFound):
            return  # in use, the default one, or gone already
