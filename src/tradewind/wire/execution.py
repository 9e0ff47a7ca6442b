"""The conversation between an agent and the execution face.

One kept-alive HTTP connection per agent: `POST /execution/exchange`, body and answer msgpack, header
`Tradewind-Execution-Version: VERSION`, `Authorization: Bearer <agent credential>`. A body is an `Exchange` of messages
in order; the answer is a list of replies in the same order. All messages may be repeated: a claim, report or push with
the current token that was already applied is answered as the first time. While one exchange is under way the agent
collects the next: batching without waiting.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .assets import AssetEmission, AssetEventFacts
from .deferral import Deferral, HumanQuestion
from .states import CauseOfDeath, TaskInstanceState

VERSION = "2026-11-20"
"""Date of this form of the conversation; the face lifts older ones and refuses newer ones with 400."""
VERSION_HEADER = "Tradewind-Execution-Version"


class XComValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that a task left for others: inline JSON, or a reference into the value storage."""

    data: bytes | None = None
    """JSON as made by `sdk` serialisation; None when stored elsewhere."""
    url: str | None = None
    """Location in the value storage (values.url)."""
    size: int = 0
    """Bytes of the JSON."""
    sha256: str | None = None
    """Of the stored bytes, when `url` is given."""
    length: int | None = None
    """Number of items when the value is a list, tuple, set or dict: what mapped readers expand by."""


class XComEntry(msgspec.Struct, frozen=True):
    key: str
    value: XComValue


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an attempt ended, as the child or the agent saw it. Whether a failure is retried is decided by the control
    plane.
    """

    state: TaskInstanceState
    """SUCCESS, FAILED, SKIPPED, UP_FOR_RESCHEDULE, DEFERRED, AWAITING_INPUT, REMOVED (UP_FOR_RETRY is never sent: send
    FAILED).
    """
    cause: CauseOfDeath | None = None
    """Given whenever state is FAILED."""
    reason: str = ""
    """One line for people: exception type and message, signal name, what timed out."""
    exit_code: int | None = None
    signal: int | None = None
    started_at: datetime | None = None
    """First line of user code; None when it never came to that."""
    ended_at: datetime | None = None
    duration_seconds: float | None = None
    skips: tuple[str, ...] = ()
    """Task ids this task decided to skip (branch, short circuit)."""
    reschedule_at: datetime | None = None
    deferral: Deferral | None = None
    """With DEFERRED and AWAITING_INPUT."""
    question: HumanQuestion | None = None
    """With AWAITING_INPUT."""
    retry_delay_seconds: float | None = None
    """Overrides the task's own delay (retry policies)."""
    retry: bool | None = None
    """A retry policy has decided about a failure: try again or not, while tries are left; None: as usual."""
    xcoms: tuple[XComEntry, ...] = ()
    """Pushed values not sent before, the return value included."""
    rendered_fields: dict[str, Any] | None = None
    asset_events: tuple[AssetEmission, ...] | None = None
    """With SUCCESS: the changes it tells of; None: one of each of its outlets."""
    map_index_label: str | None = None
    max_rss_bytes: int | None = None
    cpu_seconds: float | None = None


# --- messages of the agent
# -------------------------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag_field="kind", tag="hello", kw_only=True):
    """First message of every connection. A new `incarnation` under the same agent name ends the attempts of the one
    before it as lost.
    """

    hostname: str
    pid: int
    slots: int
    executor: str
    queues: tuple[str, ...] = ("default",)
    version: str = ""


class Heartbeat(msgspec.Struct, frozen=True, tag_field="kind", tag="heartbeat"):
    """The attempts this agent has in hand. Answer: `Stops` with those that must end, or `Refused` (NotFound) when the
    agent is not registered any more: it says `Hello` with its next exchange and goes on.
    """

    tokens: tuple[str, ...]


class Claim(msgspec.Struct, frozen=True, tag_field="kind", tag="claim", kw_only=True, omit_defaults=True):
    """Ask to begin an attempt (queued → running). Answer: `Go` or `Stop`."""

    token: str
    pid: int = 0
    at: datetime | None = None
    inputs: tuple[str, ...] = ()
    """As in the workload: return values wanted with the answer."""


class Report(msgspec.Struct, frozen=True, tag_field="kind", tag="report"):
    """An attempt ended. Answer: `Done` or `Stop` (the token is stale: the outcome is dropped, with the reason)."""

    token: str
    outcome: Outcome


class PushXCom(msgspec.Struct, frozen=True, tag_field="kind", tag="push_xcom"):
    """Store values in the middle of an attempt. Answer: `Done` or `Stop`."""

    token: str
    entries: tuple[XComEntry, ...]


class PullXCom(msgspec.Struct, frozen=True, tag_field="kind", tag="pull_xcom", kw_only=True, omit_defaults=True):
    """Read values. Answer: `Values`, one entry per stored value that matches, ordered by task id as asked, then map
    path.
    """

    token: str
    task_ids: tuple[str, ...]
    key: str = "return_value"
    dag_id: str | None = None
    """None: the own DAG."""
    run_id: str | None = None
    """None: the own run."""
    map_paths: tuple[str, ...] | None = None
    """None: every instance; text forms otherwise."""
    map_prefix: str | None = None
    """Only instances whose path begins with this (own mapped group)."""
    include_prior_dates: bool = False
    """Fall back to the newest earlier run that has the value."""


