"""`airflow.models.xcom`: outputs of tasks by class methods."""

from __future__ import annotations

from typing import Any

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.xcoms import LazySequence as LazyXComSelectSequence

XCOM_RETURN_KEY = "return_value"
MAX_XCOM_SIZE = 49344
LazyXComAccess = LazyXComSelectSequence


class XCom:
    """Reads and writes outputs of tasks, from inside a running task."""

    XCOM_RETURN_KEY = XCOM_RETURN_KEY

    @classmethod
    def _ti(cls) -> Any:
        if attempt_at_hand() is None:
            raise AirflowException("XComs can be read and written only while a task runs")
        from tradewind.sdk.context import get_current_context

        return get_current_context()["ti"]

    @classmethod
    def get_value(cls, *, ti_key: Any, key: str = XCOM_RETURN_KEY) -> Any:
        """The value that a task instance left; None when it left none."""
        return cls.get_one(
            key=key,
            task_id=ti_key.task_id,
            dag_id=ti_key.dag_id,
            run_id=ti_key.run_id,
            map_index=getattr(ti_key, "map_index", -1),
        )

    @classmethod
    def get_one(
        cls,
        *,
        key: str = XCOM_RETURN_KEY,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
        include_prior_dates: bool = False,
        **_: Any,
    ) -> Any:
        """The value of one task instance; None when there is none."""
        return cls._ti().xcom_pull(
            task_ids=task_id,
            dag_id=dag_id,
            key=key,
            run_id=run_id,
            include_prior_dates=include_prior_dates,
            map_indexes=map_index if map_index is not None else -1,
        )

    @classmethod
    def get_many(cls, *_: Any, **__: Any) -> Any:
        """Raises `AirflowException`: that was a query of the metadata database."""
        raise AirflowException("XCom.get_many is a database query: use ti.xcom_pull(task_ids=[...])")

    @classmethod
    def get_all(cls, *, key: str, dag_id: str, task_id: str, run_id: str, **_: Any) -> Any:
        """The values of all instances of a mapped task."""
        return cls._ti().xcom_pull(task_ids=task_id, dag_id=dag_id, key=key, run_id=run_id)

    @classmethod
    def set(cls, *, key: str, value: Any, **_: Any) -> None:
        """Push a value of the running task."""
        cls._ti().xcom_push(key=key, value=value)

    @classmethod
    def clear(cls, *_: Any, **__: Any) -> None:
        """Raises `AirflowException`."""
        raise AirflowException("XCom.clear is a database query: XComs go with their task instance when it is cleared")

    delete = clear


XComModel = XCom


def resolve_xcom_backend() -> Any:
    """The class that `[core] xcom_backend` names."""
    from airflow._core.configuration import conf

    named = conf.get("core", "xcom_backend", fallback="")
    if not named or named.endswith("models.xcom.BaseXCom"):
        return XCom
    return conf.getimport("core", "xcom_backend")
