"""What listeners of plugins are told of runs, assets, import errors and processes: lines of the outbox, written beside
the change.

Server processes do not import plugins. A child tells once, when a process starts, which hooks there are
(`runtime.plugin_probe`); for others nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tradewind.kernel.ids import uuid7
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow
from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction

_hooks: frozenset[str] = frozenset()


def listen_for(hooks: Iterable[str]) -> None:
    """From now on lines are written for these hooks, in this process."""
    global _hooks
    _hooks = frozenset(hooks)


def listens(hook: str) -> bool:
    """Whether anybody has this hook."""
    return hook in _hooks


def line(
    hook: str,
    key: str,
    facts: Mapping[str, Any],
    now: datetime,
    *,
    dag_id: str | None = None,
    run_id: str | None = None,
    new_id: Callable[[], str] | None = None,
) -> OutboxRow:
    """A line that tells a hook.

    Parameters:
        hook: its name.
        key: names the cause: told once.
        facts: its arguments, plain data.
    """
    return OutboxRow(
        id=new_id() if new_id is not None else str(uuid7()),
        delivery_key=f"{hook}/{key}",
        kind=OutboxKind.LISTENER,
        payload={"path": hook, "context": dict(facts)},
        dag_id=dag_id,
        run_id=run_id,
        due_at=now,
        created_at=now,
    )


def tell(tx: Transaction, hook: str, key: str, facts: Mapping[str, Any], now: datetime, **more: Any) -> None:
    """Write the line, if anybody listens. Parameters: those of `line`."""
    if listens(hook):
        tx.outbox_put([line(hook, key, facts, now, **more)])


def of_run(
    hook: str, run: RunRow, state: str, msg: str, now: datetime, new_id: Callable[[], str] | None = None
) -> list[OutboxRow]:
    """The line for what became of a run; empty when nobody listens."""
    if not listens(hook):
        return []
    facts = msgspec.to_builtins(run) | {"state": state, "start_date": _text(run.started_at), "end_date": None}
    if hook != "on_dag_run_running":
        facts["end_date"] = _text(now)
    key = f"{run.run_key}/{run.clear_number}/{run.epoch}"
    return [line(hook, key, {"dag_run": facts, "msg": msg}, now, dag_id=run.dag_id, run_id=run.run_id, new_id=new_id)]


def _text(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
