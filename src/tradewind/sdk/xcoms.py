"""Reading what other tasks left, from the point of view of one task instance.

Two ways: by reference (`Fetch`: the value in the same mapped scope, or a lazy sequence over the deeper mapped
instances), and by name
(`pull`: Airflow's `ti.xcom_pull` in all its forms).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from tradewind.sdk.attempt import Attempt
from tradewind.sdk.exceptions import XComNotFound
from tradewind.sdk.values import RETURN_KEY, ClassGate, decode_value
from tradewind.wire.execution import FoundXCom, PullXCom, Values, XComValue
from tradewind.wire.ids import MapPath, path_of, path_text
from tradewind.wire.workload import Workload

ALL_INDEXES: Any = object()
"""`map_indexes` not given: every instance."""


class LazySequence(Sequence[Any]):
    """Values of the instances of a mapped task in the order of their indexes; each is read when it is asked for.

    As in Airflow, instances that left nothing (skipped, returned None) are passed over.

    Parameters:
        found: what is stored.
        reader: decodes it.
    """

    def __init__(self, found: Sequence[FoundXCom], reader: XComReader) -> None:
        self._found = found
        self._reader = reader
        self._read: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if position not in self._read:
            self._read[position] = self._reader.decode(self._found[position].value)
        return self._read[position]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str | bytes) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # compares by content

    def __repr__(self) -> str:
        return f"<{len(self)} outputs of a mapped task, read when asked for>"


class XComReader:
    """Reads for one instance; is its `Fetch`.

    Parameters:
        workload: the attempt.
        attempt: the channel.
        inputs: return values of unmapped tasks that came with the start.
        gate: which classes may be re-created.
        task: the task as it stands in the DAG; its mapped scopes are compared with those of others.
    """

    def __init__(
        self,
        workload: Workload,
        attempt: Attempt,
        inputs: Mapping[str, XComValue],
        gate: ClassGate,
        task: Any,
    ) -> None:
        self._workload = workload
        self._attempt = attempt
        self._inputs = inputs
        self._gate = gate
        self._task = task
        self._path: MapPath = path_of(workload.map_path)
        self._decoded: dict[str, Any] = {}
        self.params: Mapping[str, Any] = {}

    def decode(self, stored: XComValue) -> Any:
        """The Python value."""
        return decode_value(stored, self._attempt.client, self._gate)

    # --- by reference (Fetch) ----------------------------------------------------------------------------------------

    def value(self, task_id: str, key: str) -> Any:
        """See `xcomarg.Fetch`. Raises `XComNotFound`."""
        if key == RETURN_KEY and task_id in self._inputs:
            return self._input(task_id)
        shared, depth = _scopes(self._task, task_id)
        scope = path_text(self._path[:shared])
        if depth == shared:
            found = self._ask((task_id,), key, map_paths=(scope,))
            if not found:
                raise XComNotFound(self._workload.run.dag_id, task_id, key)
            return self.decode(found[0].value)
        return LazySequence(self._ask((task_id,), key, map_prefix=scope or None), self)

    def param(self, name: str) -> Any:
        """The value of a param. Raises `KeyError`."""
        return self.params[name]

    def _input(self, task_id: str) -> Any:
        if task_id not in self._decoded:
            self._decoded[task_id] = self.decode(self._inputs[task_id])
        return self._decoded[task_id]

    # --- by name -----------------------------------------------------------------------------------------------------

    def pull(
        self,
        task_ids: str | Iterable[str] | None,
        *,
        dag_id: str | None,
        key: str,
        include_prior_dates: bool,
        map_indexes: int | Iterable[int] | None,
        default: Any,
        run_id: str | None,
    ) -> Any:
        """See `RuntimeTaskInstance.xcom_pull`."""
        single = task_ids is None or isinstance(task_ids, str)
        wanted = self._wanted(task_ids)
        here = dag_id in (None, self._workload.run.dag_id) and run_id in (None, self._workload.run.run_id)
        unmapped = map_indexes is ALL_INDEXES or map_indexes in (None, -1)
        ordinary = single and here and unmapped and key == RETURN_KEY and not include_prior_dates
        if ordinary and wanted[0] in self._inputs:
            # Decoded anew: the task may change what it pulled, and pull again.
            return self.decode(self._inputs[wanted[0]])
        paths = None if map_indexes is ALL_INDEXES else _paths(map_indexes)
        found = self._ask(
            wanted, key, dag_id=dag_id, run_id=run_id, map_paths=paths, include_prior_dates=include_prior_dates
        )
        if paths is None:
            return self._all_instances(wanted, found, single, default)
        values = {(each.task_id, each.map_path): each.value for each in found}
        pulled = [
            self.decode(values[task_id, path]) if (task_id, path) in values else default
            for task_id in wanted
            for path in paths
        ]
        return pulled[0] if single and (map_indexes is None or isinstance(map_indexes, int)) else pulled

    def _wanted(self, task_ids: str | Iterable[str] | None) -> tuple[str, ...]:
        if task_ids is None:
            return (self._workload.task_id,)
        return (task_ids,) if isinstance(task_ids, str) else tuple(task_ids)

    def _all_instances(self, wanted: tuple[str, ...], found: Sequence[FoundXCom], single: bool, default: Any) -> Any:
        if single:
            if not found:
                return default
            if found[0].map_path == "":
                return self.decode(found[0].value)
            return [self.decode(each.value) for each in found]
        by_task: dict[str, list[FoundXCom]] = {}
        for each in found:
            by_task.setdefault(each.task_id, []).append(each)
        pulled: list[Any] = []
        for task_id in wanted:
            pulled.extend([self.decode(each.value) for each in by_task[task_id]] if task_id in by_task else [default])
        return pulled

    def _ask(self, task_ids: tuple[str, ...], key: str, **more: Any) -> tuple[FoundXCom, ...]:
        reply = self._attempt.client.ask(PullXCom(token=self._attempt.token, task_ids=task_ids, key=key, **more))
        assert isinstance(reply, Values)
        return reply.values


def _paths(map_indexes: int | Iterable[int] | None) -> tuple[str, ...]:
    if map_indexes is None or isinstance(map_indexes, int):
        return ("" if map_indexes is None or map_indexes < 0 else str(map_indexes),)
    return tuple("" if each < 0 else str(each) for each in map_indexes)


def _scopes(reader: Any, task_id: str) -> tuple[int, int]:
    """(mapped groups around both the reader and the other task, length of the other's map paths)."""
    other = reader.dag.get_task(task_id)
    mine = list(reader.iter_mapped_task_groups())[::-1]
    theirs = list(other.iter_mapped_task_groups())[::-1]
    shared = 0
    for one, another in zip(mine, theirs, strict=False):
        if one is not another:
            break
        shared += 1
    return shared, len(theirs) + bool(other.is_mapped)
