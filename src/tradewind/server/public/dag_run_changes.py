"""DAG runs as people change many of them: in bulk, clearing, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter

from tradewind.commands.clearing import ClearPlan
from tradewind.commands.clearing import clear_run as clear_whole_run
from tradewind.commands.deletion import delete_run
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import Ask, Op, PublicTransaction, Sort, Where
from tradewind.ports.reads_rows import TaskView
from tradewind.ports.rows import RunRow
from tradewind.server.auth.choke import WILDCARD
from tradewind.wire.errors import BadInput

from .bulk import carry_out
from .caller import Call, Caller
from .dag_runs import change_run, require_dag, require_run
from .models.bulk import BulkBody, BulkResponse
from .models.dag_runs import (
    BulkDAGRunBody,
    BulkDAGRunClearBody,
    ClearPartitionsBody,
    ClearPartitionsResponse,
    DAGRunClearBody,
    DAGRunCollectionResponse,
    DAGRunResponse,
)
from .models.task_instances import ClearTaskInstanceCollectionResponse, NewTaskResponse, TaskInstanceResponse
from .refusals import refusals
from .views_runs import run_answer, run_answers, task_answers

router = APIRouter(tags=["DagRun"])


class _Runs:
    """Runs in bulk: they can be changed and deleted, not made."""

    noun = "runs"

    def __init__(self, call: Call, tx: PublicTransaction, dag_id: str) -> None:
        self._call = call
        self._tx = tx
        self._dag_id = dag_id

    def _place(self, entity: BulkDAGRunBody | str) -> tuple[str, str]:
        run_id = entity if isinstance(entity, str) else entity.dag_run_id
        given = None if isinstance(entity, str) else entity.dag_id
        if self._dag_id == WILDCARD:
            if not given or given == WILDCARD:
                raise BadInput(f"with ~ in the path each run must name its dag_id; {run_id!r} does not")
            return given, run_id
        if given not in (None, self._dag_id):
            raise BadInput(f"run {run_id!r} names DAG {given!r}, the path names {self._dag_id!r}")
        return self._dag_id, run_id

    def key(self, entity: BulkDAGRunBody | str) -> str:
        return ".".join(self._place(entity))

    def exists(self, entity: BulkDAGRunBody | str) -> bool:
        dag_id, run_id = self._place(entity)
        if not self._call.person.may(Action.READ, Resource.RUN, dag_id):
            return False
        return self._tx.run_find(dag_id, run_id) is not None

    def create(self, entity: BulkDAGRunBody, *, overwrite: bool) -> None:
        raise BadInput(f"runs are made one by one, with POST; not in bulk: {self.key(entity)}, overwrite={overwrite}")

    def update(self, entity: BulkDAGRunBody, mask: Sequence[str] | None) -> None:
        dag_id, run_id = self._place(entity)
        self._call.may(Action.EDIT, Resource.RUN, dag_id)
        change_run(self._call, self._tx, dag_id, run_id, entity, mask)

    def delete(self, entity: BulkDAGRunBody | str) -> None:
        dag_id, run_id = self._place(entity)
        self._call.may(Action.DELETE, Resource.RUN, dag_id)
        delete_run(self._tx, dag_id, run_id)


@router.patch("/dags/{dag_id}/dagRuns", responses=refusals(400, 401, 403, 404, 422))
async def bulk_dag_runs(call: Caller, dag_id: str, body: BulkBody[BulkDAGRunBody]) -> BulkResponse:
    for action in {each.action for each in body.actions} or {"update"}:
        call.may(Action.DELETE if action == "delete" else Action.EDIT, Resource.RUN, dag_id)
    return await call.write(lambda tx: carry_out(_Runs(call, tx, dag_id), body))


@router.post(
    "/dags/{dag_id}/dagRuns/{dag_run_id}/clear",
    response_model=ClearTaskInstanceCollectionResponse | DAGRunResponse,
    responses=refusals(400, 401, 403, 404, 409, 422),
)
async def clear_dag_run(
    call: Caller, dag_id: str, dag_run_id: str, body: DAGRunClearBody
) -> ClearTaskInstanceCollectionResponse | DAGRunResponse:
    call.may(Action.READ if body.dry_run else Action.EDIT, Resource.RUN, dag_id)

    def act(tx: PublicTransaction) -> ClearTaskInstanceCollectionResponse | DAGRunResponse:
        run = require_run(tx, dag_id, dag_run_id)
        plan = _clear(call, tx, run, body)
        if body.dry_run:
            return cleared_answer(call, tx, plan, _new_tasks(call, tx, run) if body.only_new else [])
        return run_answer(tx, require_run(tx, dag_id, dag_run_id))

    return await (call.read(act) if body.dry_run else call.write(act))


@router.post(
    "/dags/{dag_id}/clearDagRuns",
    response_model=ClearTaskInstanceCollectionResponse | DAGRunCollectionResponse,
    responses=refusals(400, 401, 403, 404, 409, 422),
)
async def clear_dag_runs(
    call: Caller, dag_id: str, body: BulkDAGRunClearBody
) -> ClearTaskInstanceCollectionResponse | DAGRunCollectionResponse:
    action = Action.READ if body.dry_run else Action.EDIT
    call.may(action, Resource.RUN, dag_id)
    by_partition = body.partition_key is not None or body.partition_date_start or body.partition_date_end
    if by_partition and dag_id == WILDCARD:
        raise BadInput("partitions are of one DAG: name it in the path instead of ~")

    def act(tx: PublicTransaction) -> ClearTaskInstanceCollectionResponse | DAGRunCollectionResponse:
        if by_partition and not body.dag_runs:
            runs = runs_of_partitions(
                tx, dag_id, body.partition_key, body.partition_date_start, body.partition_date_end
            )
        else:
            runs = [_named(call, tx, dag_id, each, action) for each in body.dag_runs]
        plans = [_clear(call, tx, run, body) for run in {run.run_key: run for run in runs}.values()]
        if body.dry_run:
            new = [each for run in runs for each in _new_tasks(call, tx, run)] if body.only_new else []
            return cleared_answer(call, tx, ClearPlan(tuple(each for plan in plans for each in plan.runs)), new)
        now = tx.run_many([run.run_key for run in runs])
        answers = run_answers(tx, [now[run.run_key] for run in runs if run.run_key in now])
        return DAGRunCollectionResponse(dag_runs=answers, total_entries=len(answers))

    return await (call.read(act) if body.dry_run else call.write(act))


@router.post("/dags/{dag_id}/clearPartitions", responses=refusals(400, 401, 403, 404, 409, 422))
async def clear_dag_run_partitions(call: Caller, dag_id: str, body: ClearPartitionsBody) -> ClearPartitionsResponse:
    call.may(Action.READ if body.dry_run else Action.EDIT, Resource.RUN, dag_id)

    def act(tx: PublicTransaction) -> ClearPartitionsResponse:
        start, end = body.partition_date_start, body.partition_date_end
        if body.run_id is None and body.partition_key is None and start is None and end is None:
            raise BadInput("say which partitions: by run_id, partition_key or partition_date_start and _end")
        runs = [run for run in runs_of_partitions(tx, dag_id, body.partition_key, start, end) if run.partition_key]
        if body.run_id is not None:
            runs = [run for run in runs if run.run_id == body.run_id]
        plans = [
            clear_whole_run(tx, call.office.documents, tx.now(), run.dag_id, run.run_id, dry_run=body.dry_run)
            for run in (runs if body.clear_task_instances else ())
        ]
        for run in () if body.dry_run else runs:
            tx.run_clear_partition(run.run_key)
        count = sum(len(plan.rows) for plan in plans)
        return ClearPartitionsResponse(dag_runs_cleared=len(runs), task_instances_cleared=count, dry_run=body.dry_run)

    return await (call.read(act) if body.dry_run else call.write(act))


def runs_of_partitions(
    tx: PublicTransaction, dag_id: str, key: str | None, start: datetime | None, end: datetime | None
) -> list[RunRow]:
    """The DAG's runs about these partitions."""
    require_dag(tx, dag_id)
    where = [Where("dag_id", Op.IS, dag_id)]
    if key is not None:
        where.append(Where("partition_key", Op.IS, key))
    if start is not None:
        where.append(Where("partition_date", Op.AT_LEAST, start))
    if end is not None:
        where.append(Where("partition_date", Op.AT_MOST, end))
    found = tx.ask_list("runs", Ask(tuple(where), (Sort("run_id"),), limit=100_000, count_max=0))
    return list(found.rows)


