"""A simulated triggerer: the rules of the real one without processes. What it hosts fires when the script says so; it
dies, stands still and comes back.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.dags import START

from tradewind.commands.trigger_desk import TriggerDesk
from tradewind.ports.rows import ComponentRow
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.wire.deferral import FailureOfWait
from tradewind.wire.execution import Outcome
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

if TYPE_CHECKING:
    from tests.simulation.engine import World

LEASE_SECONDS = 10.0
BEAT = timedelta(seconds=4)


@dataclass(slots=True, eq=False)
class SimulatedTriggerer:
    """One place for triggerers; a new incarnation after each death."""

    world: World
    name: str
    capacity: int
    random: Random
    desk: TriggerDesk
    id: str = ""
    hosted: dict[str, tuple[datetime, TriggerRow]] = field(default_factory=dict)
    """Token → when it fires, and what it is."""
    back_at: datetime = START
    beat_at: datetime = START

    def next_due(self) -> datetime:
        if not self.id:
            return self.back_at
        return min([self.beat_at, *(at for at, _ in self.hosted.values())])

    def act(self) -> None:
        """Begin, beat, claim and fire. What the world lets die raises out of it; `die` follows."""
        now, store = self.world.clock.now(), self.world.store
        if not self.id:
            self._begin(now)
        with store.begin() as tx:
            alive = tx.component_beat("triggerer", self.id)
        if not alive:
            self.die(0.0)
            return
        self.beat_at = now + BEAT
        due = [token for token, (at, _) in self.hosted.items() if at <= now]
        ended = [self._end_of(self.hosted[token][1]) for token in due]
        fires = [end for end in ended if isinstance(end, TriggerFire)]
        ends = [end for end in ended if isinstance(end, tuple)]
        with store.begin() as tx:
            if fires or ends:
                self.desk.end(tx, fires, ends)
            cancelled = tx.trigger_take_cancelled(self.id)
            claimed = tx.trigger_claim(self.id, self.capacity - len(self.hosted) + len(due), LEASE_SECONDS)
            hosted = set(tx.trigger_list_hosted(self.id))
            lost = tx.trigger_get_many(hosted - self.hosted.keys() - {row.token for row in claimed})
        for token in (*due, *cancelled, *(self.hosted.keys() - hosted)):
            self.hosted.pop(token, None)
        for row in (*claimed, *lost.values()):
            self.hosted[row.token] = (now + timedelta(seconds=self._luck(row).uniform(0, 20)), row)

    def die(self, seconds: float) -> None:
        self.id, self.hosted = "", {}
        self.back_at = self.world.clock.now() + timedelta(seconds=seconds)

    def _begin(self, now: datetime) -> None:
        self.id = self.world.new_id()
        row = ComponentRow(
            kind="triggerer", id=self.id, name=self.name, hostname="host", pid=1, started_at=now, heartbeat_at=now
        )
        with self.world.store.begin() as tx:
            tx.component_start(row)

    def _end_of(self, row: TriggerRow) -> TriggerFire | tuple[str, Outcome]:
        """How the trigger of this attempt ends, the same wherever it runs."""
        luck = self._luck(row).random()
        if luck < 0.1:
            return TriggerFire(token=row.token, failure=FailureOfWait.TRIGGER, error="as scripted")
        if luck < 0.2:
            state = TaskInstanceState.FAILED if luck < 0.15 else TaskInstanceState.SKIPPED
            cause = CauseOfDeath.FAIL_NOW if state is TaskInstanceState.FAILED else None
            return row.token, Outcome(state=state, cause=cause, reason="ended by its trigger")
        return TriggerFire(token=row.token, event=json.dumps(row.token))

    def _luck(self, row: TriggerRow) -> Random:
        text = repr((self.world.seed, row.dag_id, row.run_id, row.task_id, row.map_path, row.try_number))
        return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))
