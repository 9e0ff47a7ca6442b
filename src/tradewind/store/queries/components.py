# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Processes of ours and their heartbeats; the judge's clock writes them, so that clocks of machines need not agree."""

from __future__ import annotations

import msgspec

from tradewind.ports.rows import ComponentRow
from tradewind.store.codec import COMPONENT
from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement, upsert_tail

_TAIL = upsert_tail(COMPONENT, ("kind", "id"))


@statement
def component_replace(_: Dialect) -> str:
    return f"DELETE FROM component WHERE kind = :kind AND name = :name AND id <> :id RETURNING {COMPONENT.plain()}"


@statement
def component_beat(d: Dialect) -> str:
    return f"UPDATE component SET heartbeat_at = {d.judge} WHERE kind = :kind AND id = :id RETURNING id"


@statement
def component_stop(_: Dialect) -> str:
    return "DELETE FROM component WHERE kind = :kind AND id = :id"


@statement
def component_list(_: Dialect, of_kind: bool) -> str:
    which = "WHERE c.kind = :kind" if of_kind else ""
    return f"SELECT {COMPONENT.select('c')} FROM component c {which} ORDER BY c.kind, c.name, c.id"


@statement
def component_remove_lost(d: Dialect) -> str:
    return f"""DELETE FROM component WHERE kind = :kind AND heartbeat_at < {d.seconds_before(d.judge, ":lease")}
               RETURNING {COMPONENT.plain()}"""


class ComponentQueries(Work):
    """See `ports.store.ComponentTx`."""

    def component_start(self, row: ComponentRow) -> list[ComponentRow]:
        earlier = self._read_all(COMPONENT, component_replace(self._dialect), kind=row.kind, name=row.name, id=row.id)
        self._insert(COMPONENT, [msgspec.structs.replace(row, heartbeat_at=self.now())], _TAIL)
        return earlier

    def component_beat(self, kind: str, id: str) -> bool:
        return bool(self._rows(component_beat(self._dialect), kind=kind, id=id, judged_at=self._judge()))

    def component_stop(self, kind: str, id: str) -> None:
        self._write(component_stop(self._dialect), kind=kind, id=id)

    def component_list(self, kind: str | None = None) -> list[ComponentRow]:
        return self._read_all(COMPONENT, component_list(self._dialect, kind is not None), kind=kind)

    def component_remove_lost(self, kind: str, seconds: float) -> list[ComponentRow]:
        return self._read_all(
            COMPONENT, component_remove_lost(self._dialect), kind=kind, lease=seconds, judged_at=self._judge()
        )
