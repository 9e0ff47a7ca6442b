"""The loader of production: a DAG file through the SDK."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk import execution
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults, use_defaults
from tradewind.sdk.definition import DAG
from tradewind.sdk.exceptions import AirflowTaskTerminated
from tradewind.sdk.loading import LoadError, load_dag_file
from tradewind.sdk.plugins import load_plugins
from tradewind.sdk.values import ValueLimits
from tradewind.wire.errors import NotFound
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

from .user import CannotBecome, become_user
from .user_code import LoadFailed

_log = logging.getLogger("tradewind.task")


class DagProgram:
    """The DAGs of one file, and what went wrong with the others."""

    def __init__(self, file: str, dags: dict[str, DAG], errors: list[LoadError]) -> None:
        self._file = file
        self._dags = dags
        self._errors = errors

    def run(
        self,
        workload: Workload,
        client: TaskClient,
        inputs: dict[str, XComValue],
        *,
        clock: Clock,
        on_started: Callable[[], None],
        limits: ValueLimits,
    ) -> Outcome:
        dag = self._dags.get(workload.run.dag_id)
        if dag is None:
            return self._no_dag(workload.run.dag_id)
        try:
            task = dag.get_task(workload.task_id)
        except NotFound as error:
            return _absent(f"{self._file}: {error}")
        if task.run_as_user:
            try:
                become_user(task.run_as_user)
            except CannotBecome as error:
                return _absent(str(error))
        return execution.run_task(task, workload, client, inputs, clock=clock, on_started=on_started, limits=limits)

    def _no_dag(self, dag_id: str) -> Outcome:
        broken = next((error for error in self._errors if error.dag_id == dag_id), None)
        if broken is not None:
            _log.error("%s\n%s", broken.message, broken.traceback)
            return _absent(f"DAG {dag_id!r} cannot be built from {self._file}: {broken.message}")
        found = ", ".join(sorted(self._dags)) or "none"
        return _absent(f"DAG {dag_id!r} is not in {self._file} any more; DAGs there: {found}")

    def terminate(self) -> BaseException:
        operator = execution.current_operator()
        if operator is not None:
            operator.on_kill()
        return AirflowTaskTerminated("the task was ended from outside (SIGTERM)")


def load(tree: Path, file: str) -> DagProgram:
    """Import `file` of the bundle version in `tree`.

    Raises:
        LoadFailed: it does not import, or none of its DAGs can be built.
    """
    if (defaults := os.environ.get(DEFAULTS_VARIABLE)) is not None:
        use_defaults(Defaults.from_text(defaults))
    load_plugins()  # once, for all attempts that are forked from here
    # The same name in every process, so that classes defined in the file can be pickled and compared.
    name = f"tradewind_dag_{hashlib.sha256(file.encode()).hexdigest()[:12]}"
    if not tree.is_dir():
        remedy = "clear the run onto the newest version of its DAG, or bring the folder back"
        raise LoadFailed(f"{file} cannot be loaded: the snapshot {tree} is missing on this machine; {remedy}", "")
    loaded = load_dag_file(tree / file, bundle_root=tree, module_name=name)
    if loaded.errors and not loaded.dags:
        first = loaded.errors[0]
        raise LoadFailed(f"{file} cannot be loaded: {first.message}", first.traceback)
    for dag in loaded.dags.values():
        execution.warm_up(dag)
    return DagProgram(file, loaded.dags, loaded.errors)


def _absent(reason: str) -> Outcome:
    return Outcome(state=TaskInstanceState.FAILED, cause=CauseOfDeath.LAUNCH, reason=reason)
