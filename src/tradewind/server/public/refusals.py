"""What the contract says of refusals: every operation names the ones it gives."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tradewind.server.problems import PROBLEM_TYPE

_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    422: "Validation Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class HTTPExceptionResponse(BaseModel):
    """A problem document (RFC 9457); `detail` says what is wrong, `error` is a word for programs."""

    detail: str | dict[str, Any]
    type: str = "about:blank"
    title: str = ""
    status: int = 500
    error: str = ""


class ValidationError(BaseModel):
    """One thing that does not fit."""

    loc: list[str | int]
    msg: str
    type: str
    input: Any = None
    ctx: dict[str, Any] = {}


class HTTPValidationError(BaseModel):
    """A request that does not fit its schema: `detail` names every fault; or a sentence, when no schema says it."""

    detail: list[ValidationError] | str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route."""
    return {status: _refusal(status) for status in statuses}


def _refusal(status: int) -> dict[str, Any]:
    name = "HTTPValidationError" if status == 422 else "HTTPExceptionResponse"
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": _WORDS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}
