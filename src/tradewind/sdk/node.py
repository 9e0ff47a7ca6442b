"""What operators and mapped operators have in common: an id, a place in a DAG, arrows, and the arguments every task
takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tradewind.wire.states import Isolation, TriggerRule, WeightRule

from .edges import Dependable
from .errors import WrongValue
from .notset import NOTSET, NotSet
from .setup_teardown import Scope, close_scope, note_task, open_scope
from .stack import current_dag, current_group

if TYPE_CHECKING:
    from .definition import DAG
    from .groups import MappedTaskGroup, TaskGroup
    from .params import ParamsDict
    from .weights import PriorityWeightStrategy
    from .xcomarg import PlainXComArg


class Task(Dependable):
    """A node of the graph that runs. `BaseOperator` and `MappedOperator` are its two kinds."""

    template_fields: Sequence[str] = ()
    """Names of attributes that are rendered before the task runs."""
    template_ext: Sequence[str] = ()
    """Endings of file names: a templated text that ends so is the name of a file to render."""
    template_fields_renderers: ClassVar[dict[str, str]] = {}
    """Field (or "field.key") → language, for showing it."""
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    is_mapped: ClassVar[bool] = False
    task_kind: str | None = None
    """Decorator the task was made with ("@task.branch"), None for operators."""

    task_id: str
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]
    _dag: DAG | None
    _group: TaskGroup | None
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False

    owner: str
    email: str | Sequence[str] | None
    email_on_retry: bool
    email_on_failure: bool
    retries: int
    retry_delay: timedelta
    retry_exponential_backoff: float
    max_retry_delay: timedelta | None
    start_date: datetime | None
    end_date: datetime | None
    depends_on_past: bool
    ignore_first_depends_on_past: bool
    wait_for_past_depends_before_skipping: bool
    wait_for_downstream: bool
    params: ParamsDict
    priority_weight: int
    weight_rule: WeightRule | PriorityWeightStrategy
    queue: str
    pool: str
    pool_slots: int
    execution_timeout: timedelta | None
    on_execute_callback: list[Callable[..., Any]]
    on_failure_callback: list[Callable[..., Any]]
    on_success_callback: list[Callable[..., Any]]
    on_retry_callback: list[Callable[..., Any]]
    on_skipped_callback: list[Callable[..., Any]]
    trigger_rule: TriggerRule
    resources: dict[str, Any]
    run_as_user: str | None
    map_index_template: str | None
    max_active_tis_per_dag: int | None
    max_active_tis_per_dagrun: int | None
    executor: str | None
    executor_config: dict[str, Any]
    do_xcom_push: bool
    multiple_outputs: bool
    inlets: list[Any]
    outlets: list[Any]
    doc: str | None
    doc_md: str | None
    doc_json: Any
    doc_yaml: str | None
    doc_rst: str | None
    task_display_name: str
    logger_name: str | None
    allow_nested_operators: bool
    render_template_as_native_obj: bool | None
    isolation: Isolation | None
    deadline: tuple[Any, ...]
    _task_display_name: str | None

    # --- place -------------------------------------------------------------------------------------------------------

    @property
    def operator_class(self) -> type:
        """The class that does the work."""
        return type(self)

    @property
    def task_type(self) -> str:
        """Name of the operator class."""
        return self.operator_class.__name__

    @property
    def operator_name(self) -> str:
        """Name of the kind of work, as people see it."""
        return self.task_kind or str(getattr(self.operator_class, "custom_operator_name", None) or self.task_type)

    @property
    def node_id(self) -> str:
        return self.task_id

    @property
    def label(self) -> str:
        """The id without the prefix of its group."""
        group = self._group
        if group is not None and group.prefix_group_id and group.group_id:
            return self.task_id.removeprefix(f"{group.group_id}.")
        return self.task_id

    @property
    def dag(self) -> DAG:
        """The DAG. Raises `WrongValue` while the task is in none."""
        if self._dag is None:
            raise WrongValue(f"task {self.task_id!r} is in no DAG yet: make it inside `with DAG(...)` or pass dag=")
        return self._dag

    @dag.setter
    def dag(self, dag: DAG) -> None:
        if self._dag is not None and self._dag is not dag:
            raise WrongValue(
                f"task {self.task_id!r} is in DAG {self._dag.dag_id!r} already and cannot move to {dag.dag_id!r}"
            )
        if self._dag is None:
            self._place(dag, None)

    def has_dag(self) -> bool:
        return self._dag is not None

    @property
    def dag_id(self) -> str:
        return self._dag.dag_id if self._dag is not None else ""

    @property
    def task_group(self) -> TaskGroup | None:
        """The innermost group, the root group for a task in none."""
        return self._group

    def _place(self, dag: DAG | None, group: TaskGroup | None) -> None:
        """Enter a DAG and group, once; the id gets the prefix of the group."""
        group = group or current_group(dag)
        dag = dag or (group.dag if group is not None else None) or current_dag()
        if dag is None:
            return
        group = group or dag.task_group
        self.task_id = group.child_id(self.task_id)
        dag._enter_task(self, group)
        self._dag, self._group = dag, group
        note_task(self)

    # --- arrows ------------------------------------------------------------------------------------------------------

    @property
    def roots(self) -> Sequence[Task]:
        return [self]

    @property
    def leaves(self) -> Sequence[Task]:
        return [self]

    def link_downstream(self, after: Task, label: str | None = None) -> None:
        """Draw one arrow from this task to `after`. A task in no DAG enters the other's.

        Raises `WrongValue` when neither is in a DAG, or both are in different ones.
        """
        if self._dag is None and after._dag is None:
            raise WrongValue(
                f"cannot draw an arrow from {self.task_id!r} to {after.task_id!r}: neither is in a DAG; "
                f"make them inside `with DAG(...)` or pass dag="
            )
        if self._dag is None:
            self.dag = after.dag
        elif after._dag is None:
            after.dag = self._dag
        elif self._dag is not after._dag:
            raise WrongValue(
                f"cannot draw an arrow from {self.task_id!r} (DAG {self._dag.dag_id!r}) to {after.task_id!r} "
                f"(DAG {after._dag.dag_id!r}): both ends must be in one DAG; between DAGs use TriggerDagRunOperator"
            )
        self.downstream_task_ids.add(after.task_id)
        after.upstream_task_ids.add(self.task_id)
        if label is not None:
            self.dag.set_edge_info(self.task_id, after.task_id, {"label": label})

    @property
    def upstream_list(self) -> list[Task]:
        """Tasks this one waits for directly."""
        return [self.dag.get_task(task_id) for task_id in sorted(self.upstream_task_ids)]

    @property
    def downstream_list(self) -> list[Task]:
        """Tasks that wait for this one directly."""
        return [self.dag.get_task(task_id) for task_id in sorted(self.downstream_task_ids)]

    def get_direct_relative_ids(self, upstream: bool = False) -> set[str]:
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_direct_relatives(self, upstream: bool = False) -> Iterable[Task]:
        return self.upstream_list if upstream else self.downstream_list

    def get_flat_relative_ids(self, *, upstream: bool = False) -> set[str]:
        """Ids of all tasks before (or after) this one, however far."""
        tasks = self.dag.task_dict
        found: set[str] = set()
        waiting = list(self.get_direct_relative_ids(upstream))
        while waiting:
            task_id = waiting.pop()
            if task_id not in found:
                found.add(task_id)
                waiting.extend(tasks[task_id].get_direct_relative_ids(upstream))
        return found

    def get_flat_relatives(self, upstream: bool = False) -> list[Task]:
        """All tasks before (or after) this one, however far."""
        return [self.dag.get_task(task_id) for task_id in sorted(self.get_flat_relative_ids(upstream=upstream))]

    # --- setup and teardown ------------------------------------------------------------------------------------------

    def as_setup(self) -> Self:
        """Make this a setup: it prepares something for the tasks after it, and is cleared together with them."""
        if self.is_teardown:
            raise WrongValue(f"task {self.task_id!r} is a teardown and cannot be a setup too; use two tasks")
        self.is_setup = True
        return self

    def as_teardown(self, *, setups: Any = NOTSET, on_failure_fail_dagrun: bool | NotSet = NOTSET) -> Self:
        """Make this a teardown: it runs when its upstreams are done and a setup of its succeeded, and does not count
        for the run.

        Parameters:
            setups: the setups it belongs to (a task, an output, or a list of them); they become setups and upstreams.
            on_failure_fail_dagrun: whether its failure fails the run (default False).
        """
        if self.is_setup:
            raise WrongValue(f"task {self.task_id!r} is a setup and cannot be a teardown too; use two tasks")
        self.is_teardown = True
        self.trigger_rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
        if on_failure_fail_dagrun is not NOTSET:
            self.on_failure_fail_dagrun = on_failure_fail_dagrun
        if setups is not NOTSET:
            for setup in [setups] if isinstance(setups, Dependable) else list(setups):
                for task in setup.roots:
                    task.as_setup()
                    task.link_downstream(self)
        return self

    def __enter__(self) -> Scope:
        return open_scope([self])

    def __exit__(self, *_: object) -> None:
        close_scope()

    # --- outputs and mapping -----------------------------------------------------------------------------------------

    @property
    def output(self) -> PlainXComArg:
        """Reference to what this task returns."""
        from .xcomarg import PlainXComArg

        return PlainXComArg(self)

    def iter_mapped_task_groups(self) -> Iterator[MappedTaskGroup]:
        """Mapped groups around this task, innermost first."""
        if self._group is not None:
            yield from self._group.iter_mapped_task_groups()

    def get_closest_mapped_task_group(self) -> MappedTaskGroup | None:
        return next(self.iter_mapped_task_groups(), None)

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Whether there is nothing to execute."""
        return bool(getattr(self.operator_class, "_is_empty", False))

    def __repr__(self) -> str:
        return f"<Task({self.operator_name}): {self.task_id}>"
