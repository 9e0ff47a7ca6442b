"""Reports that arrive while the inbox is being read: in a database, another transaction commits between two statements
of the scheduler's. Here the second statement of the inbox brings what was hidden from the first."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commands.world import task
from tests.unit.scheduler.engine import Engine

from tradewind.store.memory.store import MemoryTransaction
from tradewind.wire.states import DagRunState


@pytest.mark.parametrize("shown_by", [1, 2, 3])
def test_lines_of_runs_that_are_not_locked_yet_are_heard(shown_by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    engine.hand.slots = 3
    runs = []
    for name in ("first", "second", "third"):
        engine.world.publish(name, task("only"))
        runs.append(engine.world.trigger(name))
    engine.step()
    engine.step()
    for workload in list(engine.hand.given):
        engine.hand.given.append(workload)
        engine.work()

    # Nothing has news when the runs are locked; each reading of the inbox then shows the lines of one more run.
    calls = 0
    plain = MemoryTransaction.inbox_take

    def take(self: Any, owner: str, limit: int) -> list[tuple[str, Any]]:
        nonlocal calls
        calls += 1
        return plain(self, owner, 1 if calls <= shown_by else limit)

    monkeypatch.setattr(MemoryTransaction, "inbox_open", lambda self, owner, limit: ({}, self.inbox_take(owner, limit)))
    monkeypatch.setattr(MemoryTransaction, "inbox_take", take)
    engine.step()
    monkeypatch.undo()
    assert [engine.run(run.run_key).state for run in runs] == [DagRunState.SUCCESS] * 3
    assert not engine.hand.taken
