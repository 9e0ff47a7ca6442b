"""Questions of tasks to people, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from tradewind.commands.hitl import respond
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.reads import Op, PublicTransaction, Where
from tradewind.ports.reads_rows import QuestionView, TaskView
from tradewind.server.auth.choke import WILDCARD
from tradewind.wire.errors import NotFound
from tradewind.wire.ids import map_path_of

from .caller import Caller
from .dag_runs import require_dag, require_run
from .models.base import Whole
from .models.filters import CreatedAtRange
from .models.hitl import (
    HITLDetail,
    HITLDetailCollection,
    HITLDetailHistory,
    HITLDetailResponse,
    HITLUser,
    UpdateHITLDetailPayload,
)
from .paging import Page, conditions, order, page_of
from .refusals import refusals
from .task_instances import RUN, TASK, require_instance, states_of
from .views_runs import attempt_answers, task_answers

router = APIRouter(tags=["Task Instance"])
_ANONYMOUS = HITLUser(id="", name="")


class QuestionsQuery(Page, CreatedAtRange):
    order_by: list[str] = ["ti_id"]
    dag_id_pattern: str | None = None
    dag_id_prefix_pattern: str | None = None
    task_id: str | None = None
    task_id_pattern: str | None = None
    task_id_prefix_pattern: str | None = None
    map_index: Whole | None = None
    state: list[str] = []
    response_received: bool | None = None
    responded_by_user_id: list[str] = []
    responded_by_user_name: list[str] = []
    subject_search: str | None = None
    body_search: str | None = None


@router.get(RUN + "/hitlDetails", responses=refusals(400, 401, 403, 404, 422))
async def get_hitl_details(
    call: Caller, dag_id: str, dag_run_id: str, query: Annotated[QuestionsQuery, Query()]
) -> HITLDetailCollection:
    where = call.within(Resource.HITL, dag_id)
    where += conditions(query, skip=("state", "map_index", "subject_search", "body_search"))
    where.append(Where("is_newest", Op.IS, True))
    if dag_run_id != WILDCARD:
        where.append(Where("run_id", Op.IS, dag_run_id))
    if query.state:
        where.append(Where("state", Op.ANY, states_of(query.state)))
    if query.map_index is not None:
        where.append(Where("map_path", Op.IS, map_path_of(query.map_index)))
    for field, text in (("subject", query.subject_search), ("body", query.body_search)):
        if text:
            where.append(Where(field, Op.LIKE, text))

    def ask(tx: PublicTransaction) -> HITLDetailCollection:
        if dag_id != WILDCARD and dag_run_id != WILDCARD:
            require_run(tx, dag_id, dag_run_id)
        elif dag_id != WILDCARD:
            require_dag(tx, dag_id)
        found = page_of(
            tx,
            "questions",
            where,
            sort=order(query.order_by, {"task_display_name": "task_id"}),
            limit=query.limit,
            offset=query.offset,
        )
        views: Sequence[QuestionView] = found.rows
        instances = task_answers(
            call.office, tx, [TaskView(view.task, view.logical_date, view.run_after) for view in views]
        )
        answers = [
            HITLDetail(**_fields(view.question), task_instance=instance)
            for view, instance in zip(views, instances, strict=True)
        ]
        return HITLDetailCollection(hitl_details=answers, total_entries=found.total)

    return await call.read(ask)


@router.get(TASK + "/{map_index}/hitlDetails", responses=refusals(401, 403, 404, 422))
async def get_hitl_detail(call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole) -> HITLDetail:
    call.may(Action.READ, Resource.HITL, dag_id)

    def ask(tx: PublicTransaction) -> HITLDetail:
        view = require_instance(tx, dag_id, dag_run_id, task_id, map_index)
        question = _require(tx, view, None)
        return HITLDetail(**_fields(question), task_instance=task_answers(call.office, tx, [view])[0])

    return await call.read(ask)


@router.get(TASK + "/{map_index}/hitlDetails/tries/{try_number}", responses=refusals(401, 403, 404, 422))
async def get_hitl_detail_try_detail(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole, try_number: Whole
) -> HITLDetailHistory:
    call.may(Action.READ, Resource.HITL, dag_id)

    def ask(tx: PublicTransaction) -> HITLDetailHistory:
        view = require_instance(tx, dag_id, dag_run_id, task_id, map_index)
        question = _require(tx, view, try_number)
        tries = attempt_answers(call.office, tx, view.task, tx.attempt_list(view.task.ti_id))
        for each in tries:
            if each.try_number == try_number:
                return HITLDetailHistory(**_fields(question), task_instance=each)
        raise NotFound(f"task {task_id!r} of run {dag_run_id!r} had no try {try_number}")

    return await call.read(ask)


@router.patch(TASK + "/{map_index}/hitlDetails", responses=refusals(400, 401, 403, 404, 409, 422))
async def update_hitl_detail(
    call: Caller, dag_id: str, dag_run_id: str, task_id: str, map_index: Whole, body: UpdateHITLDetailPayload
) -> HITLDetailResponse:
    call.may(Action.EDIT, Resource.HITL, dag_id)
    name = call.person.username

    def act(tx: PublicTransaction) -> HITLDetailResponse:
        ti_id = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task.ti_id
        row = respond(tx, tx.now(), ti_id, body.chosen_options, body.params_input, user_id=name, user_name=name)
        assert row.responded_at is not None
        return HITLDetailResponse(
            responded_by=_user(row) or _ANONYMOUS,
            responded_at=row.responded_at,
            chosen_options=list(row.chosen_options),
            params_input=row.params_input,
        )

    return await call.write(act)


def _require(tx: PublicTransaction, view: TaskView, try_number: Whole | None) -> HitlRow:
    row = tx.hitl_get(view.task.ti_id, try_number)
    if row is None:
        raise NotFound(f"task {view.task.task_id!r} of run {view.task.run_id!r} asks nothing")
    return row


def _fields(row: HitlRow) -> dict[str, Any]:
    return {
        "options": list(row.options),
        "subject": row.subject,
        "body": row.body,
        "defaults": list(row.defaults) if row.has_defaults else None,
        "multiple": row.multiple,
        "params": row.params,
        "assigned_users": [HITLUser(id=id, name=str(name)) for id, name in row.assigned_users.items()],
        "created_at": row.created_at,
        "responded_by_user": _user(row),
        "responded_at": row.responded_at,
        "chosen_options": list(row.chosen_options) if row.responded_at is not None else None,
        "params_input": row.params_input,
        "response_received": row.responded_at is not None,
    }


def _user(row: HitlRow) -> HITLUser | None:
    if row.responded_by is None:
        return None
    return HITLUser(id=row.responded_by, name=row.responded_by_name or row.responded_by)
