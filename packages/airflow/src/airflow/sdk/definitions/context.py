"""`airflow.sdk.definitions.context`: the context of a running task."""

from __future__ import annotations

from tradewind.sdk import Context, get_current_context, get_parsing_context

__all__ = ["Context", "get_current_context", "get_parsing_context"]
