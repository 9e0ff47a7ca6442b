"""The outbox: put callbacks and notices beside the change that causes them; look at those that failed, try them again.

Delivery is a service of its own (`maintenance.outbox`). Here stands what is written, and what people may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tradewind.kernel.ids import uuid7
from tradewind.ports.outbox_rows import OutboxKind, OutboxRow, OutboxState
from tradewind.ports.store import Transaction
from tradewind.wire.errors import NotFound


def put_callback(
    tx: Transaction,
    key: str,
    kind: OutboxKind | str,
    path: str,
    kwargs: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
    task_id: str | None = None,
    bundle: str | None = None,
    bundle_version: str | None = None,
    file: str | None = None,
    callback: str | None = None,
    new_id: Callable[[], str] | None = None,
) -> None:
    """Have a callback made after this transaction, at least once.

    Parameters:
        key: names the cause; a second line of the same key is not written.
        kind: what it is.
        path: `module.function` of the callback; "" for callbacks that stand in the DAG file (`callback`).
        kwargs: arguments it is called with, plain data.
        context: facts for the callback: `run` (as `wire.workload.RunFacts`), `reason`, `task_id`, and others.
        now: when it is due and was caused; default the judge's time.
        dag_id, run_id, task_id: what it belongs to, for people.
        bundle, bundle_version, file: the DAG file it may be found in.
        new_id: makes ids that sort by time; default UUIDv7.
        callback: attribute of the DAG or task that holds the callbacks ("on_failure_callback").
    """
    at = now or tx.now()
    payload = {
        "path": path,
        "kwargs": dict(kwargs or {}),
        "context": dict(context or {}),
        "bundle": bundle,
        "bundle_version": bundle_version,
        "file": file,
        "callback": callback,
    }
    row = OutboxRow(
        id=new_id() if new_id is not None else str(uuid7()),
        delivery_key=key,
        kind=OutboxKind(kind),
        payload={name: value for name, value in payload.items() if value not in (None, "", {})},
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        due_at=at,
        created_at=at,
    )
    tx.outbox_put([row])


def list_callbacks(tx: Transaction, *, states: Sequence[OutboxState] = (), limit: int = 100) -> list[OutboxRow]:
    """Lines of the outbox, newest first."""
    return tx.outbox_list(states, limit)


def retry_callbacks(tx: Transaction, ids: Sequence[str], now: datetime) -> list[str]:
    """Try dead lines again; the ids that are tried. `ids` empty: all dead ones.

    Raises:
        NotFound: an id is not that of a dead line.
    """
    wanted = list(ids) or [row.id for row in tx.outbox_list((OutboxState.DEAD,), 10_000)]
    revived = tx.outbox_retry(wanted, now)
    missing = sorted(set(ids) - set(revived))
    if missing:
        raise NotFound(
            f"there is no failed callback {missing[0]!r}; `tradewind callbacks list` shows those that there are"
        )
    return revived


def require_callback(tx: Transaction, id: str) -> OutboxRow:
    """One line. Raises `NotFound`."""
    found = next((row for row in tx.outbox_list(limit=100_000) if row.id == id), None)
    if found is None:
        raise NotFound(f"there is no callback {id!r}; `tradewind callbacks list --all` shows those that there are")
    return found
