"""Running one attempt of a task: the one function that the task's process and `dag.test()` both call.

Order: context, params, instance of the operator, templates, `pre_execute`, `on_execute_callback`, `execute` under its
time limit,
`post_execute`, values to hand on; then the callbacks of the end. However it ends, the answer is an `Outcome`; only
KeyboardInterrupt, which is meant for the person at the keyboard, comes through.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk.around import Around
from tradewind.sdk.asking import TaskAwaitsInput, question_of
from tradewind.sdk.asset_events import check_active, outlet_events_of
from tradewind.sdk.attempt import Attempt, working_on
from tradewind.sdk.awaiting import run_to_end
from tradewind.sdk.class_gate import TaskGate
from tradewind.sdk.context import build_context, current_context, filled, merged_params
from tradewind.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    DownstreamTasksSkipped,
    TaskDeferred,
)
from tradewind.sdk.mapped import instance_operator
from tradewind.sdk.rendered import rendered_fields
from tradewind.sdk.retry_policies import RetryAction, decide
from tradewind.sdk.task_instance import RuntimeTaskInstance
from tradewind.sdk.templates import FieldRenderer, compile_fields, engine_for
from tradewind.sdk.time_limit import time_limit
from tradewind.sdk.triggers import deferral_of, next_call
from tradewind.sdk.values import RETURN_KEY, ValueLimits, pack
from tradewind.sdk.xcoms import XComReader
from tradewind.wire.assets import AssetEmission
from tradewind.wire.deferral import Deferral, HumanQuestion
from tradewind.wire.errors import StaleAttempt
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.ids import path_of
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

_OWN_CODE = str(Path(__file__).resolve().parent.parent) + os.sep
_RETRIED_CAUSES = (CauseOfDeath.EXCEPTION, CauseOfDeath.TIMEOUT, CauseOfDeath.EXIT_CODE)
_log = logging.getLogger("tradewind.task")
_operators: list[Any] = []
_ENDS = frozenset({TaskInstanceState.SUCCESS, TaskInstanceState.FAILED, TaskInstanceState.SKIPPED})


def run_task(
    task: Any,
    workload: Workload,
    client: TaskClient,
    inputs: Mapping[str, XComValue],
    *,
    clock: Clock,
    on_started: Callable[[], object] | None = None,
    limits: ValueLimits | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Outcome:
    """Run one attempt.

    Parameters:
        task: as it stands in the DAG, mapped or not.
        workload: the attempt.
        client: its channel to the world.
        inputs: return values of unmapped tasks, which came with the start.
        clock: tells the time.
        on_started: called before the first line of user code.
        limits: of values handed on; default: those of the settings' defaults.
        pause: waits so many seconds between two pokes of a sensor.

    Raises:
        KeyboardInterrupt: someone pressed Ctrl-C; `on_kill` was called.
    """
    attempt = Attempt(client, workload.token, clock, pause)
    execution = _Execution(task, workload, attempt, inputs, limits or ValueLimits())
    with working_on(attempt), _environment(task, workload), current_context(execution.context):
        if on_started is not None:
            on_started()
        return execution.run()


def warm_up(dag: Any) -> None:
    """Do ahead what each attempt would do again in a process of its own: load what contexts need, compile templates."""
    importlib.import_module("pendulum")
    if dag.params or any(task.params for task in dag.tasks):
        importlib.import_module("jsonschema")  # params are checked in each attempt
    for task in dag.tasks:
        compile_fields(task)


def current_operator() -> Any | None:
    """The operator that is running in this process, None between attempts: whose `on_kill` is to be called on
    SIGTERM."""
    return _operators[-1] if _operators else None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How user code ended."""

    state: TaskInstanceState
    cause: CauseOfDeath | None = None
    reason: str = ""
    error: BaseException | None = None
    exit_code: int | None = None
    reschedule_at: datetime | None = None
    deferral: Deferral | None = None
    question: HumanQuestion | None = None
    retry: bool | None = None
    """What the task's retry policy decided; None: as without one."""
    retry_delay_seconds: float | None = None


