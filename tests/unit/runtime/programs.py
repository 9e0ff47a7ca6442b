"""A loader for tests: a "DAG file" is a module; its functions are its tasks, called with (workload, client, inputs)."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk.values import ValueLimits
from tradewind.wire.execution import Outcome, XComEntry, XComValue
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload


class Terminated(BaseException):
    """Raised in a task that is ended from outside."""


class FunctionProgram:
    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

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
        started_at = clock.now()
        on_started()
        function = getattr(self._module, workload.task_id)
        try:
            result: Any = function(workload, client, inputs)
        except (Exception, Terminated) as error:
            return Outcome(
                state=TaskInstanceState.FAILED,
                cause=CauseOfDeath.EXCEPTION,
                reason=f"{type(error).__name__}: {error}",
                started_at=started_at,
                ended_at=clock.now(),
            )
        xcoms = () if result is None else (XComEntry("return_value", XComValue(data=str(result).encode())),)
        return Outcome(state=TaskInstanceState.SUCCESS, xcoms=xcoms, started_at=started_at, ended_at=clock.now())

    def terminate(self) -> BaseException:
        on_kill = getattr(self._module, "on_kill", None)
        if on_kill is not None:
            on_kill()
        return Terminated("SIGTERM")


def load(tree: Path, file: str) -> FunctionProgram:
    module = types.ModuleType(Path(file).stem)
    path = tree / file
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    return FunctionProgram(module)
