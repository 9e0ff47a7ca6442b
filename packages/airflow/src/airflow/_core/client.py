"""`airflow.api.client`: the client of earlier days."""

from __future__ import annotations

from typing import Any


class Client:
    """Starts runs; everything else is reached through the REST API."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def trigger_dag(self, dag_id: str, run_id: str | None = None, conf: Any = None, **more: Any) -> Any:
        """Start a run of a DAG, from inside a running task."""
        from airflow._core.trigger_dag import trigger_dag

        return trigger_dag(dag_id, run_id=run_id, conf=conf, **more)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(f"{name}: use the REST API (/api/v2) or the commands of `tradewind`")


def get_current_api_client() -> Client:
    """A client."""
    return Client()
