# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""What the owners of runs must know."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement
from tradewind.wire.inbox import InboxEvent, decode_inbox, encode_inbox

from .runs import run_hold_with_news

log = logging.getLogger("tradewind.store")

_LINE = (("run_key", Kind.ID), ("payload", Kind.TEXT))
_REJECTED = (("run_key", Kind.ID), ("payload", Kind.TEXT), ("error", Kind.TEXT), ("at", Kind.INSTANT))


@statement
def inbox_take(d: Dialect) -> str:
    # Walks the lines from the oldest and looks up the run of each: they are few, for they live only until their owner
    # wakes.
    return f"""
        DELETE FROM inbox WHERE line IN (
            SELECT i.line FROM inbox i
            WHERE (SELECT r.owner FROM dag_run r WHERE r.run_key = i.run_key) = :owner
            ORDER BY i.line LIMIT :limit {d.lock("i", skip=True)}
        ) RETURNING line, run_key, payload"""


class InboxQueries(Work):
    """See `ports.store.TaskTx`."""

    def inbox_put(self, items: Sequence[tuple[str, InboxEvent]]) -> None:
        if items:
            lines = [(self._id(run_key), encode_inbox(event).decode()) for run_key, event in items]
            self._session.insert("inbox", _LINE, lines)
            self.ring("inbox")

    def inbox_open(self, owner: str, limit: int) -> tuple[dict[str, int], list[tuple[str, InboxEvent]]]:
        held, lines = self._session.rows_in_turn(
            (run_hold_with_news(self._dialect), {"owner": owner}),
            (inbox_take(self._dialect), {"owner": owner, "limit": limit}),
        )
        return dict(held), self._decoded(lines)

    def inbox_take(self, owner: str, limit: int) -> list[tuple[str, InboxEvent]]:
        return self._decoded(self._rows(inbox_take(self._dialect), owner=owner, limit=limit))

    def _decoded(self, lines: list[tuple[Any, ...]]) -> list[tuple[str, InboxEvent]]:
        events: list[tuple[str, InboxEvent]] = []
        for _, run_key, payload in sorted(lines):
            try:
                events.append((run_key, decode_inbox(payload)))
            except msgspec.DecodeError as error:
                self._reject(run_key, payload, error)
        return events

    def _reject(self, run_key: str, payload: str, error: msgspec.DecodeError) -> None:
        log.error("a line of the inbox of run %s cannot be read and is put aside in inbox_rejected: %s", run_key, error)
        at = self._value(Kind.INSTANT, self.now())
        self._session.insert("inbox_rejected", _REJECTED, [(run_key, payload, str(error), at)])
