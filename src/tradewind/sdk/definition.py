"""`DAG`: tasks, their order, and when and how they run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tradewind.wire.schedule import Schedule
from tradewind.wire.states import Isolation

from . import dag_checks, dates
from .arguments import callbacks, flag, text, whole_number
from .arguments import isolation as isolation_of
from .calls import CheckedCall
from .deadlines import deadlines_of
from .defaults import authoring_defaults
from .errors import WrongArgument, WrongValue, checked_id, nearest
from .groups import TaskGroup
from .notset import NOTSET
from .params import DagParam, ParamsDict, merged_params
from .run_retry import run_retry
from .stack import building, register

if TYPE_CHECKING:
    from tradewind.domain.timetables import Timetable

    from .node import Task
    from .taskflow import TaskDecoratorCollection
    from .testing import TestedRun
    from .xcomarg import PlainXComArg

    Callbacks = None | Callable[..., Any] | list[Callable[..., Any]]

_PACKAGE = str(Path(__file__).parent)


class DAG(metaclass=CheckedCall):
    """A workflow. Tasks made inside its `with` block belong to it.

    Parameters:
        dag_id: letters, digits, dashes, dots, underscores.
        description, doc_md, dag_display_name, tags, owner_links: for people. `doc_md` may name a `.md` file.
        schedule: cron text, preset, timedelta, relativedelta, timetable, or None (only on request).
        start_date, end_date: bounds of the schedule; the time zone of `start_date` is the DAG's.
        catchup: whether intervals missed are run.
        default_args: arguments for all tasks that do not give their own.
        params: parameters of runs, values or `Param`s.
        max_active_tasks: tasks of one run at once; max_active_runs: runs at once.
        max_consecutive_failed_dag_runs: pause the DAG after so many; 0: never.
        dagrun_timeout: timedelta after which a run fails.
        fail_fast: the first failure ends the run.
        dag_retries: how often a run that failed is tried again; dag_retry_delay: timedelta or seconds before it,
            multiplied each time by dag_retry_exponential_backoff (0: constant), at most dag_max_retry_delay;
            dag_retry_scope: "failed" (what failed and everything after it) or "all" tasks.
        on_success_callback, on_failure_callback: called when a run ends.
        template_searchpath, template_undefined, user_defined_macros, user_defined_filters, jinja_environment_kwargs,
            render_template_as_native_obj: how templates are rendered.
        is_paused_upon_creation: whether it waits to be unpaused when first seen.
        allowed_run_types: kinds of runs that may be made.
        auto_register: whether a `with` block or `@dag` is enough for the DAG to be found in its file.
        isolation: how attempts get their process (fork, spawn, reuse), unless a task says otherwise.
        sla_miss_callback: accepted and ignored.

    Raises:
        WrongArgument, WrongValue: naming the argument and what would be right.
        InvalidSchedule: the schedule or time zone is not valid.
        NotImplementedError: something that is not available yet was asked for.
    """

    renamed_arguments = {  # noqa: RUF012 # read only
        "schedule_interval": "write schedule=",
        "timetable": "write schedule=",
        "concurrency": "write max_active_tasks=",
        "fail_stop": "write fail_fast=",
        "default_view": "remove it: each person chooses in the UI",
        "orientation": "remove it: each person chooses in the UI",
    }

    def __init__(
        self,
        dag_id: str,
        *,
        description: str | None = None,
        default_args: Mapping[str, Any] | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        schedule: Any = None,
        template_searchpath: str | Path | Iterable[str | Path] | None = None,
        template_undefined: Any = None,
        user_defined_macros: dict[str, Any] | None = None,
        user_defined_filters: dict[str, Callable[..., Any]] | None = None,
        max_active_tasks: int | None = None,
        max_active_runs: int | None = None,
        max_consecutive_failed_dag_runs: int = 0,
        dagrun_timeout: timedelta | None = None,
        deadline: Any = None,
        sla_miss_callback: Any = None,
        catchup: bool | None = None,
        on_success_callback: Callbacks = None,
        on_failure_callback: Callbacks = None,
        doc_md: str | None = None,
        params: MutableMapping[str, Any] | None = None,
        access_control: Mapping[str, Any] | None = None,
        is_paused_upon_creation: bool | None = None,
        jinja_environment_kwargs: dict[str, Any] | None = None,
        render_template_as_native_obj: bool = False,
        tags: Collection[str] | None = None,
        owner_links: dict[str, str] | None = None,
        auto_register: bool = True,
        fail_fast: bool = False,
        allowed_run_types: Any = None,
        dag_display_name: str | None = None,
        task_group: TaskGroup | None = None,
        disable_bundle_versioning: bool | None = None,
        rerun_with_latest_version: bool | None = None,
        isolation: Isolation | str | None = None,
        dag_retries: int = 0,
        dag_retry_delay: timedelta | float = 0.0,
        dag_retry_scope: str = "failed",
        dag_retry_exponential_backoff: float = 0,
        dag_max_retry_delay: timedelta | float | None = None,
    ) -> None:
        self.dag_id = checked_id("DAG id", dag_id)
        of = f"of DAG {dag_id!r}"
        standard = authoring_defaults()
        self.fileloc = _caller_file()
        self.module_file = _module_file()
        self.description: str | None = text(f"description {of}", description)
        self._set_defaults_and_dates(of, default_args, start_date, end_date)
        self.params = ParamsDict.named(f"params {of}", merged_params(f"params {of}", self._default_params, params))
        self.schedule = schedule
        self.wire_schedule: Schedule = dag_checks.schedule(dag_id, schedule, self.timezone_name)
        self.template_searchpath = dag_checks.searchpath(of, template_searchpath)
        self.template_undefined = dag_checks.undefined(of, template_undefined)
        self.user_defined_macros = dag_checks.mapping_or_none(f"user_defined_macros {of}", user_defined_macros)
        self.user_defined_filters = dag_checks.mapping_or_none(f"user_defined_filters {of}", user_defined_filters)
        self.jinja_environment_kwargs = dag_checks.mapping_or_none(
            f"jinja_environment_kwargs {of}", jinja_environment_kwargs
        )
        self.render_template_as_native_obj = flag(f"render_template_as_native_obj {of}", render_template_as_native_obj)
        self.max_active_tasks = _at_least(1, f"max_active_tasks {of}", max_active_tasks, standard.max_active_tasks)
        self.max_active_runs = dag_checks.active_runs(self, max_active_runs, standard.max_active_runs)
        self.max_consecutive_failed_dag_runs = _at_least(
            0, f"max_consecutive_failed_dag_runs {of}", max_consecutive_failed_dag_runs, 0
        )
        self.dagrun_timeout = dag_checks.timeout(of, dagrun_timeout)
        self.deadline = deadlines_of(of, deadline)
        self.sla_miss_callback = sla_miss_callback
        self.catchup = standard.catchup if catchup is None else flag(f"catchup {of}", catchup)
        self.on_success_callback = callbacks(f"on_success_callback {of}", on_success_callback)
        self.on_failure_callback = callbacks(f"on_failure_callback {of}", on_failure_callback)
        self.doc_md = dag_checks.documentation(of, doc_md, self.folder)
        self.access_control = dag_checks.access(of, access_control)
        self.is_paused_upon_creation = dag_checks.flag_or_none(f"is_paused_upon_creation {of}", is_paused_upon_creation)
        self.tags: set[str] = dag_checks.tags(of, tags)
        self.owner_links = dag_checks.owner_links(of, owner_links)
        self.auto_register = flag(f"auto_register {of}", auto_register)
        self.fail_fast = flag(f"fail_fast {of}", fail_fast)
        self.run_retry = run_retry(
            of, dag_retries, dag_retry_delay, dag_retry_scope, dag_retry_exponential_backoff, dag_max_retry_delay
        )
        self.allowed_run_types = dag_checks.run_types(of, allowed_run_types)
        self.dag_display_name: str = text(f"dag_display_name {of}", dag_display_name) or dag_id
        self.disable_bundle_versioning = flag(f"disable_bundle_versioning {of}", disable_bundle_versioning)
        self.rerun_with_latest_version = dag_checks.flag_or_none(
            f"rerun_with_latest_version {of}", rerun_with_latest_version
        )
        self.isolation = isolation_of(f"isolation {of}", isolation) or Isolation.FORK
        self.task_dict: dict[str, Task] = {}
        self.group_dict: dict[str, TaskGroup] = {}
        self.edge_info: dict[str, dict[str, dict[str, str]]] = {}
        if task_group is not None and not isinstance(task_group, TaskGroup):
            raise WrongArgument(f"task_group {of} must be a TaskGroup, not {task_group!r}")
        self.task_group = task_group or TaskGroup.root_of(self)
        self.result_task_id: str | None = None

    def _set_defaults_and_dates(
        self, of: str, default_args: Mapping[str, Any] | None, start: datetime | None, end: datetime | None
    ) -> None:
        if default_args is not None and not isinstance(default_args, Mapping):
            raise WrongArgument(f"default_args {of} must be a dict, not {default_args!r}")
        self.default_args: dict[str, Any] = dict(default_args or {})
        self._default_params = self.default_args.pop("params", None)
        zoned = start if start is not None else self.default_args.get("start_date")
        zone = getattr(zoned, "tzinfo", None)
        self.timezone_name = dates.zone_name(zone) if zone is not None else authoring_defaults().timezone
        self.timezone = dates.zone_of(self.timezone_name)
        for name in ("start_date", "end_date"):
            if self.default_args.get(name) is not None:
                value = self.default_args[name]
                self.default_args[name] = dates.instant(f"{name} in default_args {of}", value, self.timezone)
        self.start_date = dates.instant(f"start_date {of}", start, self.timezone) or self.default_args.get("start_date")
        self.end_date = dates.instant(f"end_date {of}", end, self.timezone) or self.default_args.get("end_date")
        if self.start_date is not None and self.end_date is not None and self.end_date < self.start_date:
            raise WrongValue(f"end_date {of} ({self.end_date}) lies before its start_date ({self.start_date})")

    # --- content -----------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        return list(self.task_dict)

    @property
    def task_count(self) -> int:
        return len(self.task_dict)

    @property
    def task_group_dict(self) -> dict[str, TaskGroup]:
        return self.group_dict

    @property
    def roots(self) -> list[Task]:
        """Tasks that wait for none."""
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[Task]:
        """Tasks that none waits for."""
        return [task for task in self.tasks if not task.downstream_task_ids]

    @property
    def folder(self) -> str:
        """Folder of the file that made this DAG."""
        return str(Path(self.fileloc).parent) if self.fileloc else ""

    @property
    def filepath(self) -> str:
        return self.fileloc

    @property
    def owner(self) -> str:
        return ", ".join(sorted({task.owner for task in self.tasks}))

    @property
    def timetable(self) -> Timetable:
        """Decides when it runs."""
        from tradewind.domain.timetables import timetable_for

        return timetable_for(self.wire_schedule)

    @property
    def task(self) -> TaskDecoratorCollection:
        """`@task`, bound to this DAG."""
        from .taskflow import TaskDecoratorCollection

        return TaskDecoratorCollection(dag=self)

    def has_task(self, task_id: str) -> bool:
        return task_id in self.task_dict

    def has_task_group(self, task_group_id: str) -> bool:
        return task_group_id in self.group_dict

    def get_task(self, task_id: str) -> Task:
        """The task of this id. Raises NodeNotFound naming the nearest one."""
        try:
            return self.task_dict[task_id]
        except KeyError:
            from .exceptions import NodeNotFound

            hint = nearest(str(task_id), self.task_dict)
            raise NodeNotFound(f"DAG {self.dag_id!r} has no task {task_id!r}{hint}") from None

    def add_task(self, task: Task) -> None:
        """Take a task that is in no DAG yet. Raises DuplicateTaskIdFound when its id is used."""
        task.dag = self

    def add_tasks(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.add_task(task)

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        """Draw an arrow between two tasks by id. Raises NodeNotFound for an unknown one."""
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def set_edge_info(self, upstream_task_id: str, downstream_task_id: str, info: dict[str, str]) -> None:
        self.edge_info.setdefault(upstream_task_id, {})[downstream_task_id] = info

    def get_edge_info(self, upstream_task_id: str, downstream_task_id: str) -> dict[str, str]:
        return self.edge_info.get(upstream_task_id, {}).get(downstream_task_id, {})

    def param(self, name: str, default: Any = NOTSET) -> DagParam:
        """Reference to the value of a parameter in the running instance."""
        return DagParam(current_dag=self, name=name, default=default)

    def add_result(self, result: PlainXComArg | Task) -> None:
        """The run's result is what this task returns."""
        self.result_task_id = result.roots[0].task_id

    def _enter_task(self, task: Task, group: TaskGroup) -> None:
        self._refuse_double(task.task_id)
        self.task_dict[task.task_id] = task
        group.children[task.task_id] = task

    def _enter_group(self, group: TaskGroup, parent: TaskGroup) -> None:
        group_id = group.group_id or ""
        self._refuse_double(group_id)
        self.group_dict[group_id] = group
        parent.children[group_id] = group

    def _refuse_double(self, node_id: str) -> None:
        if node_id in self.task_dict or node_id in self.group_dict:
            from .exceptions import DuplicateTaskIdFound

            kind = "task" if node_id in self.task_dict else "task group"
            raise DuplicateTaskIdFound(
                f"DAG {self.dag_id!r} has a {kind} {node_id!r} already: ids of tasks and groups must differ; rename one"
            )

    def _free_id(self, node_id: str) -> str:
        """`node_id`, or the first free of `node_id__1`, `node_id__2`, ..."""
        if node_id not in self.task_dict and node_id not in self.group_dict:
            return node_id
        number = 1
        while f"{node_id}__{number}" in self.task_dict or f"{node_id}__{number}" in self.group_dict:
            number += 1
        return f"{node_id}__{number}"

    # --- order and checks --------------------------------------------------------------------------------------------

    def topological_sort(self) -> list[Task]:
        """Tasks in an order in which they may run. Raises AirflowDagCycleException naming the path."""
        return dag_checks.topological_order(self)

    def check_cycle(self) -> None:
        """Raises AirflowDagCycleException naming the path, `a >> b >> a`."""
        dag_checks.topological_order(self)

    def validate(self) -> None:
        """Check everything that can only be checked when the DAG is complete. Raises the first thing that is wrong."""
        dag_checks.check_complete(self)

    def partial_subset(
        self,
        task_ids: str | Iterable[str],
        include_downstream: bool = False,
        include_upstream: bool = True,
        include_direct_upstream: bool = False,
    ) -> DAG:
        """A DAG of some of the tasks: those named (or whose id contains the text), and their relatives as asked."""
        from .subset import subset_of

        return subset_of(
            self, task_ids, downstream=include_downstream, upstream=include_upstream, direct=include_direct_upstream
        )

    # --- blocks and running ------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        building.dags.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        building.dags.pop()
        if self.auto_register and exception[:1] == (None,):
            register(self)

    def test(
        self,
        *,
        run_after: datetime | None = None,
        logical_date: Any = NOTSET,
        run_conf: dict[str, Any] | None = None,
        conn_file_path: str | None = None,
        variable_file_path: str | None = None,
        use_executor: bool = False,
        mark_success_pattern: Any = None,
    ) -> TestedRun:
        """Run the DAG in this process, without database or server. Arguments and result: `sdk.testing.run_dag`."""
        from .testing import run_dag

        return run_dag(
            self,
            run_after=run_after,
            logical_date=logical_date,
            run_conf=run_conf,
            conn_file_path=conn_file_path,
            variable_file_path=variable_file_path,
            use_executor=use_executor,
            mark_success_pattern=mark_success_pattern,
        )

    def cli(self, arguments: list[str] | None = None) -> None:
        """Command line of this DAG alone, for `if __name__ == "__main__": dag.cli()`."""
        from .dag_cli import run_dag_cli

        run_dag_cli(self, arguments)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __repr__(self) -> str:
        return f"<DAG: {self.dag_id}>"


def _caller_file() -> str:
    """The file in which the DAG is made: of the first frame outside this package."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) and not file.startswith("<frozen"):
            return file
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _module_file() -> str:
    """The file of the module that is being imported just now, innermost: where the DAG belongs, whoever helps to make
    it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            return frame.f_code.co_filename
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _at_least(minimum: int, what: str, value: Any, default: int) -> int:
    number = whole_number(minimum)(what, value)
    return default if number is None else number
