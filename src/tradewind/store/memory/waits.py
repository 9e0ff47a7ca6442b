"""Waits outside of processes, questions to people, retries of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.run_retries import RunRetryRow
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow, TriggerState

from .unit import Unit


class WaitPart(Unit):
    """`ports.triggers.TriggerTx`, `ports.hitl.HitlTx` and `ports.run_retries.RunRetryTx`."""

    def trigger_put(self, rows: Sequence[TriggerRow]) -> None:
        journal = self._write("trigger_put")
        if not rows:
            return
        self.trigger_forget([row.ti_id for row in rows])
        for row in rows:
            self._data.triggers.insert(journal, row.token, row)
        self.topics.add("triggers")

    def trigger_get_many(self, tokens: Iterable[str]) -> dict[str, TriggerRow]:
        rows = self._data.triggers.rows
        return {token: rows[token] for token in tokens if token in rows}

    def trigger_list_fired(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        return self._in_state(ti_ids, TriggerState.FIRED)

    def trigger_list_waiting(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        return self._in_state(ti_ids, TriggerState.WAITING)

    def trigger_fire(self, fires: Sequence[TriggerFire]) -> list[str]:
        journal = self._write("trigger_fire")
        moved = []
        for fire in fires:
            row = self._data.triggers.get(fire.token)
            if row is not None and row.state is TriggerState.WAITING:
                fired = replace(row, state=TriggerState.FIRED, event=fire.event, failure=fire.failure, error=fire.error)
                self._data.triggers.put(journal, row.token, fired)
                moved.append(row.token)
        return moved

    def trigger_claim(
        self, triggerer: str, limit: int, lease_seconds: float, queues: Sequence[str] | None = None
    ) -> list[TriggerRow]:
        journal = self._write("trigger_claim")
        stale = self._before(lease_seconds)
        live = {row.id for row in self._data.components if row.kind == "triggerer" and row.heartbeat_at >= stale}
        for row in list(self._data.triggers):
            if row.state is TriggerState.CANCELLED and row.triggerer not in live:
                self._data.triggers.delete(journal, row.token)
        free = [
            row
            for row in self._data.triggers
            if row.state is TriggerState.WAITING
            and row.classpath
            and (row.triggerer is None or row.triggerer not in live)
            and (queues is None or row.queue in queues)
        ]
        free.sort(key=lambda row: (row.triggerer is not None, row.created_at, row.token))
        claimed = [replace(row, triggerer=triggerer) for row in free[: max(0, limit)]]
        for row in claimed:
            self._data.triggers.put(journal, row.token, row)
        return sorted(claimed, key=lambda row: (row.created_at, row.token))

    def trigger_list_hosted(self, triggerer: str) -> list[str]:
        return [
            row.token for row in self._data.triggers if row.triggerer == triggerer and row.state is TriggerState.WAITING
        ]

    def trigger_take_cancelled(self, triggerer: str) -> list[str]:
        journal = self._write("trigger_take_cancelled")
        gone = [
            row.token
            for row in self._data.triggers
            if row.triggerer == triggerer and row.state is TriggerState.CANCELLED
        ]
        for token in gone:
            self._data.triggers.delete(journal, token)
        return gone

    def trigger_release(self, triggerer: str) -> int:
        journal = self._write("trigger_release")
        hosted = self.trigger_list_hosted(triggerer)
        for token in hosted:
            self._data.triggers.put(journal, token, replace(self._data.triggers.rows[token], triggerer=None))
        if hosted:
            self.topics.add("triggers")
        return len(hosted)

    def trigger_end(self, ti_ids: Iterable[str]) -> None:
        journal = self._write("trigger_end")
        for ti_id in ti_ids:
            for row in self._data.triggers.found("instance", ti_id):
                if row.state is TriggerState.WAITING and row.triggerer is not None:
                    self._data.triggers.put(journal, row.token, replace(row, state=TriggerState.CANCELLED))
                    self.topics.add("triggers")
                elif row.state is not TriggerState.CANCELLED:
                    self._data.triggers.delete(journal, row.token)

    def trigger_forget(self, ti_ids: Iterable[str]) -> None:
        journal = self._write("trigger_forget")
        for ti_id in ti_ids:
            for row in self._data.triggers.found("instance", ti_id):
                if row.state is TriggerState.FIRED:
                    self._data.triggers.delete(journal, row.token)

    def trigger_count(self) -> dict[str | None, int]:
        numbers: dict[str | None, int] = {}
        for row in self._data.triggers:
            if row.state is TriggerState.WAITING and row.classpath:
                numbers[row.triggerer] = numbers.get(row.triggerer, 0) + 1
        return numbers

    def _in_state(self, ti_ids: Iterable[str], state: TriggerState) -> dict[str, TriggerRow]:
        return {
            row.ti_id: row
            for ti_id in ti_ids
            for row in self._data.triggers.found("instance", ti_id)
            if row.state is state
        }

    def run_retry_get(self, run_key: str) -> RunRetryRow | None:
        return self._data.run_retries.get(run_key)

    def run_retry_put(self, row: RunRetryRow) -> None:
        self._data.run_retries.put(self._write("run_retry_put"), row.run_key, row)

    # --- questions ----------------------------------------------------------------------------------------------------

    def hitl_put(self, rows: Sequence[HitlRow]) -> None:
        journal = self._write("hitl_put")
        for row in rows:
            self._data.questions.insert(journal, row.token, row)

    def hitl_get(self, ti_id: str, try_number: int | None = None) -> HitlRow | None:
        found = [row for row in self.hitl_list([ti_id]) if try_number is None or row.try_number == try_number]
        return found[-1] if found else None

    def hitl_list(self, ti_ids: Iterable[str]) -> list[HitlRow]:
        found = [row for ti_id in ti_ids for row in self._data.questions.found("instance", ti_id)]
        return sorted(found, key=lambda row: (row.created_at, row.token))

    def hitl_list_open(self, limit: int) -> list[HitlRow]:
        waits = self._data.triggers.rows
        open_ = [
            row
            for row in self._data.questions
            if row.responded_at is None and row.token in waits and waits[row.token].state is TriggerState.WAITING
        ]
        return sorted(open_, key=lambda row: row.created_at)[:limit]

    def hitl_answer(
        self,
        token: str,
        at: datetime,
        chosen_options: Sequence[str],
        params_input: dict[str, Any],
        *,
        by: str | None = None,
        by_name: str | None = None,
    ) -> bool:
        journal = self._write("hitl_answer")
        row = self._data.questions.get(token)
        if row is None or row.responded_at is not None:
            return False
        answered = replace(
            row,
            responded_at=at,
            chosen_options=tuple(chosen_options),
            params_input=params_input,
            responded_by=by,
            responded_by_name=by_name,
        )
        self._data.questions.put(journal, token, answered)
        return True
