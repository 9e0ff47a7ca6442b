"""Imported by processes that others are forked from: does once what each of them would do anew."""

from __future__ import annotations

from tradewind.sdk import around, entry_points, listeners, operator_links, plugins, policies  # noqa: F401 # for the forks

entry_points.read()
