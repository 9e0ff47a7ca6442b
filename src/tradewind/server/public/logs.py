"""Logs of attempts: as JSON or as lines of JSON, whole or in pages, with a token to go on from.

Beside Airflow's parameters there are `tail` (the last lines only) and `page_bytes` (about so much of the log at most;
the token goes on from there). Answers are streamed: a long log costs time, no memory.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from tradewind.adapters.logs import log_size, read_lines, tail_start, whole_lines_end
from tradewind.domain.permissions import Action, Resource
from tradewind.ports.logs import attempt_log
from tradewind.ports.reads import PublicTransaction
from tradewind.wire.errors import BadInput, NotFound
from tradewind.wire.states import TERMINAL_STATES

from .caller import Call, Caller
from .dag_runs import NDJSON
from .models.base import Whole
from .models.task_instances import ExternalLogUrlResponse, TaskInstancesLogResponse
from .negotiation import AcceptLines, wanted_type
from .refusals import refusals
from .task_instances import TASK, UNMAPPED, require_instance

router = APIRouter(tags=["Task Instance"])
_LINES = "application/x-ndjson"
_CHUNK_BYTES = 128 << 10
TOKEN_HEADER = "Airflow-Continuation-Token"  # noqa: S105 # the name of a header


@router.get(
    TASK + "/logs/{try_number}",
    response_model=TaskInstancesLogResponse,
    responses=refusals(400, 401, 403, 404, 406, 422) | NDJSON,
)
async def get_log(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    try_number: Annotated[int, Field(ge=0)],
    full_content: bool = False,  # noqa: ARG001 # everything there is, unless asked for less
    map_index: Whole = UNMAPPED,
    token: str | None = None,
    tail: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    page_bytes: Annotated[int | None, Query(ge=1)] = None,
    accept: AcceptLines = "*/*",
) -> StreamingResponse:
    call.may(Action.READ, Resource.LOG, dag_id)
    form = wanted_type(accept, "application/json", _LINES)
    attempt = await call.read(lambda tx: _attempt(call, tx, dag_id, dag_run_id, task_id, map_index, try_number))
    piece = _piece(attempt, token, tail, page_bytes)
    going_on = _token(piece.end, over=piece.is_last) if not piece.is_last else None
    headers = {} if going_on is None else {TOKEN_HEADER: going_on}
    body = _as_lines(piece) if form == _LINES else _as_json(piece, going_on)
    return StreamingResponse(body, media_type=form, headers=headers)


@router.get(TASK + "/externalLogUrl/{try_number}", responses=refusals(400, 401, 403, 404, 422))
async def get_external_log_url(
    call: Caller,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    try_number: Annotated[int, Field(gt=0)],
    map_index: Whole = UNMAPPED,
) -> ExternalLogUrlResponse:
    call.may(Action.READ, Resource.LOG, dag_id)
    await call.read(lambda tx: require_instance(tx, dag_id, dag_run_id, task_id, map_index))
    raise BadInput(f"logs are kept here, at no address elsewhere: read try {try_number} with /logs/{try_number}")


class _Attempt(NamedTuple):
    path: Path
    over: bool
    """Nothing more will be written."""


class _Piece(NamedTuple):
    path: Path
    start: int
    end: int
    is_last: bool
    is_there: bool


def _attempt(
    call: Call, tx: PublicTransaction, dag_id: str, run_id: str, task_id: str, map_index: Whole, number: int
) -> _Attempt:
    row = require_instance(tx, dag_id, run_id, task_id, map_index).task
    if number > max(row.try_number, 1):
        raise NotFound(f"task {task_id!r} of run {run_id!r} had no try {number}")
    folder = call.office.settings.logs.folder
    path = attempt_log(folder, row.dag_id, row.run_id, row.task_id, row.map_path, number)
    return _Attempt(path, number < row.try_number or row.state in TERMINAL_STATES)


def _piece(attempt: _Attempt, token: str | None, tail: int | None, page_bytes: int | None) -> _Piece:
    """The range that is wanted. Raises `BadInput` for a token that was not given here."""
    size = log_size(attempt.path)
    if size is None:
        return _Piece(attempt.path, 0, 0, attempt.over, is_there=False)
    # What was written when the attempt ended in the middle of a line counts as a line.
    end = size if attempt.over else whole_lines_end(attempt.path, size)
    start = _place(token, end) if token else 0
    if tail is not None and not token:
        start = tail_start(attempt.path, end, tail)
    reaches_end = True
    if page_bytes is not None and end - start > page_bytes:
        cut = whole_lines_end(attempt.path, start + page_bytes)
        if cut <= start:  # a single line is longer
            cut = next((place for _, place in read_lines(attempt.path, start, end)), end)
        reaches_end, end = cut >= end, cut
    return _Piece(attempt.path, start, end, attempt.over and reaches_end, is_there=True)


def _messages(piece: _Piece) -> Iterator[bytes]:
    if not piece.is_there:
        said = "there is no log of this try yet" if not piece.is_last else "there is no log of this try"
        yield msgspec.json.encode({"timestamp": None, "event": said, "level": "info", "logger": "tradewind"})
        return
    place = piece.start
    for line, place in read_lines(piece.path, piece.start, piece.end):  # noqa: B007 # where the last one ended
        yield _message(line)
    if place < piece.end:  # cut off by a crash in the middle of writing
        with piece.path.open("rb") as file:
            file.seek(place)
            yield _message(file.read(piece.end - place))


def _message(line: bytes) -> bytes:
    """A line of ours as Airflow's clients know it."""
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        record = None
    if not isinstance(record, dict):
        return msgspec.json.encode({"timestamp": None, "event": line.decode("utf-8", "replace")})
    told: dict[str, Any] = {
        "timestamp": record.get("t"),
        "event": str(record.get("m", "")),
        "level": record.get("l", "info"),
        "logger": record.get("n") or record.get("s"),
        "source": record.get("s"),
    }
    if isinstance(record.get("e"), list):
        told["error_detail"] = [_error(each) for each in record["e"] if isinstance(each, dict)]
    return msgspec.json.encode(told)


