"""The events services tell of, for exporters, listeners and tests; every field is explained where it is declared.

Events say what has been committed, after the commit. They may be lost in a crash; nothing may depend on them. Instants
are aware UTC; durations are seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from .states import CauseOfDeath, DagRunState, DagRunType, TaskInstanceState

Instant = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class TelemetryEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something happened that somebody may want to measure or follow."""

    at: Instant
    """When it happened, by the clock of the service that tells."""


class TaskInstanceEvent(TelemetryEvent, frozen=True, kw_only=True):
    """What all events about a task instance name."""

    dag_id: str
    """DAG of the run."""
    run_id: str
    """Run, by the name people use."""
    task_id: str
    """Task."""
    map_path: str = ""
    """Index path of a mapped instance, outermost first (`3.1`); empty for an unmapped one."""
    try_number: Count
    """Attempt, from 1."""


class TaskInstanceQueued(TaskInstanceEvent, frozen=True, kw_only=True, tag="task_instance_queued"):
    """Admitted and handed to an executor."""

    executor: str
    """Name of the executor."""
    pool: str
    """Pool whose slots it holds."""
    ready_seconds: Seconds
    """From ready to queued: what it waited for slots."""


class TaskInstanceStarted(TaskInstanceEvent, frozen=True, kw_only=True, tag="task_instance_started"):
    """The attempt runs on a worker."""

    agent: str
    """Name of the agent that runs it."""
    queued_seconds: Seconds
    """From queued to running."""


class TaskInstanceFinished(TaskInstanceEvent, frozen=True, kw_only=True, tag="task_instance_finished"):
    """The attempt ended, or the instance was ended without running."""

    state: TaskInstanceState
    """State it went to; a retry to come is `up_for_retry`."""
    running_seconds: Seconds | None = None
    """From running to the end; None when it never ran."""
    cause: CauseOfDeath | None = None
    """What ended an attempt that did not end by itself."""


class DagRunEvent(TelemetryEvent, frozen=True, kw_only=True):
    """What all events about a run name."""

    dag_id: str
    """DAG."""
    run_id: str
    """Run, by the name people use."""
    run_type: DagRunType
    """Why the run exists."""


class DagRunCreated(DagRunEvent, frozen=True, kw_only=True, tag="dag_run_created"):
    """A run exists."""

    due_seconds: Seconds | None = None
    """From when its timetable wanted it to when it was made; None for a run without a schedule."""


class DagRunFinished(DagRunEvent, frozen=True, kw_only=True, tag="dag_run_finished"):
    """All tasks of a run are finished, or a person ended it."""

    state: DagRunState
    """`success` or `failed`."""
    running_seconds: Seconds
    """From the start of the run to its end."""
    task_instances: Count
    """How many task instances it had."""


class DagParsed(TelemetryEvent, frozen=True, kw_only=True, tag="dag_parsed"):
    """A DAG file was loaded, or could not be."""

    bundle: str
    """Bundle the file belongs to."""
    file: str
    """Path of the file inside its bundle."""
    dags: Count
    """DAGs found in it."""
    versions: Count
    """New DAG versions among them; 0 when nothing changed."""
    duration_seconds: Seconds
    """From the start of the child to its answer."""
    error: str | None = None
    """Last line of the import error; None when it loaded."""


class SchedulerLoop(TelemetryEvent, frozen=True, kw_only=True, tag="scheduler_loop"):
    """One turn of a scheduler's loop that had something to do."""

    scheduler: str
    """Name of the scheduler."""
    woken_by: str
    """`doorbell`, `timer` or `poll`; a poll that finds work means that a bell was missed."""
    inbox: Count
    """Inbox rows consumed."""
    changes: Count
    """Changes of state written."""
    queued: Count
    """Task instances queued."""
    runs_owned: Count
    """Live runs this scheduler owns after the turn."""
    duration_seconds: Seconds
    """From waking up to the last commit."""


class AgentConnected(TelemetryEvent, frozen=True, kw_only=True, tag="agent_connected"):
    """An agent began to send heartbeats."""

    agent: str
    """Name of the agent."""
    slots: Count
    """Attempts it can run at once."""


class AgentLost(TelemetryEvent, frozen=True, kw_only=True, tag="agent_lost"):
    """An agent's heartbeat is too old; its attempts end with the cause `lost`."""

    agent: str
    """Name of the agent."""
    attempts: Count
    """Attempts it was running, as far as is known."""
    silent_seconds: Seconds
    """Age of its last heartbeat."""


class LeaseTakenOver(TelemetryEvent, frozen=True, kw_only=True, tag="lease_taken_over"):
    """A scheduler took runs whose owner had gone or had let go of them."""

    scheduler: str
    """Who took them."""
    previous: str | None
    """Who had them; None when nobody did."""
    runs: Count
    """How many runs."""
    silent_seconds: Seconds | None = None
    """Age of the last heartbeat of the previous owner; None when nobody had them."""


EVENTS: tuple[type[TelemetryEvent], ...] = (
    TaskInstanceQueued,
    TaskInstanceStarted,
    TaskInstanceFinished,
    DagRunCreated,
    DagRunFinished,
    DagParsed,
    SchedulerLoop,
    AgentConnected,
    AgentLost,
    LeaseTakenOver,
)
"""Every event there is; a test keeps the list complete."""
