"""`airflow.serialization`: values as data, as far as providers need it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from airflow._core.exceptions import SerializationError

CLASSNAME = "__classname__"
VERSION = "__version__"
DATA = "__data__"


class Encoding(StrEnum):
    """Keys of Airflow's serialized form."""

    TYPE = "__type"
    VAR = "__var"


class DagAttributeTypes(StrEnum):
    """Kinds of values in it."""

    DAG = "dag"
    OP = "operator"
    TASK_GROUP = "taskgroup"
    DATETIME = "datetime"
    DICT = "dict"
    SET = "set"
    TUPLE = "tuple"
    CONNECTION = "connection"


class BaseSerialization:
    """Writes values as data."""

    @classmethod
    def serialize(cls, var: Any, **_: Any) -> Any:
        """The value as data."""
        return serialize(var)

    @classmethod
    def deserialize(cls, encoded_var: Any, **_: Any) -> Any:
        """The value of data."""
        return deserialize(encoded_var)


class SerializedDAG(BaseSerialization):
    """A DAG as data: Tradewind's document."""

    @staticmethod
    def to_dict(dag: Any) -> dict[str, Any]:
        """The document of a DAG."""
        from tradewind.sdk.compile import compile_dag
        from tradewind.wire.document import encode_document

        return json.loads(encode_document(compile_dag(dag, file=dag.fileloc)))  # type: ignore[no-any-return]

    @staticmethod
    def from_dict(data: Any) -> Any:
        """Raises NotImplementedError: a DAG is made by its file."""
        raise NotImplementedError("a DAG is not made of its serialized form: load its file")


class SerializedBaseOperator(BaseSerialization):
    """A task as data."""


def serialize(o: Any, depth: int = 0) -> Any:
    """A value as data. Raises `SerializationError` for what is none."""
    if o is None or isinstance(o, str | int | float | bool):
        return o
    if isinstance(o, dict):
        return {str(key): serialize(value, depth + 1) for key, value in o.items()}
    if isinstance(o, list | tuple | set | frozenset):
        return [serialize(value, depth + 1) for value in o]
    if hasattr(o, "isoformat"):
        return o.isoformat()
    if hasattr(o, "serialize"):
        return {CLASSNAME: f"{type(o).__module__}.{type(o).__qualname__}", VERSION: 1, DATA: o.serialize()}
    raise SerializationError(f"cannot serialize object of type {type(o)}")


def deserialize(o: Any, full: bool = True, type_hint: Any = None) -> Any:  # noqa: ARG001
    """The value of data; objects of classes stay data."""
    return o


class WebEncoder(json.JSONEncoder):
    """JSON of dates, decimals and objects."""

    def default(self, o: Any) -> Any:
        if hasattr(o, "isoformat"):
            return o.isoformat()
        try:
            return super().default(o)
        except TypeError:
            return str(o)


AirflowJsonEncoder = WebEncoder


class XComEncoder(json.JSONEncoder):
    """JSON of outputs of tasks."""

    def default(self, o: Any) -> Any:
        return serialize(o)


class XComDecoder(json.JSONDecoder):
    """Reads what `XComEncoder` wrote."""
