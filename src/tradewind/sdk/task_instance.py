"""The `ti` of the context: one attempt of a task instance as its own code sees it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tradewind.sdk.attempt import Attempt
from tradewind.sdk.context import Context, instant
from tradewind.sdk.templates import FieldRenderer
from tradewind.sdk.values import RETURN_KEY, ValueLimits, pack
from tradewind.sdk.xcoms import ALL_INDEXES, XComReader
from tradewind.wire.execution import (
    Count,
    CountRuns,
    GetPreviousRun,
    GetPreviousTask,
    GetRunState,
    GetStates,
    PushXCom,
    Run,
    States,
    TaskFacts,
    Text,
)
from tradewind.wire.ids import path_of
from tradewind.wire.workload import Workload

if TYPE_CHECKING:
    from pendulum import DateTime

BASE_URL_VARIABLE = "TRADEWIND__API__BASE_URL"
"""Where people reach the server; links in notices begin with it."""


class RuntimeTaskInstance:
    """What a running task may ask of and say about itself.

    Parameters:
        task: the concrete operator of this instance.
        workload: the attempt.
        attempt: its channel.
        reader: reads outputs of other tasks.
        limits: of pushed values.
        started_at: instant of the first line of user code.
    """

    def __init__(
        self,
        task: Any,
        workload: Workload,
        attempt: Attempt,
        reader: XComReader,
        limits: ValueLimits,
        started_at: datetime,
    ) -> None:
        self.task = task
        self._workload = workload
        self._attempt = attempt
        self._reader = reader
        self._limits = limits
        self._context: Context | None = None
        path = path_of(workload.map_path)
        self.id = workload.ti_id
        self.task_id = workload.task_id
        self.dag_id = workload.run.dag_id
        self.run_id = workload.run.run_id
        self.map_path = path
        self.map_index = path[-1] if path else -1
        self.try_number = workload.try_number
        self.max_tries = workload.max_tries
        self._started_at = started_at
        self.end_date: DateTime | None = None
        self.state = "running"
        self.hostname = os.uname().nodename
        self.queue = workload.queue
        self.operator = type(task).__name__
        self.rendered_map_index: str | None = None

    @property
    def log(self) -> logging.Logger:
        """The logger of the task."""
        return logging.getLogger("tradewind.task")

    @property
    def start_date(self) -> DateTime | None:
        """First line of user code."""
        return instant(self._started_at)

    @property
    def logical_date(self) -> DateTime | None:
        return instant(self._workload.run.logical_date)

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """(dag id, task id, run id, try number, map index)."""
        return (self.dag_id, self.task_id, self.run_id, self.try_number, self.map_index)

    @property
    def is_mapped(self) -> bool:
        return bool(self.map_path)

    @property
    def log_url(self) -> str:
        """Page of this attempt."""
        return f"{self._page()}?try_number={self.try_number}"

    @property
    def mark_success_url(self) -> str:
        """Page where a person can mark it."""
        return self._page()

    def _page(self) -> str:
        base = os.environ.get(BASE_URL_VARIABLE, "").rstrip("/")
        page = f"{base}/dags/{quote(self.dag_id)}/runs/{quote(self.run_id)}/tasks/{quote(self.task_id)}"
        return f"{page}/mapped/{self.map_index}" if self.is_mapped else page

    # --- values ------------------------------------------------------------------------------------------------------

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str = RETURN_KEY,
        include_prior_dates: bool = False,
        *,
        map_indexes: int | Iterable[int] | None = ALL_INDEXES,
        default: Any = None,
        run_id: str | None = None,
    ) -> Any:
        """Values that tasks left.

        Parameters:
            task_ids: one (a single answer), several (a list), None: the own task.
            dag_id, run_id: of another DAG or run.
            key: under which it was pushed.
            include_prior_dates: fall back to the newest earlier run that has the value.
            map_indexes: one, several, None for the unmapped one; not given: every instance, as a list when mapped.
            default: for what was not pushed.
        """
        return self._reader.pull(
            task_ids,
            dag_id=dag_id,
            key=key,
            include_prior_dates=include_prior_dates,
            map_indexes=map_indexes,
            default=default,
            run_id=run_id,
        )

    @property
    def execution_date(self) -> DateTime | None:
        """Airflow 2's name of `logical_date`."""
        return self.logical_date

    def get_dagrun(self, session: Any = None) -> Any:  # noqa: ARG002 # Airflow 2's signature
        """The run this instance belongs to, as the context has it."""
        return self.get_template_context()["dag_run"]

    def xcom_push(self, key: str, value: Any, execution_date: Any = None, session: Any = None) -> None:  # noqa: ARG002
        """Leave `value` for others, now. The last two arguments are Airflow 2's and have no meaning.

        Raises `InvalidValue` when it cannot be stored, `LimitExceeded` when it is too big.
        """
        entry = pack(
            key,
            value,
            self._attempt.client,
            name=self.value_name,
            limits=self._limits,
            map_index=self.map_index,
        )
        self._attempt.client.tell(PushXCom(self._attempt.token, (entry,)))

    @property
    def value_name(self) -> str:
        """dag/run/task: how messages and stored values name what this task leaves."""
        return f"{self.dag_id}/{self.run_id}/{self.task_id}"

    # --- context -----------------------------------------------------------------------------------------------------

    def get_template_context(self) -> Context:
        """The context this instance runs in."""
        assert self._context is not None, "the context is set before user code runs"
        return self._context

    def set_template_context(self, context: Context) -> None:
        """For the execution side."""
        self._context = context

    def get_dag(self) -> Any:
        """The DAG."""
        return self.task.dag

    # --- history -----------------------------------------------------------------------------------------------------

    def get_previous_dagrun(self, state: str | None = None) -> Run | None:
        """The newest run of this DAG before this one, in `state` if given."""
        reply = self._attempt.client.ask(GetPreviousRun(token=self._attempt.token, state=state))
        assert isinstance(reply, Run)
        return reply if reply.run_id is not None else None

    def get_previous_start_date(self, state: str | None = None) -> DateTime | None:
        """When that run started."""
        run = self.get_previous_dagrun(state)
        return None if run is None else instant(run.start_date)

    def get_first_reschedule_date(self, first_try_number: int | None = None) -> datetime | None:  # noqa: ARG002 - Airflow's
        """Start of the first poke of a rescheduled sensor."""
        return self._workload.first_start

    def get_task_states(
        self,
        dag_id: str,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: list[datetime] | None = None,
        run_ids: list[str] | None = None,
    ) -> dict[str, dict[str, str | None]]:
        """States of task instances: run id → task id (with index) → state."""
        reply = self._attempt.client.ask(
            GetStates(
                token=self._attempt.token,
                dag_id=dag_id,
                run_ids=tuple(run_ids or ()),
                logical_dates=tuple(logical_dates or ()),
                task_ids=None if task_ids is None else tuple(task_ids),
                group_id=task_group_id,
            )
        )
        assert isinstance(reply, States)
        return reply.states

    def get_ti_count(
        self,
        dag_id: str,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: list[datetime] | None = None,
        run_ids: list[str] | None = None,
        states: list[str] | None = None,
    ) -> int:
        """How many task instances are in one of `states` (None: any)."""
        found = self.get_task_states(dag_id, task_ids, task_group_id, logical_dates, run_ids)
        return sum(states is None or state in states for run in found.values() for state in run.values())

    def get_dr_count(
        self,
        dag_id: str,
        logical_dates: list[datetime] | None = None,
        run_ids: list[str] | None = None,
        states: list[str] | None = None,
    ) -> int:
        """How many runs of a DAG there are: of these dates, ids and states (None: any)."""
        reply = self._attempt.client.ask(
            CountRuns(
                token=self._attempt.token,
                dag_id=dag_id,
                logical_dates=None if logical_dates is None else tuple(logical_dates),
                run_ids=None if run_ids is None else tuple(run_ids),
                states=None if states is None else tuple(map(str, states)),
            )
        )
        assert isinstance(reply, Count)
        return reply.value

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        """State of a run. Raises `NotFound`."""
        reply = self._attempt.client.ask(GetRunState(self._attempt.token, dag_id, run_id))
        assert isinstance(reply, Text)
        return reply.value or ""

    def get_previous_ti(
        self, state: str | None = None, logical_date: datetime | None = None, map_index: int = -1
    ) -> TaskFacts | None:
        """This task in the newest run before this one (or before `logical_date`), in `state` if given; None without."""
        reply = self._attempt.client.ask(
            GetPreviousTask(
                token=self._attempt.token,
                state=None if state is None else str(state),
                before=logical_date,
                map_path="" if map_index < 0 else str(map_index),
            )
        )
        assert isinstance(reply, TaskFacts)
        return reply if reply.task_id is not None else None

    def get_task_breadcrumbs(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """What became of the tasks of a run: id, index and state of each."""
        states = self.get_task_states(dag_id, run_ids=[run_id]).get(run_id, {})
        return [
            {"task_id": name.partition("[")[0], "map_index": _index_of(name), "state": state}
            for name, state in sorted(states.items())
            if state is not None
        ]

    @property
    def stats_tags(self) -> dict[str, str]:
        """Labels for metrics of this instance."""
        return {"dag_id": self.dag_id, "task_id": self.task_id}

    def render_templates(self, context: Context | None = None, jinja_env: Any = None) -> Any:  # noqa: ARG002 # Airflow's
        """Render the templated fields of the task again; the task."""
        FieldRenderer(self.task, context or self.get_template_context(), self._reader).render_fields()
        return self.task

    def __repr__(self) -> str:
        index = f"[{self._workload.map_path}]" if self.is_mapped else ""
        return f"<TaskInstance {self.dag_id}.{self.task_id}{index} {self.run_id} try {self.try_number}>"


def _index_of(name: str) -> int:
    """The index in `task[3]`, -1 without one."""
    _, _, index = name.rstrip("]").partition("[")
    return int(index.rpartition(".")[2]) if index else -1
