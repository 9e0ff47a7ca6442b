"""The DAG document: everything the control plane knows about a DAG, as data.

A DAG file is loaded only in a child process, which compiles each DAG to one `DagDocument`. Encoding is canonical
(fields in declared order, defaults left out, sets sorted by the compiler), so equal DAGs have equal bytes and equal
hashes. `format` rises when a field changes its meaning; `UPGRADERS` lift older documents on decoding, so stored
versions stay readable for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from .assets import AliasFacts, AssetFacts, Leaf
from .deadlines import DeadlineDocument
from .deferral import Deferral
from .errors import InvalidDag
from .schedule import NullSchedule, Schedule
from .states import Isolation, TriggerRule, WeightRule

FORMAT = 1


class Literal(msgspec.Struct, frozen=True, tag_field="kind", tag="literal"):
    """A list or dict written in the DAG file; only its length matters to the planner."""

    length: int


class FromTask(msgspec.Struct, frozen=True, tag_field="kind", tag="task"):
    """The output of a task: the length of its return value, or, when that task is mapped relative to the reader, the
    number of its instances.
    """

    task_id: str
    key: str = "return_value"


class Zipped(msgspec.Struct, frozen=True, tag_field="kind", tag="zip"):
    """Pairs of several sources: as long as the shortest, or the longest when `fill`."""

    sources: tuple[LengthSource, ...]
    fill: bool = False


class Concatenated(msgspec.Struct, frozen=True, tag_field="kind", tag="concat"):
    """Several sources one after another: the sum of the lengths."""

    sources: tuple[LengthSource, ...]


LengthSource = Literal | FromTask | Zipped | Concatenated
"""Where the length of one mapped argument comes from (`.map()` keeps the length, so it leaves no trace here)."""


class Mapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a task or group expands. The number of instances is the product of the lengths (one source for
    `expand_kwargs`); the last argument varies fastest.
    """

    arguments: tuple[tuple[str, LengthSource], ...]
    """(argument name, source); `expand_kwargs` has one with the empty name."""


def source_tasks(mapping: Mapping) -> frozenset[str]:
    """Tasks whose output decides how far `mapping` expands."""

    def of(source: LengthSource) -> frozenset[str]:
        match source:
            case FromTask(task_id):
                return frozenset({task_id})
            case Zipped(sources) | Concatenated(sources):
                return frozenset().union(*map(of, sources))
            case _:
                return frozenset()

    return frozenset().union(*(of(source) for _, source in mapping.arguments))


class TaskDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One task. Times in seconds. Effective values: defaults of DAG and groups are already merged in."""

    task_id: str
    operator: str
    """Name shown for the kind of work ("PythonOperator", "@task")."""
    module: str = ""
    """Module of the operator class."""
    display_name: str | None = None
    group_id: str | None = None
    """Innermost group, None for the root."""
    upstream: tuple[str, ...] = ()
    """Task ids this one waits for directly, sorted."""
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    mapping: Mapping | None = None
    """Own mapping; mappings of groups around it stand in the groups."""
    inputs: tuple[str, ...] = ()
    """Task ids whose return value an argument of this task reads (sorted): handed over with the start of an attempt."""
    owner: str = "airflow"
    retries: int = 0
    retry_delay_seconds: float = 300.0
    retry_exponential_backoff: float = 0.0
    max_retry_delay_seconds: float | None = None
    execution_timeout_seconds: float | None = None
    depends_on_past: bool = False
    ignore_first_depends_on_past: bool = True
    wait_for_downstream: bool = False
    wait_for_past_depends_before_skipping: bool = False
    priority_weight: int = 1
    weight_rule: WeightRule = WeightRule.DOWNSTREAM
    effective_weight: int = 1
    """`priority_weight` summed by `weight_rule`, clamped to 32 bit: computed once by the compiler."""
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    executor: str | None = None
    executor_config: dict[str, Any] = {}
    isolation: Isolation | None = None
    """None: the DAG's."""
    run_as_user: str | None = None
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    setups: tuple[str, ...] = ()
    """For a teardown: its setup tasks."""
    is_sensor: bool = False
    is_empty: bool = False
    """Nothing to execute and no callbacks: the owner may mark it success without an executor."""
    reschedules: bool = False
    deferrable: bool = False
    start_trigger: Deferral | None = None
    """Each try begins with this wait, without a process (`start_from_trigger`)."""
    do_xcom_push: bool = True
    multiple_outputs: bool = False
    has_callbacks: bool = False
    """Somebody is told of its ends: callbacks, or e-mail."""
    map_index_template: str | None = None
    template_fields: tuple[str, ...] = ()
    template_fields_renderers: dict[str, str] = {}
    arguments: dict[str, str] = {}
    """Templated fields as written, as text (cut at 4096 characters), for people and for telling versions apart."""
    doc_md: str | None = None
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    links: dict[str, str] = {}
    """Links to other systems: name → key under which the task leaves the address."""
    resources: dict[str, Any] = {}
    inlets: tuple[Leaf, ...] = ()
    """Assets it reads, sorted."""
    outlets: tuple[Leaf, ...] = ()
    """Assets it changes, sorted."""
    deadlines: tuple[DeadlineDocument, ...] = ()
    """Until when all its instances must have succeeded, or been skipped."""
    extra: dict[str, Any] = {}
    """Room for constructs of later issues (assets, retry policies...) without a change of format."""


