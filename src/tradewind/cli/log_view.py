"""The log of an attempt for people: read from its file, followed while the attempt goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tradewind.cli.progress import clock_text

_ATTEMPT = re.compile(r"attempt=(\d+)\.jsonl\Z")
_COLOURS = {"warning": "33", "error": "31", "critical": "31", "debug": "90"}


def attempts_in(folder: Path) -> list[int]:
    """Numbers of the attempts that have a log in the folder of a task instance, ascending."""
    if not folder.is_dir():
        return []
    return sorted(int(found[1]) for name in folder.iterdir() if (found := _ATTEMPT.match(name.name)))


def lines_of(path: Path, wait: Callable[[], bool] | None = None) -> Iterator[str]:
    """The lines of a log.

    Parameters:
        wait: called at the end of what is there; waits a moment and says whether more may come. None: do not wait.
    """
    rest = b""
    is_last = wait is None
    with path.open("rb") as file:
        while True:
            *lines, rest = (rest + file.read()).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
            if is_last:
                break
            # Asked before the last look: what was written until the attempt ended is read all the same.
            is_last = wait is not None and not wait()
    if rest:
        yield rest.decode("utf-8", "replace")


def readable(line: str, coloured: bool = False) -> str:
    """A line of the file as people read it: `12:34:56.789 info    text`, tracebacks below."""
    try:
        record = json.loads(line)
    except ValueError:
        return line  # cut off by a crash in the middle of writing
    if not isinstance(record, dict):
        return line
    level = str(record.get("l", "info"))
    source = record.get("s")
    name = record.get("n") or (source if source in ("stdout", "stderr", "agent") else "")
    text = f"{_time(record.get('t'))} {level:7} {f'{name}: ' if name else ''}{record.get('m', '')}"
    text = "\n".join([text, *_exceptions(record.get("e"))])
    colour = _COLOURS.get(level)
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured and colour else text


def _time(value: object) -> str:
    try:
        return clock_text(datetime.fromisoformat(str(value)))
    except ValueError:
        return " " * 12


_RELATIONS = {
    "cause": "which was caused by",
    "context": "which came up while this was handled",
    "member": "which holds",
}


def _exceptions(value: Any) -> Iterator[str]:
    """Outermost first, as they are kept: what the task failed with, then what it came from."""
    for error in value if isinstance(value, list) else ():
        if error.get("relation") in _RELATIONS:
            yield f"    {_RELATIONS[error['relation']]}:"
        for frame in error.get("frames", ()):
            yield f'    File "{frame.get("file")}", line {frame.get("line")}, in {frame.get("function")}'
            if frame.get("text"):
                yield f"      {frame['text']}"
        yield from _indented(f"{error.get('type')}: {error.get('message')}".removesuffix(": "))
        for note in error.get("notes", ()):
            yield from _indented(note)


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"    {line}"
