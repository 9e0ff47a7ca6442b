"""What is checked about a DAG: single arguments when it is made, the whole when it is complete."""

from __future__ import annotations

import heapq
import os
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from tradewind.domain.permissions import access_of_document
from tradewind.wire.errors import BadInput, InvalidSchedule
from tradewind.wire.schedule import AssetSchedule, CronTriggerSchedule, PartitionedAssetSchedule, Schedule
from tradewind.wire.states import DagRunType, TriggerRule

from .arguments import flag, text, whole_number
from .errors import WrongArgument, WrongValue
from .timetables import schedule_of

if TYPE_CHECKING:
    from .definition import DAG
    from .node import Task

TAG_LENGTH_MAX = 100


def schedule(dag_id: str, value: Any, timezone: str) -> Schedule:
    """The schedule as data. Raises `InvalidSchedule` naming the DAG, the value and what would be right."""
    try:
        found = schedule_of(value, timezone)
        if isinstance(found, CronTriggerSchedule) and found.jitter_seconds:
            return replace(found, jitter_key=dag_id)
        return found
    except InvalidSchedule as error:
        raise InvalidSchedule(f"DAG {dag_id!r}: {error}") from None
    except (WrongArgument, WrongValue) as error:
        raise type(error)(f"schedule of DAG {dag_id!r}: {error}") from None


def active_runs(dag: DAG, value: Any, default: int) -> int:
    """How many runs at once, within what the schedule allows."""
    number: int | None = whole_number(1)(f"max_active_runs of DAG {dag.dag_id!r}", value)
    limit = dag.timetable.active_runs_limit
    if number is None:
        return min(default, limit) if limit else default
    if limit is not None and number > limit:
        raise WrongValue(
            f"max_active_runs of DAG {dag.dag_id!r} is {number}, but its schedule allows {limit} at once; use "
            f"{limit} or leave it out"
        )
    return number


def timeout(of: str, value: Any) -> timedelta | None:
    """dagrun_timeout: a positive timedelta."""
    if value is None:
        return None
    if not isinstance(value, timedelta):
        raise WrongArgument(f"dagrun_timeout {of} must be a timedelta, not {value!r} of type {type(value).__name__}")
    if value <= timedelta(0):
        raise WrongValue(f"dagrun_timeout {of} must be positive, not {value}")
    return value


def documentation(of: str, value: Any, folder: str) -> str | None:
    """doc_md: the text, or the content of the `.md` file it names (inside the folder of the DAG file)."""
    doc: str | None = text(f"doc_md {of}", value)
    if doc is None or not doc.endswith(".md") or "\n" in doc:
        return doc
    try:
        return (Path(folder) / doc).read_text(encoding="utf-8")
    except OSError as error:
        raise WrongValue(f"doc_md {of} names the file {doc!r}, which cannot be read: {error.strerror}") from None


def tags(of: str, value: Any) -> set[str]:
    """Short texts."""
    if value is None:
        return set()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise WrongArgument(f"tags {of} must be a list of texts, not {value!r}")
    found = set(value)
    for tag in found:
        if not isinstance(tag, str):
            raise WrongArgument(f"tags {of} must be texts, not {tag!r}")
        if not 0 < len(tag) <= TAG_LENGTH_MAX:
            raise WrongValue(f"tag {tag[:40]!r} {of} has {len(tag)} characters; 1 to {TAG_LENGTH_MAX} are allowed")
    return found


def owner_links(of: str, value: Any) -> dict[str, str]:
    """Owner → http(s) or mailto link."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongArgument(f"owner_links {of} must be a dict, not {value!r}")
    for owner, link in value.items():
        parts = urlsplit(link) if isinstance(link, str) else None
        if parts is None or not (
            (parts.scheme in ("http", "https") and parts.netloc) or (parts.scheme == "mailto" and parts.path)
        ):
            raise WrongValue(
                f"owner_links {of}: {link!r} of owner {owner!r} is not a link; use https://... or mailto:..."
            )
    return dict(value)


def access(of: str, value: Any) -> Mapping[str, Any] | None:
    """Role → actions, or role → resource → actions."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise WrongArgument(f"access_control {of} must be a dict of roles, not {value!r}")
    try:
        access_of_document(value)
    except BadInput as error:
        raise WrongValue(f"access_control {of}: {error}") from None
    return value


def flag_or_none(what: str, value: Any) -> bool | None:
    """True, False, or not said."""
    return None if value is None else flag(what, value)


def mapping_or_none(what: str, value: Any) -> Any:
    """A dict, or not said."""
    if value is not None and not isinstance(value, Mapping):
        raise WrongArgument(f"{what} must be a dict, not {value!r} of type {type(value).__name__}")
    return value


def undefined(of: str, value: Any) -> Any:
    """What a template puts for a name it does not know."""
    if value is not None and not isinstance(value, type):
        raise WrongArgument(f"template_undefined {of} must be a class, such as jinja2.StrictUndefined, not {value!r}")
    return value


def searchpath(of: str, value: Any) -> list[str]:
    """Folders of template files."""
    if value is None:
        return []
    if not isinstance(value, str | os.PathLike) and (not isinstance(value, Iterable) or isinstance(value, Mapping)):
        raise WrongArgument(f"template_searchpath {of} must be a folder or a list of folders, not {value!r}")
    listed = [value] if isinstance(value, str | os.PathLike) else list(value)
    for one in listed:
        if not isinstance(one, str | os.PathLike):
            raise WrongArgument(f"template_searchpath {of} must be a folder or a list of folders, not {one!r}")
    return [str(one) for one in listed]


