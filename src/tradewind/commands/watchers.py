"""Watchers of assets: event triggers that run as long as their asset is active, and what they tell.

A watcher waits in the table of triggers, beside the waits of tasks, under a token of its own kind. It is another one
when its arguments or the version of its DAG change, so that it always runs the code of today.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from tradewind.kernel.log import get_logger
from tradewind.ports.asset_rows import AssetRow
from tradewind.ports.rows import DagRow
from tradewind.ports.store import Transaction
from tradewind.ports.trigger_rows import TriggerRow, TriggerState
from tradewind.wire.assets import AssetEmission
from tradewind.wire.document import decode_document
from tradewind.wire.errors import InvalidDag

log = get_logger("assets")
WATCH = "watch-"
"""Begins the token of a watcher."""
_NAMESPACE = uuid.UUID("6f0c2a54-6a0e-5c1b-9d3b-0c6f0e5b7a11")
_RUN_ID = "asset_watchers"
"""Stands for the run in the place of their logs."""


def is_watch(token: str) -> bool:
    """Whether a token is that of a watcher."""
    return token.startswith(WATCH)


def sync_watchers(tx: Transaction, row: AssetRow, now: datetime, former: Iterable[str] = ()) -> None:
    """Bring the triggers of an asset in line with what is described; `former`: names of watchers it had before."""
    wanted = _wanted(tx, row, now) if row.is_active and row.watchers else {}
    ids = {name: _watch_id(row, name) for name in {*wanted, *row.watchers, *former}}
    if not ids:
        return
    running = tx.trigger_list_waiting(ids.values())
    over = [
        ti_id
        for name, ti_id in ids.items()
        if ti_id in running and (name not in wanted or wanted[name].token != running[ti_id].token)
    ]
    if over:
        tx.trigger_end(over)
    fresh = [wish for name, wish in sorted(wanted.items()) if ids[name] not in running or ids[name] in over]
    if fresh:
        tx.trigger_put(fresh)


def tell_watched(tx: Transaction, told: Sequence[tuple[str, str | None]], now: datetime) -> list[int]:
    """Events of watchers become events of their assets; ids. Those of watchers that are over are left out.

    Parameters:
        told: (token, payload as JSON).
    """
    from .asset_events import Source, tell_changes

    rows = tx.trigger_get_many({token for token, _ in told})
    changes = []
    for token, payload in told:
        row = rows.get(token)
        if row is None or row.state is not TriggerState.WAITING:
            log.info("watcher_is_over", token=token)
            continue
        target = msgspec.json.decode(row.next_kwargs, type=dict[str, str])
        value = None if payload is None else msgspec.json.decode(payload)
        emission = AssetEmission(name=target["name"], uri=target["uri"], extra={"from_trigger": True, "payload": value})
        changes.append((Source(person=f"watcher {row.task_id}"), emission))
    return tell_changes(tx, changes, now)


def _wanted(tx: Transaction, row: AssetRow, now: datetime) -> dict[str, TriggerRow]:
    dag = _describer(tx, row)
    if dag is None:
        return {}
    found = {}
    for name, watcher in row.watchers.items():
        kwargs = msgspec.json.encode(watcher["kwargs"]).decode()
        words = "\0".join((row.name, row.uri, name, watcher["trigger"], kwargs, dag.version_id))
        ti_id = _watch_id(row, name)
        found[name] = TriggerRow(
            token=WATCH + hashlib.sha256(words.encode()).hexdigest()[:32],
            ti_id=ti_id,
            run_key=ti_id,
            dag_id=dag.dag_id,
            run_id=_RUN_ID,
            task_id=name,
            version_id=dag.version_id,
            classpath=watcher["trigger"],
            kwargs=kwargs,
            method="",
            next_kwargs=msgspec.json.encode({"name": row.name, "uri": row.uri}).decode(),
            created_at=now,
        )
    return found


def _describer(tx: Transaction, row: AssetRow) -> DagRow | None:
    """The DAG whose file describes the watchers: the first by id."""
    dag_ids = {use.dag_id for use in tx.asset_use_list(name=row.name, uri=row.uri)}
    for dag in sorted(tx.dag_get_many(dag_ids).values(), key=lambda each: each.dag_id):
        version = None if dag.is_stale else tx.version_get(dag.version_id)
        if version is None:
            continue
        try:
            assets = decode_document(version.document).assets
        except InvalidDag:
            continue
        if any((each.name, each.uri) == (row.name, row.uri) and each.watchers for each in assets):
            return dag
    return None


def _watch_id(row: AssetRow, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\0".join((row.name, row.uri, name))))