class _Execution:
    def __init__(
        self,
        task: Any,
        workload: Workload,
        attempt: Attempt,
        inputs: Mapping[str, XComValue],
        limits: ValueLimits,
    ) -> None:
        self._clock = attempt.clock
        self._started_at = self._clock.now()
        self._started = self._clock.monotonic()
        self._task = task
        self._workload = workload
        self._attempt = attempt
        self._limits = limits
        self._operator: Any = task
        self._rendered: dict[str, Any] | None = None
        self._xcoms: tuple[XComEntry, ...] = ()
        self._changes: tuple[AssetEmission, ...] | None = None
        self._reader = XComReader(workload, attempt, inputs, TaskGate(task, workload.file), task)
        self._ti = RuntimeTaskInstance(task, workload, attempt, self._reader, limits, self._started_at)
        self.context = build_context(task, self._ti, workload.run, attempt)
        self._ti.set_template_context(self.context)
        self._around = Around(self._ti)

    def run(self) -> Outcome:
        verdict = self._consult(self._judge())
        label = self._label()
        # Measured before the callbacks: they are not the task's work.
        duration = self._clock.monotonic() - self._started
        ended_at = self._clock.now()
        self._close(verdict, ended_at)
        return Outcome(
            state=verdict.state,
            cause=verdict.cause,
            reason=self._attempt.redact(verdict.reason),
            exit_code=verdict.exit_code,
            started_at=self._started_at,
            ended_at=ended_at,
            duration_seconds=duration,
            skips=tuple(self._attempt.skips) if verdict.state is TaskInstanceState.SUCCESS else (),
            reschedule_at=verdict.reschedule_at,
            deferral=verdict.deferral,
            question=verdict.question,
            retry=verdict.retry,
            retry_delay_seconds=verdict.retry_delay_seconds,
            xcoms=(*self._xcoms, *self._links(verdict)),
            rendered_fields=self._rendered,
            asset_events=self._changes,
            map_index_label=label,
        )

    def _judge(self) -> _Verdict:
        try:
            self._work()
        except KeyboardInterrupt:
            self._on_kill()
            raise
        except AirflowTaskTimeout as error:
            self._on_kill()
            return _told(error, TaskInstanceState.FAILED, CauseOfDeath.TIMEOUT)
        except DownstreamTasksSkipped as skipping:
            self._attempt.skips.update(dict.fromkeys(_task_ids(skipping)))
            return _Verdict(TaskInstanceState.SUCCESS)
        except (TaskDeferred, TaskAwaitsInput) as waiting:
            return self._wait(waiting)
        except BaseException as error:
            return _verdict_of(error)
        finally:
            _operators[:] = [each for each in _operators if each is not self._operator]
        return _Verdict(TaskInstanceState.SUCCESS)

    def _consult(self, verdict: _Verdict) -> _Verdict:
        """Ask the task's retry policy about a failure that may be tried again."""
        policy = getattr(self._operator, "retry_policy", None)
        if policy is None or verdict.error is None or verdict.cause not in _RETRIED_CAUSES:
            return verdict
        load = self._workload
        decision = decide(policy, verdict.error, load.try_number, load.max_tries, filled(self.context))
        if decision is None:
            return verdict
        delay = decision.retry_delay.total_seconds() if decision.retry_delay is not None else None
        said = f"{verdict.reason}; {decision.reason}" if decision.reason else verdict.reason
        return replace(verdict, retry=decision.action is RetryAction.RETRY, retry_delay_seconds=delay, reason=said)

    def _wait(self, waiting: TaskDeferred | TaskAwaitsInput) -> _Verdict:
        """The task gives its process back; or fails, when it could not go on afterwards."""
        try:
            if isinstance(waiting, TaskDeferred):
                return _Verdict(
                    TaskInstanceState.DEFERRED,
                    reason=f"waits for {type(waiting.trigger).__name__}",
                    deferral=deferral_of(self._operator, waiting),
                )
            deferral, question = question_of(self._operator, waiting)
            reason = f"asks: {question.subject}"
            return _Verdict(TaskInstanceState.AWAITING_INPUT, reason=reason, deferral=deferral, question=question)
        except AirflowException as error:
            return _told(error, TaskInstanceState.FAILED, CauseOfDeath.FAIL_NOW)

    def _work(self) -> None:
        context = self.context
        context["params"] = self._reader.params = merged_params(self._task, self._workload.run.conf)
        operator = self._instance()
        self._operator = self._ti.task = context["task"] = operator
        _operators.append(operator)
        FieldRenderer(operator, context, self._reader).render_fields()
        self._rendered = rendered_fields(operator, self._attempt)
        if not getattr(type(operator).execute, "reads_context_by_name", False):
            filled(context)
        check_active(operator.inlets, operator.outlets, self._attempt)
        self._around.begins(context)
        operator.pre_execute(context)
        self._call_back("on_execute_callback")
        with time_limit(self._time_limit_seconds(operator), operator.task_id):
            result = self._execute(operator)
        operator.post_execute(context, result)
        if getattr(operator, "overwrite_rtif_after_execution", False):
            self._rendered = rendered_fields(operator, self._attempt)
        self._xcoms = tuple(self._values(operator, result))
        partition_key = self._workload.run.partition_key
        outlets = operator.outlets
        self._changes = outlet_events_of(self._attempt).told(outlets, partition_key) if outlets else ()

    def _execute(self, operator: Any) -> Any:
        """`execute`, or the method in which the task goes on after a wait."""
        resume = self._workload.resume
        if resume is None:
            return operator.execute(self.context)
        method, kwargs = next_call(resume, TaskGate(self._task, self._workload.file))
        return operator.resume_execution(method, kwargs, filled(self.context))

    def _instance(self) -> Any:
        try:
            return instance_operator(self._task, path_of(self._workload.map_path), self._reader)
        except IndexError as error:
            if _is_own(error) and _expands_over_mapped(self._task):
                # Instances of the mapped upstream that left nothing have no reader; they are counted, though.
                raise AirflowSkipException(
                    "an instance of the mapped task before left no value for this one"
                ) from error
            raise

    def _time_limit_seconds(self, operator: Any) -> float | None:
        if self._workload.execution_timeout_seconds is not None:
            return self._workload.execution_timeout_seconds
        limit = operator.execution_timeout
        return None if limit is None else float(limit.total_seconds())

    def _values(self, operator: Any, result: Any) -> Iterator[XComEntry]:
        if result is None or not operator.do_xcom_push:
            return
        named: dict[str, Any] = {RETURN_KEY: result}
        if operator.multiple_outputs:
            _check_outputs(operator.task_id, result)
            named = {**result, **named}
        for key, value in named.items():
            yield pack(
                key,
                value,
                self._attempt.client,
                name=self._ti.value_name,
                limits=self._limits,
                map_index=self._ti.map_index,
            )

    def _label(self) -> str | None:
        template = self._operator.map_index_template
        if not template or not self._workload.map_path:
            return None
        try:
            label = str(engine_for(self._operator).render_text(template, self.context))
        except Exception as error:
            # A name for people must not undo the work that was done.
            _log.warning("map_index_template cannot be rendered", exc_info=error)
            return None
        self._ti.rendered_map_index = label
        return self._attempt.redact(label)

    def _links(self, verdict: _Verdict) -> Iterator[XComEntry]:
        if verdict.state in _ENDS:
            yield from self._around.links(self._operator, self._attempt, self._limits)

    def _on_kill(self) -> None:
        try:
            self._operator.on_kill()
        except Exception as error:
            _log.warning("on_kill of the operator failed", exc_info=error)

    # --- the end -----------------------------------------------------------------------------------------------------

    def _close(self, verdict: _Verdict, ended_at: datetime) -> None:
        """Log how it ended and call back."""
        self._ti.state = verdict.state
        self._ti.end_date = ended_at  # type: ignore[assignment] # replaced by pendulum when it is asked for
        error = verdict.error
        if error is not None:
            self.context["exception"] = error
            self.context["reason"] = verdict.reason
        if verdict.state is TaskInstanceState.SUCCESS:
            self._call_back("on_success_callback")
        elif verdict.state is TaskInstanceState.SKIPPED:
            _log.info("task skips itself: %s", verdict.reason)
            self._call_back("on_skipped_callback")
        elif verdict.state is TaskInstanceState.FAILED:
            assert error is not None
            _log.error("task failed: %s", verdict.reason, exc_info=(type(error), error, _from_user_code(error)))
            if verdict.cause is not CauseOfDeath.USER:
                self._call_back("on_retry_callback" if self._will_retry(verdict) else "on_failure_callback")
        if verdict.state in _ENDS:
            retried = verdict.state is TaskInstanceState.FAILED and self._will_retry(verdict)
            self._around.ended(verdict.state, error, operator=self._operator, retried=retried)

    def _will_retry(self, verdict: _Verdict) -> bool:
        if verdict.cause is CauseOfDeath.FAIL_NOW or verdict.retry is False:
            return False
        return self._workload.try_number <= self._workload.max_tries

    def _call_back(self, kind: str) -> None:
        """Call every callback of a kind. One that raises is logged and counted; the others and the task go on."""
        failures = 0
        for callback in getattr(self._operator, kind):
            try:
                run_to_end(callback(filled(self.context)))
            except Exception as error:
                failures += 1
                name = getattr(callback, "__qualname__", type(callback).__qualname__)
                _log.error(
                    "%s %s failed: %s", kind, name, error, exc_info=(type(error), error, _from_user_code(error)),
                    extra={"callback_failures": failures},
                )  # fmt: skip


