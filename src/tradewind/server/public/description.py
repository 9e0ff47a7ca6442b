"""The OpenAPI document of the public face: what FastAPI makes of the routes, with our problems and ways to sign in."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .refusals import HTTPExceptionResponse, HTTPValidationError, ValidationError, refusals

_OPEN = frozenset({"get_version", "get_health", "login", "logout"})
"""Operations that need no sign-in."""
_RUN = {"dag_id": "$response.body#/dag_id", "dag_run_id": "$response.body#/dag_run_id"}
_INSTANCE = {
    "dag_id": "$request.path.dag_id",
    "dag_run_id": "$request.path.dag_run_id",
    "task_id": "$response.body#/task_instances/0/task_id",
}
_LINKS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("get_dags", "200", "get_dag_details", {"dag_id": "$response.body#/dags/0/dag_id"}),
    ("get_dags", "200", "get_dag_runs", {"dag_id": "$response.body#/dags/0/dag_id"}),
    ("get_dag", "200", "reparse_dag_file", {"file_token": "$response.body#/file_token"}),
    ("trigger_dag_run", "200", "get_dag_run", _RUN),
    ("trigger_dag_run", "200", "patch_dag_run", _RUN),
    ("trigger_dag_run", "200", "clear_dag_run", _RUN),
    ("trigger_dag_run", "200", "delete_dag_run", _RUN),
    ("trigger_dag_run", "200", "get_task_instances", _RUN),
    ("get_task_instances", "200", "get_task_instance", _INSTANCE),
    ("get_task_instances", "200", "get_task_instance_tries", _INSTANCE),
    ("get_task_instances", "200", "patch_task_instance", _INSTANCE),
    ("get_task_instances", "200", "create_xcom_entry", _INSTANCE),
    ("get_assets", "200", "get_asset", {"asset_id": "$response.body#/assets/0/id"}),
    ("get_assets", "200", "materialize_asset", {"asset_id": "$response.body#/assets/0/id"}),
    ("create_backfill", "200", "pause_backfill", {"backfill_id": "$response.body#/id"}),
    ("create_backfill", "200", "cancel_backfill", {"backfill_id": "$response.body#/id"}),
    ("post_connection", "201", "get_connection", {"connection_id": "$response.body#/connection_id"}),
    ("post_connection", "201", "delete_connection", {"connection_id": "$response.body#/connection_id"}),
    ("post_variable", "201", "get_variable", {"variable_key": "$response.body#/key"}),
    ("post_variable", "201", "delete_variable", {"variable_key": "$response.body#/key"}),
    ("post_pool", "201", "get_pool", {"pool_name": "$response.body#/name"}),
    ("post_pool", "201", "patch_pool", {"pool_name": "$response.body#/name"}),
    ("post_pool", "201", "delete_pool", {"pool_name": "$response.body#/name"}),
)
"""(operation, status, operation that goes on with what it answered, parameters)."""
_REF = "#/components/schemas/{model}"


def describe(app: FastAPI, prefix: str) -> dict[str, Any]:
    """The document; kept by the application."""
    if app.openapi_schema is None:
        app.openapi_schema = _make(app, prefix)
    return app.openapi_schema


def _make(app: FastAPI, prefix: str) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    document["info"]["description"] = (
        "The paths, shapes and rules of Airflow's stable REST API v2. Refusals are problem documents (RFC 9457)."
    )
    document["paths"] = {f"{prefix}{path}": operations for path, operations in document["paths"].items()}
    schemas = document["components"]["schemas"]
    for model in (HTTPExceptionResponse, HTTPValidationError, ValidationError):
        made = model.model_json_schema(ref_template=_REF)
        made.pop("$defs", None)
        schemas[model.__name__] = made
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = {
        "OAuth2PasswordBearer": {
            "type": "oauth2",
            "flows": {"password": {"scopes": {}, "tokenUrl": "/auth/token"}},
        },
        "HTTPBearer": {"type": "http", "scheme": "bearer"},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            queried = any(each["in"] == "query" for each in operation.get("parameters", ()))
            # A body may be no JSON at all, an order may name no field.
            if "requestBody" in operation or queried:
                operation["responses"].setdefault("400", refusals(400)[400])
            if operation["operationId"] not in _OPEN:
                operation["security"] = [{"OAuth2PasswordBearer": []}, {"HTTPBearer": []}]
    _link(document)
    return document


def _link(document: dict[str, Any]) -> None:
    """Say where an answer leads, for tools that walk."""
    found = {
        operation["operationId"]: operation
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    for source, status, target, parameters in _LINKS:
        links = found[source]["responses"][status].setdefault("links", {})
        links[target] = {"operationId": target, "parameters": parameters}
