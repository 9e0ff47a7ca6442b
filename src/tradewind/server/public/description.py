"""The OpenAPI document of the public face: what FastAPI makes of the routes, with our problems and ways to sign in."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .refusals import HTTPExceptionResponse, HTTPValidationError, ValidationError, refusals

_OPEN = frozenset({"get_version", "get_health", "login", "logout"})
"""Operations that need no sign-in."""
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
    return document