def _verdict_of(error: BaseException) -> _Verdict:
    """What an exception out of user code means."""
    failed = TaskInstanceState.FAILED
    if isinstance(error, AirflowSkipException):
        return _Verdict(TaskInstanceState.SKIPPED, reason=str(error) or "the task skipped itself", error=error)
    if isinstance(error, AirflowRescheduleException):
        return _Verdict(TaskInstanceState.UP_FOR_RESCHEDULE, reason=str(error), reschedule_at=error.reschedule_date)
    if isinstance(error, AirflowFailException | AirflowSensorTimeout):
        return _told(error, failed, CauseOfDeath.FAIL_NOW)
    if isinstance(error, AirflowTaskTerminated | StaleAttempt):
        return _told(error, failed, CauseOfDeath.USER)
    if isinstance(error, SystemExit):
        return _exited(error)
    return _told(error, failed, CauseOfDeath.EXCEPTION)


def _told(error: BaseException, state: TaskInstanceState, cause: CauseOfDeath) -> _Verdict:
    return _Verdict(state, cause, reason_of(error), error)


def _exited(error: SystemExit) -> _Verdict:
    code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    said = f": {error.code}" if isinstance(error.code, str) else ""
    reason = f"the task called sys.exit({code}){said}; return from it instead, or raise AirflowFailException"
    return _Verdict(TaskInstanceState.FAILED, CauseOfDeath.EXIT_CODE, reason, error, exit_code=code)


