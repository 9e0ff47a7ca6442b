"""`airflow.sdk.definitions.param`: params of runs."""

from __future__ import annotations

from tradewind.sdk import Param, ParamsDict

__all__ = ["Param", "ParamsDict"]
