"""`airflow.triggers.base`: the SDK's triggers."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("tradewind.sdk.triggers"), name)


class AdvanceItem(NamedTuple):
    """What a shared stream gives on."""

    payload: Any = None
    token: Any = None


class SharedStreamProducer:
    """Base of streams that several triggers share."""
