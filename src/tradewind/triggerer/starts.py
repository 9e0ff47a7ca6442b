"""Which triggers a task begins with, and what their host must know to make them as the task would."""

from __future__ import annotations

import msgspec

from tradewind.commands.documents import VersionedDag
from tradewind.commands.task_callbacks import facts_of
from tradewind.ports.rows import RunRow
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.wire.workload import Workload

_encode = msgspec.msgpack.Encoder().encode


def workload_of_start(row: TriggerRow, run: RunRow, dag: VersionedDag) -> bytes:
    """The attempt that begins with this wait, encoded; empty when it is another wait, or when the arguments of the
    trigger stand in the document as they are."""
    task = dag.tasks.get(row.task_id)
    start = task.start_trigger if task is not None else None
    if start is None or (start.classpath, start.kwargs, start.method) != (row.classpath, row.kwargs, row.method):
        return b""
    if not row.map_path and "{{" not in row.kwargs and "{%" not in row.kwargs:
        return b""
    workload = Workload(
        token=row.token,
        ti_id=row.ti_id,
        task_id=row.task_id,
        map_path=row.map_path,
        try_number=row.try_number,
        version_id=row.version_id,
        bundle=dag.bundle,
        bundle_version=run.bundle_version or dag.bundle_version,
        file=dag.file,
        run=facts_of(run),
        queue=row.queue,
    )
    return _encode(workload)
