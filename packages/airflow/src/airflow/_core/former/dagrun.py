"""What `TriggerDagRunOperator` handed to its function in Airflow 1.10."""

from __future__ import annotations

from typing import Any


class DagRunOrder:
    """Which run to start, and with what."""

    def __init__(self, run_id: str | None = None, payload: Any = None) -> None:
        self.run_id = run_id
        self.payload = payload