class DeleteXCom(msgspec.Struct, frozen=True, tag_field="kind", tag="delete_xcom"):
    token: str
    key: str


class RecordRendered(msgspec.Struct, frozen=True, tag_field="kind", tag="record_rendered"):
    """Rendered template fields as text/JSON (masked by the worker). Answer: `Done`."""

    token: str
    fields: dict[str, Any]


class GetVariable(msgspec.Struct, frozen=True, tag_field="kind", tag="get_variable"):
    """Answer: `Text` (value None when unknown)."""

    token: str
    key: str


class SetVariable(msgspec.Struct, frozen=True, tag_field="kind", tag="set_variable"):
    token: str
    key: str
    value: str
    description: str | None = None


class DeleteVariable(msgspec.Struct, frozen=True, tag_field="kind", tag="delete_variable"):
    token: str
    key: str


class GetConnection(msgspec.Struct, frozen=True, tag_field="kind", tag="get_connection"):
    """Answer: `ConnectionFacts` or `Refused`."""

    token: str
    conn_id: str


class GetPreviousRun(
    msgspec.Struct, frozen=True, tag_field="kind", tag="get_previous_run", kw_only=True, omit_defaults=True
):
    """The newest run of the own DAG before the own logical date. Answer: `Run`."""

    token: str
    state: str | None = None


class GetStates(msgspec.Struct, frozen=True, tag_field="kind", tag="get_states", kw_only=True, omit_defaults=True):
    """States of task instances. Answer: `States`."""

    token: str
    dag_id: str
    run_ids: tuple[str, ...] = ()
    logical_dates: tuple[datetime, ...] = ()
    task_ids: tuple[str, ...] | None = None
    group_id: str | None = None


class GetState(msgspec.Struct, frozen=True, tag_field="kind", tag="get_state", kw_only=True, omit_defaults=True):
    """Read from the state store. Answer: `Text` (JSON; None when there is no such value)."""

    token: str
    key: str
    asset: str | None = None
    """Name or URI of an asset; None: of this task instance."""


class PutState(msgspec.Struct, frozen=True, tag_field="kind", tag="put_state", kw_only=True, omit_defaults=True):
    """Write into the state store. Answer: `Done`."""

    token: str
    key: str
    value: str
    """JSON."""
    asset: str | None = None
    retention_seconds: float | None = None
    """None: the default; below 0: for ever."""


class DropState(msgspec.Struct, frozen=True, tag_field="kind", tag="drop_state", kw_only=True, omit_defaults=True):
    """Forget a value, or all of a place. Answer: `Done`."""

    token: str
    key: str | None = None
    asset: str | None = None


class CountRuns(msgspec.Struct, frozen=True, tag_field="kind", tag="count_runs", kw_only=True, omit_defaults=True):
    """How many runs there are. Answer: `Count`."""

    token: str
    dag_id: str
    logical_dates: tuple[datetime, ...] | None = None
    run_ids: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None


class GetRunState(msgspec.Struct, frozen=True, tag_field="kind", tag="get_run_state"):
    """Answer: `Text`, or `Refused` (NotFound)."""

    token: str
    dag_id: str
    run_id: str


class GetPreviousTask(
    msgspec.Struct, frozen=True, tag_field="kind", tag="get_previous_task", kw_only=True, omit_defaults=True
):
    """The own task in the newest run before this one. Answer: `TaskFacts`."""

    token: str
    state: str | None = None
    before: datetime | None = None
    """None: the own logical date."""
    map_path: str = ""


class GetAssetEvents(
    msgspec.Struct, frozen=True, tag_field="kind", tag="get_asset_events", kw_only=True, omit_defaults=True
):
    """Events of an asset or alias, or those that the own run was made for. Answer: `AssetEvents`."""

    token: str
    triggering: bool = False
    """Those of the own run; the rest of the question is not looked at then."""
    name: str | None = None
    uri: str | None = None
    alias: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    ascending: bool = True
    limit: int | None = None


class GetAssets(msgspec.Struct, frozen=True, tag_field="kind", tag="get_assets", kw_only=True, omit_defaults=True):
    """Assets by name or URI. Answer: `Assets`, an entry for each question, in order."""

    token: str
    names: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    """Answered after the names."""


class TriggerRun(msgspec.Struct, frozen=True, tag_field="kind", tag="trigger_run", kw_only=True, omit_defaults=True):
    """Create a run of another DAG from a task. Answer: `Run` or `Refused`."""

    token: str
    dag_id: str
    run_id: str | None = None
    logical_date: datetime | None = None
    conf: dict[str, Any] = {}
    run_after: datetime | None = None
    note: str | None = None
    reset: bool = False
    """A run of the same id or logical date that is there is cleared instead."""


