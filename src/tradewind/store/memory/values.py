"""XComs and the inbox."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from tradewind.ports.rows import TaskRow, XComRow
from tradewind.wire.execution import FoundXCom, XComEntry, XComValue
from tradewind.wire.ids import path_of
from tradewind.wire.inbox import InboxEvent, decode_inbox, encode_inbox

from .data import InboxLine
from .unit import Unit

_RETURN_VALUE = "return_value"
# One count for the process: it only has to rise, also over transactions that were rolled back.
_inbox_numbers = itertools.count(1)


class ValuePart(Unit):
    """The rest of `ports.store.TaskTx`."""

    def xcom_put(self, row: TaskRow, entries: Sequence[XComEntry], now: datetime) -> None:
        self.xcom_put_many([(row, entries)], now)

    def xcom_put_many(self, items: Sequence[tuple[TaskRow, Sequence[XComEntry]]], now: datetime) -> None:
        journal = self._write("xcom_put")
        for row, entries in items:
            for entry in entries:
                self._data.xcoms.put(journal, (row.ti_id, entry.key), _xcom_row(row, entry, now))

    def xcom_delete(self, ti_id: str, key: str) -> None:
        self._data.xcoms.delete(self._write("xcom_delete"), (ti_id, key))

    def xcom_find(
        self,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str],
        key: str,
        *,
        map_paths: Sequence[str] | None = None,
        map_prefix: str | None = None,
    ) -> list[FoundXCom]:
        run = self._data.runs.one("run_id", (dag_id, run_id))
        if run is None:
            return []
        found: list[FoundXCom] = []
        for task_id in dict.fromkeys(task_ids):
            rows = [
                row
                for row in self._data.xcoms.found("task", (run.run_key, task_id))
                if row.key == key
                and (map_paths is None or row.map_path in map_paths)
                and (map_prefix is None or _begins_with(row.map_path, map_prefix))
            ]
            rows.sort(key=lambda row: path_of(row.map_path))
            found.extend(map(_found, rows))
        return found

    def xcom_inputs(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> dict[str, list[FoundXCom]]:
        asked: dict[str, dict[str, None]] = {}
        for run_key, task_ids in wanted:
            asked.setdefault(run_key, {}).update(dict.fromkeys(task_ids))
        return {run_key: list(self._return_values(run_key, task_ids)) for run_key, task_ids in asked.items()}

    def inbox_put(self, items: Sequence[tuple[str, InboxEvent]]) -> None:
        self._put_lines([(run_key, encode_inbox(event)) for run_key, event in items])

    def inbox_open(self, owner: str, limit: int) -> tuple[dict[str, int], list[tuple[str, InboxEvent]]]:
        with_news = self._data.inbox.indexes["run"]
        held = {row.run_key: row.epoch for row in self._data.runs.found("owner", owner) if with_news.count(row.run_key)}
        return held, self.inbox_take(owner, limit)

    def inbox_take(self, owner: str, limit: int) -> list[tuple[str, InboxEvent]]:
        journal = self._write("inbox_take")
        inbox = self._data.inbox
        numbers: list[int] = []
        for run_key in inbox.indexes["run"].values():
            run = self._data.runs.get(run_key)
            if run is not None and run.owner == owner:
                numbers.extend(inbox.indexes["run"].keys(run_key))
        numbers.sort()
        taken: list[tuple[str, InboxEvent]] = []
        for number in numbers[:limit]:
            line = inbox.rows[number]
            inbox.delete(journal, number)
            try:
                taken.append((line.run_key, decode_inbox(line.raw)))
            except msgspec.DecodeError:
                self._data.rejected.insert(journal, number, line)
        return taken

    def _put_lines(self, lines: Sequence[tuple[str, bytes]]) -> None:
        """As `inbox_put`, of lines as they are stored: the exam writes one that nobody can decode."""
        journal = self._write("inbox_put")
        for run_key, raw in lines:
            number = next(_inbox_numbers)
            self._data.inbox.insert(journal, number, InboxLine(number, run_key, raw))
        if lines:
            self.topics.add("inbox")

    def _return_values(self, run_key: str, task_ids: Iterable[str]) -> Iterable[FoundXCom]:
        for task_id in task_ids:
            for row in self._data.xcoms.found("task", (run_key, task_id)):
                if row.key == _RETURN_VALUE and not row.map_path:
                    yield _found(row)


def _xcom_row(row: TaskRow, entry: XComEntry, now: datetime) -> XComRow:
    value = entry.value
    return XComRow(
        ti_id=row.ti_id,
        run_key=row.run_key,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_path=row.map_path,
        key=entry.key,
        data=value.data,
        url=value.url,
        size=value.size,
        sha256=value.sha256,
        length=value.length,
        at=now,
    )


def _found(row: XComRow) -> FoundXCom:
    value = XComValue(data=row.data, url=row.url, size=row.size, sha256=row.sha256, length=row.length)
    return FoundXCom(row.task_id, row.map_path, value)


def _begins_with(path: str, prefix: str) -> bool:
    """Whether `path` lies in the scope `prefix`: "3.1" begins with "3", "31" does not."""
    return not prefix or path == prefix or path.startswith(prefix + ".")