def run_types(of: str, value: Any) -> tuple[str, ...] | None:
    """Kinds of runs, sorted."""
    if value is None:
        return None
    if not isinstance(value, str | Collection) or isinstance(value, bytes):
        raise WrongArgument(f"allowed_run_types {of} must be a list of {', '.join(DagRunType)}, not {value!r}")
    listed: Collection[Any] = [value] if isinstance(value, str) else list(value)
    try:
        return tuple(sorted({DagRunType(one).value for one in listed}))
    except ValueError as error:
        raise WrongValue(f"allowed_run_types {of}: {error}; use {', '.join(DagRunType)}") from None


def topological_order(dag: DAG) -> list[Task]:
    """Tasks in an order in which they may run, equal ones as they were made. Raises AirflowDagCycleException."""
    position = {task_id: number for number, task_id in enumerate(dag.task_dict)}
    unmet = {task_id: len(task.upstream_task_ids) for task_id, task in dag.task_dict.items()}
    ready = [position[task_id] for task_id, count in unmet.items() if not count]
    heapq.heapify(ready)
    tasks = dag.tasks
    order: list[Task] = []
    while ready:
        task = tasks[heapq.heappop(ready)]
        order.append(task)
        for after in task.downstream_task_ids:
            unmet[after] -= 1
            if not unmet[after]:
                heapq.heappush(ready, position[after])
    if len(order) < len(tasks):
        from .exceptions import AirflowDagCycleException

        path = _find_cycle(dag, {task_id for task_id, count in unmet.items() if count})
        raise AirflowDagCycleException(
            f"DAG {dag.dag_id!r} has a cycle: {' >> '.join(path)}; remove one of these arrows"
        )
    return order


def _find_cycle(dag: DAG, among: set[str]) -> list[str]:
    """A path of task ids that ends where it begins. Every task in `among` waits for another one in it."""
    task_id = min(among)
    seen: dict[str, int] = {}
    path: list[str] = []
    while task_id not in seen:
        seen[task_id] = len(path)
        path.append(task_id)
        task_id = min(dag.task_dict[task_id].upstream_task_ids & among)
    cycle = path[seen[task_id] :][::-1]
    first = cycle.index(min(cycle))
    return [*cycle[first:], *cycle[:first], cycle[first]]


def check_complete(dag: DAG) -> None:
    """Raises the first thing that is wrong with the DAG as a whole."""
    topological_order(dag)
    _check_rules(dag)
    _check_schedule(dag)
    if dag.timetable.can_be_scheduled:
        _check_params(dag)


def _check_rules(dag: DAG) -> None:
    fast = (TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE_SETUP_SUCCESS)
    for task in dag.tasks:
        if dag.fail_fast and task.trigger_rule not in fast:
            from .exceptions import FailFastDagInvalidTriggerRule

            raise FailFastDagInvalidTriggerRule(
                f"task {task.task_id!r} of DAG {dag.dag_id!r} has trigger rule {task.trigger_rule.value}, but a DAG "
                "with "
                f"fail_fast=True takes all_success only"
            )
        if task.is_teardown and task.trigger_rule is TriggerRule.ALWAYS:
            raise WrongValue(f"teardown {task.task_id!r} cannot have trigger rule always; leave trigger_rule out")
        if task.is_setup:
            for after in task.downstream_list:
                if not after.is_teardown and after.trigger_rule is not TriggerRule.ALL_SUCCESS:
                    raise WrongValue(
                        f"task {after.task_id!r} follows the setup {task.task_id!r}, so its trigger rule must be "
                        "all_success, "
                        f"not {after.trigger_rule.value}"
                    )


def _check_schedule(dag: DAG) -> None:
    timetable = dag.timetable
    if dag.catchup and timetable.can_be_scheduled and timetable.periodic and dag.start_date is None:
        starts = [task.start_date for task in dag.tasks]
        if not starts or None in starts:
            raise WrongValue(f"DAG {dag.dag_id!r} has catchup=True but no start_date to catch up from; give it one")
    if dag.allowed_run_types is not None and timetable.can_be_scheduled:
        for made in _run_types_made(dag.wire_schedule):
            if made not in dag.allowed_run_types:
                raise WrongValue(
                    f"DAG {dag.dag_id!r} has a schedule, but allowed_run_types {list(dag.allowed_run_types)} leaves "
                    f"out {made.value!r}; add it, or set schedule=None"
                )


def _run_types_made(schedule: Schedule) -> tuple[DagRunType, ...]:
    """Kinds of runs that a schedule makes by itself."""
    match schedule:
        case AssetSchedule(time=None) | PartitionedAssetSchedule():
            return (DagRunType.ASSET_TRIGGERED,)
        case AssetSchedule():
            return (DagRunType.ASSET_TRIGGERED, DagRunType.SCHEDULED)
        case _:
            return (DagRunType.SCHEDULED,)


def _check_params(dag: DAG) -> None:
    for name, param in dag.params.params().items():
        from .exceptions import ParamValidationError

        try:
            param.resolve()
        except ParamValidationError as error:
            raise ParamValidationError(
                f"param {name!r} of DAG {dag.dag_id!r}, which has a schedule, needs a valid default: {error}"
            ) from None
