"""Who waits for the run before hears of all that lets it go on."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.commands.world import START, task
from tests.unit.scheduler.engine import FAILURE, Engine

from tradewind.commands.attempts import Settlement
from tradewind.domain.retry import DEFAULT_LIMITS
from tradewind.ports.rows import RunRow
from tradewind.wire.document import FromTask, Mapping
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState


def trigger(engine: Engine, day: int) -> RunRow:
    return engine.world.trigger("wide", logical_date=START - timedelta(days=30 - day))


def end(engine: Engine, run: RunRow, outcome: Outcome) -> None:
    """What this run has in hand ends so."""
    hand = engine.hand
    (token,) = (w.token for w in hand.given if w.token in hand.taken and w.run.run_key == run.run_key)
    now = engine.world.clock.now()
    with engine.store.begin() as tx:
        row = tx.task_by_token([token])[token]
        settlement = Settlement(tx, engine.world.documents, now, DEFAULT_LIMITS)
        settlement.start(row, token, agent="agent", hostname="host", pid=1, at=now)
        settlement.end(row, token, outcome)
        settlement.write()
    engine.step()


def items(length: int) -> Outcome:
    value = XComEntry("return_value", XComValue(data=b"[]", size=2, length=length))
    return Outcome(state=S.SUCCESS, xcoms=(value,))


def states(engine: Engine, run: RunRow) -> dict[str, TaskInstanceState | None]:
    with engine.store.read() as tx:
        return {row.map_path: row.state for row in tx.task_list(run.run_key) if row.task_id == "each"}


def test_indexes_that_the_run_before_does_not_have_begin_once_it_has_expanded() -> None:
    engine = Engine()
    engine.hand.slots = 4
    over = Mapping(arguments=(("x", FromTask("source")),))
    engine.world.publish("wide", task("source"), task("each", upstream=("source",), mapping=over, depends_on_past=True))
    first = trigger(engine, 1)
    engine.step()
    end(engine, first, items(1))
    end(engine, first, FAILURE)
    assert engine.run(first.run_key).state is DagRunState.FAILED

    second, third = trigger(engine, 2), trigger(engine, 3)
    engine.step()
    end(engine, third, items(3))
    assert states(engine, third) == {"0": None, "1": None, "2": None}  # the run before may have all of them

    end(engine, second, items(1))
    assert states(engine, second) == {"0": None}
    engine.step()
    engine.step()
    assert states(engine, third) == {"0": None, "1": S.QUEUED, "2": S.QUEUED}
