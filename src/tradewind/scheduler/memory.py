"""What a scheduler keeps between steps. A cache of rows it owns, to be thrown away at any time, and the queue of what
waits for slots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from tradewind.commands.documents import Documents, VersionedDag
from tradewind.domain.admission import AdmissionQueue
from tradewind.domain.bounds import absent_tasks, without
from tradewind.domain.planner import Graph
from tradewind.kernel.clock import Clock
from tradewind.ports.executor import Executor
from tradewind.ports.rows import PoolRow, RunRow

from .limits import limit_bounds
from .owned import OwnedRun


class Memory:
    """Of one incarnation of a scheduler, named `id`."""

    def __init__(
        self,
        id: str,
        clock: Clock,
        executors: Mapping[str, Executor],
        default_executor: str,
        new_id: Callable[[], str],
        new_token: Callable[[], str],
    ) -> None:
        self.id = id
        self.clock = clock
        self.executors = executors
        self.default_executor = default_executor
        self.new_id = new_id
        self.new_token = new_token
        self.documents = Documents()
        self.runs: dict[str, OwnedRun] = {}
        self.queue = AdmissionQueue()
        self.waiting: dict[str, str] = {}
        """ti_id → run_key of what is in the queue."""
        self.timers: list[tuple[datetime, str, str]] = []
        """Heap of (due, run_key, ti_id); an empty ti_id is the time-out of the run."""
        self.expecting: set[str] = set()
        """Runs with instances that have no row yet."""
        self.tokens: dict[str, tuple[str, str]] = {}
        """Attempt token → (run_key, ti_id) of what is in executors' hands."""
        self.has_recalled = False
        """Some of what is in doubt came with a run that was taken over."""
        self.in_doubt: dict[str, float] = {}
        """Attempt token → monotonic instant since when nobody confirmed that an agent has it."""
        self.pools: dict[str, PoolRow] = {}
        """Pools as last seen, for reasons only."""
        self.bounds: dict[str, int] = {}
        """Bounds of shared counters ("limit:DAG/TASK"), from the newest document seen."""
        self._graphs: dict[str, Graph] = {}

    def graph(self, dag: VersionedDag, row: RunRow) -> Graph:
        """The compiled graph of a version, of the tasks that are there for this run; kept while it is in use."""
        absent = absent_tasks(dag.document, row.logical_date, row.run_type)
        key = f"{dag.version_id} without {sorted(absent)}" if absent else dag.version_id
        graph = self._graphs.get(key)
        if graph is None:
            if len(self._graphs) > 512:
                in_use = {run.row.version_id for run in self.runs.values()}
                self._graphs = {name: kept for name, kept in self._graphs.items() if name.partition(" ")[0] in in_use}
            graph = self._graphs[key] = Graph.of(without(dag.document, absent))
        return graph

    def remember_bounds(self, run: OwnedRun) -> None:
        self.bounds.update(limit_bounds(run))

    def drop(self, run_key: str) -> None:
        """Forget a run: its rows stay, its demands and tokens do not."""
        run = self.runs.pop(run_key, None)
        if run is None:
            return
        self.expecting.discard(run_key)
        for instance in run.by_id.values():
            if self.waiting.pop(instance.ti_id, None) is not None:
                self.queue.discard(instance.ti_id)
            if instance.token is not None:
                self.tokens.pop(instance.token, None)
                self.in_doubt.pop(instance.token, None)
                for executor in self.executors.values():
                    executor.release([instance.token])  # whoever owns the run now counts it
        # It may come back with other counts than it left with: nothing of it may stay parked.
        self.queue.freed_where((f"run:{run_key}", f"runtask:{run_key}/"))
