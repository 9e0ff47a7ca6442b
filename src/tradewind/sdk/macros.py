"""Helpers for templates: `{{ macros.ds_add(ds, 7) }}`. Names are Airflow's."""

from __future__ import annotations

import importlib
import json
import time
import uuid
from datetime import datetime, timedelta
from random import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dateutil
    import yaml  # type: ignore[import-untyped,unused-ignore]

__all__ = [
    "datetime",
    "datetime_diff_for_humans",
    "dateutil",
    "ds_add",
    "ds_format",
    "ds_format_locale",
    "json",
    "random",
    "time",
    "timedelta",
    "uuid",
    "yaml",
]


def ds_add(ds: str, days: int) -> str:
    """The date `days` (may be negative) after `ds`, both as YYYY-MM-DD. Raises `ValueError` for another form."""
    if not days:
        return str(ds)
    return (datetime.strptime(str(ds), "%Y-%m-%d") + timedelta(days=days)).strftime("%Y-%m-%d")  # noqa: DTZ007 - a date


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """`ds`, written as `input_format`, in `output_format` (forms of strftime). Raises `ValueError` when it does
    not fit.
    """
    return datetime.strptime(str(ds), input_format).strftime(output_format)  # noqa: DTZ007 - text in, text out


def ds_format_locale(ds: str, input_format: str, output_format: str, locale: Any = None) -> str:
    """As `ds_format`, but `output_format` is a pattern of Babel in the language `locale`. Needs the package Babel."""
    dates = importlib.import_module("babel.dates")
    at = datetime.strptime(str(ds), input_format)  # noqa: DTZ007 - text in, text out
    default = importlib.import_module("babel").Locale.default() if locale is None else locale
    return str(dates.format_datetime(at, format=output_format, locale=default))


def datetime_diff_for_humans(dt: datetime, since: datetime | None = None) -> str:
    """The distance between two instants in words: "3 hours before". `since` None: the present."""
    import pendulum

    if since is None:
        return pendulum.instance(dt).diff_for_humans()
    return pendulum.instance(dt).diff_for_humans(pendulum.instance(since))


def __getattr__(name: str) -> Any:
    # Loaded when a template asks for them: hardly any does.
    if name == "dateutil":
        importlib.import_module("dateutil.parser")
        importlib.import_module("dateutil.relativedelta")
        return importlib.import_module("dateutil")
    if name == "yaml":
        return importlib.import_module("yaml")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
