"""Tradewind: authors, schedules, runs and watches batch workflows.

`from tradewind import dag, task`: what a DAG file needs is importable from here, loaded when first used, so that
importing costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tradewind.sdk import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module 'tradewind' has no attribute {name!r}")
    sdk = importlib.import_module("tradewind.sdk")
    try:
        value = getattr(sdk, name)
    except AttributeError:
        raise AttributeError(f"module 'tradewind' has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    sdk = importlib.import_module("tradewind.sdk")
    return sorted({*globals(), *sdk.__all__})
