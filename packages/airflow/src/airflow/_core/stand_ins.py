"""Names of Airflow's server, command line and executors that providers import beside what their tasks use.

A class can be derived from, a function can be named; what uses one of them learns that it has no meaning here.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

T = TypeVar("T")
_made: dict[str, Any] = {}


class _StandIn:
    """Part of Airflow's server or command line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.__dict__.update(kwargs)

    def __call__(self, *_: Any, **__: Any) -> Any:
        _refuse(type(self).__name__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # Decorators of routes and the like are called while a module is imported.
        return lambda *_, **__: lambda one=None, *_, **__: one


class BaseAuthManager(_StandIn, Generic[T]):
    """Base of Airflow's authentication managers."""

    def __class_getitem__(cls, _: Any) -> Any:
        return cls


def _refuse(name: str) -> Any:
    raise NotImplementedError(
        f"{name} belongs to Airflow's server or command line, which Tradewind replaces; see "
        "docs/reference/compatibility.md"
    )


class _NamedSet(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"

    def __iter__(cls) -> Any:
        return iter(())


class AccessView(metaclass=_NamedSet):
    """Names of views."""


class DagAccessEntity(metaclass=_NamedSet):
    """Names of parts of a DAG."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in _made:
        _made[name] = _make(name)
    return _made[name]


def _make(name: str) -> Any:
    if name.isupper() or name.startswith("ARG_"):
        return _StandIn() if name.startswith("ARG_") else name.lower()
    if name == "BaseModel":
        from pydantic import BaseModel

        return BaseModel
    if name.lstrip("_")[:1].isupper():
        return type(name, (_StandIn,), {"__doc__": "Part of Airflow's server or command line."})

    def function(*_: Any, **__: Any) -> Any:
        return _refuse(name)

    if name in ("lazy_load_command", "positive_int"):
        return lambda *_, **__: function
    function.__name__ = name
    return function
