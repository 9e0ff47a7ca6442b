"""Children forked ahead of time get their own copies of the pages that a task is going to write to, before it comes.

A forked child shares all memory with its template, and the first write to each page copies it. Counting references
writes everywhere in Python, so that a task which does nothing still pays for about a thousand copies, some
milliseconds, between GO and its verdict. The first children of a template therefore note, after their verdict, which
pages had become their own; spare children, which have time, then ask the kernel for copies of just these.

It changes nothing but when the copies are made. Where the kernel cannot do it (before Linux 5.14), nothing happens.
"""

from __future__ import annotations

import array
import ctypes
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_POPULATE_READ, _POPULATE_WRITE = 22, 23
_PAGE = mmap.PAGESIZE
_PRESENT, _FILE, _EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56
"""Bits of /proc/self/pagemap: in memory, backed by a file, mapped by this process alone."""
_NOTES_BYTES = 256 * 1024
_BETWEEN_LOOKS = 16
"""Ranges populated between two looks for whether the attempt has come."""
_SPECIAL = ("[stack", "[vvar", "[vdso", "[vsyscall", "/dev/")


class _Mapping(NamedTuple):
    start: int
    end: int
    writable: bool


class Warmth:
    """What a template's children learn from each other. Made in the template, before it forks."""

    def __init__(self) -> None:
        # Shared with all children: a table of (start, pages, advice), after the number of its entries.
        self._notes = mmap.mmap(-1, _NOTES_BYTES)
        self._madvise = ctypes.CDLL(None).madvise
        self._madvise.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
        self._mappings = list(_mappings())

    def learn(self) -> None:
        """In a child that has said its verdict: note what it needed, unless an earlier one has."""
        if self._count():
            return
        try:
            pages = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # /proc is restricted here: children just start cold
        try:
            # All is read before any of it is looked at: looking writes to memory, too.
            raw = [os.pread(pages, (m.end - m.start) // _PAGE * 8, m.start // _PAGE * 8) for m in self._mappings]
        finally:
            os.close(pages)
        table = array.array("Q")
        for mapping, bits in zip(self._mappings, raw, strict=True):
            _note(table, mapping, bits)
        self._write(table)

    def prepare(self, wanted: Callable[[], bool]) -> None:
        """In a spare child: get the copies, until `wanted` says that there is no time left."""
        count = self._count()
        table = array.array("Q")
        table.frombytes(self._notes[8 : 8 + count * 24])
        for at in range(0, len(table), 3):
            if at % (3 * _BETWEEN_LOOKS) == 0 and wanted():
                return
            # A range that is not mapped any more is refused, which does no harm.
            self._madvise(table[at], table[at + 1] * _PAGE, table[at + 2])

    def _count(self) -> int:
        return int.from_bytes(self._notes[:8], "little")

    def _write(self, table: array.array[int]) -> None:
        entries = min(len(table) // 3, (_NOTES_BYTES - 8) // 24)
        self._notes[8 : 8 + entries * 24] = table[: entries * 3].tobytes()
        # Last, because from now on others read it.
        self._notes[:8] = entries.to_bytes(8, "little")


def _mappings() -> list[_Mapping]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith(_SPECIAL):
            continue
        start, _, end = fields[0].partition("-")
        if fields[1].startswith("r"):
            found.append(_Mapping(int(start, 16), int(end, 16), fields[1][1] == "w" and fields[1][3] == "p"))
    return found


def _note(table: array.array[int], mapping: _Mapping, bits: bytes) -> None:
    """Append the ranges of one mapping that the child had used."""
    entries = array.array("Q")
    entries.frombytes(bits[: len(bits) // 8 * 8])
    first, last, advice = 0, -1, 0
    for number, entry in enumerate(entries):
        need = _need(entry, mapping.writable)
        if need and need == advice and number == last + 1:
            last = number
            continue
        if advice:
            table.extend((mapping.start + first * _PAGE, last - first + 1, advice))
        first = last = number
        advice = need
    if advice:
        table.extend((mapping.start + first * _PAGE, last - first + 1, advice))


def _need(entry: int, writable: bool) -> int:
    if not entry & _PRESENT:
        return 0
    if entry & _FILE:
        return _POPULATE_READ
    return _POPULATE_WRITE if writable and entry & _EXCLUSIVE else 0
