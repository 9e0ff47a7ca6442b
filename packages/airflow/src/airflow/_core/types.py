"""`airflow.utils.types`: marks for arguments, and kinds of runs."""

from __future__ import annotations

from typing import Any, TypedDict

from tradewind.sdk.notset import NOTSET
from tradewind.wire.states import DagRunTriggeredBy as DagRunTriggeredByType
from tradewind.wire.states import DagRunType


class _OfNotSet(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return instance is NOTSET or type.__instancecheck__(cls, instance)


class ArgNotSet(metaclass=_OfNotSet):
    """Type of `NOTSET`; others may derive from it."""


class SetDuringExecution(ArgNotSet):
    """Type of `SET_DURING_EXECUTION`."""

    def __repr__(self) -> str:
        return "SET_DURING_EXECUTION"

    def serialize(self) -> str:
        """For people: the value is set when the task runs."""
        return "DYNAMIC (set during execution)"


SET_DURING_EXECUTION = SetDuringExecution()
"""An argument that the task's function fills in."""


class EdgeInfoType(TypedDict, total=False):
    """What is known of an arrow."""

    label: str | None


class AttributeRemoved:
    """Stands where an attribute was."""

    def __init__(self, attribute_name: str) -> None:
        self.attribute_name = attribute_name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"the attribute {self.attribute_name!r} is no more")


def is_arg_set(value: Any) -> bool:
    """Whether an argument was given."""
    return value is not NOTSET


def validate_instance_args(instance: object, expected_arg_types: dict[str, Any]) -> None:
    """Raise TypeError when an attribute has none of the types expected of it."""
    for name, kinds in expected_arg_types.items():
        value = getattr(instance, name, None)
        if value is not None and not isinstance(value, kinds):
            raise TypeError(f"{name!r} has an invalid type {type(value)} with value {value}, expected type is {kinds}")


__all__ = [
    "NOTSET",
    "SET_DURING_EXECUTION",
    "ArgNotSet",
    "AttributeRemoved",
    "DagRunTriggeredByType",
    "DagRunType",
    "EdgeInfoType",
    "SetDuringExecution",
    "is_arg_set",
    "validate_instance_args",
]
