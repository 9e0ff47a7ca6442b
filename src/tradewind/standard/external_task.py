"""Waiting for other DAGs, and telling that they wait for us."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from tradewind.sdk.configuration import conf
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import AirflowException, AirflowSkipException
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.operator_links import BaseOperatorLink
from tradewind.sdk.sensor import BaseSensorOperator
from tradewind.wire.states import DagRunState, TaskInstanceState

from .deferring import default_deferrable
from .other_dags import Elsewhere, WorkflowTrigger, dag_facts


class ExternalDagNotFoundError(AirflowException):
    """The DAG that is waited for does not exist."""


class ExternalDagDeletedError(AirflowException):
    """It existed when the wait began."""


class ExternalTaskNotFoundError(AirflowException):
    """The DAG has no such task."""


class ExternalTaskGroupNotFoundError(AirflowException):
    """The DAG has no such task group."""


class ExternalDagFailedError(AirflowException):
    """The run that is waited for is in one of `failed_states`."""


class ExternalTaskFailedError(AirflowException):
    """The task that is waited for is in one of `failed_states`."""


class ExternalTaskGroupFailedError(AirflowException):
    """A task of the group that is waited for is in one of `failed_states`."""


class DuplicateStateError(AirflowException):
    """A state is good and bad at once."""


class ExternalDagLink(BaseOperatorLink):
    """To the other DAG."""

    name = "External DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - the signature of all links
        """Page of the DAG."""
        return f"{conf.get('api', 'base_url', fallback='') or ''}/dags/{quote(str(operator.external_dag_id))}"


class ExternalTaskSensor(BaseSensorOperator):
    """Wait for another DAG, or tasks or a group of it, at a logical date.

    Parameters:
        external_dag_id: the DAG; templated.
        external_task_id, external_task_ids: its task or tasks; templated.
        external_task_group_id: its group; templated. Without tasks and group: the run itself.
        allowed_states: what ends the wait; default success.
        skipped_states: what skips this task.
        failed_states: what fails it.
        execution_delta: the other run is earlier by this much.
        execution_date_fn: gives the other logical date, or several: called with this one and, if it takes them,
        variables of the context.
        check_existence: fail at once when DAG, task or group do not exist.
        poll_interval: seconds between two looks of the trigger.
        deferrable: wait in the triggerer; default the setting `operators.default_deferrable`.

    Raises:
        WrongValue: arguments that exclude each other, or unknown states.
        DuplicateStateError: a state in two of the lists.
    """

    template_fields: Sequence[str] = (
        "external_dag_id",
        "external_task_id",
        "external_task_ids",
        "external_task_group_id",
    )
    ui_color = "#4db7db"
    operator_extra_links = (ExternalDagLink(),)

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        allowed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        execution_delta: timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: float = 2.0,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        who = f"task {self.task_id!r}"
        if external_task_id is not None and external_task_ids is not None:
            raise WrongValue(f"{who} has external_task_id and external_task_ids: give one")
        if external_task_group_id is not None and (external_task_id is not None or external_task_ids is not None):
            raise WrongValue(f"{who} waits for tasks and for a group: give one")
        if execution_delta is not None and execution_date_fn is not None:
            raise WrongValue(f"{who} has execution_delta and execution_date_fn: give one")
        if isinstance(external_task_ids, str):
            raise WrongArgument(f"external_task_ids of {who} must be several ids, not the text {external_task_ids!r}")
        self.allowed_states = [str(state) for state in (("success",) if allowed_states is None else allowed_states)]
        self.skipped_states = [str(state) for state in skipped_states or ()]
        self.failed_states = [str(state) for state in failed_states or ()]
        self._check_states(of_tasks=any((external_task_id, external_task_ids, external_task_group_id)))
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids = external_task_ids
        self.external_task_group_id = external_task_group_id
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.check_existence = check_existence
        self.poll_interval = poll_interval
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self._is_checked = False

    def _check_states(self, *, of_tasks: bool) -> None:
        lists = {
            "allowed_states": self.allowed_states,
            "skipped_states": self.skipped_states,
            "failed_states": self.failed_states,
        }
        given = [state for states in lists.values() for state in states]
        if len(set(given)) < len(given):
            twice = next(state for state in given if given.count(state) > 1)
            raise DuplicateStateError(f"task {self.task_id!r}: {twice!r} stands twice in {', '.join(lists)}")
        known = set(TaskInstanceState) if of_tasks else set(DagRunState)
        for name, states in lists.items():
            unknown = next((state for state in states if state not in known), None)
            if unknown is not None:
                what = "a task" if of_tasks else "a run"
                raise WrongValue(
                    f"{name} of task {self.task_id!r}: {what} is never {unknown!r}; "
                    f"use some of {', '.join(sorted(map(str, known)))}"
                )

    @property
    def task_ids(self) -> tuple[str, ...]:
        """Tasks that are waited for."""
        if self.external_task_id is not None:
            return (self.external_task_id,)
        return tuple(self.external_task_ids or ())

    def poke(self, context: Any) -> bool:
        """Whether all of it is in good states.

        Raises:
            ExternalDagFailedError, ExternalTaskFailedError, ExternalTaskGroupFailedError: it is in a failed state;
                AirflowSkipException instead with `soft_fail`.
            AirflowSkipException: it is in a skipped state.
            ExternalDagNotFoundError, ExternalTaskNotFoundError, ExternalTaskGroupNotFoundError: see `check_existence`.
        """
        dates = self.dates(context)
        self.log.info(
            "Poking for %s of DAG %s at %s",
            self.external_task_group_id or ", ".join(self.task_ids) or "the run",
            self.external_dag_id,
            ", ".join(date.isoformat() for date in dates),
        )
        if self.check_existence and not self._is_checked:
            self._check_existence()
        watched = Elsewhere(self.external_dag_id, dates, (), self.task_ids, self.external_task_group_id)
        if self.failed_states and watched.any_in(self.failed_states):
            self._failed()
        if self.skipped_states and watched.any_in(self.skipped_states):
            raise AirflowSkipException(f"{self._what()} is in one of {', '.join(self.skipped_states)}: skipping")
        return watched.count(self.allowed_states) >= len(dates)

    def execute(self, context: Any) -> Any:
        if not self.deferrable:
            return super().execute(context)
        if self.check_existence:
            self._check_existence()
        return self.defer(
            trigger=WorkflowTrigger(
                self.external_dag_id,
                logical_dates=self.dates(context),
                external_task_ids=self.task_ids,
                external_task_group_id=self.external_task_group_id,
                failed_states=self.failed_states,
                skipped_states=self.skipped_states,
                allowed_states=self.allowed_states,
                poke_interval=self.poll_interval,
                soft_fail=self.soft_fail,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """The trigger has seen enough. Raises as `poke`."""
        status = (event or {}).get("status")
        if status == "success":
            self.log.info("%s is done", self._what())
        elif status == "skipped":
            raise AirflowSkipException(f"{self._what()} is in one of {', '.join(self.skipped_states)}: skipping")
        elif status == "failed":
            self._failed()
        else:
            raise AirflowException(f"the trigger of task {self.task_id!r} ended with {event!r}")

    def dates(self, context: Any) -> tuple[datetime, ...]:
        """Logical dates of the runs that are waited for. Raises `WrongValue` when there is none to count from."""
        run = context["dag_run"]
        own = run.logical_date or run.run_after
        if self.execution_delta is not None:
            return (own - self.execution_delta,)
        if self.execution_date_fn is None:
            return (own,)
        found = self._call_for_dates(own, context)
        dates = tuple(found) if isinstance(found, list | tuple | set) else (found,)
        if not dates or not all(isinstance(date, datetime) for date in dates):
            raise WrongValue(f"execution_date_fn of task {self.task_id!r} must give instants, not {found!r}")
        return dates

    def _call_for_dates(self, own: datetime, context: Any) -> Any:
        assert self.execution_date_fn is not None
        parameters = list(inspect.signature(self.execution_date_fn).parameters.values())
        if any(each.kind is each.VAR_KEYWORD for each in parameters):
            return self.execution_date_fn(own, **{key: context[key] for key in context if key != "logical_date"})
        named = {each.name: context[each.name] for each in parameters[1:] if each.name in context}
        unnamed = [each for each in parameters[1:] if each.name not in named and each.default is each.empty]
        if len(unnamed) == 1:  # the form (logical_date, context)
            return self.execution_date_fn(own, context)
        return self.execution_date_fn(own, **named)

    def _check_existence(self) -> None:
        facts = dag_facts(self.external_dag_id)
        if not facts.exists:
            raise ExternalDagNotFoundError(
                f"DAG {self.external_dag_id!r} does not exist; task {self.task_id!r} waits for it"
            )
        missing = sorted(set(self.task_ids) - set(facts.task_ids))
        if missing:
            raise ExternalTaskNotFoundError(f"DAG {self.external_dag_id!r} has no task {missing[0]!r}")
        if self.external_task_group_id is not None and self.external_task_group_id not in facts.group_ids:
            raise ExternalTaskGroupNotFoundError(
                f"DAG {self.external_dag_id!r} has no task group {self.external_task_group_id!r}"
            )
        self._is_checked = True

    def _failed(self) -> None:
        message = f"{self._what()} is in one of {', '.join(self.failed_states) or 'the failed states'}"
        if self.soft_fail or self.never_fail:
            raise AirflowSkipException(f"{message}: skipping, as soft_fail says")
        if self.external_task_group_id is not None:
            raise ExternalTaskGroupFailedError(message)
        raise ExternalTaskFailedError(message) if self.task_ids else ExternalDagFailedError(message)

    def _what(self) -> str:
        if self.external_task_group_id is not None:
            return f"group {self.external_task_group_id!r} of DAG {self.external_dag_id!r}"
        names = ", ".join(map(repr, self.task_ids))
        return f"task {names} of DAG {self.external_dag_id!r}" if names else f"DAG {self.external_dag_id!r}"


class ExternalTaskMarker(BaseOperator):
    """Says that a task of another DAG depends on this one: clearing this one with its downstream clears that one, too.

    Parameters:
        external_dag_id, external_task_id: the task that depends; templated.
        logical_date: of its run; templated; default that of this run.
        recursion_depth: through how many markers a clear goes on.
    """

    template_fields: Sequence[str] = ("external_dag_id", "external_task_id", "logical_date")
    ui_color = "#4db7db"
    operator_extra_links = (ExternalDagLink(),)

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: str | datetime | None = "{{ logical_date.isoformat() }}",
        recursion_depth: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if recursion_depth <= 0:
            raise WrongValue(f"recursion_depth of task {self.task_id!r} must be positive, not {recursion_depth}")
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.logical_date = logical_date.isoformat() if isinstance(logical_date, datetime) else logical_date
        self.recursion_depth = recursion_depth

    def execute(self, context: Any) -> None:
        """Nothing: being there is the point."""
