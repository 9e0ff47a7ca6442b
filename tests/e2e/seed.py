"""Big data for measuring the screens, written straight into the database of an installation that does not run.

Wide: 1,000 tasks by 100 runs; deep: a graph of 2,000 tasks; many: 10,000 mapped instances; 10,000 DAGs in all; a log of
100,000 lines with one error, and one of a gigabyte.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tradewind.kernel.ids import uuid7
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import DagRow, RunRow, TaskRow, VersionRow
from tradewind.store.sql import SqlStore
from tradewind.wire.document import (
    FORMAT,
    DagDocument,
    FromTask,
    GroupDocument,
    Mapping,
    TaskDocument,
    document_hash,
    encode_document,
)
from tradewind.wire.states import CauseOfDeath, DagRunState, DagRunTriggeredBy, DagRunType, TaskInstanceState

S = TaskInstanceState
_START = datetime(2026, 11, 1, tzinfo=UTC)
_BATCH = 5000


def seed(store: SqlStore, logs: Path, *, dags: int = 10_000, gigabyte: bool = False) -> None:
    """Fill the database. Random, always the same."""
    chance = random.Random(20261120)  # data for measuring
    _dag(store, wide(), 100, chance)
    _dag(store, deep(), 5, chance)
    mapped(store, chance)
    _log(logs, "wide", 100_000)
    if gigabyte:
        _big_log(logs)
    many(store, dags, chance)


def wide() -> DagDocument:
    """1,000 tasks in 50 groups."""
    tasks = []
    for group in range(50):
        for place in range(20):
            upstream = (f"g{group:02d}.t{place - 1:02d}",) if place else ((f"g{group - 1:02d}.t19",) if group else ())
            tasks.append(
                TaskDocument(
                    task_id=f"g{group:02d}.t{place:02d}",
                    operator="PythonOperator",
                    group_id=f"g{group:02d}",
                    upstream=upstream,
                    retries=1,
                )
            )
    groups = tuple(GroupDocument(group_id=f"g{group:02d}", label=f"group {group}") for group in range(50))
    return DagDocument(format=FORMAT, dag_id="wide", file="wide.py", tasks=tuple(tasks), groups=groups, tags=("big",))


def deep() -> DagDocument:
    """2,000 tasks, each after one to three of the hundred before it."""
    chance = random.Random(7)
    tasks = []
    for place in range(2000):
        count = min(place, chance.randint(1, 3))
        upstream = (
            sorted({f"t{chance.randrange(max(0, place - 100), place):04d}" for _ in range(count)}) if place else []
        )
        tasks.append(TaskDocument(task_id=f"t{place:04d}", operator="BashOperator", upstream=tuple(upstream)))
    return DagDocument(format=FORMAT, dag_id="deep", file="deep.py", tasks=tuple(tasks), tags=("big",))


def mapped(store: SqlStore, chance: random.Random) -> None:
    """One task with 10,000 instances, one of which failed."""
    tasks = (
        TaskDocument(task_id="list", operator="@task"),
        TaskDocument(
            task_id="work", operator="@task", upstream=("list",), mapping=Mapping((("item", FromTask("list")),))
        ),
    )
    document = DagDocument(format=FORMAT, dag_id="mapped", file="mapped.py", tasks=tasks, tags=("big",))
    version = _publish(store, document)
    run = _run("mapped", version, 0, DagRunState.FAILED)
    rows = [_instance(run, "list", version, S.SUCCESS, chance)]
    rows += [
        _instance(run, "work", version, S.FAILED if index == 7341 else S.SUCCESS, chance, str(index))
        for index in range(10_000)
    ]
    _write(store, [run], rows)


def many(store: SqlStore, count: int, chance: random.Random) -> None:
    """DAGs with five runs each."""
    document = DagDocument(
        format=FORMAT, dag_id="many", file="many.py", tasks=(TaskDocument(task_id="one", operator="EmptyOperator"),)
    )
    with store.begin() as tx:
        version = _version(document)
        tx.version_insert(version)
    for start in range(0, count, 1000):
        with store.begin() as tx:
            for place in range(start, min(count, start + 1000)):
                dag_id = f"team_{place % 40:02d}_pipeline_{place:05d}"
                tx.dag_put(
                    DagRow(
                        dag_id=dag_id,
                        bundle="seed",
                        file="many.py",
                        version_id=version.version_id,
                        schedule_summary="@daily",
                        tags=(f"team_{place % 40:02d}",),
                        owners=(f"owner{place % 12}",),
                    )
                )
                for number in range(5):
                    state = DagRunState.FAILED if chance.random() < 0.03 else DagRunState.SUCCESS
                    tx.run_insert(_run(dag_id, version.version_id, number, state))


def _dag(store: SqlStore, document: DagDocument, runs: int, chance: random.Random) -> None:
    version = _publish(store, document)
    for number in range(runs):
        failed = number == runs - 1 or chance.random() < 0.05
        run = _run(document.dag_id, version, number, DagRunState.FAILED if failed else DagRunState.SUCCESS)
        bad = chance.randrange(len(document.tasks)) if failed else -1
        rows = []
        for place, task in enumerate(document.tasks):
            state = S.FAILED if place == bad else S.UPSTREAM_FAILED if -1 < bad < place else S.SUCCESS
            rows.append(_instance(run, task.task_id, version, state, chance))
        _write(store, [run], rows)


def _publish(store: SqlStore, document: DagDocument) -> str:
    version = _version(document)
    with store.begin() as tx:
        tx.version_insert(version)
        tx.dag_put(
            DagRow(
                dag_id=document.dag_id,
                bundle="seed",
                file=document.file,
                version_id=version.version_id,
                tags=document.tags,
                owners=("seed",),
            )
        )
    return version.version_id


def _version(document: DagDocument) -> VersionRow:
    return VersionRow(
        version_id=str(uuid7()),
        dag_id=document.dag_id,
        number=1,
        hash=document_hash(document),
        bundle="seed",
        bundle_version="1",
        file=document.file,
        document=encode_document(document),
        source=f"# {document.dag_id}\n",
        created_at=_START,
    )


def _run(dag_id: str, version: str, number: int, state: DagRunState) -> RunRow:
    at = _START + timedelta(hours=number)
    return RunRow(
        run_key=str(uuid7()),
        dag_id=dag_id,
        run_id=f"scheduled__{at.isoformat()}",
        version_id=version,
        run_type=DagRunType.SCHEDULED,
        triggered_by=DagRunTriggeredBy.TIMETABLE,
        state=state,
        run_after=at,
        logical_date=at,
        queued_at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=60 + number % 17),
    )


def _instance(
    run: RunRow, task_id: str, version: str, state: TaskInstanceState, chance: random.Random, map_path: str = ""
) -> TaskRow:
    assert run.started_at is not None
    seconds = chance.uniform(0.1, 40)
    ran = state in (S.SUCCESS, S.FAILED)
    begin = run.started_at + timedelta(seconds=chance.uniform(0, 20))
    return TaskRow(
        ti_id=str(uuid7()),
        run_key=run.run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=task_id,
        map_path=map_path,
        state=state,
        reason="ValueError: the seeded failure of this task" if state is S.FAILED else None,
        cause=CauseOfDeath.EXCEPTION if state is S.FAILED else None,
        try_number=1 if ran else 0,
        operator="PythonOperator",
        scheduled_at=begin - timedelta(seconds=1) if ran else None,
        queued_at=begin - timedelta(milliseconds=500) if ran else None,
        started_at=begin if ran else None,
        ended_at=begin + timedelta(seconds=seconds) if ran else begin,
        duration_seconds=seconds if ran else None,
        version_id=version,
        updated_at=begin,
    )


def _write(store: SqlStore, runs: list[RunRow], rows: list[TaskRow]) -> None:
    with store.begin() as tx:
        for run in runs:
            tx.run_insert(run)
    for start in range(0, len(rows), _BATCH):
        with store.begin() as tx:
            tx.task_insert(rows[start : start + _BATCH])


def first_run(dag_id: str, number: int = 0) -> str:
    """The run id of a seeded run."""
    return f"scheduled__{(_START + timedelta(hours=number)).isoformat()}"


def _log(logs: Path, dag_id: str, lines: int) -> None:
    path = attempt_log(logs, dag_id, first_run(dag_id, 99), "g00.t00", "", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(lines, lines - 300)) + "\n", encoding="utf-8")


def _big_log(logs: Path) -> None:
    path = attempt_log(logs, "wide", first_run("wide", 99), "g00.t01", "", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    block = "\n".join(_lines(50_000, -1)) + "\n"
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < 1_000_000_000:
            file.write(block)


def _lines(count: int, error_at: int) -> Iterator[str]:
    for number in range(count):
        at = (_START + timedelta(milliseconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if number == error_at:
            yield (
                f'{{"t":"{at}","l":"error","s":"log","n":"task","m":"task failed","e":[{{"type":"ValueError",'
                '"message":"the seeded failure","frames":[{"file":"/dags/wide.py","line":12,"function":"work",'
                '"text":"raise ValueError()"}]}]}'
            )
        else:
            yield f'{{"t":"{at}","l":"info","s":"stdout","m":"line {number} of a long log with some words in it"}}'
