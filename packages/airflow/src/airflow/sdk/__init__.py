"""`airflow.sdk`: the authoring names, each the very object that `tradewind.sdk` offers."""

from __future__ import annotations

from typing import Any

from tradewind import sdk as _sdk

__all__ = list(_sdk.__all__)


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name != "__version__":
        raise AttributeError(f"module 'airflow.sdk' has no attribute {name!r}")
    try:
        return getattr(_sdk, name)
    except AttributeError:
        raise AttributeError(f"module 'airflow.sdk' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted(__all__)
