"""Instances that wait outside of processes: for a trigger, for a person. A step's part about them.

Such an instance has left its executor and its slots (a pool that counts deferred ones keeps its own). It comes back
by a line of the inbox: whoever ended the wait has moved its row to scheduled already. Only the time-out of a wait is
the owner's to notice.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from tradewind.commands.hitl import take_defaults
from tradewind.commands.waits import WAITING as STATES
from tradewind.commands.waits import due_at, end_waits, wait_row
from tradewind.domain.planner import events
from tradewind.ports.rows import TaskRow
from tradewind.ports.trigger_rows import TriggerFire
from tradewind.wire.deferral import Deferral, FailureOfWait
from tradewind.wire.document import TaskDocument
from tradewind.wire.ids import path_text
from tradewind.wire.inbox import InstanceReported
from tradewind.wire.states import TERMINAL_STATES, TaskInstanceState

from .owned import Instance, OwnedRun

if TYPE_CHECKING:
    from .step import Step

S = TaskInstanceState
__all__ = ["STATES", "begun", "keeps_slots", "rest", "start_all", "starts_in_triggerer", "time_out", "woken"]


def begun(step: Step, run: OwnedRun, instance: Instance, event: InstanceReported) -> None:
    """An attempt ended in a wait."""
    step._leave_executor(instance)
    if keeps_slots(step, run, instance):
        step._free(run.keep_shared(instance.ti_id))
    else:
        step._release(run, instance)
    step._unwant(instance)
    for row in step.tx.task_get_many([event.ti_id]):
        instance.refresh(row)
        if row.state in TERMINAL_STATES:  # it was stopped when nobody knew yet that it waits
            step._release(run, instance)
            step._apply(run, events.Ended(instance.key, row.state))
            return
    step._apply(run, events.Waiting(instance.key, event.state, event.due_at))
    rest(step, run, instance.ti_id, event)


def rest(step: Step, run: OwnedRun, ti_id: str, event: InstanceReported | TaskRow) -> None:
    """Have the owner look again when the wait is too long."""
    if event.due_at is not None:
        heapq.heappush(step.memory.timers, (event.due_at, run.run_key, ti_id))


def keeps_slots(step: Step, run: OwnedRun, instance: Instance) -> bool:
    """Whether its pool counts deferred instances."""
    task = run.dag.tasks.get(instance.key[0])
    if task is None:
        return False
    pool = step.memory.pools.get(task.pool) or step.tx.pool_get(task.pool)
    return pool is not None and pool.include_deferred


def woken(step: Step, run: OwnedRun, instance: Instance) -> None:
    """The wait is over; the row says so already. A line that comes late means nothing."""
    if run.plan.state(instance.key) not in STATES:
        return
    step._release(run, instance)
    for row in step.tx.task_get_many([instance.ti_id]):
        instance.refresh(row)
        if row.state is not S.SCHEDULED:
            return  # something else came after it, and tells of itself
    instance.is_scheduled = False  # its row says why it was woken, not why it waits for its slots
    step._apply(run, events.Due(instance.key))


def time_out(step: Step, instance: Instance) -> None:
    """The time given for a wait has passed: it ends with a failure, or with what was to be chosen then."""
    wait = step.tx.trigger_list_waiting([instance.ti_id]).get(instance.ti_id)
    if wait is None or wait.due_at is None or wait.due_at > step.now:
        return  # it is over already, or another wait than the one the timer was for
    fire = take_defaults(step.tx, wait, step.now)
    end_waits(step.tx, [fire or TriggerFire(token=wait.token, failure=FailureOfWait.TIMEOUT)], step.now)


def starts_in_triggerer(task: TaskDocument, instance: Instance) -> bool:
    """Whether the next start of this instance is in the triggerer."""
    return task.start_trigger is not None and not instance.in_try and instance.resume is None


def start_all(step: Step) -> None:
    """Tries that begin in the triggerer, once everything is heard: news may have stopped, cleared or marked them."""
    for ti_id, (run, instance) in step.starting.items():
        if step.memory.runs.get(run.run_key) is run and run.by_id.get(ti_id) is instance:
            start = run.dag.tasks[instance.key[0]].start_trigger
            if start is not None and run.plan.state(instance.key) is S.SCHEDULED:
                _start_in_triggerer(step, run, instance, start)
    step.starting.clear()


def _start_in_triggerer(step: Step, run: OwnedRun, instance: Instance, start: Deferral) -> None:
    """A try begins with its wait: no slots, no process."""
    instance.try_number += 1
    instance.first_started_at = step.now
    token, due = step.memory.new_token(), due_at(start, step.now)
    values = {
        "attempt_token": token,
        "try_number": instance.try_number,
        "queued_at": step.now,
        "scheduled_at": step.now,
        "started_at": step.now,
        "first_started_at": step.now,
        "due_at": due,
    }
    step.writes.move("defer_at_start", instance.ti_id, "begins in the triggerer", values)
    row = TaskRow(
        ti_id=instance.ti_id,
        run_key=run.run_key,
        dag_id=run.row.dag_id,
        run_id=run.row.run_id,
        task_id=instance.key[0],
        map_path=path_text(instance.key[1]),
        try_number=instance.try_number,
        queue=run.dag.tasks[instance.key[0]].queue,
        version_id=run.row.version_id,
        due_at=due,
    )
    step.writes.waits.append(wait_row(row, token, start, step.now))
    instance.in_try = True
    run.plan.apply(events.Admitted(instance.key))
    run.plan.apply(events.Waiting(instance.key, S.DEFERRED, due))
    rest(step, run, instance.ti_id, row)
