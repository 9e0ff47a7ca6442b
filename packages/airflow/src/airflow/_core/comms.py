"""Messages between a task and its supervisor, by Airflow's names. Nothing speaks this way here; providers name them in
branches for the case that they must ask the server directly."""

from __future__ import annotations

from typing import Any


class _Supervisor:
    def send(self, msg: Any) -> Any:
        """Raises NotImplementedError."""
        raise NotImplementedError(
            f"{type(msg).__name__} cannot be sent: tasks ask the server through airflow.sdk (Variable, Connection, "
            "ti.xcom_pull, ti.get_dr_count, ti.get_task_states, ...)"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.send


SUPERVISOR_COMMS = _Supervisor()


class Message:
    """A message: its fields as attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


_made: dict[str, type] = {}


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not name[:1].isupper():
        raise AttributeError(name)
    return _made.setdefault(name, type(name, (Message,), {"__doc__": "A message."}))
