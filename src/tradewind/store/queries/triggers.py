# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Waits outside of processes. That a task waits stands in its own row; here is what for, and where it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.store.codec import TRIGGER
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_FIRE = (("for_token", Kind.TEXT), ("new_event", Kind.TEXT), ("why", Kind.TEXT), ("said", Kind.TEXT))


@statement
def trigger_forget(d: Dialect) -> str:
    return f"DELETE FROM trigger_row WHERE {d.any('ti_id', 'ti_ids', Kind.ID)} AND state = 'fired'"


@statement
def trigger_drop(d: Dialect) -> str:
    """Those that nobody hosts need not be told."""
    return f"""DELETE FROM trigger_row
               WHERE {d.any("ti_id", "ti_ids", Kind.ID)} AND (state = 'fired' OR triggerer IS NULL)"""


@statement
def trigger_cancel(d: Dialect) -> str:
    return f"""UPDATE trigger_row SET state = 'cancelled'
               WHERE {d.any("ti_id", "ti_ids", Kind.ID)} AND state = 'waiting' RETURNING token"""


@statement
def trigger_get_many(d: Dialect) -> str:
    return f"SELECT {TRIGGER.select('w')} FROM trigger_row w WHERE {d.any('w.token', 'tokens', Kind.TEXT)}"


@statement
def trigger_list_of(d: Dialect, state: str) -> str:
    return f"""SELECT {TRIGGER.select("w")} FROM trigger_row w
               WHERE {d.any("w.ti_id", "ti_ids", Kind.ID)} AND w.state = '{state}'"""


@statement
def trigger_fire(d: Dialect) -> str:
    return f"""UPDATE trigger_row AS w SET state = 'fired', event = v.new_event, failure = v.why, error = v.said
               FROM {d.relation("v", _FIRE)} WHERE w.token = v.for_token AND w.state = 'waiting' RETURNING token"""


@statement
def trigger_claim(d: Dialect, orphans: bool, of_queues: bool) -> str:
    # Two statements, because each has its own partial index.
    if orphans:
        live = f"""SELECT c.id FROM component c
                   WHERE c.kind = 'triggerer' AND c.heartbeat_at >= {d.seconds_before(d.judge, ":lease")}"""
        which = (
            f"w.triggerer IS NOT NULL AND w.triggerer NOT IN ({live}) AND w.state <> 'fired' AND w.state = 'waiting'"
        )
    else:
        which = "w.triggerer IS NULL AND w.state = 'waiting' AND w.classpath <> ''"
    queues = f"AND {d.any('w.queue', 'queues', Kind.TEXT)}" if of_queues else ""
    return f"""UPDATE trigger_row SET triggerer = :triggerer WHERE token IN (
                   SELECT w.token FROM trigger_row w WHERE {which} {queues}
                   ORDER BY w.created_at LIMIT :limit {d.lock("w", skip=True)}
               ) RETURNING {TRIGGER.plain()}"""


@statement
def trigger_list_hosted(_: Dialect) -> str:
    return """SELECT w.token FROM trigger_row w
              WHERE w.triggerer = :triggerer AND w.triggerer IS NOT NULL
                    AND w.state <> 'fired' AND w.state = 'waiting'"""


@statement
def trigger_take_cancelled(_: Dialect) -> str:
    return """DELETE FROM trigger_row
              WHERE triggerer = :triggerer AND triggerer IS NOT NULL AND state <> 'fired' AND state = 'cancelled'
              RETURNING token"""


@statement
def trigger_release(_: Dialect) -> str:
    return """UPDATE trigger_row SET triggerer = NULL
              WHERE triggerer = :triggerer AND triggerer IS NOT NULL AND state <> 'fired' AND state = 'waiting'
              RETURNING token"""


