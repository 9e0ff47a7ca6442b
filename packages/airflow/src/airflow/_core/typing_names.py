"""`airflow.typing_compat`: names of `typing` by the path that older files use."""

from __future__ import annotations

import typing
from typing import Any


def __getattr__(name: str) -> Any:
    try:
        return getattr(typing, name)
    except AttributeError:
        import typing_extensions

        return getattr(typing_extensions, name)
