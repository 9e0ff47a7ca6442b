"""`airflow.security.permissions`: names of what may be done with what."""

from __future__ import annotations

from typing import Any

_TITLES = {
    "ACTION": "Permissions",
    "ADMIN_MENU": "Admin",
    "AUDIT_LOG": "Audit Logs",
    "BROWSE_MENU": "Browse",
    "CONFIG": "Configurations",
    "CONNECTION": "Connections",
    "DAG": "DAGs",
    "DAG_CODE": "DAG Code",
    "DAG_DEPENDENCIES": "DAG Dependencies",
    "DAG_PREFIX": "DAG:",
    "DAG_RUN": "DAG Runs",
    "DAG_RUN_PREFIX": "DAG Run:",
    "DAG_VERSION": "DAG Versions",
    "DAG_WARNING": "DAG Warnings",
    "CLUSTER_ACTIVITY": "Cluster Activity",
    "ASSET": "Assets",
    "ASSET_ALIAS": "Asset Aliases",
    "BACKFILL": "Backfills",
    "DATASET": "Datasets",
    "DOCS": "Documentation",
    "DOCS_MENU": "Docs",
    "IMPORT_ERROR": "ImportError",
    "JOB": "Jobs",
    "MY_PASSWORD": "My Password",
    "MY_PROFILE": "My Profile",
    "PASSWORD": "Passwords",
    "PERMISSION": "Permission Views",
    "PLUGIN": "Plugins",
    "POOL": "Pools",
    "PROVIDER": "Providers",
    "RESOURCE": "View Menus",
    "ROLE": "Roles",
    "SLA_MISS": "SLA Misses",
    "TASK_INSTANCE": "Task Instances",
    "TASK_LOG": "Task Logs",
    "TASK_RESCHEDULE": "Task Reschedules",
    "TRIGGER": "Triggers",
    "USER": "Users",
    "USER_STATS_CHART": "User Stats Chart",
    "VARIABLE": "Variables",
    "WEBSITE": "Website",
    "XCOM": "XComs",
}
ACTION_CAN_CREATE = "can_create"
ACTION_CAN_READ = "can_read"
ACTION_CAN_EDIT = "can_edit"
ACTION_CAN_DELETE = "can_delete"
ACTION_CAN_ACCESS_MENU = "menu_access"
DEPRECATED_ACTION_CAN_DAG_READ = "can_dag_read"
DEPRECATED_ACTION_CAN_DAG_EDIT = "can_dag_edit"
DAG_ACTIONS = {ACTION_CAN_READ, ACTION_CAN_EDIT, ACTION_CAN_DELETE}


def __getattr__(name: str) -> Any:
    title = _TITLES.get(name.removeprefix("RESOURCE_"))
    if title is None or not name.startswith("RESOURCE_"):
        raise AttributeError(name)
    return title


def resource_name(dag_id: str, resource: str = "DAGs") -> str:
    """The name of a DAG as something that permissions are given on."""
    prefix = {"DAGs": "DAG:", "DAG Runs": "DAG Run:"}.get(resource, "DAG:")
    return dag_id if dag_id in _TITLES.values() or dag_id.startswith(prefix) else f"{prefix}{dag_id}"


def resource_name_for_dag(dag_id: str) -> str:
    """As `resource_name`."""
    return resource_name(dag_id)