@statement
def trigger_remove_dead(d: Dialect) -> str:
    """Cancelled ones whose triggerer is gone: nobody is left to be told."""
    return f"""DELETE FROM trigger_row
               WHERE triggerer IS NOT NULL AND state <> 'fired' AND state = 'cancelled' AND triggerer NOT IN (
                   SELECT c.id FROM component c
                   WHERE c.kind = 'triggerer' AND c.heartbeat_at >= {d.seconds_before(d.judge, ":lease")})"""


@statement
def trigger_count(_: Dialect) -> str:
    return """SELECT w.triggerer, count(*) FROM trigger_row w
              WHERE w.state = 'waiting' AND w.classpath <> '' GROUP BY w.triggerer"""


class TriggerQueries(Work):
    """See `ports.triggers.TriggerTx`."""

    def trigger_put(self, rows: Sequence[TriggerRow]) -> None:
        if rows:
            self.trigger_forget(row.ti_id for row in rows)
            self._insert(TRIGGER, rows)
            self.ring("triggers")

    def trigger_get_many(self, tokens: Iterable[str]) -> dict[str, TriggerRow]:
        found = self._read_all(TRIGGER, trigger_get_many(self._dialect), tokens=self._texts(tokens))
        return {row.token: row for row in found}

    def trigger_list_fired(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        found = self._read_all(TRIGGER, trigger_list_of(self._dialect, "fired"), ti_ids=self._ids(ti_ids))
        return {row.ti_id: row for row in found}

    def trigger_list_waiting(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        found = self._read_all(TRIGGER, trigger_list_of(self._dialect, "waiting"), ti_ids=self._ids(ti_ids))
        return {row.ti_id: row for row in found}

    def trigger_fire(self, fires: Sequence[TriggerFire]) -> list[str]:
        if not fires:
            return []
        rows: list[tuple[Any, ...]] = [(fire.token, fire.event, fire.failure, fire.error) for fire in fires]
        params = self._dialect.relation_params("v", _FIRE, rows)
        return [token for (token,) in self._rows(trigger_fire(self._dialect), **params)]

    def trigger_claim(
        self, triggerer: str, limit: int, lease_seconds: float, queues: Sequence[str] | None = None
    ) -> list[TriggerRow]:
        claimed: list[TriggerRow] = []
        names = {} if queues is None else {"queues": self._texts(queues)}
        for orphans in (False, True):
            room = limit - len(claimed)
            if room <= 0:
                break
            judged = {"lease": lease_seconds, "judged_at": self._judge()} if orphans else {}
            text = trigger_claim(self._dialect, orphans, queues is not None)
            claimed += self._read_all(TRIGGER, text, triggerer=triggerer, limit=room, **names, **judged)
        self._write(trigger_remove_dead(self._dialect), lease=lease_seconds, judged_at=self._judge())
        return sorted(claimed, key=lambda row: (row.created_at, row.token))

    def trigger_list_hosted(self, triggerer: str) -> list[str]:
        return [token for (token,) in self._rows(trigger_list_hosted(self._dialect), triggerer=triggerer)]

    def trigger_take_cancelled(self, triggerer: str) -> list[str]:
        return [token for (token,) in self._rows(trigger_take_cancelled(self._dialect), triggerer=triggerer)]

    def trigger_release(self, triggerer: str) -> int:
        released = self._rows(trigger_release(self._dialect), triggerer=triggerer)
        if released:
            self.ring("triggers")
        return len(released)

    def trigger_end(self, ti_ids: Iterable[str]) -> None:
        wanted = self._ids(ti_ids)
        self._write(trigger_drop(self._dialect), ti_ids=wanted)
        if self._rows(trigger_cancel(self._dialect), ti_ids=wanted):
            self.ring("triggers")

    def trigger_forget(self, ti_ids: Iterable[str]) -> None:
        self._write(trigger_forget(self._dialect), ti_ids=self._ids(ti_ids))

    def trigger_count(self) -> dict[str | None, int]:
        return {triggerer: int(number) for triggerer, number in self._rows(trigger_count(self._dialect))}
