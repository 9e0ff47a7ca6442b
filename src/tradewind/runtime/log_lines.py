"""Lines of an attempt's log as bytes, as `ports.logs` describes them; and exceptions as data."""

from __future__ import annotations

import linecache
import os
import traceback
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Any

import msgspec

from tradewind.wire.workload import Workload

_FRAMES_MAX = 50
_CHAIN_MAX = 10
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_encoder = msgspec.json.Encoder()


def log_line(
    at: datetime,
    level: str,
    source: str,
    text: str,
    *,
    logger: str | None = None,
    exceptions: list[dict[str, Any]] | None = None,
) -> bytes:
    """One line, without line feed.

    Parameters:
        level: debug, info, warning, error or critical.
        source: stdout, stderr, log or agent.
    """
    line: dict[str, Any] = {"t": at, "l": level, "s": source}
    if logger:
        line["n"] = logger
    # What is no valid text (lone surrogates of undecodable bytes) would be refused by the encoder.
    line["m"] = text if text.isascii() else text.encode("utf-8", "replace").decode()
    if exceptions:
        line["e"] = exceptions
    return _encoder.encode(line)


def cut(text: str, bytes_max: int) -> str:
    """`text`, or its beginning with a note of how much is missing."""
    if len(text) <= bytes_max // 4:  # four bytes is the longest character
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= bytes_max:
        return text
    return f"{raw[:bytes_max].decode('utf-8', 'ignore')}… [{len(raw) - bytes_max} of {len(raw)} bytes cut]"


def label_of(workload: Workload) -> str:
    """An attempt for people: dag/run/task[path]."""
    run, path = workload.run, workload.map_path
    return f"{run.dag_id}/{run.run_id}/{workload.task_id}{f'[{path}]' if path else ''}"


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception, and those it came from, outermost first: type, message, frames (the line of the error last), notes
    that were added to it, and how it belongs to the one told before (`cause`, `context` or `member` of a group).

    Frames of Tradewind itself above the author's code are left out, unless there are no others.
    """
    return list(_chain(error, None, set()))


def _chain(error: BaseException, relation: str | None, seen: set[int]) -> Iterator[dict[str, Any]]:
    if id(error) in seen or len(seen) >= _CHAIN_MAX:
        return
    seen.add(id(error))
    told = {"type": _type_name(type(error)), "message": _message(error), "frames": _frames(error.__traceback__)}
    if relation is not None:
        told["relation"] = relation
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list) and notes:
        told["notes"] = [str(note) for note in notes if isinstance(note, str)]
    yield told
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _chain(member, "member", seen)
    if error.__cause__ is not None:
        yield from _chain(error.__cause__, "cause", seen)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _chain(error.__context__, "context", seen)


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # __str__ is user code: the report of an error must not fail because of it
        return f"<{type(error).__name__} whose text cannot be made: {type(broken).__name__}>"


def _frames(trace: TracebackType | None) -> list[dict[str, Any]]:
    summaries = [
        {"file": code.co_filename, "line": line, "function": code.co_name, "text": _source(code.co_filename, line)}
        for code, line in ((frame.f_code, number) for frame, number in traceback.walk_tb(trace))
    ]
    first_foreign = next(
        (at for at, summary in enumerate(summaries) if not str(summary["file"]).startswith(_OWN_FOLDER)), 0
    )
    wanted = summaries[first_foreign:]
    if len(wanted) > _FRAMES_MAX:  # endless recursion: both ends tell the story
        wanted = wanted[: _FRAMES_MAX // 2] + wanted[-_FRAMES_MAX // 2 :]
    return wanted


def _source(file: str, line: int) -> str:
    return linecache.getline(file, line).strip()