class RunRetryScope(StrEnum):
    """Which tasks run again when a run is retried."""

    FAILED = "failed"
    """Those that failed, and everything after them."""
    ALL = "all"


class RunRetry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run that failed is tried again. Times in seconds."""

    retries: int
    delay_seconds: float = 0.0
    exponential_backoff: float = 0.0
    """Multiplier of the delay per retry; 0: constant."""
    max_delay_seconds: float | None = None
    scope: RunRetryScope = RunRetryScope.FAILED


class GroupDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One task group below the root."""

    group_id: str
    label: str
    parent_id: str | None = None
    mapping: Mapping | None = None
    tooltip: str = ""
    doc_md: str | None = None
    ui_color: str = "CornflowerBlue"
    ui_fgcolor: str = "#000"


class ParamDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter: JSON schema and, unless it is required, a default."""

    schema: dict[str, Any] = {}
    default: Any = None
    required: bool = False
    description: str | None = None


class EdgeLabel(msgspec.Struct, frozen=True):
    """A text on an edge of the graph."""

    upstream: str
    downstream: str
    label: str


class DagDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One DAG. Tasks and groups sorted by id."""

    format: int
    dag_id: str
    file: str
    """Path of the file inside its bundle."""
    code_digest: str = ""
    """Digest of the syntax trees of the file and of the bundle's own modules it imported: comments and layout do not
    count.
    """
    display_name: str | None = None
    description: str | None = None
    doc_md: str | None = None
    schedule: Schedule = NullSchedule()
    timezone: str = "UTC"
    start_date: datetime | None = None
    end_date: datetime | None = None
    catchup: bool = False
    max_active_runs: int = 16
    max_active_tasks: int = 16
    max_consecutive_failed_dag_runs: int = 0
    dagrun_timeout_seconds: float | None = None
    fail_fast: bool = False
    retry: RunRetry | None = None
    is_paused_upon_creation: bool | None = None
    isolation: Isolation = Isolation.FORK
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    owner_links: dict[str, str] = {}
    params: dict[str, ParamDocument] = {}
    allowed_run_types: tuple[str, ...] | None = None
    render_template_as_native_obj: bool = False
    has_on_success_callback: bool = False
    has_on_failure_callback: bool = False
    access: tuple[str, ...] = ()
    """What the DAG grants to roles (`access_control`), as `domain.permissions` reads it."""
    disable_bundle_versioning: bool = False
    """Attempts run from the newest tree, not from the one their run began with."""
    rerun_with_latest_version: bool | None = None
    """Whether what is cleared follows the newest version, where nobody says; None: it does not."""
    on_success_callback_count: int = 0
    on_failure_callback_count: int = 0
    """How many callbacks a run of this DAG has for its end; each is delivered by itself."""
    tasks: tuple[TaskDocument, ...] = ()
    groups: tuple[GroupDocument, ...] = ()
    edge_labels: tuple[EdgeLabel, ...] = ()
    assets: tuple[AssetFacts, ...] = ()
    """All that schedule, inlets and outlets speak of, by name and URI."""
    aliases: tuple[AliasFacts, ...] = ()
    deadlines: tuple[DeadlineDocument, ...] = ()
    """Until when a run must have ended."""
    warnings: tuple[str, ...] = ()
    extra: dict[str, Any] = {}


UPGRADERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""format n → function that lifts a raw document of format n to n + 1."""

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(DagDocument)


def encode_document(document: DagDocument) -> bytes:
    """Canonical bytes: equal documents give equal bytes."""
    return _encoder.encode(document)


def decode_document(raw: bytes) -> DagDocument:
    """The document behind `raw`, lifted to the current format. Raises `InvalidDag` for bytes of an unknown or newer
    format.
    """
    try:
        head = msgspec.json.decode(raw, type=dict[str, Any])
        level = head.get("format")
        if level == FORMAT:
            return _decoder.decode(raw)
        if not isinstance(level, int) or level > FORMAT:
            raise InvalidDag(f"DAG document has format {level!r}; this version reads up to {FORMAT}: upgrade Tradewind")
        while level < FORMAT:
            head = UPGRADERS[level](head)
            level += 1
        return msgspec.convert(head | {"format": FORMAT}, DagDocument)
    except msgspec.DecodeError as error:
        raise InvalidDag(f"not a DAG document: {error}") from error


def document_hash(document: DagDocument) -> str:
    """SHA-256 of the canonical bytes, hexadecimal."""
    return hashlib.sha256(encode_document(document)).hexdigest()
