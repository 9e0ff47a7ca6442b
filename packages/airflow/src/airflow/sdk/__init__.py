"""`airflow.sdk`: the authoring names, each the very object that `tradewind.sdk` offers."""

from __future__ import annotations

from typing import Any

from tradewind import sdk as _sdk

_OWN = {"conf": "airflow._core.configuration", "__version__": "airflow._version:sdk_version"}
"""Names that have their home in this distribution."""

__all__ = [*_sdk.__all__, "conf"]  # noqa: PLE0604 # texts, all of them


def __getattr__(name: str) -> Any:
    if name in _OWN:
        import importlib

        module, _, private = _OWN[name].partition(":")
        value = getattr(importlib.import_module(module), private or name)
    elif name.startswith("__"):
        raise AttributeError(f"module 'airflow.sdk' has no attribute {name!r}")
    else:
        try:
            value = getattr(_sdk, name)
        except AttributeError:
            raise AttributeError(f"module 'airflow.sdk' has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
