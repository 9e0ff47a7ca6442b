"""`BaseOperator`: what every kind of work derives from. How one is made, defaults and checks included, stands in
`construction`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from tradewind.wire.states import Isolation, TriggerRule, WeightRule

from .arguments import CHECKS, checked_arguments
from .construction import OperatorMeta, refuse_unknown
from .exceptions import TaskDeferred
from .node import Task
from .params import merged_params

if TYPE_CHECKING:
    from .context import Context
    from .definition import DAG
    from .groups import TaskGroup
    from .mapped import OperatorPartial
    from .weights import PriorityWeightStrategy

    Callbacks = None | Callable[..., Any] | Collection[Callable[..., Any]]


class BaseOperator(Task, metaclass=OperatorMeta):
    """A task. Subclasses implement `execute(context)`; what it returns is pushed as the task's output.

    Parameters:
        task_id: unique in the DAG; the prefix of a group is added.
        owner, email, email_on_retry, email_on_failure: whom it concerns.
        retries: tries after the first; retry_delay: timedelta or seconds between them, multiplied each time by
            retry_exponential_backoff (0: constant) and capped by max_retry_delay.
        start_date, end_date: bounds of the logical dates the task runs for.
        depends_on_past, ignore_first_depends_on_past, wait_for_downstream, wait_for_past_depends_before_skipping:
            what it waits for in the run before.
        priority_weight, weight_rule, queue, pool, pool_slots, executor, executor_config, isolation: how it gets a
        place to run.
        max_active_tis_per_dag, max_active_tis_per_dagrun: how many instances may run at once.
        execution_timeout: timedelta of running time.
        trigger_rule: which outcomes of its upstreams let it start.
        on_execute_callback, on_success_callback, on_failure_callback, on_retry_callback, on_skipped_callback: one or
        several.
        pre_execute, post_execute: hooks around `execute`.
        params, default_args, dag, task_group: merging and attachment.
        do_xcom_push, multiple_outputs: what is pushed.
        doc, doc_md, doc_json, doc_yaml, doc_rst, task_display_name, map_index_template: for people.

    Raises:
        WrongArgument: an unknown, missing or mistyped argument; the task, the argument and the right one are named.
        WrongValue: a value that cannot be taken.
    """

    shallow_copy_attrs: Sequence[str] = ()
    operator_extra_links: Collection[Any] = ()
    custom_operator_name: ClassVar[str]
    start_trigger_args: Any = None
    start_from_trigger: bool = False
    overwrite_rtif_after_execution: bool = False
    deserialization_allowed_class_fields: ClassVar[tuple[str, ...]] = ()
    _is_empty: ClassVar[bool] = False
    """Set by operators that execute nothing: the scheduler may pass over them."""
    is_sensor: ClassVar[bool] = False

    def __init__(
        self,
        *,
        task_id: str,
        owner: str | None = None,
        email: str | Sequence[str] | None = None,
        email_on_retry: bool = True,
        email_on_failure: bool = True,
        retries: int | None = None,
        retry_delay: timedelta | float | None = None,
        retry_exponential_backoff: float = 0,
        max_retry_delay: timedelta | float | None = None,
        retry_policy: Any = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        depends_on_past: bool = False,
        ignore_first_depends_on_past: bool = True,
        wait_for_past_depends_before_skipping: bool = False,
        wait_for_downstream: bool = False,
        dag: DAG | None = None,
        params: MutableMapping[str, Any] | None = None,
        default_args: Mapping[str, Any] | None = None,
        priority_weight: int = 1,
        weight_rule: WeightRule | str | PriorityWeightStrategy | type[PriorityWeightStrategy] = WeightRule.DOWNSTREAM,
        queue: str | None = None,
        pool: str | None = None,
        pool_slots: int = 1,
        sla: timedelta | None = None,
        execution_timeout: timedelta | None = None,
        on_execute_callback: Callbacks = None,
        on_failure_callback: Callbacks = None,
        on_success_callback: Callbacks = None,
        on_retry_callback: Callbacks = None,
        on_skipped_callback: Callbacks = None,
        pre_execute: Callable[[Any], Any] | None = None,
        post_execute: Callable[[Any, Any], Any] | None = None,
        trigger_rule: TriggerRule | str = TriggerRule.ALL_SUCCESS,
        resources: dict[str, Any] | None = None,
        run_as_user: str | None = None,
        map_index_template: str | None = None,
        max_active_tis_per_dag: int | None = None,
        max_active_tis_per_dagrun: int | None = None,
        executor: str | None = None,
        executor_config: dict[str, Any] | None = None,
        do_xcom_push: bool = True,
        multiple_outputs: bool = False,
        inlets: Any = None,
        outlets: Any = None,
        task_group: TaskGroup | None = None,
        doc: str | None = None,
        doc_md: str | None = None,
        doc_json: Any = None,
        doc_yaml: str | None = None,
        doc_rst: str | None = None,
        task_display_name: str | None = None,
        logger_name: str | None = None,
        allow_nested_operators: bool = True,
        render_template_as_native_obj: bool | None = None,
        isolation: Isolation | str | None = None,
        deadline: Any = None,
        **kwargs: Any,
    ) -> None:
        given = dict(locals())
        for name in ("self", "kwargs", "dag", "task_group", "default_args", "__class__"):
            given.pop(name, None)
        if kwargs:
            refuse_unknown(type(self), task_id, kwargs)
        self._take(given, self.__dict__.get("_defaults", {}))
        if "_dag" not in self.__dict__:
            self._dag = self._group = None
            self._place(dag, task_group)

    def _take(self, given: dict[str, Any], defaults: Mapping[str, Any]) -> None:
        """Check the common arguments and keep them as attributes."""
        task_id = given["task_id"]
        given["params"] = merged_params(f"params of task {task_id!r}", defaults.get("params"), given["params"])
        checked = checked_arguments(given["task_id"], given)
        self._pre_execute_hook = checked.pop("pre_execute")
        self._post_execute_hook = checked.pop("post_execute")
        self._task_display_name = checked.pop("task_display_name")
        self.upstream_task_ids = set()
        self.downstream_task_ids = set()
        self.__dict__.update(checked)

    @property
    def task_display_name(self) -> str:  # type: ignore[override]
        """Name for people; the id without a name of its own."""
        return self._task_display_name or self.task_id

    # --- references in templated fields ------------------------------------------------------------------------------

    def _begin_wiring(self) -> None:
        """From now on a reference put into a templated field draws its arrow at once; those already there do now."""
        for field in self.template_fields:
            self._wire(self.__dict__.get(field))
        self.__dict__["_wiring"] = True

    def _wire(self, value: Any) -> None:
        from .xcomarg import references_of

        for task, _ in references_of(value):
            if task is not self:
                task.link_downstream(self)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self.__dict__.get("_wiring") and name in self.template_fields:
            self._wire(value)

    # --- work --------------------------------------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Do the work. The return value is the task's output; an exception is its failure."""
        raise NotImplementedError(f"{type(self).__name__} does not implement execute(context)")

    def pre_execute(self, context: Any) -> None:
        """Called before `execute`, after rendering. An exception stops the task."""
        if self._pre_execute_hook is not None:
            self._pre_execute_hook(_filled(context))

    def post_execute(self, context: Any, result: Any = None) -> None:
        """Called after `execute`, with what it returned."""
        if self._post_execute_hook is not None:
            self._post_execute_hook(_filled(context), result)

    def on_kill(self) -> None:
        """Called when the attempt is ended from outside: end here what was started elsewhere."""

    def defer(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | int | float | None = None,
    ) -> NoReturn:
        """Give the process back and wait for a trigger; go on in `method_name(context, event=..., **kwargs)`.

        Parameters:
            timeout: timedelta or seconds; the task hears of its end as `TaskDeferralTimeout`.

        Raises:
            TaskDeferred: always; it is not to be caught.
        """
        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a trigger.

        Raises:
            TaskDeferralTimeout, TaskDeferralError: the wait failed.
        """
        from .triggers import FAIL_METHOD, raise_failure

        if next_method == FAIL_METHOD:
            raise_failure(self.log, next_kwargs or {})
        return getattr(self, next_method)(context, **(next_kwargs or {}))

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:  # noqa: ARG002 # Airflow's signature
        """Render the templated fields again: for operators that change them while they run."""
        from .template_owner import renderer_of

        renderer_of(self, context).render_fields()

    def render_template(self, content: Any, context: Any, jinja_env: Any = None, seen_oids: Any = None) -> Any:  # noqa: ARG002
        """`content` rendered: texts, and what is in lists and dicts."""
        from .template_owner import renderer_of

        return renderer_of(self, context).render(content, "content")

    def _do_render_template_fields(
        self, parent: Any, template_fields: Sequence[str], context: Any, jinja_env: Any = None, seen_oids: Any = None
    ) -> None:
        """Render attributes of another object in place: providers call it by this name."""
        for field in template_fields:
            value = getattr(parent, field, None)
            if value:
                setattr(parent, field, self.render_template(value, context, jinja_env, seen_oids))

    def _render_nested_template_fields(self, content: Any, context: Any, jinja_env: Any, seen_oids: Any) -> None:
        """Render an object inside a templated field in place; operators override it for objects of others."""
        fields = getattr(content, "template_fields", None)
        if fields:
            self._do_render_template_fields(content, fields, context, jinja_env, seen_oids)

    def get_template_env(self, dag: Any = None) -> Any:  # noqa: ARG002 # Airflow's signature
        """The Jinja environment that the fields are rendered with."""
        from .templates import engine_for

        return engine_for(self).environment

    def dry_run(self) -> None:
        """Log the templated fields as they would be rendered."""
        for field in self.template_fields:
            self.log.info("%s: %s", field, getattr(self, field, None))

    @property
    def log(self) -> logging.Logger:
        cls = type(self)
        return logging.getLogger(self.logger_name or f"tradewind.task.operators.{cls.__module__}.{cls.__qualname__}")

    def add_inlets(self, inlets: Any) -> None:
        self.inlets = CHECKS["inlets"](f"inlets of task {self.task_id!r}", inlets)

    def add_outlets(self, outlets: Any) -> None:
        self.outlets = CHECKS["outlets"](f"outlets of task {self.task_id!r}", outlets)

    @staticmethod
    def xcom_push(context: Any, key: str, value: Any) -> None:
        """Push a value of the running task."""
        context["ti"].xcom_push(key=key, value=value)

    @staticmethod
    def xcom_pull(context: Any, **kwargs: Any) -> Any:
        """Pull values, as `ti.xcom_pull`."""
        return context["ti"].xcom_pull(**kwargs)

    # --- mapping -----------------------------------------------------------------------------------------------------

    @classmethod
    def partial(cls, *, task_id: str, **kwargs: Any) -> OperatorPartial:
        """Fix some arguments of a task that will be mapped: `Op.partial(task_id="x", a=1).expand(b=[1, 2])`."""
        from .mapped import OperatorPartial

        return OperatorPartial(cls, {"task_id": task_id, **kwargs})

    def get_dag(self) -> DAG | None:
        return self._dag

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


def instance_of(task: BaseOperator) -> BaseOperator:
    """A shallow copy that may be rendered and executed without touching the DAG."""
    copied: BaseOperator = object.__new__(type(task))
    copied.__dict__.update(task.__dict__)
    copied.__dict__.pop("_wiring", None)
    return copied


__all__ = ["BaseOperator"]


def _filled(context: Any) -> Any:
    from .context import filled  # what runs a task is not loaded by those who only build one

    return filled(context)
