"""`BaseXCom`: where values of tasks are kept. Subclasses change how they are written and read.

A backend of one's own is named by the setting `core.xcom_backend` (`module.Class`). Its `serialize_value` gives what is
kept in place of the value (plain data: an address, say), its `deserialize_value` turns that into the value again. The
other methods read and write values by name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tradewind.sdk.attempt import Attempt, attempt_at_hand
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.exceptions import AirflowException

from .defaults import authoring_defaults

if TYPE_CHECKING:
    from tradewind.wire.execution import FoundXCom


class StoredXCom:
    """What a backend is given to read: `value` is what its `serialize_value` gave."""

    def __init__(self, key: str, value: Any) -> None:
        self.key = key
        self.value = value


class BaseXCom:
    """The interface of value storage, as classmethods."""

    XCOM_RETURN_KEY = "return_value"

    # --- to be changed by backends -----------------------------------------------------------------------------------

    @staticmethod
    def serialize_value(
        value: Any,
        *,
        key: str | None = None,  # noqa: ARG004 # for subclasses
        task_id: str | None = None,  # noqa: ARG004
        dag_id: str | None = None,  # noqa: ARG004
        run_id: str | None = None,  # noqa: ARG004
        map_index: int | None = None,  # noqa: ARG004
    ) -> Any:
        """What is kept for `value`."""
        return value

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """The value behind what is kept (`result.value`)."""
        return result.value

    @classmethod
    def purge(cls, xcom: Any, *args: Any) -> None:
        """Called before `delete` by task code: remove what the backend keeps elsewhere."""

    # --- by name -----------------------------------------------------------------------------------------------------

    @classmethod
    def set(
        cls,
        key: str,
        value: Any,
        *,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int = -1,
        **_: Any,
    ) -> None:
        """Leave a value for others, in the name of the running task. Raises `WrongValue` for another task's name."""
        ti = _running()
        if (dag_id, task_id, run_id, map_index) != (ti.dag_id, ti.task_id, ti.run_id, ti.map_index):
            raise WrongValue(
                f"task {ti.task_id!r} cannot write a value of task {task_id!r} (DAG {dag_id!r}, run {run_id!r}): a "
                "task leaves its own values only"
            )
        ti.xcom_push(key=key, value=value)

    @classmethod
    def get_one(
        cls,
        *,
        key: str,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int | None = None,
        include_prior_dates: bool = False,
    ) -> Any:
        """One value; None where there is none."""
        return _running().xcom_pull(
            task_ids=task_id,
            dag_id=dag_id,
            key=key,
            run_id=run_id,
            map_indexes=None if map_index in (None, -1) else map_index,
            include_prior_dates=include_prior_dates,
        )

    @classmethod
    def get_value(cls, *, ti_key: Any, key: str) -> Any:
        """One value of the instance that `ti_key` names."""
        return cls.get_one(
            key=key,
            dag_id=ti_key.dag_id,
            task_id=ti_key.task_id,
            run_id=ti_key.run_id,
            map_index=getattr(ti_key, "map_index", -1),
        )

    @classmethod
    def get_all(cls, *, key: str, dag_id: str, task_id: str, run_id: str, include_prior_dates: bool = False) -> Any:
        """Values of all instances of a mapped task; None where there are none."""
        found = _running().xcom_pull(
            task_ids=[task_id], dag_id=dag_id, key=key, run_id=run_id, include_prior_dates=include_prior_dates
        )
        return None if found == [None] else found

    @classmethod
    def delete(cls, key: str, task_id: str, dag_id: str, run_id: str, map_index: int | None = None) -> None:
        """Take back a value of the running task."""
        from tradewind.wire.execution import DeleteXCom

        ti = _running()
        if (dag_id, task_id, run_id) != (ti.dag_id, ti.task_id, ti.run_id):
            raise WrongValue(f"task {ti.task_id!r} cannot delete a value of task {task_id!r}")
        stored = StoredXCom(
            key, cls.get_one(key=key, dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=map_index)
        )
        cls.purge(stored)
        attempt = _attempt()
        attempt.client.ask(DeleteXCom(attempt.token, key))

    @classmethod
    async def aset(cls, key: str, value: Any, **named: Any) -> None:
        """As `set`, without blocking the event loop."""
        await _in_thread(cls.set, key, value, **named)

    @classmethod
    async def aget_one(cls, **named: Any) -> Any:
        """As `get_one`, without blocking the event loop."""
        return await _in_thread(cls.get_one, **named)

    @classmethod
    async def aget_value(cls, **named: Any) -> Any:
        """As `get_value`, without blocking the event loop."""
        return await _in_thread(cls.get_value, **named)

    @classmethod
    async def aget_all(cls, **named: Any) -> Any:
        """As `get_all`, without blocking the event loop."""
        return await _in_thread(cls.get_all, **named)


async def _in_thread(function: Any, *arguments: Any, **named: Any) -> Any:
    import asyncio  # heavy, and most tasks need none

    return await asyncio.to_thread(function, *arguments, **named)


def _attempt() -> Attempt:
    attempt = attempt_at_hand()
    if attempt is None:
        raise AirflowException("values of tasks can be read and written only while a task runs")
    return attempt


def _running() -> Any:
    from tradewind.sdk.context import get_current_context

    return get_current_context()["ti"]


# --- the backend in force --------------------------------------------------------------------------------------------

_backends: dict[str, type[BaseXCom] | None] = {}


def backend() -> type[BaseXCom] | None:
    """The backend of this installation; None: values are kept by Tradewind itself. Raises `WrongValue` for a path that
    names none.
    """
    path = authoring_defaults().xcom_backend
    if not path:
        return None
    if path not in _backends:
        _backends[path] = _load(path)
    return _backends[path]


def _load(path: str) -> type[BaseXCom] | None:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise WrongValue(f"core.xcom_backend is {path!r}, which cannot be imported: {error}") from error
    if not (isinstance(found, type) and callable(getattr(found, "serialize_value", None))):
        raise WrongValue(f"core.xcom_backend is {path!r}, which is no subclass of BaseXCom")
    return None if found is BaseXCom else found


def written(value: Any, *, key: str, name: str, map_index: int) -> tuple[bool, Any]:
    """(whether a backend wrote it, what is kept). `name` is dag/run/task."""
    found = backend()
    if found is None:
        return False, value
    dag_id, _, rest = name.partition("/")
    run_id, _, task_id = rest.rpartition("/")
    kept = found.serialize_value(value, key=key, task_id=task_id, dag_id=dag_id, run_id=run_id, map_index=map_index)
    return True, kept


def read(kept: Any, found_by: FoundXCom | None = None) -> Any:  # noqa: ARG001 # for backends to come
    """The value behind what a backend kept. Raises `WrongValue` where no backend is set any more."""
    found = backend()
    if found is None:
        raise WrongValue(
            "this value was written by a backend of values, and the setting core.xcom_backend names none now"
        )
    return found.deserialize_value(StoredXCom("", kept))