def _error(told: dict[str, Any]) -> dict[str, Any]:
    frames = told.get("frames")
    return {
        "exc_type": told.get("type"),
        "exc_value": told.get("message"),
        "exc_notes": told.get("notes", []),
        "is_cause": told.get("relation") == "cause",
        "is_group": told.get("relation") == "member",
        "syntax_error": None,
        "frames": [
            {
                "filename": frame.get("file"),
                "lineno": frame.get("line"),
                "name": frame.get("function"),
                "line": frame.get("text"),
            }
            for frame in (frames if isinstance(frames, list) else ())
            if isinstance(frame, dict)
        ],
    }


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Many short pieces as fewer longer ones."""
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size >= _CHUNK_BYTES:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)


def _as_lines(piece: _Piece) -> Iterator[bytes]:
    return _gathered(message + b"\n" for message in _messages(piece))


def _as_json(piece: _Piece, going_on: str | None) -> Iterator[bytes]:
    def parts() -> Iterator[bytes]:
        yield b'{"content":['
        for number, message in enumerate(_messages(piece)):
            yield b"," + message if number else message
        yield b'],"continuation_token":' + msgspec.json.encode(going_on) + b"}"

    return _gathered(parts())


def _token(place: int, *, over: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps({"log_pos": place, "end_of_log": over}).encode()).decode().rstrip("=")


def _place(token: str, end: int) -> int:
    try:
        said = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        place = said["log_pos"]
    except (ValueError, KeyError, TypeError):
        place = None
    if not isinstance(place, int) or isinstance(place, bool) or place < 0:
        raise BadInput("the token is not one that a log gave: leave it out to begin at the beginning")
    return min(place, end)
