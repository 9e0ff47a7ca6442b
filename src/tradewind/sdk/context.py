"""What a running task can see: the context mapping, the run, and where code asks for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tradewind.sdk import macros
from tradewind.sdk.asset_events import InletEvents, TriggeringEvents, outlet_events_of
from tradewind.sdk.attempt import Attempt
from tradewind.sdk.connections import find_connection
from tradewind.sdk.context_legacy import add_legacy
from tradewind.sdk.defaults import authoring_defaults
from tradewind.sdk.exceptions import AirflowException, AirflowNotFoundException
from tradewind.sdk.params import ParamsDict
from tradewind.sdk.state_store import AssetStateAccessors, StateAccessor
from tradewind.sdk.variables import Variable
from tradewind.wire.execution import GetPreviousRun, Run
from tradewind.wire.workload import RunFacts

if TYPE_CHECKING:
    from pendulum import DateTime

    from tradewind.sdk.task_instance import RuntimeTaskInstance

_MISSING: Any = object()
_DATED = frozenset(
    {
        "logical_date",
        "ds",
        "ds_nodash",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "data_interval_start",
        "data_interval_end",
        "prev_data_interval_start_success",
        "prev_data_interval_end_success",
    }
)


class Context(dict[str, Any]):
    """The variables of a running task by name. What costs a question to the server is asked when it is first read."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return value.now() if type(value) is Later else value

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - this is the method that would be suggested

    def __missing__(self, key: str) -> Any:
        if key in _DATED:
            raise KeyError(
                f"{key!r} is not in the context: this run has no logical date; "
                "use dag_run.run_after, or trigger the run with one"
            )
        raise KeyError(key)

    def __reduce__(self) -> Any:
        raise TypeError("the task context cannot be pickled; hand on the values that are needed")


_READS = (
    "__getitem__", "__contains__", "__iter__", "__len__", "__repr__", "__eq__", "__ne__", "__or__", "__ror__",
    "__ior__", "__delitem__", "__reversed__", "get", "keys", "values", "items", "copy", "pop", "popitem",
    "setdefault", "update",
)  # fmt: skip


class UnreadContext(Context):
    """A context that nobody has looked into yet: it is filled at the first look, and is a plain `Context` from then on.

    Most task functions name none of its variables. Filling it would be a good part of what such a task costs in a
    process just forked, where each object that is touched may mean a page to copy.
    """

    _fill: Callable[[], dict[str, Any]]

    @classmethod
    def of(cls, fill: Callable[[], dict[str, Any]]) -> UnreadContext:
        """The context that `fill` would make. What is set before the first look wins."""
        context = cls()
        context._fill = fill
        return context

    def _read(self) -> Context:
        filled = self._fill()
        for name in dict.keys(self):
            filled[name] = dict.__getitem__(self, name)
        # Assigned, because everyone holds this very object; the two classes have the same layout.
        self.__class__ = Context  # type: ignore[assignment]
        del self.__dict__["_fill"]
        dict.clear(self)
        dict.update(self, filled)
        return self


def _reading(name: str) -> Callable[..., Any]:
    def method(self: UnreadContext, *args: Any, **kwargs: Any) -> Any:
        return getattr(UnreadContext._read(self), name)(*args, **kwargs)

    method.__name__ = name
    return method


for _name in _READS:
    setattr(UnreadContext, _name, _reading(_name))


