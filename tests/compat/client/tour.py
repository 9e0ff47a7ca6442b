"""A tour of the public API with the incumbent's client: every operation, in an order that makes sense."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import airflow_client.client as sdk
from airflow_client.client.exceptions import ApiException

# Its classes are looked up by name: the generator does not say which are public.
m: Any = importlib.import_module("airflow_client.client.models")
EPOCH = "2026-02-01T00:00:00+00:00"


class Step(NamedTuple):
    """One call.

    Parameters:
        api: class of the client.
        method: of it.
        arguments: what it is called with, given what the tour knows.
        status: what it answers; 0 for success.
        note: why another answer than success is right.
        keep: what the tour learns from the answer.
    """

    api: str
    method: str
    arguments: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}
    status: int = 0
    note: str = ""
    keep: Callable[[Any], dict[str, Any]] = lambda _: {}


class Result(NamedTuple):
    step: Step
    outcome: str
    """"works", "works: ..." or what went wrong."""


DAG = {"dag_id": "sales"}
RUN = {**DAG, "dag_run_id": "r01"}
TASK = {**RUN, "task_id": "extract"}
MAPPED = {**RUN, "task_id": "many", "map_index": 1}
ASK = {**RUN, "task_id": "ask", "map_index": -1}


def _bulk(kind: str, number: int, *names: str) -> Any:
    """A bulk body that deletes; `number` is of the classes the generator made for this kind."""
    suffix = str(number or "")
    entities = [getattr(m, f"EntitiesInner{suffix}")(name) for name in names]
    action = getattr(m, f"BulkDeleteAction{kind}")(action="delete", entities=entities, action_on_non_existence="skip")
    return getattr(m, f"BulkBody{kind}")(actions=[getattr(m, f"ActionsInner{suffix}")(action)])


_PAGE = "redirects to the sign-in page of the web UI, which this test does not build"
STEPS: tuple[Step, ...] = (
    Step("VersionApi", "get_version"),
    Step("MonitorApi", "get_health"),
    # DAGs
    Step("DAGApi", "get_dags", lambda _: {"limit": 10, "order_by": ["-dag_id"], "tags": ["money"]}),
    Step("DAGApi", "get_dag", lambda _: DAG, keep=lambda dag: {"file_token": dag.file_token}),
    Step("DAGApi", "get_dag_details", lambda _: DAG),
    Step("DAGApi", "get_dag_tags"),
    Step("DAGApi", "favorite_dag", lambda _: DAG),
    Step("DAGApi", "unfavorite_dag", lambda _: DAG),
    Step("DAGApi", "patch_dag", lambda _: {**DAG, "dag_patch_body": m.DAGPatchBody(is_paused=True)}),
    Step(
        "DAGApi", "patch_dags", lambda _: {"dag_patch_body": m.DAGPatchBody(is_paused=False), "dag_id_pattern": "sales"}
    ),
    Step("DagSourceApi", "get_dag_source", lambda _: {**DAG, "accept": "application/json"}),
    Step("DagStatsApi", "get_dag_stats", lambda _: {"dag_ids": ["sales"]}),
    Step("DagVersionApi", "get_dag_versions", lambda _: DAG),
    Step("DagVersionApi", "get_dag_version", lambda _: {**DAG, "version_number": 1}),
    Step("DagWarningApi", "list_dag_warnings"),
    Step("DAGParsingApi", "reparse_dag_file", lambda known: {"file_token": known["file_token"]}),
    Step("TaskApi", "get_tasks", lambda _: DAG),
    Step("TaskApi", "get_task", lambda _: {**DAG, "task_id": "extract"}),
    # Runs
    Step("DagRunApi", "get_dag_runs", lambda _: {"dag_id": "~", "limit": 5, "order_by": ["-run_after"], "cursor": ""}),
    Step(
        "DagRunApi", "get_list_dag_runs_batch", lambda _: {"dag_id": "~", "dag_runs_batch_body": m.DAGRunsBatchBody()}
    ),
    Step(
        "DagRunApi",
        "trigger_dag_run",
        lambda _: {**DAG, "trigger_dag_run_post_body": m.TriggerDAGRunPostBody(dag_run_id="mine", logical_date=None)},
    ),
    Step("DagRunApi", "get_dag_run", lambda _: {**DAG, "dag_run_id": "mine"}),
    Step(
        "DagRunApi",
        "patch_dag_run",
        lambda _: {**DAG, "dag_run_id": "mine", "dag_run_patch_body": m.DAGRunPatchBody(note="x")},
    ),
    Step("DagRunApi", "get_upstream_asset_events", lambda _: {**DAG, "dag_run_id": "mine"}),
    Step(
        "DagRunApi",
        "clear_dag_run_partitions",
        lambda _: {**DAG, "clear_partitions_body": m.ClearPartitionsBody(partition_key="none")},
    ),
    Step("DagRunApi", "delete_dag_run", lambda _: {**DAG, "dag_run_id": "mine"}),
    Step(
        "DagRunApi",
        "bulk_dag_runs",
        lambda _: {**DAG, "bulk_body_bulk_dag_run_body": _bulk("BulkDAGRunBody", 0, "mine")},
    ),
    # Task instances
    Step("TaskInstanceApi", "get_task_instances", lambda _: {**RUN, "order_by": ["-map_index"]}),
    Step(
        "TaskInstanceApi",
        "get_task_instances_batch",
        lambda _: {"dag_id": "~", "dag_run_id": "~", "task_instances_batch_body": m.TaskInstancesBatchBody()},
    ),
    Step("TaskInstanceApi", "get_task_instance", lambda _: TASK),
    Step("TaskInstanceApi", "get_mapped_task_instances", lambda _: {**RUN, "task_id": "many"}),
    Step("TaskInstanceApi", "get_mapped_task_instance", lambda _: MAPPED),
    Step("TaskInstanceApi", "get_task_instance_dependencies", lambda _: TASK),
    Step("TaskInstanceApi", "get_task_instance_dependencies_by_map_index", lambda _: MAPPED),
    Step("TaskInstanceApi", "get_task_instance_tries", lambda _: TASK),
    Step("TaskInstanceApi", "get_mapped_task_instance_tries", lambda _: MAPPED),
    Step("TaskInstanceApi", "get_task_instance_try_details", lambda _: {**TASK, "task_try_number": 1}),
    Step("TaskInstanceApi", "get_mapped_task_instance_try_details", lambda _: {**MAPPED, "task_try_number": 1}),
    Step("TaskInstanceApi", "get_log", lambda _: {**TASK, "try_number": 1, "accept": "application/json"}),
    Step(
        "TaskInstanceApi",
        "get_external_log_url",
        lambda _: {**TASK, "try_number": 1},
        400,
        "logs are kept here, at no address elsewhere; the incumbent answers so without a remote log handler",
    ),
    Step("TaskInstanceApi", "get_extra_links", lambda _: TASK),
    Step("ExtraLinksApi", "get_extra_links", lambda _: TASK),
    Step(
        "TaskInstanceApi",
        "patch_task_instance_dry_run",
        lambda _: {**TASK, "patch_task_instance_body": m.PatchTaskInstanceBody(new_state="failed")},
    ),
    Step(
        "TaskInstanceApi",
        "patch_task_instance_dry_run_by_map_index",
        lambda _: {**MAPPED, "patch_task_instance_body": m.PatchTaskInstanceBody(new_state="failed")},
    ),
    Step(
        "TaskInstanceApi",
        "patch_task_instance",
        lambda _: {**TASK, "patch_task_instance_body": m.PatchTaskInstanceBody(note="looked at")},
    ),
    Step(
        "TaskInstanceApi",
        "patch_task_instance_by_map_index",
        lambda _: {**MAPPED, "patch_task_instance_body": m.PatchTaskInstanceBody(new_state="skipped")},
    ),
    Step(
        "TaskInstanceApi",
        "patch_task_group_instances_dry_run",
        lambda _: {**RUN, "group_id": "g", "patch_task_instance_body": m.PatchTaskInstanceBody(new_state="failed")},
    ),
    Step(
        "TaskInstanceApi",
        "patch_task_group_instances",
        lambda _: {**RUN, "group_id": "g", "patch_task_instance_body": m.PatchTaskInstanceBody(new_state="failed")},
    ),
    Step(
        "TaskInstanceApi",
        "post_clear_task_instances",
        lambda _: {**DAG, "clear_task_instances_body": m.ClearTaskInstancesBody(dag_run_id="r01", only_failed=False)},
    ),
    Step(
        "TaskInstanceApi",
        "bulk_task_instances",
        lambda _: {**RUN, "bulk_body_bulk_task_instance_body": _bulk("BulkTaskInstanceBody", 1, "none")},
    ),
    Step("TaskInstanceApi", "delete_task_instance", lambda _: {**MAPPED, "map_index": 2}),
    # Questions
    Step("TaskInstanceApi", "get_hitl_details", lambda _: {"dag_id": "~", "dag_run_id": "~"}),
    Step("TaskInstanceApi", "get_hitl_detail", lambda _: {**ASK, "dag_run_id": "r02"}),
    Step(
        "TaskInstanceApi",
        "update_hitl_detail",
        lambda _: {
            **ASK,
            "dag_run_id": "r02",
            "update_hitl_detail_payload": m.UpdateHITLDetailPayload(chosen_options=["yes"]),
        },
    ),
    Step("TaskInstanceApi", "get_hitl_detail_try_detail", lambda _: {**ASK, "dag_run_id": "r02", "try_number": 1}),
    # Values and states
    Step(
        "XComApi",
        "create_xcom_entry",
        lambda _: {**TASK, "x_com_create_body": m.XComCreateBody(key="k", value={"a": 1})},
    ),
    Step("XComApi", "get_xcom_entries", lambda _: TASK),
    Step("XComApi", "get_xcom_entry", lambda _: {**TASK, "xcom_key": "k"}),
    Step(
        "XComApi",
        "update_xcom_entry",
        lambda _: {**TASK, "xcom_key": "k", "x_com_update_body": m.XComUpdateBody(value=2)},
    ),
    Step("XComApi", "delete_xcom_entry", lambda _: {**TASK, "xcom_key": "k"}),
    Step(
        "TaskStateStoreApi",
        "set_task_state_store",
        lambda _: (
            {**TASK, "key": "k", "task_state_store_body": m.TaskStateStoreBody(value=m.JsonValue(1))}
            if hasattr(m, "JsonValue")
            else {**TASK, "key": "k", "task_state_store_body": m.TaskStateStoreBody(value=1)}
        ),
    ),
    Step("TaskStateStoreApi", "get_task_state_store", lambda _: {**TASK, "key": "k"}),
    Step("TaskStateStoreApi", "list_task_state_store", lambda _: TASK),
    Step(
        "TaskStateStoreApi",
        "patch_task_state_store",
        lambda _: {**TASK, "key": "k", "task_state_store_patch_body": m.TaskStateStorePatchBody(value=2)},
    ),
    Step("TaskStateStoreApi", "delete_task_state_store", lambda _: {**TASK, "key": "k"}),
    Step("TaskStateStoreApi", "clear_task_state_store", lambda _: TASK),
    # Runs as a whole, which need instances
    Step("DagRunApi", "wait_dag_run_until_finished", lambda _: {**RUN, "interval": 0.1}),
    Step("ExperimentalApi", "wait_dag_run_until_finished", lambda _: {**RUN, "interval": 0.1}),
    Step(
        "DagRunApi",
        "clear_dag_run",
        # Of a dry run this client cannot read the answer, whoever gives it: each row fits two of its classes.
        lambda _: {**RUN, "dag_run_clear_body": m.DAGRunClearBody(dry_run=False)},
    ),
    Step(
        "DagRunApi",
        "clear_dag_runs",
        lambda _: {
            **DAG,
            "bulk_dag_run_clear_body": m.BulkDAGRunClearBody(
                dag_runs=[m.BulkDAGRunBody(dag_run_id="r01")], dry_run=False
            ),
        },
    ),
    # Assets
    Step("AssetApi", "get_assets", lambda _: {}, keep=lambda said: {"asset": said.assets[0].id}),
    Step("AssetApi", "get_asset", lambda known: {"asset_id": known["asset"]}),
    Step("AssetApi", "get_asset_aliases", lambda _: {}, keep=lambda said: {"alias": said.asset_aliases[0].id}),
    Step("AssetApi", "get_asset_alias", lambda known: {"asset_alias_id": known["alias"]}),
    *(
        step
        for drop in (
            Step(
                "AssetApi",
                "delete_dag_asset_queued_event",
                lambda known: {"dag_id": "report", "asset_id": known["asset"]},
            ),
            Step("AssetApi", "delete_dag_asset_queued_events", lambda _: {"dag_id": "report"}),
            Step("AssetApi", "delete_asset_queued_events", lambda known: {"asset_id": known["asset"]}),
        )
        for step in (
            Step(
                "AssetApi",
                "create_asset_event",
                lambda known: {"create_asset_events_body": m.CreateAssetEventsBody(asset_id=known["asset"])},
            ),
            Step("AssetApi", "get_asset_queued_events", lambda known: {"asset_id": known["asset"]}),
            Step("AssetApi", "get_dag_asset_queued_events", lambda _: {"dag_id": "report"}),
            Step(
                "AssetApi",
                "get_dag_asset_queued_event",
                lambda known: {"dag_id": "report", "asset_id": known["asset"]},
            ),
            drop,
        )
    ),
    Step("AssetApi", "get_asset_events", lambda known: {"asset_id": known["asset"]}),
    Step(
        "AssetApi",
        "materialize_asset",
        lambda known: {"asset_id": known["asset"], "materialize_asset_body": m.MaterializeAssetBody()},
    ),
    Step(
        "AssetStateStoreApi",
        "set_asset_state_store",
        lambda known: {
            "asset_id": known["asset"],
            "key": "k",
            "asset_state_store_body": m.AssetStateStoreBody(value=1),
        },
    ),
    Step("AssetStateStoreApi", "get_asset_state_store", lambda known: {"asset_id": known["asset"], "key": "k"}),
    Step("AssetStateStoreApi", "list_asset_state_store", lambda known: {"asset_id": known["asset"]}),
    Step("AssetStateStoreApi", "delete_asset_state_store", lambda known: {"asset_id": known["asset"], "key": "k"}),
    Step("AssetStateStoreApi", "clear_asset_state_store", lambda known: {"asset_id": known["asset"]}),
    # Backfills
    Step("BackfillApi", "create_backfill_dry_run", lambda _: {"backfill_post_body": _backfill()}),
    Step(
        "BackfillApi",
        "create_backfill",
        lambda _: {"backfill_post_body": _backfill()},
        keep=lambda said: {"backfill": said.id},
    ),
    Step("BackfillApi", "list_backfills", lambda _: DAG),
    Step("BackfillApi", "get_backfill", lambda known: {"backfill_id": known["backfill"]}),
    Step("BackfillApi", "pause_backfill", lambda known: {"backfill_id": known["backfill"]}),
    Step("BackfillApi", "unpause_backfill", lambda known: {"backfill_id": known["backfill"]}),
    Step("BackfillApi", "cancel_backfill", lambda known: {"backfill_id": known["backfill"]}),
    # Configuration
    Step(
        "ConnectionApi",
        "post_connection",
        lambda _: {"connection_body": m.ConnectionBody(connection_id="c", conn_type="http", password="secret")},
    ),
    Step("ConnectionApi", "get_connections"),
    Step("ConnectionApi", "get_connection", lambda _: {"connection_id": "c"}),
    Step(
        "ConnectionApi",
        "patch_connection",
        lambda _: {"connection_id": "c", "connection_body": m.ConnectionBody(connection_id="c", conn_type="http")},
    ),
    Step(
        "ConnectionApi",
        "test_connection",
        lambda _: {"connection_body": m.ConnectionBody(connection_id="c", conn_type="sqlite", host=":memory:")},
    ),
    Step(
        "ConnectionApi",
        "enqueue_connection_test",
        lambda _: {"connection_test_request_body": m.ConnectionTestRequestBody(connection_id="c", conn_type="sqlite")},
        keep=lambda said: {"test": said.token},
    ),
    Step(
        "ConnectionApi",
        "get_connection_test",
        lambda known: {"airflow_connection_test_token": known.get("test", "none")},
    ),
    Step(
        "ConnectionApi",
        "bulk_connections",
        lambda _: {"bulk_body_connection_body": _bulk("ConnectionBody", 2, "none")},
    ),
    Step("ConnectionApi", "delete_connection", lambda _: {"connection_id": "c"}),
    Step("ConnectionApi", "create_default_connections"),
    Step("VariableApi", "post_variable", lambda _: {"variable_body": m.VariableBody(key="v", value="1")}),
    Step("VariableApi", "get_variables"),
    Step("VariableApi", "get_variable", lambda _: {"variable_key": "v"}),
    Step(
        "VariableApi",
        "patch_variable",
        lambda _: {"variable_key": "v", "variable_body": m.VariableBody(key="v", value="2")},
    ),
    Step("VariableApi", "bulk_variables", lambda _: {"bulk_body_variable_body": _bulk("VariableBody", 4, "none")}),
    Step("VariableApi", "delete_variable", lambda _: {"variable_key": "v"}),
    Step("PoolApi", "post_pool", lambda _: {"pool_body": m.PoolBody(name="p", slots=2)}),
    Step("PoolApi", "get_pools"),
    Step("PoolApi", "get_pool", lambda _: {"pool_name": "p"}),
    Step("PoolApi", "patch_pool", lambda _: {"pool_name": "p", "pool_patch_body": m.PoolPatchBody(slots=3)}),
    Step("PoolApi", "bulk_pools", lambda _: {"bulk_body_pool_body": _bulk("PoolBody", 3, "none")}),
    Step("PoolApi", "delete_pool", lambda _: {"pool_name": "p"}),
    Step("ConfigApi", "get_config", lambda _: {"accept": "application/json"}),
    Step(
        "ConfigApi",
        "get_config_value",
        lambda _: {"section": "core", "option": "parallelism", "accept": "application/json"},
    ),
    # The installation
    Step("EventLogApi", "get_event_logs", lambda _: {}, keep=lambda said: {"event": said.event_logs[0].event_log_id}),
    Step("EventLogApi", "get_event_log", lambda known: {"event_log_id": known["event"]}),
    Step(
        "ImportErrorApi",
        "get_import_errors",
        lambda _: {},
        keep=lambda said: {"error": said.import_errors[0].import_error_id},
    ),
    Step("ImportErrorApi", "get_import_error", lambda known: {"import_error_id": known["error"]}),
    Step("JobApi", "get_jobs"),
    Step("PluginApi", "get_plugins"),
    Step("PluginApi", "import_errors"),
    Step("ProviderApi", "get_providers"),
    Step("LoginApi", "login", status=404, note=_PAGE),
    Step("LoginApi", "logout", status=404, note=_PAGE),
    Step("DAGApi", "delete_dag", lambda _: {"dag_id": "old"}),
)


def _backfill() -> Any:
    return m.BackfillPostBody(dag_id="sales", from_date=EPOCH, to_date="2026-02-03T00:00:00+00:00")


def operations() -> set[tuple[str, str]]:
    """Every method of the client that is an operation."""
    from airflow_client.client import api

    found = set()
    for name in dir(api):
        kind = getattr(api, name)
        if not isinstance(kind, type) or not name.endswith("Api"):
            continue
        for method in vars(kind):
            if not method.startswith("_") and not method.endswith(("_with_http_info", "_without_preload_content")):
                found.add((name, method))
    return found


def walk(client: sdk.ApiClient) -> list[Result]:
    """Make every call; what came of it."""
    from airflow_client.client import api

    known: dict[str, Any] = {}
    results = []
    for step in STEPS:
        method = getattr(getattr(api, step.api)(client), step.method)
        try:
            answer = method(**step.arguments(known))
        except ApiException as error:
            good = bool(step.status) and error.status == step.status
            results.append(Result(step, f"refused with {error.status}: {step.note}" if good else f"FAILED {error}"))
        except Exception as error:  # whatever the client makes of an answer it does not understand
            results.append(Result(step, f"FAILED {type(error).__name__}: {error}"))
        else:
            results.append(Result(step, "works" if not step.status else f"FAILED: answered, not {step.status}"))
            if not step.status:
                known |= step.keep(answer)
    return results


def table(results: list[Result]) -> str:
    """The results for people, each operation once."""
    lines = [
        "# The incumbent's client against Tradewind",
        "",
        "Made by `python -m pytest tests/compat/client`: `apache-airflow-client` calls each operation of a server.",
        "",
        "| API | Operation | Result |",
        "| --- | --- | --- |",
    ]
    seen: dict[tuple[str, str], str] = {}
    for result in results:
        seen.setdefault((result.step.api, result.step.method), result.outcome)
    lines += [f"| {api} | `{method}` | {outcome} |" for (api, method), outcome in sorted(seen.items())]
    return "\n".join(lines) + "\n"
