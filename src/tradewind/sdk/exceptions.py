"""What tasks raise, and what authors catch. Names are Airflow's.

AirflowException                        a task failed; retried while tries are left
├── AirflowFailException                    failed, never retried
├── AirflowSensorTimeout                    a sensor waited too long, never retried
├── AirflowSkipException                    skip this task
├── AirflowRescheduleException              call this sensor again later
├── DownstreamTasksSkipped                  the task succeeded and skips others
├── AirflowNotFoundException                a connection, variable... does not exist
├── XComNotFound
├── ParamValidationError
├── TemplateRenderingError                  a template cannot be rendered: task, field and line are named
├── TaskNotFound, DuplicateTaskIdFound, TaskAlreadyInTaskGroup, AirflowDagCycleException... (building DAGs)
├── AirflowClusterPolicyError, ...Violation, ...SkipDag (what an installation decides)
└── TaskDeferralError, TaskDeferralTimeout
AirflowTaskTimeout, AirflowTaskTerminated, TaskDeferred     BaseExceptions: `except Exception` does not swallow them
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tradewind.wire.errors import DagCycle, InvalidConf, InvalidDag, InvalidSchedule, NotFound, TradewindError


class AirflowException(TradewindError):
    """A task failed."""


class AirflowConfigException(AirflowException):
    """Something that the task needs is not configured."""


class AirflowNotFoundException(AirflowException, NotFound):
    """A thing that the task asked for does not exist."""


class AirflowFailException(AirflowException):
    """The task fails now; no try that is left is spent."""


class AirflowSensorTimeout(AirflowException):
    """The condition of a sensor was not met in time; not retried."""


class AirflowSkipException(AirflowException):
    """The task is to be skipped."""


class AirflowClusterPolicyError(AirflowException):
    """A cluster policy is broken."""


class AirflowClusterPolicyViolation(AirflowClusterPolicyError, InvalidDag):
    """A cluster policy refuses this DAG or task."""


class AirflowClusterPolicySkipDag(AirflowClusterPolicyError):
    """A cluster policy leaves this DAG out, without an import error."""


class AirflowOptionalProviderFeatureException(AirflowException):
    """A feature needs a package that is not installed."""


class AirflowRescheduleException(AirflowException):
    """The task gives its slot back and is called again later.

    Parameters:
        reschedule_date: when, an aware datetime.
    """

    def __init__(self, reschedule_date: datetime) -> None:
        super().__init__(f"call again at {reschedule_date}")
        self.reschedule_date = reschedule_date


class DownstreamTasksSkipped(AirflowException):
    """The task succeeded and decided that others are skipped.

    Parameters:
        tasks: ids of tasks; (id, map index) pairs are taken as their id.
    """

    def __init__(self, *, tasks: Iterable[str | tuple[str, int]]) -> None:
        self.tasks = tuple(tasks)
        super().__init__(f"skips {', '.join(map(str, self.tasks))}")


class AirflowTimetableInvalid(AirflowException, InvalidSchedule):
    """A timetable cannot be made from what was given."""


class AirflowDagCycleException(AirflowException, DagCycle):
    """Tasks depend on themselves."""


class DuplicateTaskIdFound(AirflowException, InvalidDag):
    """A task or group id is used twice in a DAG."""


class FailFastDagInvalidTriggerRule(AirflowException, InvalidDag):
    """A DAG with fail_fast takes tasks with the default trigger rule only."""


class TaskAlreadyInTaskGroup(AirflowException, InvalidDag):
    """A task was given to a second group."""

    def __init__(self, task_id: str, existing_group_id: str | None, new_group_id: str) -> None:
        self.task_id = task_id
        self.existing_group_id = existing_group_id
        self.new_group_id = new_group_id
        where = f"group {existing_group_id!r}" if existing_group_id else "the DAG's root group"
        super().__init__(f"cannot add task {task_id!r} to group {new_group_id!r}: it is in {where} already")


class TaskNotFound(AirflowException, NotFound):
    """A DAG has no task of this id."""


class NodeNotFound(TaskNotFound, KeyError):
    """A DAG has neither task nor group of this id."""

    # KeyError would show the message as a quoted literal.
    __str__ = Exception.__str__


class ParamValidationError(AirflowException, InvalidConf, ValueError):
    """A param has a value that its schema does not take."""


class XComNotFound(AirflowException, NotFound):
    """A task left no value under this key."""

    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        self.dag_id = dag_id
        self.task_id = task_id
        self.key = key
        super().__init__(
            f"XComArg result from {task_id} at {dag_id} with key={key!r} is not found: "
            f"the task pushed no such value (it returned None, was skipped, or has do_xcom_push=False)"
        )


class UnmappableXComTypePushed(TypeError):
    """A task returned something that a mapped task cannot expand over."""

    def __init__(self, value: object, *values: object) -> None:
        kinds = " in ".join(type(each).__qualname__ for each in (*values, value))
        super().__init__(f"unmappable return type {kinds!r}: return a list or a dict for a mapped task to expand over")


class XComForMappingNotPushed(TypeError):
    """A mapped task depends on a value that was not pushed."""

    def __str__(self) -> str:
        return "did not push XCom for task mapping: return a list or a dict for a mapped task to expand over"


class TemplateRenderingError(AirflowException):
    """A template cannot be rendered; task, field and line are named."""


class TaskDeferralError(AirflowException):
    """The trigger of a deferred task failed."""


class TaskDeferralTimeout(AirflowException):
    """A deferred task waited too long for its trigger."""


class TaskAlreadyRunningError(AirflowException):
    """The attempt is running already."""


class DagRunTriggerException(AirflowException):
    """Asks to start a run of another DAG. Parameters: those of `TriggerDagRunOperator`."""

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        dag_run_id: str,
        conf: dict[str, Any] | None,
        logical_date: datetime | None = None,
        run_after: datetime | None = None,
        reset_dag_run: bool,
        skip_when_already_exists: bool,
        wait_for_completion: bool,
        allowed_states: list[str],
        failed_states: list[str],
        poke_interval: int,
        deferrable: bool,
        note: str | None = None,
    ) -> None:
        super().__init__(f"start a run of DAG {trigger_dag_id!r}")
        self.trigger_dag_id = trigger_dag_id
        self.dag_run_id = dag_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.run_after = run_after
        self.reset_dag_run = reset_dag_run
        self.skip_when_already_exists = skip_when_already_exists
        self.wait_for_completion = wait_for_completion
        self.allowed_states = allowed_states
        self.failed_states = failed_states
        self.poke_interval = poke_interval
        self.deferrable = deferrable
        self.note = note


class AirflowTaskTimeout(BaseException):
    """`execution_timeout` passed."""


class AirflowTaskTerminated(BaseException):
    """The attempt was ended from outside (a person, a rule of the run)."""


class TaskDeferred(BaseException):
    """The task wants to wait for a trigger and go on in another method.

    Parameters:
        trigger: what to wait for.
        method_name: method of the operator that is called with the trigger's event.
        kwargs: further arguments of that method.
        timeout: how long to wait; a timedelta or seconds.
    """

    def __init__(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: Mapping[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        super().__init__(f"deferred to {type(trigger).__name__}, resumes in {method_name}")
        self.trigger = trigger
        self.method_name = method_name
        self.kwargs = dict(kwargs or {})
        self.timeout = timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout
