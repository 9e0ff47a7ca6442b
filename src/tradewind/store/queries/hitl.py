# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Questions to people and their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.hitl_rows import HitlRow
from tradewind.store.codec import HITL
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_ANSWER = (
    ("for_token", Kind.TEXT), ("at", Kind.INSTANT), ("chosen", Kind.NAMES), ("given", Kind.JSON),
    ("who", Kind.TEXT), ("who_name", Kind.TEXT),
)  # fmt: skip


@statement
def hitl_list(d: Dialect) -> str:
    return f"""SELECT {HITL.select("h")} FROM hitl_detail h
               WHERE {d.any("h.ti_id", "ti_ids", Kind.ID)} ORDER BY h.created_at, h.token"""


@statement
def hitl_list_open(_: Dialect) -> str:
    return f"""SELECT {HITL.select("h")} FROM hitl_detail h
               JOIN trigger_row w ON w.token = h.token AND w.state = 'waiting'
               WHERE h.responded_at IS NULL ORDER BY h.created_at LIMIT :limit"""


@statement
def hitl_answer(d: Dialect) -> str:
    return f"""UPDATE hitl_detail AS h SET responded_at = v.at, chosen_options = {d.json_column("v.chosen")},
                      params_input = {d.json_column("v.given")}, responded_by = v.who, responded_by_name = v.who_name
               FROM {d.relation("v", _ANSWER)} WHERE h.token = v.for_token AND h.responded_at IS NULL RETURNING token"""


class HitlQueries(Work):
    """See `ports.hitl.HitlTx`."""

    def hitl_put(self, rows: Sequence[HitlRow]) -> None:
        self._insert(HITL, rows)

    def hitl_get(self, ti_id: str, try_number: int | None = None) -> HitlRow | None:
        found = [row for row in self.hitl_list([ti_id]) if try_number is None or row.try_number == try_number]
        return found[-1] if found else None

    def hitl_list(self, ti_ids: Iterable[str]) -> list[HitlRow]:
        return self._read_all(HITL, hitl_list(self._dialect), ti_ids=self._ids(ti_ids))

    def hitl_list_open(self, limit: int) -> list[HitlRow]:
        return self._read_all(HITL, hitl_list_open(self._dialect), limit=limit)

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
        row = (token, at, tuple(chosen_options), params_input, by, by_name)
        params = self._dialect.relation_params("v", _ANSWER, [row])
        return bool(self._rows(hitl_answer(self._dialect), **params))
