"""Sessions with the metadata database.

A task has none: it asks the server through the SDK. `create_session` and `provide_session` are importable, because many
modules import them beside what they use, and say what to do instead when a session is wanted.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
NEW_SESSION: Any = None
MAX_DB_RETRIES = 3


class NoDatabaseInTasks(RuntimeError):
    """A session with the metadata database was asked for in a task or DAG file."""


def _refusal(what: str) -> NoDatabaseInTasks:
    return NoDatabaseInTasks(
        f"{what}: tasks and DAG files have no session with the metadata database. Variables, connections, XComs, runs "
        "and states are reached through airflow.sdk or the REST API; for your own database use a hook, such as "
        "PostgresHook"
    )


class NoSession:
    """Stands for a session; every use of it says what to do instead."""

    def __getattr__(self, name: str) -> Any:
        if name in ("close", "rollback", "expunge_all", "remove"):
            return lambda *_, **__: None
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refusal(f"session.{name}")

    def __enter__(self) -> NoSession:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, *_: Any, **__: Any) -> NoSession:
        return self


@contextmanager
def create_session(scoped: bool = True) -> Iterator[Any]:  # noqa: ARG001
    """A session whose uses raise `NoDatabaseInTasks`."""
    yield NoSession()


@contextmanager
def create_session_async() -> Iterator[Any]:
    """As `create_session`."""
    yield NoSession()


def find_session_idx(func: Callable[..., Any]) -> int:
    """Position of the argument `session`."""
    names = list(inspect.signature(func).parameters)
    if "session" not in names:
        raise ValueError(f"Function {func.__qualname__} has no `session` argument")
    return names.index("session")


def provide_session(func: F) -> F:
    """A function that gets a session when its caller gives none."""
    place = find_session_idx(func)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if "session" not in kwargs and len(args) <= place:
            kwargs["session"] = NoSession()
        return func(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def run_with_db_retries(*_: Any, **__: Any) -> Any:
    """Raises `NoDatabaseInTasks`."""
    raise _refusal("run_with_db_retries")


def retry_db_transaction(func: Any = None, **_: Any) -> Any:
    """The function as it is."""
    return (lambda one: one) if func is None else func


def run_cleanup(*_: Any, **__: Any) -> None:
    """Raises `NoDatabaseInTasks`."""
    raise NoDatabaseInTasks("run_cleanup: history is pruned by the retention policy, or with `tradewind db clean`")


def initdb(*_: Any, **__: Any) -> None:
    """Raises `NoDatabaseInTasks`."""
    raise NoDatabaseInTasks("initdb: the database is made with `tradewind db migrate`")


def resetdb(*_: Any, **__: Any) -> None:
    """Raises `NoDatabaseInTasks`."""
    raise NoDatabaseInTasks("resetdb: the database is made with `tradewind db migrate`")


upgradedb = initdb


def merge_conn(*_: Any, **__: Any) -> None:
    """Raises `NoDatabaseInTasks`."""
    raise NoDatabaseInTasks("merge_conn: connections are made with `tradewind connections set` or the REST API")


def __getattr__(name: str) -> Any:
    if name in ("UtcDateTime", "ExtendedJSON", "ExecutorConfigType", "Interval"):
        from sqlalchemy import types

        return {"UtcDateTime": types.DateTime, "Interval": types.Interval}.get(name, types.JSON)
    raise AttributeError(f"no attribute {name!r}")
