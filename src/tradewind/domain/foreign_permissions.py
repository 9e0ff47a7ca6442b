"""Airflow's words for permissions (an action and a resource, as in "can_read" on "DAG Runs") and our grants. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tradewind.wire.errors import BadInput

from .permissions import Action, Grant, Resource

ACTIONS = {
    "can_read": Action.READ,
    "can_create": Action.CREATE,
    "can_edit": Action.EDIT,
    "can_delete": Action.DELETE,
}
RESOURCES = {
    "DAGs": Resource.DAG,
    "DAG Runs": Resource.RUN,
    "Task Instances": Resource.TASK_INSTANCE,
    "Task Logs": Resource.LOG,
    "XComs": Resource.XCOM,
    "DAG Code": Resource.CODE,
    "DAG Versions": Resource.VERSION,
    "DAG Warnings": Resource.WARNING,
    "DAG Dependencies": Resource.DEPENDENCY,
    "HITL Detail": Resource.HITL,
    "Backfills": Resource.BACKFILL,
    "ImportError": Resource.IMPORT_ERROR,
    "Assets": Resource.ASSET,
    "Asset Aliases": Resource.ASSET_ALIAS,
    "Connections": Resource.CONNECTION,
    "Variables": Resource.VARIABLE,
    "Pools": Resource.POOL,
    "Configurations": Resource.CONFIGURATION,
    "Audit Logs": Resource.AUDIT_LOG,
    "Jobs": Resource.JOB,
    "Plugins": Resource.PLUGIN,
    "Providers": Resource.PROVIDER,
    "Triggers": Resource.TRIGGER,
    "Users": Resource.USER,
    "Roles": Resource.ROLE,
}
_NAMES = {resource: name for name, resource in RESOURCES.items()}
_ACTION_NAMES = {action: name for name, action in ACTIONS.items()}
_OF_DAG = {"DAG": Resource.DAG, "DAG Run": Resource.RUN}
_WITHOUT_MEANING = frozenset(
    [
        "Website",
        "My Profile",
        "My Password",
        "Passwords",
        "Permissions",
        "View Menus",
        "Cluster Activity",
        "Docs",
        "Datasets",
        "SLA Misses",
        "Task Reschedules",
        "Resources",
        "Permission Views",
        "Menu",
    ]
)
"""Resources of screens and of tables that there are not here: taken, and granting nothing."""


def grant_of(action: str, resource: str) -> str | None:
    """Our text for Airflow's pair; None for one that grants nothing here.

    Raises:
        BadInput: the action or resource is unknown.
    """
    if action == "menu_access" or resource in _WITHOUT_MEANING:
        return None
    if action not in ACTIONS:
        raise BadInput(f"there is no action {action!r}; there are {', '.join(ACTIONS)}, menu_access")
    kind, colon, dag_id = resource.partition(":")
    if colon and kind in _OF_DAG and dag_id:
        return f"{ACTIONS[action]}:{_OF_DAG[kind]}@dag:{dag_id}"
    if resource not in RESOURCES:
        raise BadInput(f"there is no resource {resource!r}; there are {', '.join(RESOURCES)}, DAG:<id>, DAG Run:<id>")
    return f"{ACTIONS[action]}:{RESOURCES[resource]}"


def pairs_of(grants: Iterable[Grant]) -> list[tuple[str, str]]:
    """Airflow's pairs for grants, as far as it has words for them, in order and without doubles."""
    found: dict[tuple[str, str], None] = {}
    for grant in grants:
        for resource in sorted(grant.resources):
            name = _name_of(resource, grant)
            if name is not None:
                found |= {(_ACTION_NAMES[action], name): None for action in sorted(grant.actions)}
    return list(found)


def _name_of(resource: Resource, grant: Grant) -> str | None:
    if grant.scope is None:
        return _NAMES.get(resource)
    of_dag = {value: name for name, value in _OF_DAG.items()}
    return f"{of_dag[resource]}:{grant.name}" if grant.scope == "dag" and resource in of_dag else None
