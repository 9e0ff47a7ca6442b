"""Starting another DAG from a task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.configuration import conf as settings
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import AirflowException, AirflowSkipException
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.operator_links import BaseOperatorLink
from tradewind.wire.errors import Conflict
from tradewind.wire.execution import Run, TriggerRun
from tradewind.wire.states import DagRunState

from .deferring import default_deferrable, pause_here
from .other_dags import DagStateTrigger, dag_facts, run_state

RUN_ID_KEY = "trigger_run_id"
"""XCom with the id of the run that was started."""


class DagIsPaused(AirflowException):
    """The DAG to be started is paused."""


class TriggerDagRunLink(BaseOperatorLink):
    """To the run that was started."""

    name = "Triggered DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - the signature of all links
        """Page of the run; of the DAG while there is no run."""
        run_id = getattr(operator, "triggered_run_id", None)
        page = f"{settings.get('api', 'base_url', fallback='') or ''}/dags/{quote(str(operator.trigger_dag_id))}"
        return f"{page}/runs/{quote(str(run_id), safe='')}" if run_id else page


class TriggerDagRunOperator(BaseOperator):
    """Start a run of another DAG; its id is left as XCom `trigger_run_id`.

    Parameters:
        trigger_dag_id: the DAG; templated.
        trigger_run_id: id of the run; default one is made; templated.
        conf: of the run; templated.
        logical_date: of the run: instant, or text in ISO form; templated.
        run_after: not before this moment.
        reset_dag_run: a run of the same id or logical date that is there is cleared instead.
        wait_for_completion: wait until the run is over.
        poke_interval: seconds between two looks.
        allowed_states: ends of the run that are good; default success.
        failed_states: ends that fail this task; default failed.
        skip_when_already_exists: skip this task when such a run is there.
        fail_when_dag_is_paused: fail when the DAG is paused.
        note: of the run.
        deferrable: wait in the triggerer; default the setting `operators.default_deferrable`.
    """

    template_fields: Sequence[str] = (
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "run_after",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
        "note",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"conf": "py"}
    ui_color = "#ffefeb"
    operator_extra_links = (TriggerDagRunLink(),)

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: dict[str, Any] | str | None = None,
        logical_date: str | datetime | None = None,
        run_after: str | datetime | None = None,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: int | float | timedelta = 60,
        allowed_states: Sequence[str | DagRunState] | None = None,
        failed_states: Sequence[str | DagRunState] | None = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        note: str | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.run_after = run_after
        self.reset_dag_run = reset_dag_run
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval.total_seconds() if isinstance(poke_interval, timedelta) else poke_interval
        self.allowed_states = [str(DagRunState(state)) for state in allowed_states or (DagRunState.SUCCESS,)]
        self.failed_states = [
            str(DagRunState(state)) for state in ((DagRunState.FAILED,) if failed_states is None else failed_states)
        ]
        self.skip_when_already_exists = skip_when_already_exists
        self.fail_when_dag_is_paused = fail_when_dag_is_paused
        self.note = note
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.triggered_run_id: str | None = None

    def execute(self, context: Any) -> None:
        """Start, and wait if asked to.

        Raises:
            AirflowSkipException: such a run is there, and `skip_when_already_exists`.
            AirflowException: the run cannot be made, or ended badly.
        """
        if self.fail_when_dag_is_paused and dag_facts(self.trigger_dag_id).is_paused:
            raise DagIsPaused(
                f"DAG {self.trigger_dag_id!r} is paused, and task {self.task_id!r} must not start it then"
            )
        run_id = self._start()
        self.triggered_run_id = run_id
        context["ti"].xcom_push(RUN_ID_KEY, run_id)
        if not self.wait_for_completion:
            return
        if self.deferrable:
            self.defer(
                trigger=DagStateTrigger(
                    self.trigger_dag_id,
                    [*self.allowed_states, *self.failed_states],
                    run_ids=[run_id],
                    poll_interval=self.poke_interval,
                ),
                method_name="execute_complete",
            )
        while not self._is_over(run_id, run_state(self.trigger_dag_id, run_id)):
            pause_here(self.poke_interval)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:  # noqa: ARG002 - as the triggerer calls it
        """The run is over. Raises `AirflowException` when it ended badly."""
        for run_id, state in event["states"].items():
            self.triggered_run_id = run_id
            self._is_over(run_id, state)

    def _start(self) -> str:
        attempt = attempt_at_hand()
        if attempt is None:
            raise AirflowException(f"task {self.task_id!r} starts runs only while it runs itself")
        wish = TriggerRun(
            token=attempt.token,
            dag_id=self.trigger_dag_id,
            run_id=self.trigger_run_id,
            logical_date=self._instant("logical_date", self.logical_date),
            conf=self._conf(),
            run_after=self._instant("run_after", self.run_after),
            note=self.note,
            reset=self.reset_dag_run,
        )
        try:
            made = attempt.client.ask(wish)
        except Conflict as error:
            if self.skip_when_already_exists and "already" in str(error):
                raise AirflowSkipException(f"{error}; skipped, as skip_when_already_exists says") from error
            raise AirflowException(str(error)) from error
        assert isinstance(made, Run)
        assert made.run_id is not None
        self.log.info("Started run %s of DAG %s", made.run_id, self.trigger_dag_id)
        return made.run_id

    def _is_over(self, run_id: str, state: str) -> bool:
        if state in self.failed_states:
            raise AirflowException(f"run {run_id!r} of DAG {self.trigger_dag_id!r} ended as {state}")
        if state in self.allowed_states:
            self.log.info("Run %s of DAG %s ended as %s", run_id, self.trigger_dag_id, state)
            return True
        return False

    def _conf(self) -> dict[str, Any]:
        value = self.conf
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise WrongValue(f"conf of task {self.task_id!r} is no JSON: {error}") from error
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise WrongArgument(f"conf of task {self.task_id!r} must be a dict, not {type(value).__name__}")
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise AirflowException(f"conf of task {self.task_id!r} must be JSON: {error}") from error
        return value

    def _instant(self, name: str, value: str | datetime | None) -> datetime | None:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError as error:
                raise WrongValue(f"{name} of task {self.task_id!r}: {error}; write it in ISO form") from error
        if not isinstance(value, datetime):
            raise WrongArgument(f"{name} of task {self.task_id!r} must be an instant or text, not {value!r}")
        return value if value.tzinfo is not None else value.replace(tzinfo=self.dag.timezone)