class Later:
    """A value that is computed when it is first used. Inside `Context` it is invisible; in a copy of it (`**context`,
    templates) it stands for the value."""

    __slots__ = ("_compute", "_value")

    def __init__(self, compute: Any) -> None:
        self._compute = compute
        self._value = _MISSING

    def now(self) -> Any:
        """The value."""
        if self._value is _MISSING:
            self._value = self._compute()
        return self._value

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now(), name)

    def __str__(self) -> str:
        return str(self.now())

    def __repr__(self) -> str:
        return repr(self.now())

    def __format__(self, form: str) -> str:
        return format(self.now(), form)

    def __bool__(self) -> bool:
        return bool(self.now())

    def __hash__(self) -> int:
        return hash(self.now())

    def __eq__(self, other: object) -> bool:
        return bool(self.now() == _now(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.now() < _now(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.now() <= _now(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.now() > _now(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.now() >= _now(other))

    def __add__(self, other: Any) -> Any:
        return self.now() + _now(other)

    def __sub__(self, other: Any) -> Any:
        return self.now() - _now(other)

    def __rsub__(self, other: Any) -> Any:
        return _now(other) - self.now()


def _now(value: Any) -> Any:
    return value.now() if type(value) is Later else value


class NotYet:
    """Stands where something will be that is not built; touching it says so."""

    __slots__ = ("_topic",)

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def _refuse(self, *_: Any) -> Any:
        raise NotImplementedError(f"{self._topic} are not available yet")

    __getitem__ = __iter__ = __len__ = __bool__ = __contains__ = __call__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    def __repr__(self) -> str:
        return f"<{self._topic}: not available yet>"


class VariableAccessor:
    """`var.value.name`, `var.json.name`, and `.get(name, default)` of both."""

    def __init__(self, deserialize_json: bool = False) -> None:
        self._deserialize_json = deserialize_json

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return Variable.get(key, deserialize_json=self._deserialize_json)

    def get(self, key: str, default_var: Any = _MISSING, default: Any = _MISSING) -> Any:
        """The variable, or the default. Raises `AirflowNotFoundException` when there is neither."""
        fallback = default if default is not _MISSING else default_var
        if fallback is _MISSING:
            return Variable.get(key, deserialize_json=self._deserialize_json)
        return Variable.get(key, default=fallback, deserialize_json=self._deserialize_json)

    def __repr__(self) -> str:
        return "<variables by name>"


class VariableAccessors:
    """The `var` of the context."""

    value = VariableAccessor()
    json = VariableAccessor(deserialize_json=True)


class ConnectionAccessor:
    """The `conn` of the context: `conn.name`, `conn.get(name, default)`."""

    def __getattr__(self, conn_id: str) -> Any:
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return find_connection(conn_id)

    def get(self, conn_id: str, default_conn: Any = None) -> Any:
        """The connection, or the default when there is none."""
        try:
            return find_connection(conn_id)
        except AirflowNotFoundException:
            return default_conn

    def __repr__(self) -> str:
        return "<connections by name>"


@dataclass(frozen=True, slots=True)
class DagRun:
    """The run a task belongs to."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: DateTime
    logical_date: DateTime | None
    data_interval_start: DateTime | None
    data_interval_end: DateTime | None
    start_date: DateTime | None
    end_date: DateTime | None
    clear_number: int
    state: str
    conf: dict[str, Any]
    triggering_user_name: str | None
    partition_key: str | None
    note: str | None = None
    team_name: str | None = None
    partition_date: DateTime | None = None
    _asset_events: TriggeringEvents | None = dataclasses.field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, run: RunFacts, attempt: Attempt | None = None) -> DagRun:
        """The run as the workload tells it."""
        return cls(
            dag_id=run.dag_id,
            run_id=run.run_id,
            run_type=run.run_type,
            run_after=_instant(run.run_after),
            logical_date=instant(run.logical_date),
            data_interval_start=instant(run.data_interval_start),
            data_interval_end=instant(run.data_interval_end),
            start_date=instant(run.start_date),
            end_date=None,
            clear_number=run.clear_number,
            state="running",
            conf=dict(run.conf),
            triggering_user_name=run.triggering_user_name,
            partition_key=run.partition_key,
            partition_date=instant(run.partition_date),
            _asset_events=None if attempt is None else TriggeringEvents(attempt),
        )

    @property
    def consumed_asset_events(self) -> list[Any]:
        """The events that the run was made for, oldest first."""
        return [] if self._asset_events is None else self._asset_events.events

    @property
    def execution_date(self) -> DateTime | None:
        """Airflow 2's name of `logical_date`."""
        return self.logical_date

    @property
    def external_trigger(self) -> bool:
        """Airflow 2: whether something other than the schedule made the run."""
        return self.run_type != "scheduled"

    def get_state(self) -> str:
        """ "running": a task of it is."""
        return self.state


def _instant(value: datetime) -> DateTime:
    import pendulum

    return pendulum.instance(value).in_timezone("UTC")


def instant(value: datetime | None) -> DateTime | None:
    """As pendulum in UTC, which is what authors expect."""
    return None if value is None else _instant(value)


def merged_params(task: Any, conf: dict[str, Any]) -> dict[str, Any]:
    """Params of the DAG, overridden by those of the task, overridden by the run's conf. Raises
    `ParamValidationError`.
    """
    params = ParamsDict()
    sources = (task.dag.params if task.has_dag() else None, task.params)
    for source in sources:
        if source:
            params = params.deep_merge(source)
    return (params.deep_merge(conf) if conf else params).validate()


def build_context(task: Any, ti: RuntimeTaskInstance, run: RunFacts, attempt: Attempt) -> Context:
    """The context of one attempt, filled when it is first read. `params` is empty still: `merged_params` may refuse,
    and then callbacks need a context."""
    return UnreadContext.of(lambda: _variables(task, ti, run, attempt))


def _variables(task: Any, ti: RuntimeTaskInstance, run: RunFacts, attempt: Attempt) -> Context:
    dag_run = DagRun.of(run, attempt)
    context = Context(
        conn=ConnectionAccessor(),
        dag=task.dag if task.has_dag() else None,
        dag_run=dag_run,
        run_id=run.run_id,
        params={},
        var=VariableAccessors(),
        macros=macros,
        task=task,
        task_instance=ti,
        ti=ti,
        task_instance_key_str=_key_text(run, ti.task_id),
        try_number=ti.try_number,
        test_mode=False,
        map_index_template=task.map_index_template,
        expanded_ti_count=Later(partial(_siblings, ti)) if ti.is_mapped else None,
        task_reschedule_count=0,
        inlets=list(getattr(task, "inlets", ()) or ()),
        outlets=list(getattr(task, "outlets", ()) or ()),
        inlet_events=InletEvents(list(getattr(task, "inlets", ()) or ()), attempt),
        outlet_events=outlet_events_of(attempt),
        triggering_asset_events=TriggeringEvents(attempt),
        task_state_store=StateAccessor(attempt),
        asset_state_store=AssetStateAccessors(attempt, [*task.inlets, *task.outlets]),
        partition_key=run.partition_key,
        templates_dict=None,
    )
    if run.partition_date is not None:
        context["partition_date"] = dag_run.partition_date
    _add_dates(context, dag_run)
    _add_previous(context, dag_run, attempt)
    if authoring_defaults().airflow2_context:
        add_legacy(context, dag_run, context["dag"])
    return context


def _siblings(ti: RuntimeTaskInstance) -> int:
    """How many instances the own mapped task has in this run."""
    return ti.get_ti_count(ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])


def _key_text(run: RunFacts, task_id: str) -> str:
    day = run.logical_date.strftime("%Y%m%d") if run.logical_date else run.run_id
    return f"{run.dag_id}__{task_id}__{day}"


def _add_dates(context: Context, run: DagRun) -> None:
    date = run.logical_date
    if date is None:
        return
    ts = date.isoformat()
    context.update(
        logical_date=date,
        ds=date.strftime("%Y-%m-%d"),
        ds_nodash=date.strftime("%Y%m%d"),
        ts=ts,
        ts_nodash=date.strftime("%Y%m%dT%H%M%S"),
        ts_nodash_with_tz=ts.replace("-", "").replace(":", ""),
    )
    if run.data_interval_start is not None and run.data_interval_end is not None:
        context.update(data_interval_start=run.data_interval_start, data_interval_end=run.data_interval_end)


def _add_previous(context: Context, run: DagRun, attempt: Attempt) -> None:
    def ask() -> Run:
        reply = attempt.client.ask(GetPreviousRun(token=attempt.token, state="success"))
        assert isinstance(reply, Run)
        return reply

    previous = Later(ask)
    names = {"prev_start_date_success": "start_date", "prev_end_date_success": "end_date"}
    if run.logical_date is not None:
        names["prev_data_interval_start_success"] = "data_interval_start"
        names["prev_data_interval_end_success"] = "data_interval_end"
    for name, field in names.items():
        # The field is bound now: the loop goes on before the value is asked for.
        context[name] = Later(lambda field=field: instant(getattr(previous.now(), field)))


# --- where code asks for it ------------------------------------------------------------------------------------------

_contexts: list[Context] = []


@contextmanager
def current_context(context: Context) -> Iterator[Context]:
    """Make `context` the answer of `get_current_context` while the block runs, in every thread."""
    _contexts.append(context)
    try:
        yield context
    finally:
        _contexts.pop()


def get_current_context() -> Context:
    """The context of the running task. Raises `AirflowException` outside one."""
    if not _contexts:
        raise AirflowException("there is no current context: get_current_context() works only while a task runs")
    return filled(_contexts[-1])


def filled(context: Context) -> Context:
    """The same context, filled: for code that may copy it in ways that only a plain dict supports."""
    if type(context) is UnreadContext:
        context.keys()
    return context


@dataclass(frozen=True, slots=True)
class ParsingContext:
    """Which DAG and task a DAG file is loaded for; None: for all of them."""

    dag_id: str | None = None
    task_id: str | None = None


_parsing = [ParsingContext()]


@contextmanager
def parsing_context(dag_id: str | None, task_id: str | None = None) -> Iterator[None]:
    """Make `get_parsing_context` answer with these while the block runs."""
    _parsing.append(ParsingContext(dag_id, task_id))
    try:
        yield
    finally:
        _parsing.pop()


def get_parsing_context() -> ParsingContext:
    """What the DAG file is being loaded for: files that make many DAGs may build only the one that is asked for."""
    return _parsing[-1]
