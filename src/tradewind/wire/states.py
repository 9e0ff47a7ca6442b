"""States, rules and kinds. Names and meanings are Airflow's (its public enumerations), so values travel unchanged to
API and UI.
"""

from __future__ import annotations

from enum import StrEnum


class TaskInstanceState(StrEnum):
    """State of a task instance. "No status" is `None`, not a member."""

    REMOVED = "removed"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


TERMINAL_STATES = frozenset(
    {
        TaskInstanceState.SUCCESS,
        TaskInstanceState.FAILED,
        TaskInstanceState.SKIPPED,
        TaskInstanceState.UPSTREAM_FAILED,
        TaskInstanceState.REMOVED,
    }
)
"""No further change happens by itself."""

WAITING_STATES = frozenset(
    {
        TaskInstanceState.UP_FOR_RETRY,
        TaskInstanceState.UP_FOR_RESCHEDULE,
        TaskInstanceState.DEFERRED,
        TaskInstanceState.AWAITING_INPUT,
    }
)
"""Between two stretches of work: a time, a trigger or a person brings it back."""

EXECUTING_STATES = frozenset({TaskInstanceState.QUEUED, TaskInstanceState.RUNNING, TaskInstanceState.RESTARTING})
"""In the hands of an executor; these hold their slots."""


class DagRunState(StrEnum):
    """State of a DAG run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


LIVE_RUN_STATES = frozenset({DagRunState.QUEUED, DagRunState.RUNNING})


class DagRunType(StrEnum):
    """Why a run exists; also the prefix of generated run ids."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    OPERATOR_TRIGGERED = "operator_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"


class DagRunTriggeredBy(StrEnum):
    """Who asked for a run."""

    CLI = "cli"
    OPERATOR = "operator"
    REST_API = "rest_api"
    UI = "ui"
    TEST = "test"
    TIMETABLE = "timetable"
    ASSET = "asset"
    BACKFILL = "backfill"


class TriggerRule(StrEnum):
    """When a task may start, in terms of its direct upstreams. Meaning: `domain.trigger_rules`."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ALL_SKIPPED = "all_skipped"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"


class WeightRule(StrEnum):
    """How `priority_weight` becomes the effective weight."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"
    ABSOLUTE = "absolute"


class Isolation(StrEnum):
    """How an attempt gets its process: `fork` of a warm template, a fresh interpreter, or a warm child that runs one
    attempt after another.
    """

    FORK = "fork"
    SPAWN = "spawn"
    REUSE = "reuse"


class CauseOfDeath(StrEnum):
    """Why an attempt ended without the task's own verdict, or which verdict it was. Retries may depend on it."""

    EXCEPTION = "exception"
    """The task raised."""
    FAIL_NOW = "fail_now"
    """The task asked to fail without retry (AirflowFailException, sensor timeout)."""
    EXIT_CODE = "exit_code"
    """The process ended with a non-zero code and no verdict."""
    SIGNAL = "signal"
    """The process died of a signal that nobody here sent and that the task itself can cause (SIGSEGV, SIGABRT,
    SIGBUS...).
    """
    KILLED = "killed"
    """SIGKILL from outside (not by Tradewind, no sign of memory shortage)."""
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    """`execution_timeout` passed."""
    LOST = "lost"
    """The agent, its host or its zygote died or fell silent."""
    LAUNCH = "launch"
    """The process or the DAG file could not be started or loaded."""
    USER = "user"
    """A person or a rule of the run (time-out, fail-fast, clear, mark) ended it."""


INFRASTRUCTURE_CAUSES = frozenset({CauseOfDeath.KILLED, CauseOfDeath.LOST})
"""Deaths that are not the task's doing: they spend the bounded infrastructure budget, not the user's retries."""
