"""Rows of DAGs as the answers show them."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import timedelta
from typing import Any

from tradewind.domain.timetables import timetable_for
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.reads_rows import DagView, VersionHead
from tradewind.ports.rows import DagRow
from tradewind.wire.assets import AliasLeaf, AllOf, AnyOf, AssetCondition, AssetLeaf, NameLeaf, UriLeaf
from tradewind.wire.document import DagDocument
from tradewind.wire.errors import InvalidSchedule, NotFound
from tradewind.wire.schedule import AssetSchedule, CronTriggerSchedule
from tradewind.wire.states import DagRunType

from .facts import DagFacts
from .models.dag_versions import DagVersionResponse
from .models.dags import DAGDetailsResponse, DAGResponse, DagTagResponse
from .office import Office


def shown_name(row: DagRow) -> str:
    """What people call the DAG."""
    return row.display_name or row.dag_id


def file_token(bundle: str, path: str) -> str:
    """Names a DAG file in a path of the API."""
    return base64.urlsafe_b64encode(json.dumps([bundle, path]).encode()).decode().rstrip("=")


def file_of_token(token: str) -> tuple[str, str]:
    """(bundle, path). Raises `NotFound`."""
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        found = None
    if isinstance(found, list) and len(found) == 2 and all(isinstance(part, str) for part in found):
        return found[0], found[1]
    raise NotFound("there is no DAG file with this token: a DAG's file_token names its file")


def dag_fields(office: Office, view: DagView) -> dict[str, Any]:
    """The fields of `DAGResponse`; the facts of its version must be at hand."""
    row = view.dag
    facts = office.facts.dag(row.version_id)
    summary, description, periodic, partitioned = _timetable(facts)
    name = shown_name(row)
    return {
        "dag_id": row.dag_id,
        "dag_display_name": name,
        "is_paused": row.is_paused,
        "is_stale": row.is_stale,
        "last_parsed_time": row.parsed_at,
        "last_parse_duration": view.parse_seconds,
        "last_expired": None,
        "bundle_name": row.bundle,
        "bundle_version": row.bundle_version,
        "relative_fileloc": row.file,
        "fileloc": str(office.settings.core.dags_folder / row.file),
        "description": row.description,
        "timetable_summary": row.schedule_summary or summary,
        "timetable_description": description,
        "timetable_partitioned": partitioned,
        "timetable_periodic": periodic,
        "tags": [DagTagResponse(name=tag, dag_id=row.dag_id, dag_display_name=name) for tag in row.tags],
        "max_active_tasks": facts.max_active_tasks,
        "max_active_runs": row.max_active_runs,
        "max_consecutive_failed_dag_runs": row.max_consecutive_failed_dag_runs,
        "has_task_concurrency_limits": facts.has_task_limits,
        "has_import_errors": view.has_import_errors,
        "next_dagrun_logical_date": row.next_logical_date,
        "next_dagrun_data_interval_start": row.next_interval_start,
        "next_dagrun_data_interval_end": row.next_interval_end,
        "next_dagrun_run_after": row.next_run_after,
        "allowed_run_types": None
        if facts.allowed_run_types is None
        else [DagRunType(kind) for kind in facts.allowed_run_types],
        "owners": list(row.owners),
        "is_backfillable": periodic,
        "file_token": file_token(row.bundle, row.file),
    }


def dag_answers(office: Office, tx: PublicTransaction, views: list[DagView]) -> list[DAGResponse]:
    office.facts.load(tx, (view.dag.version_id for view in views))
    return [DAGResponse(**dag_fields(office, view)) for view in views]


def details_answer(
    office: Office, tx: PublicTransaction, view: DagView, document: DagDocument, *, favorite: bool
) -> DAGDetailsResponse:
    row = view.dag
    office.facts.load(tx, (row.version_id,))
    heads = tx.version_heads((row.version_id,))
    timeout = document.dagrun_timeout_seconds
    return DAGDetailsResponse(
        **dag_fields(office, view),
        catchup=document.catchup,
        dag_run_timeout=None if timeout is None else timedelta(seconds=timeout),
        asset_expression=_expression(tx, document),
        doc_md=document.doc_md,
        start_date=document.start_date,
        end_date=document.end_date,
        is_paused_upon_creation=document.is_paused_upon_creation,
        params=params_answer(document),
        render_template_as_native_obj=document.render_template_as_native_obj,
        template_search_path=None,
        timezone=document.timezone,
        last_parsed=row.parsed_at,
        default_args=None,
        owner_links=dict(document.owner_links),
        is_favorite=favorite,
        active_runs_count=row.runs_active,
        concurrency=document.max_active_tasks,
        latest_dag_version=version_answer(heads[row.version_id], shown_name(row)) if row.version_id in heads else None,
    )


def version_answer(head: VersionHead, name: str) -> DagVersionResponse:
    return DagVersionResponse(
        id=head.version_id,
        version_number=head.number,
        dag_id=head.dag_id,
        bundle_name=head.bundle,
        bundle_version=head.bundle_version,
        created_at=head.created_at,
        dag_display_name=name,
        bundle_url=None,
    )


def _timetable(facts: DagFacts) -> tuple[str, str, bool, bool]:
    """Summary, description, whether it ticks again and again, whether its runs are about partitions."""
    try:
        timetable = timetable_for(facts.schedule)
    except InvalidSchedule:
        return "", "", False, False
    partitioned = "artition" in type(facts.schedule).__name__
    return timetable.summary, timetable.description, timetable.periodic, partitioned


_KINDS = {
    "none": "NullTimetable",
    "once": "OnceTimetable",
    "continuous": "ContinuousTimetable",
    "cron_trigger": "CronTriggerTimetable",
    "cron_interval": "CronDataIntervalTimetable",
    "delta_trigger": "DeltaTriggerTimetable",
    "delta_interval": "DeltaDataIntervalTimetable",
    "events": "EventsTimetable",
}


def timetable_kind(facts: DagFacts) -> str:
    """Airflow's name of the class of the timetable."""
    schedule = facts.schedule
    if isinstance(schedule, AssetSchedule):
        return "AssetOrTimeSchedule" if schedule.time is not None else "AssetTriggeredTimetable"
    if isinstance(schedule, CronTriggerSchedule) and len(schedule.crons) > 1:
        return "MultipleCronTriggerTimetable"
    tag = str(schedule.__struct_config__.tag)
    return _KINDS.get(tag, type(schedule).__name__.replace("Schedule", "Timetable"))


