"""Loaded by Python itself at the start of every process of a traced installation (its folder is on PYTHONPATH there).

The product knows nothing of this: as soon as one of its modules named in TRADEWIND_BENCH_POINTS is imported, the
functions named there are wrapped, and each call leaves a line `nanoseconds pid point` in TRADEWIND_BENCH_TRACE. Without
these variables nothing happens.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from types import ModuleType
from typing import Any

_TRACE = os.environ.get("TRADEWIND_BENCH_TRACE")
_POINTS: dict[str, list[str]] = json.loads(os.environ.get("TRADEWIND_BENCH_POINTS", "{}"))
"""Module → `Class.function`, whose call and return are noted as `module:Class.function+` and `…-`."""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds what others find, and wraps it when it has been loaded."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name not in _POINTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_wrap(module: ModuleType) -> None:
                load(module)
                for point in _POINTS[name]:
                    _wrap(module, point)

            spec.loader.exec_module = load_and_wrap  # type: ignore[method-assign]
        return spec


def _wrap(module: ModuleType, point: str) -> None:
    owner: Any = module
    *path, last = point.split(".")
    for part in path:
        owner = getattr(owner, part)
    inner = getattr(owner, last)
    label = f"{module.__name__}:{point}"

    @functools.wraps(inner)
    def noted(*arguments: Any, **named: Any) -> Any:
        _note(label + "+")
        try:
            return inner(*arguments, **named)
        finally:
            _note(label + "-")

    setattr(owner, last, noted)


def _note(label: str) -> None:
    # One write, so that lines of several processes do not mix.
    os.write(_file, f"{time.time_ns()} {os.getpid()} {label}\n".encode())


if _TRACE:
    # Far from the numbers that processes give to their children on purpose; not inherited by an exec, which opens anew.
    _opened = os.open(_TRACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    import fcntl

    _file = fcntl.fcntl(_opened, fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(_opened)
    sys.meta_path.insert(0, _Finder())
