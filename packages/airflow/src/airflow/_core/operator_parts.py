"""Odds and ends around operators that code of other versions imports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tradewind.sdk import BaseHook, BaseOperator, TriggerRule, WeightRule
from tradewind.sdk.construction import OperatorMeta as BaseOperatorMeta
from tradewind.sdk.construction import merged_defaults
from tradewind.sdk.edges import Dependable as DependencyMixin
from tradewind.sdk.node import Task as DAGNode
from tradewind.sdk.setup_teardown import Scope as SetupTeardownContext
from tradewind.sdk.stack import current_dag, current_group
from tradewind.sdk.xcomarg import XComArg as ResolveMixin

AbstractOperator = DAGNode
Operator = DAGNode
TaskMixin = DependencyMixin
BaseSetupTeardownContext = SetupTeardownContext

DEFAULT_OWNER = "airflow"
DEFAULT_POOL_SLOTS = 1
DEFAULT_POOL_NAME = "default_pool"
DEFAULT_PRIORITY_WEIGHT = 1
MINIMUM_PRIORITY_WEIGHT = DB_SAFE_MINIMUM = -2147483648
MAXIMUM_PRIORITY_WEIGHT = DB_SAFE_MAXIMUM = 2147483647
DEFAULT_EXECUTOR = None
DEFAULT_QUEUE = "default"
DEFAULT_RETRIES = 0
DEFAULT_RETRY_DELAY = timedelta(seconds=300)
MAX_RETRY_DELAY = 24 * 60 * 60
DEFAULT_IGNORE_FIRST_DEPENDS_ON_PAST = False
DEFAULT_WAIT_FOR_PAST_DEPENDS_BEFORE_SKIPPING = False
DEFAULT_TRIGGER_RULE = TriggerRule.ALL_SUCCESS
DEFAULT_WEIGHT_RULE = WeightRule.DOWNSTREAM
DEFAULT_TASK_EXECUTION_TIMEOUT = None
DEFAULT_SCHEDULE_INTERVAL = timedelta(days=1)
OPERATOR_DEFAULTS: dict[str, Any] = {}

XCOM_SKIPMIXIN_KEY = "skipmixin_key"
XCOM_SKIPMIXIN_SKIPPED = "skipped"
XCOM_SKIPMIXIN_FOLLOWED = "followed"

TRIGGER_FAIL_REPR = "__fail__"
EXPAND_INPUT_EMPTY: Any = ()

TaskStateChangeCallback = Callable[[Any], None]
TaskStateChangeCallbackAttrType = Any
TaskPreExecuteHook = Callable[[Any], None]
TaskPostExecuteHook = Callable[[Any, Any], None]
DagStateChangeCallback = Callable[[Any], None]
SLAMissCallback = Callable[..., None]
MapCallables = Any
ScheduleInterval = Any
ScheduleIntervalArg = Any
ScheduleArg = Any
ExpandInput = Any
OperatorExpandArgument = Any
OperatorExpandKwargsArgument = Any
ValidationSource = Any
EdgeInfoType = dict[str, Any]


class NotMapped(Exception):
    """A task is not mapped."""


class ExecutorSafeguard:
    """Checks of who may execute an operator; the SDK has its own."""

    test_mode = False

    @classmethod
    def decorator(cls, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


class TriggerFailureReason:
    """Why a trigger failed."""

    TRIGGER_TIMEOUT = "Trigger timeout"
    TRIGGER_FAILURE = "Trigger failure"


class DiscoverableHook:
    """What a hook says of its kind of connection."""

    conn_name_attr: str
    default_conn_name: str
    conn_type: str
    hook_name: str


class DagContext:
    """The DAG whose `with` block is open."""

    autoregistered_dags: set[Any] = set()  # noqa: RUF012 # one for all
    current_autoregister_module_name: str | None = None

    @staticmethod
    def get_current_dag() -> Any:
        """The innermost one; None outside."""
        return current_dag()

    @classmethod
    def get_current(cls) -> Any:
        """The innermost one; None outside."""
        return current_dag()

    @staticmethod
    def push_context_managed_dag(dag: Any) -> None:
        """Open a DAG as `with` does."""
        dag.__enter__()

    @staticmethod
    def pop_context_managed_dag() -> Any:
        """Close the innermost one."""
        dag = current_dag()
        if dag is not None:
            dag.__exit__(None, None, None)
        return dag


class TaskGroupContext:
    """The group whose `with` block is open."""

    @staticmethod
    def get_current_task_group(dag: Any = None) -> Any:
        """The innermost one, else the root group of the DAG."""
        return current_group(dag or current_dag())

    @classmethod
    def get_current(cls, dag: Any = None) -> Any:
        """The innermost one, else the root group of the DAG."""
        return cls.get_current_task_group(dag)


def db_safe_priority(priority_weight: int) -> int:
    """The weight within the bounds of the database."""
    return max(DB_SAFE_MINIMUM, min(DB_SAFE_MAXIMUM, priority_weight))


def parse_retries(retries: Any) -> int | None:
    """A number of retries out of a number or text."""
    return None if retries is None else int(retries)


def coerce_timedelta(value: float | timedelta, *, key: str | None = None) -> timedelta:  # noqa: ARG001
    """Seconds as timedelta."""
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


def coerce_resources(resources: dict[str, Any] | None) -> Any:
    """A dict as `Resources`."""
    from airflow._core.resources import Resources

    return None if resources is None else Resources(**resources)


def get_merged_defaults(
    dag: Any, task_group: Any, task_params: Any, task_default_args: Any
) -> tuple[dict[str, Any], Any]:
    """(default arguments, params) of a task."""
    merged = merged_defaults(dag, task_group, task_default_args)
    params = merged.pop("params", None) or {}
    return merged, {**params, **(task_params or {})}


def process_params(dag: Any, task: Any, dag_run: Any, *, suppress_exception: bool) -> dict[str, Any]:  # noqa: ARG001
    """The params of a task in a run."""
    from tradewind.sdk.context import merged_params

    return dict(merged_params(task, dict(getattr(dag_run, "conf", None) or {})))


def is_mappable(value: Any) -> bool:
    """Whether a task may be mapped over the value."""
    return isinstance(value, XComLike) or (not isinstance(value, str) and hasattr(value, "__len__"))


is_mappable_value = is_mappable
XComLike = ResolveMixin


def ensure_xcomarg_return_value(arg: Any) -> None:
    """Nothing: the SDK checks it where tasks are mapped."""


def validate_mapping_kwargs(op: Any, func: Any, value: dict[str, Any]) -> None:
    """Nothing: the SDK checks it where tasks are mapped."""


def prevent_duplicates(kwargs1: dict[str, Any], kwargs2: Any, *, fail_reason: str) -> None:
    """Raise TypeError when both name an argument."""
    from airflow._core.helpers import prevent_duplicates as prevent

    prevent(kwargs1, kwargs2, fail_reason=fail_reason)


def _ensure_tasks(nodes: Any) -> list[Any]:
    from tradewind.sdk.mapped import MappedOperator

    return [node for node in nodes if isinstance(node, BaseOperator | MappedOperator)]


def create_timetable(interval: Any, timezone: Any) -> Any:
    """The timetable of a schedule."""
    from tradewind.domain.timetables import timetable_for
    from tradewind.sdk import dates
    from tradewind.sdk.dag_checks import schedule

    return timetable_for(schedule("", interval, dates.zone_name(timezone)))


def sanitize_conn_id(conn_id: str | None, max_length: int = 200) -> str | None:
    """The id of a connection when it may be one, else None."""
    import re

    if not isinstance(conn_id, str) or len(conn_id) > max_length or not re.fullmatch(r"[\w#!()\-.:/\\]+", conn_id):
        return None
    return conn_id


def parse_netloc_to_hostname(uri_parts: Any) -> str:
    """The host of a URI with its capitals."""
    from urllib.parse import unquote

    return unquote(uri_parts.netloc.rpartition("@")[2].partition(":")[0])


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for the block."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        try:
            yield loop
        finally:
            loop.close()
    else:
        yield loop


__all__ = ["BaseHook", "BaseOperator", "BaseOperatorMeta", "DAGNode", "DependencyMixin", "SetupTeardownContext"]