def cleared_answer(
    call: Call, tx: PublicTransaction, plan: ClearPlan, new: Sequence[NewTaskResponse] = ()
) -> ClearTaskInstanceCollectionResponse:
    """The instances of a plan as they are, and tasks that are new."""
    views = [
        TaskView(row, cleared.run.logical_date, cleared.run.run_after) for cleared in plan.runs for row in cleared.rows
    ]
    rows: list[TaskInstanceResponse | NewTaskResponse] = [*task_answers(call.office, tx, views), *new]
    return ClearTaskInstanceCollectionResponse(task_instances=rows, total_entries=len(rows))


def _clear(call: Call, tx: PublicTransaction, run: RunRow, body: DAGRunClearBody | BulkDAGRunClearBody) -> ClearPlan:
    return clear_whole_run(
        tx,
        call.office.documents,
        tx.now(),
        run.dag_id,
        run.run_id,
        only_failed=body.only_failed,
        only_new=body.only_new,
        newest_version=body.run_on_latest_version,
        dry_run=body.dry_run,
        note=body.note,
    )


def _new_tasks(call: Call, tx: PublicTransaction, run: RunRow) -> list[NewTaskResponse]:
    """Tasks that the newest version has and this run has not."""
    dag = tx.dag_get(run.dag_id)
    if dag is None:
        return []
    there = {row.task_id for row in tx.task_list(run.run_key)}
    tasks = call.office.documents.get(tx, dag.version_id).document.tasks
    return [
        NewTaskResponse(task_id=task.task_id, task_display_name=task.display_name or task.task_id)
        for task in tasks
        if task.task_id not in there
    ]


def _named(call: Call, tx: PublicTransaction, dag_id: str, entity: BulkDAGRunBody, action: Action) -> RunRow:
    named, run_id = _Runs(call, tx, dag_id)._place(entity)
    call.may(action, Resource.RUN, named)
    return require_run(tx, named, run_id)
