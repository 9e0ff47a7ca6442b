"""Ranges of attempt logs, in the order they were written; where the errors are, and where a reader wants to begin.

A log may have a gigabyte. What is remembered of one is how many lines each block of it ends, and which lines are
errors; a log that grew is looked at from where the last look ended.
"""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1 << 20
ERRORS_MAX = 1000
LINES_MAX = 2000
_KEPT_MAX = 64
_TAIL_BYTES = 256 << 10
_FOREIGN = re.compile(r"site-packages|dist-packages|/lib/python3|/tradewind/(sdk|runtime|standard)/|<frozen")
_ERRORS = (b'"l":"error"', b'"l":"critical"')
_TRACEBACK = b'"e":['


class LogIndex:
    """What is known of one file. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.starts: list[int] = [0]
        """Byte at which each block begins; blocks begin with a line."""
        self.numbers: list[int] = [0]
        """Number of the first line of each block."""
        self.total = 0
        self.errors: list[int] = []
        self.traceback: int | None = None
        """The last line with a traceback."""

    def refresh(self) -> None:
        """Take in what was written since the last look; half a line at the end is left for the next."""
        size = self.path.stat().st_size
        if size < self.size:  # cut or replaced
            self.__init__(self.path)  # type: ignore[misc]
        if size == self.size:
            return
        with self.path.open("rb") as file:
            file.seek(self.size)
            while True:
                block = file.read(BLOCK_BYTES)
                end = block.rfind(b"\n") + 1
                if end == 0:
                    if len(block) < BLOCK_BYTES:
                        break
                    block += file.readline()
                    end = len(block)
                self._take(block[:end])
                file.seek(self.size)

    def read(self, start: int, count: int) -> list[str]:
        """Lines from number `start` on."""
        place = max(0, bisect_right(self.numbers, start) - 1)
        lines: list[str] = []
        skip = start - self.numbers[place]
        with self.path.open("rb") as file:
            file.seek(self.starts[place])
            for raw in file:
                if skip > 0:
                    skip -= 1
                    continue
                if len(lines) >= count or not raw.endswith(b"\n"):
                    break
                lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
        return lines

    def _take(self, block: bytes) -> None:
        for mark in _ERRORS:
            at = block.find(mark)
            while at >= 0 and len(self.errors) < ERRORS_MAX:
                # The mark may stand inside a text: only the one at the front of the line, after its instant, counts.
                begin = block.rfind(b"\n", 0, at) + 1
                if at - begin < 60:
                    number = self.total + block.count(b"\n", 0, begin)
                    self.errors.append(number)
                    end = block.find(b"\n", at)
                    if block.find(_TRACEBACK, at, end) >= 0:
                        self.traceback = number
                at = block.find(mark, at + 1)
        self.errors.sort()
        self.total += block.count(b"\n")
        self.size += len(block)
        self.starts.append(self.size)
        self.numbers.append(self.total)


class LogReader:
    """Reads ranges; keeps what it knows of the files that were read last. Safe for several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, LogIndex] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, start: int | None, count: int, query: str = "") -> dict[str, Any]:
        """Lines `start` to `start + count`; None: where a reader wants to begin, negative: from the end.

        Parameters:
            path: of the log; one that is not there has no lines.
            query: also the numbers of the lines that hold this text.
        """
        count = min(max(1, count), LINES_MAX)
        with self._lock:
            index = self._index(path)
            if index is None:
                return {"there": False, "total": 0, "from": 0, "lines": [], "errors": [], "open": None, "size": 0}
            opened = index.traceback if index.traceback is not None else next(iter(index.errors), None)
            if start is None:
                start = max(0, (opened if opened is not None else index.total) - count // 2)
            elif start < 0:
                start = max(0, index.total + start)
            answer: dict[str, Any] = {
                "there": True,
                "total": index.total,
                "size": index.size,
                "from": start,
                "lines": index.read(start, count),
                "errors": index.errors,
                "open": opened,
            }
        if query:
            answer["found"] = search(path, query)
        return answer

    def _index(self, path: Path) -> LogIndex | None:
        index = self._kept.pop(path, None) or LogIndex(path)
        try:
            index.refresh()
        except OSError:
            return None
        self._kept[path] = index
        if len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)
        return index


class Places:
    """Where failures happened: the innermost frame of the author's own code, from the end of the log.

    Kept by path and size, so that a log is looked at once. Safe for several threads.
    """

    def __init__(self, kept_max: int = 2000) -> None:
        self._kept: dict[tuple[Path, int], str | None] = {}
        self._kept_max = kept_max
        self._lock = threading.Lock()

    def of(self, path: Path) -> str | None:
        """`file:line in function`; None where there is no log or no traceback at its end."""
        try:
            size = path.stat().st_size
        except OSError:
            return None
        key = (path, size)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        found = _last_frame(path, size)
        with self._lock:
            if len(self._kept) >= self._kept_max:
                self._kept.clear()
            self._kept[key] = found
        return found


def _last_frame(path: Path, size: int) -> str | None:
    try:
        with path.open("rb") as file:
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        if _TRACEBACK in line:
            try:
                told = json.loads(line)["e"][0]
                frames = [each for each in told["frames"] if not _FOREIGN.search(each["file"])] or told["frames"]
                return f"{frames[-1]['file']}:{frames[-1]['line']} in {frames[-1]['function']}"
            except (ValueError, KeyError, IndexError, TypeError):
                return None
    return None


def search(path: Path, text: str, most: int = 1000) -> list[int]:
    """Numbers of the lines that hold `text`, without regard to case."""
    wanted = text.lower().encode()
    found: list[int] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                if wanted in line.lower():
                    found.append(number)
                    if len(found) >= most:
                        break
    except OSError:
        return []
    return found
