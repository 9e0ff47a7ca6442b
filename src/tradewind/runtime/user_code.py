"""The seam between processes and what authors wrote: load a DAG file, run one task of it.

Everything a template or child does with user code goes through a `Program`, made by the function that `LOADER` names.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.workload import Workload

if TYPE_CHECKING:
    from tradewind.sdk.values import ValueLimits

LOADER = "tradewind.runtime.dag_program:load"
"""The loader of production."""


class Program(Protocol):
    """A loaded DAG file."""

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
        """Run the task instance of `workload`; every end but the process's death is an outcome."""

    def terminate(self) -> BaseException:
        """The attempt is being ended from outside (SIGTERM, main thread): let the operator clean up (`on_kill`).

        Returns:
            What is to be raised in the task then.
        """


Load = Callable[[Path, str], Program]
"""(folder of the bundle version, file in it) → program. What the import raises comes through."""


class LoadFailed(Exception):
    """The DAG file cannot be loaded.

    Parameters:
        reason: one line.
        trace: the traceback as text, for the log.
    """

    def __init__(self, reason: str, trace: str = "") -> None:
        super().__init__(reason)
        self.trace = trace


def load_failed(file: str, error: BaseException) -> LoadFailed:
    """What a loader raised (sys.exit() in a file, too), as the failure of loading `file`."""
    if isinstance(error, LoadFailed):
        return error
    trace = "".join(traceback.format_exception(error))
    return LoadFailed(f"{file} cannot be loaded: {type(error).__name__}: {error}", trace)


def find_loader(name: str) -> Load:
    """The loader of a `module:function` name."""
    module, _, function = name.partition(":")
    load: Load = getattr(importlib.import_module(module), function)
    return load
