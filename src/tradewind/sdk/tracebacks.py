"""Tracebacks for authors: only frames of their own code, and the place in the DAG file."""

from __future__ import annotations

import traceback
from pathlib import Path

_OURS = str(Path(__file__).resolve().parent.parent)


def short_traceback(error: BaseException, file: str) -> tuple[str, int | None]:
    """The text of the traceback without frames of Tradewind and the import machinery, and the last line reached in
    `file`."""
    told = traceback.TracebackException.from_exception(error)
    line = next((frame.lineno for frame in reversed(told.stack) if frame.filename == file), None)
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno
    _shorten(told, set())
    return "".join(told.format()).rstrip("\n"), line


def _shorten(told: traceback.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    told.stack[:] = [frame for frame in told.stack if not _is_machinery(frame.filename)]
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _shorten(other, seen)


def _is_machinery(file: str) -> bool:
    return file.startswith((_OURS, "<frozen importlib"))
