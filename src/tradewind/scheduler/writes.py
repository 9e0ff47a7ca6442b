"""What one step decided, collected to be written set by set, in an order that keeps every row legal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from tradewind.ports.outbox_rows import OutboxRow
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.wire.inbox import InboxEvent
from tradewind.wire.workload import Workload

_ORDER = (
    "clear",
    "skip",
    "fail_upstream",
    "succeed_empty",
    "remove",
    "stop",
    "stop_skipped",
    "requeue",
    "schedule",
    "queue",
    "queue_on",
    "defer_at_start",
)
"""A row may be queued only after everything else about it: what is in one step for one instance happens in this order.
"""


@dataclass(slots=True)
class RunEnd:
    """A run that is over."""

    run_key: str
    epoch: int
    change: str
    reason: str
    outbox: list[OutboxRow] = field(default_factory=list)
    """What is called because of it."""


@dataclass(slots=True)
class Writes:
    """Filled by a step. `workloads`, `cancels` and `forgets` are for the executors, after the commit."""

    inserts: dict[str, TaskRow] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    moves: dict[str, dict[str, TaskMove]] = field(default_factory=lambda: defaultdict(dict))
    releases: list[str] = field(default_factory=list)
    inbox: list[tuple[str, InboxEvent]] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    """Instances whose tries ended without an attempt in hand: what was kept of their waits goes."""
    waits: list[TriggerRow] = field(default_factory=list)
    """Of tries that begin in the triggerer."""
    ends: list[RunEnd] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    workloads: dict[str, list[Workload]] = field(default_factory=lambda: defaultdict(list))
    cancels: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    forgets: list[str] = field(default_factory=list)

    def insert(self, row: TaskRow) -> None:
        self.inserts[row.ti_id] = row

    def rename(self, ti_id: str, map_path: str) -> None:
        pending = self.inserts.get(ti_id)
        if pending is not None:
            self.inserts[ti_id] = msgspec.structs.replace(pending, map_path=map_path)
        else:
            self.renames[ti_id] = map_path

    def move(
        self,
        change: str,
        ti_id: str,
        reason: str | None,
        values: dict[str, Any] | None = None,
        token: str | None = None,
    ) -> None:
        self.moves[change][ti_id] = TaskMove(ti_id, reason, token, values or {})

    def take_back(self, ti_id: str) -> None:
        """What this step decided about an instance is void: a line heard later says that a person cleared or marked
        it.
        """
        for moves in self.moves.values():
            moves.pop(ti_id, None)

    def carry_out(self, tx: Transaction, now: datetime, on_refused: Callable[[str, Sequence[str]], None]) -> bool:
        """Write all but counters and ends of runs; whether anything was written. `on_refused` hears of rows that did
        not move.
        """
        if self.renames:
            for ti_id, map_path in self.renames.items():
                tx.task_rename(ti_id, map_path)
        if self.inserts:
            tx.task_insert(list(self.inserts.values()))
        if self.releases:
            tx.task_release(
                self.releases
            )  # before anything is queued: an instance may give its slots back and get new ones in one step
        wrote = bool(self.inserts or self.renames)
        deferred: set[str] = set()
        for change in _ORDER:
            moves = self.moves.get(change)
            if not moves:
                continue
            moved = tx.task_move(change, list(moves.values()), now)
            wrote = True
            if change == "defer_at_start":
                deferred.update(moved)
            if len(moved) != len(moves):
                on_refused(change, sorted(moves.keys() - set(moved)))
        if self.over:
            tx.trigger_forget(self.over)
        # Only of those that wait now: a person may have decided otherwise in between.
        waits = [wait for wait in self.waits if wait.ti_id in deferred]
        if waits:
            tx.trigger_put(waits)
        if self.inbox:
            tx.inbox_put(self.inbox)
        tx.outbox_put(self.outbox)
        return wrote
