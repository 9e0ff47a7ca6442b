"""Small bodies of the requests around signing in: JSON, or a form, bounded in size and time."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.wire.errors import BadInput, LimitExceeded

BODY_BYTES_MAX = 16 << 10
_BODY_SECONDS_MAX = 10.0
FORM = "application/x-www-form-urlencoded"


async def fields_of(request: Request) -> dict[str, Any]:
    """The fields of the body, none for one without; of a form the last value of each.

    Raises:
        BadInput: it is no object, or does not arrive in time.
        LimitExceeded: it is too long.
    """
    try:
        async with asyncio.timeout(_BODY_SECONDS_MAX):
            body = await _bytes_of(request)
    except TimeoutError:
        raise BadInput(f"the body of the request did not arrive within {_BODY_SECONDS_MAX:g} s") from None
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == FORM:
            return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"the body must be a JSON object, or a form ({FORM})")
    return found


def text_of(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be text. Raises `BadInput` naming it."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise BadInput(f"field {name!r} must be given, as text")
    return value


def texts_of(fields: dict[str, Any], name: str) -> list[str]:
    """A field that is a list of texts; empty when it is not given. Raises `BadInput` naming it."""
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadInput(f"field {name!r} must be a list of texts")
    return value


def answer(content: object, status: int = 200) -> Response:
    """`content` as JSON; instants in ISO form."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _bytes_of(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise LimitExceeded(f"the body of this request has at most {BODY_BYTES_MAX} bytes")
    return bytes(body)