def reason_of(error: BaseException) -> str:
    """An exception in one line: type and first line of the message."""
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0]}" if lines else name


def _task_ids(skipping: DownstreamTasksSkipped) -> Iterator[str]:
    for each in skipping.tasks:
        yield each if isinstance(each, str) else each[0]


def _check_outputs(task_id: str, result: Any) -> None:
    if not isinstance(result, Mapping):
        raise AirflowException(
            f"task {task_id!r} has multiple_outputs=True and must return a dict, it returned {type(result).__name__}; "
            "return a dict or set multiple_outputs=False"
        )
    for key in result:
        if not isinstance(key, str):
            raise AirflowException(
                f"task {task_id!r} has multiple_outputs=True: its keys must be texts, not {key!r} "
                f"of type {type(key).__name__}"
            )


def _from_user_code(error: BaseException) -> TracebackType | None:
    """The traceback from the first frame that is not Tradewind's own; all of it when there is no other."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_CODE):
        trace = trace.tb_next
    return trace or error.__traceback__


def _is_own(error: BaseException) -> bool:
    """Whether Tradewind's own code raised it, not a function of the author."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_CODE)


def _expands_over_mapped(task: Any) -> bool:
    scopes = [task.expansion] if task.is_mapped else []
    scopes += [group.expansion for group in task.iter_mapped_task_groups()]
    sources = {source for expansion in scopes for source, _ in expansion.references()}
    return any(source.is_mapped or source.get_closest_mapped_task_group() is not None for source in sources)


@contextmanager
def _environment(task: Any, workload: Workload) -> Iterator[None]:
    """The AIRFLOW_CTX_ variables, for what the task starts; gone afterwards."""
    email = task.email or ()
    values = {
        "AIRFLOW_CTX_DAG_ID": workload.run.dag_id,
        "AIRFLOW_CTX_TASK_ID": workload.task_id,
        "AIRFLOW_CTX_LOGICAL_DATE": workload.run.logical_date.isoformat() if workload.run.logical_date else "",
        "AIRFLOW_CTX_TRY_NUMBER": str(workload.try_number),
        "AIRFLOW_CTX_DAG_RUN_ID": workload.run.run_id,
        "AIRFLOW_CTX_DAG_OWNER": workload.owner,
        "AIRFLOW_CTX_DAG_EMAIL": email if isinstance(email, str) else ",".join(email),
    }
    before = {name: os.environ.get(name) for name in values}
    for name, text in values.items():
        if text:
            os.environ[name] = text
        elif before[name] is not None:
            del os.environ[name]
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
