"""Links of task instances to other systems. The addresses were computed where the task ran; here they are only read."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from tradewind.domain.permissions import Action, Resource
from tradewind.ports.reads import PublicTransaction
from tradewind.wire.errors import NotFound

from .caller import Caller
from .models.base import Whole
from .models.task_instances import ExtraLinkCollectionResponse
from .refusals import refusals
from .task_instances import TASK, UNMAPPED, require_instance
from .values import value_of

router = APIRouter(tags=["Extra Links", "Task Instance"])
_PREFIX = "_link_"


@router.get(TASK + "/links", responses=refusals(401, 403, 404, 422))
async def get_extra_links(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    map_index: Whole = UNMAPPED,
    try_number: Whole | None = None,
) -> ExtraLinkCollectionResponse:
    call.may(Action.READ, Resource.TASK_INSTANCE, dag_id)

    def ask(tx: PublicTransaction) -> ExtraLinkCollectionResponse:
        row = require_instance(tx, dag_id, dag_run_id, task_id, map_index).task
        if try_number is not None and not 0 <= try_number <= row.try_number:
            raise NotFound(f"task {task_id!r} of run {dag_run_id!r} had no try {try_number}")
        document = call.office.documents.get(tx, row.version_id)
        declared = document.tasks[task_id].links if task_id in document.tasks else {}
        names = {key: name for name, key in declared.items()}
        # Addresses of earlier tries went with their values.
        current = try_number in (None, row.try_number)
        found: dict[str, str | None] = dict.fromkeys(declared)
        for xcom in tx.list_xcoms(row.ti_id) if current else ():
            if xcom.key in names or xcom.key.startswith(_PREFIX):
                address = value_of(call.office.settings, xcom)
                if isinstance(address, str) and _is_address(address):
                    found[_name(xcom.key, names)] = address
        return ExtraLinkCollectionResponse(extra_links=found, total_entries=len(found))

    return await call.read(ask)


def _name(key: str, names: Mapping[str, str]) -> str:
    return names.get(key) or key.removeprefix(_PREFIX)


def _is_address(text: str) -> bool:
    """Whether a browser may be led there: no scripts."""
    return text.startswith(("http://", "https://", "/"))