class GetDag(msgspec.Struct, frozen=True, tag_field="kind", tag="get_dag"):
    """What is known of another DAG. Answer: `DagFacts`."""

    token: str
    dag_id: str


AgentMessage = (
    Hello
    | Heartbeat
    | Claim
    | Report
    | PushXCom
    | PullXCom
    | DeleteXCom
    | RecordRendered
    | GetVariable
    | SetVariable
    | DeleteVariable
    | GetConnection
    | GetPreviousRun
    | GetStates
    | GetState
    | PutState
    | DropState
    | CountRuns
    | GetRunState
    | GetPreviousTask
    | TriggerRun
    | GetDag
    | GetAssetEvents
    | GetAssets
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `sequence` rises by one per exchange of an incarnation; a repeated one is answered again."""

    agent: str
    """Name of the agent (stable over restarts: host and slot)."""
    incarnation: str
    """Random, new with each start of the agent process."""
    sequence: int
    messages: list[AgentMessage]


# --- replies of the face
# ---------------------------------------------------------------------------------------------------------------


class Done(msgspec.Struct, frozen=True, tag_field="kind", tag="done"):
    """Applied (now or before)."""


class Go(msgspec.Struct, frozen=True, tag_field="kind", tag="go", omit_defaults=True):
    """The attempt may begin. `inputs`: return values of the tasks named in the workload that are not mapped; one that
    is missing has none.
    """

    inputs: dict[str, XComValue] = {}


class Stop(msgspec.Struct, frozen=True, tag_field="kind", tag="stop"):
    """The token is not current any more: end the child if it runs, forget the attempt."""

    reason: str


class Stops(msgspec.Struct, frozen=True, tag_field="kind", tag="stops"):
    """Of a heartbeat: token → reason."""

    attempts: dict[str, str]


class FoundXCom(msgspec.Struct, frozen=True):
    task_id: str
    map_path: str
    value: XComValue


class Values(msgspec.Struct, frozen=True, tag_field="kind", tag="values"):
    values: tuple[FoundXCom, ...]


class Text(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    value: str | None


class ConnectionFacts(
    msgspec.Struct, frozen=True, tag_field="kind", tag="connection", kw_only=True, omit_defaults=True
):
    """A connection, decrypted. Its secrets are registered with the mask of the attempt before user code sees them."""

    conn_id: str
    conn_type: str
    description: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: str | None = None


class Run(msgspec.Struct, frozen=True, tag_field="kind", tag="run", omit_defaults=True):
    """A run, or none."""

    run_id: str | None = None
    run_type: str | None = None
    state: str | None = None
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None


class DagFacts(msgspec.Struct, frozen=True, tag_field="kind", tag="dag_facts", omit_defaults=True):
    """A DAG as its newest version is."""

    exists: bool
    is_paused: bool = False
    task_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()


class Count(msgspec.Struct, frozen=True, tag_field="kind", tag="count"):
    value: int


class TaskFacts(msgspec.Struct, frozen=True, tag_field="kind", tag="task_facts", kw_only=True, omit_defaults=True):
    """A task instance, or none (`task_id` None)."""

    task_id: str | None = None
    dag_id: str = ""
    run_id: str = ""
    logical_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    state: str | None = None
    try_number: int = 0
    map_index: int = -1
    duration: float | None = None


class States(msgspec.Struct, frozen=True, tag_field="kind", tag="states"):
    """run id → "task_id" or "task_id[path]" → state (None: no status)."""

    states: dict[str, dict[str, str | None]]


class AssetEvents(msgspec.Struct, frozen=True, tag_field="kind", tag="asset_events"):
    events: tuple[AssetEventFacts, ...]


class Assets(msgspec.Struct, frozen=True, tag_field="kind", tag="assets"):
    assets: tuple[FoundAsset | None, ...]
    """None: there is none."""


class FoundAsset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset as the database knows it."""

    name: str
    uri: str
    group: str = "asset"
    extra: dict[str, Any] = {}
    is_active: bool = True
    conflict: str | None = None


class Refused(msgspec.Struct, frozen=True, tag_field="kind", tag="refused"):
    """Cannot be answered: the message is for the author of the DAG. `error` is a class name of `wire.errors`."""

    error: str
    message: str


Reply = (
    DagFacts
    | AssetEvents
    | Assets
    | Count
    | TaskFacts
    | Done
    | Go
    | Stop
    | Stops
    | Values
    | Text
    | ConnectionFacts
    | Run
    | States
    | Refused
)

_exchange_encoder = msgspec.msgpack.Encoder()
_exchange_decoder = msgspec.msgpack.Decoder(Exchange)
_replies_decoder = msgspec.msgpack.Decoder(list[Reply])


def encode_exchange(exchange: Exchange) -> bytes:
    return _exchange_encoder.encode(exchange)


def decode_exchange(raw: bytes) -> Exchange:
    """Raises `msgspec.DecodeError` for what is not an exchange."""
    return _exchange_decoder.decode(raw)


def encode_replies(replies: list[Reply]) -> bytes:
    return _exchange_encoder.encode(replies)


def decode_replies(raw: bytes) -> list[Reply]:
    return _replies_decoder.decode(raw)