def params_answer(document: DagDocument, source: str | None = None) -> dict[str, Any]:
    """The params of a DAG: default, schema, description, and who gave them."""
    return {
        name: {"value": param.default, "schema": param.schema, "description": param.description, "source": source}
        for name, param in document.params.items()
    }


def _expression(tx: PublicTransaction, document: DagDocument) -> dict[str, Any] | None:
    condition = getattr(document.schedule, "condition", None)
    return None if condition is None else _said(tx, condition)


def _said(tx: PublicTransaction, condition: AssetCondition) -> dict[str, Any]:
    """A condition over assets as Airflow's clients know it."""
    match condition:
        case AllOf(of):
            return {"all": [_said(tx, each) for each in of]}
        case AnyOf(of):
            return {"any": [_said(tx, each) for each in of]}
        case AssetLeaf(name, uri):
            rows = tx.asset_find(name=name, uri=uri)
            known = {"group": rows[0].group_name, "id": rows[0].asset_id} if rows else {"group": "asset"}
            return {"asset": {"uri": uri, "name": name, **known}}
        case AliasLeaf(name):
            return {"alias": {"name": name, "group": "asset"}}
        case NameLeaf(name):
            return {"asset_ref": {"name": name}}
        case UriLeaf(uri):
            return {"asset_ref": {"uri": uri}}
