"""`TriggerDagRunOperator` of Airflow 1.10: a function decides whether the run is started, and with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import (
    TriggerDagRunOperator as _TriggerDagRunOperator,
)


class DagRunOrder:
    """Which run to start, and with what."""

    def __init__(self, run_id: str | None = None, payload: Any = None) -> None:
        self.run_id = run_id
        self.payload = payload


class TriggerDagRunOperator(_TriggerDagRunOperator):  # type: ignore[misc,unused-ignore]
    """Starts a run of another DAG.

    Parameters:
        python_callable: gets the context and a `DagRunOrder`; returns it, filled in, or None: no run is started.
        kwargs: those of today's operator.
    """

    def __init__(self, *, python_callable: Callable[[Any, DagRunOrder], Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.python_callable = python_callable

    def execute(self, context: Any) -> Any:
        """Ask the function, then start the run."""
        if self.python_callable is not None:
            order = self.python_callable(context, DagRunOrder())
            if order is None:
                self.log.info("the function gave no order: no run is started")
                return None
            self.conf = order.payload if isinstance(order.payload, dict) else {"payload": order.payload}
            if order.run_id:
                self.trigger_run_id = order.run_id
        return super().execute(context)
