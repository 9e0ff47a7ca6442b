"""Which classes of stored values a task may get back as objects: Tradewind's own, registered ones, and those of its
DAG's authors."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tradewind.sdk.values import PatternGate


class TaskGate:
    """The `ClassGate` of one task: classes of modules in its DAG's bundle, and those its DAG file imports by name.

    Built when a stored value first needs it, which hardly any does.

    Parameters:
        task: a task of the DAG.
        file: path of the DAG file inside its bundle; what stands before it is the bundle's folder.
    """

    __slots__ = ("_file", "_gate", "_task")

    def __init__(self, task: Any, file: str) -> None:
        self._task = task
        self._file = file
        self._gate: PatternGate | None = None

    def allows(self, module: str, qualname: str) -> bool:
        if self._gate is None:
            location = str(self._task.dag.fileloc) if self._task.has_dag() else ""
            self._gate = PatternGate(roots=_bundle_folder(location, self._file), modules=_modules_at(location))
        return self._gate.allows(module, qualname)


def _bundle_folder(location: str, file: str) -> tuple[str, ...]:
    if not location:
        return ()
    folder = location[: -len(file)] if file and location.endswith(f"/{file}") else str(Path(location).parent)
    # The root of the file system would let every module pass.
    return (folder,) if folder.strip("/") else ()


def _modules_at(location: str) -> tuple[ModuleType, ...]:
    modules = list(sys.modules.values())
    return tuple(each for each in modules if location and getattr(each, "__file__", None) == location)
