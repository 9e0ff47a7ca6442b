"""`airflow.models`: the tables of Airflow's metadata database, as names.

Files import them for annotations, for keys, and for queries. The first two work; a query says what to do instead. Class
attributes that stand for columns can be named in conditions (`DagRun.dag_id == "x"`), because such lines are evaluated
before the query is refused.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from airflow._core.session import NoDatabaseInTasks

RUN_ID_REGEX = r"^(?:manual|scheduled|asset_triggered)__(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00)$"
ID_LEN = 250


class Column:
    """A column in a condition of a query that will be refused."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _condition(self, *_: Any, **__: Any) -> Column:
        return self

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _condition  # type: ignore[assignment]
    __and__ = __or__ = __invert__ = __add__ = __sub__ = __call__ = __getitem__ = _condition

    def __hash__(self) -> int:
        return hash(self._name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __repr__(self) -> str:
        return f"<column {self._name}>"

    def __bool__(self) -> bool:
        raise NoDatabaseInTasks(f"{self._name} is a column of the metadata database, which tasks do not reach")


class Metaclass(type):
    """Gives model classes their columns, and refuses what would query."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or name in ("_sa_registry",):
            raise AttributeError(name)
        if name.startswith(("find", "get_", "active_", "next_", "create", "delete_", "set_", "bulk_")):
            return _refused(f"{cls.__name__}.{name}")
        return Column(f"{cls.__name__}.{name}")


def _refused(what: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NoDatabaseInTasks(
            f"{what}() is a query of the metadata database, which tasks and DAG files do not reach: use airflow.sdk "
            "(ti.get_dr_count, ti.get_task_states, ti.get_previous_dagrun, ...) or the REST API"
        )

    return refuse


class Model(metaclass=Metaclass):
    """Base of the names of tables."""

    def __init__(self, *_: Any, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)


class Base(Model):
    """The declarative base."""


class DagRun(Model):
    """A run."""

    @staticmethod
    def generate_run_id(run_type: Any = "manual", logical_date: Any = None, **more: Any) -> str:
        """The id that a run of this kind and date gets."""
        moment = logical_date or more.get("run_after") or more.get("execution_date")
        return f"{getattr(run_type, 'value', run_type)}__{moment.isoformat() if moment is not None else ''}"


class TaskInstanceKey(NamedTuple):
    """Names one attempt of a task instance."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1

    @property
    def primary(self) -> tuple[str, str, str, int]:
        """Without the try."""
        return self.dag_id, self.task_id, self.run_id, self.map_index

    def with_try_number(self, try_number: int) -> TaskInstanceKey:
        """Another try of it."""
        return self._replace(try_number=try_number)

    @property
    def reduced(self) -> TaskInstanceKey:
        """The try before."""
        return self._replace(try_number=max(1, self.try_number - 1))

    @classmethod
    def from_dict(cls, dictionary: dict[str, Any]) -> TaskInstanceKey:
        """Out of its fields."""
        return cls(**dictionary)

    @property
    def key(self) -> TaskInstanceKey:
        """Itself."""
        return self


class _TaskInstanceMeta(Metaclass):
    def __instancecheck__(cls, instance: object) -> bool:
        from tradewind.sdk import TaskInstance as Runtime

        return isinstance(instance, Runtime) or type.__instancecheck__(cls, instance)


class TaskInstance(Model, metaclass=_TaskInstanceMeta):
    """A task instance. The one that runs is `airflow.sdk.TaskInstance`; it counts as one of these."""


class SimpleTaskInstance(Model):
    """A task instance as data."""


class Pool(Model):
    """A pool."""

    DEFAULT_POOL_NAME = "default_pool"


class _ImportErrorName(Model):
    """What was wrong with a DAG file."""


ImportError = _ImportErrorName  # the name it had
ParseImportError = _ImportErrorName


class TaskReturnCode:
    """How a process of a task ended."""

    DEFERRED = 100


def clear_task_instances(*_: Any, **__: Any) -> None:
    """Raises `NoDatabaseInTasks`."""
    raise NoDatabaseInTasks("clear_task_instances: use the REST API (/api/v2/dags/{dag_id}/clearTaskInstances)")


def get_serialized_template_fields(task: Any, rendered: bool = True) -> dict[str, str]:  # noqa: ARG001
    """The templated fields as they are shown."""
    return {field: str(getattr(task, field, None)) for field in task.template_fields}


def import_all_models() -> None:
    """Nothing."""


class StringID:
    """The type of columns with ids."""

    def __new__(cls, *_: Any, length: int = ID_LEN, **__: Any) -> Any:
        from sqlalchemy import String

        return String(length)


_NAMES = re.compile(r"[A-Z]\w+")
_FUNCTIONS = ("expand_alias_to_assets", "alias_association_table", "association_table")
_made: dict[str, type] = {}


def __getattr__(name: str) -> Any:
    if name == "DagBag":
        from airflow._core.dagbag import DagBag

        return DagBag
    if name == "XCom":
        from airflow._core.xcom import XCom

        return XCom
    if name in _FUNCTIONS:
        return _refused(name)
    if not _NAMES.fullmatch(name):
        raise AttributeError(name)
    return _made.setdefault(name, Metaclass(name, (Model,), {"__doc__": "A table.", "__module__": "airflow.models"}))
