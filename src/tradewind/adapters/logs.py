"""Attempt logs in files, read by ranges: whoever reads needs the memory of a block, however long the log is.

Ranges begin and end with a line. A line that is being written counts from when its line feed is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 256 << 10
LINE_BYTES_MAX = 8 << 20
"""A line longer than this is none of ours: it is given in pieces."""


def log_size(path: Path) -> int | None:
    """Bytes of the log; None when there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def whole_lines_end(path: Path, end: int) -> int:
    """Where the last whole line at or before byte `end` ends."""
    with path.open("rb") as file:
        while end > 0:
            begin = max(0, end - BLOCK_BYTES)
            file.seek(begin)
            at = file.read(end - begin).rfind(b"\n")
            if at >= 0:
                return begin + at + 1
            end = begin
    return 0


def tail_start(path: Path, end: int, lines: int) -> int:
    """Where the last `lines` lines before byte `end` begin; `end` is the end of a line."""
    if lines <= 0:
        return end
    left = lines + 1  # the feed that ends the line before them
    with path.open("rb") as file:
        place = end
        while place > 0:
            begin = max(0, place - BLOCK_BYTES)
            file.seek(begin)
            block = file.read(place - begin)
            count = block.count(b"\n")
            if count >= left:
                at = len(block)
                for _ in range(left):
                    at = block.rfind(b"\n", 0, at)
                return begin + at + 1
            left -= count
            place = begin
    return 0


def read_lines(path: Path, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines from byte `start` up to `end`, without their feeds, each with the byte at which the next begins.

    A `start` within a line gives the rest of that line.
    """
    rest, place = b"", start
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0:
            block = file.read(min(BLOCK_BYTES, left))
            if not block:
                break  # cut off meanwhile
            left -= len(block)
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                place += len(line) + 1
                yield line, place
            if len(rest) > LINE_BYTES_MAX:
                place += len(rest)
                yield rest, place
                rest = b""
