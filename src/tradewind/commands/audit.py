"""The audit log: what people, and tokens on behalf of them, changed; written in the transaction of the change itself.

The edge that lets somebody in says who it is: it opens its transactions through `AuditedStore`. A command that knows
more than "it was called" calls `note`, with the object before and after. When nothing was noted, the edge's own name of
the deed is written, so that no write of a person goes without a line. A transaction that fails leaves none.

The trail belongs to the transaction's thread, not to the arguments of every command: engines, which call the same
commands, have none and write nothing (docs/decisions/0020-audit-trail-of-the-transaction.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import msgspec

from tradewind.kernel.doorbell import Listener
from tradewind.ports.people_rows import AuditRow
from tradewind.ports.store import Store, Transaction

MASK = "***"
TEXT_LENGTH_MAX = 2000


class Actor(NamedTuple):
    """Who does something."""

    username: str
    means: str
    """bearer, token, session or cli."""
    token_id: str | None = None
    address: str | None = None


class Deed(NamedTuple):
    """What was asked for, as the edge names it."""

    event: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_path: str | None = None
    try_number: int | None = None
    thing: str | None = None
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
    details: Mapping[str, Any] = {}


_TRAIL: ContextVar[list[Deed] | None] = ContextVar("audit_trail", default=None)


def note(
    event: str,
    *,
    dag_id: str | None = None,
    run_id: str | None = None,
    task_id: str | None = None,
    map_path: str | None = None,
    try_number: int | None = None,
    thing: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **details: Any,
) -> None:
    """Say what the present transaction changes; nothing happens where nobody keeps a trail.

    Parameters:
        event: a verb and its object, `set_connection`.
        thing: what is no DAG, run or task: `connection warehouse`.
        before, after: the object; secrets must be masked already (`MASK`).
    """
    trail = _TRAIL.get()
    if trail is not None:
        trail.append(
            Deed(event, dag_id, run_id, task_id, map_path, try_number, thing, before or {}, after or {}, details)
        )


class AuditedStore:
    """A store whose writes are in the audit log.

    Parameters:
        store: what is written to.
        actor: who writes.
        deed: what is logged when no command noted more.
    """

    def __init__(self, store: Store, actor: Actor, deed: Deed) -> None:
        self._store = store
        self._actor = actor
        self._deed = deed

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        with self._store.begin() as tx, trail_of(tx, self._actor, self._deed):
            yield tx

    def read(self) -> AbstractContextManager[Transaction]:
        return self._store.read()

    def listen(self, topics: Iterable[str]) -> Listener:
        return self._store.listen(topics)

    def close(self) -> None:
        self._store.close()


@contextmanager
def trail_of(tx: Transaction, actor: Actor, deed: Deed) -> Iterator[None]:
    """What is noted within the block, or else `deed`, is in the log when `tx` commits."""
    trail: list[Deed] = []
    token = _TRAIL.set(trail)
    try:
        yield
    finally:
        _TRAIL.reset(token)
    tx.audit_put([_row(tx, actor, each) for each in trail or [deed]])


def plain(value: object) -> Any:
    """`value` in terms of JSON, long texts cut: what `before` and `after` hold."""
    return _shortened(msgspec.to_builtins(value, enc_hook=str))


def _row(tx: Transaction, actor: Actor, deed: Deed) -> AuditRow:
    fields = deed._asdict() | {name: plain(getattr(deed, name)) for name in ("before", "after", "details")}
    return AuditRow(
        at=tx.now(),
        actor=actor.username,
        means=actor.means,
        token_id=actor.token_id,
        address=actor.address,
        **fields,
    )


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_LENGTH_MAX:
        return f"{value[:TEXT_LENGTH_MAX]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {str(key): _shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    return value
