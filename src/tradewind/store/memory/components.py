"""Processes of ours and their heartbeats."""

from __future__ import annotations

from msgspec.structs import replace

from tradewind.ports.rows import ComponentRow

from .unit import Unit


class ComponentPart(Unit):
    """`ports.store.ComponentTx`."""

    def component_start(self, row: ComponentRow) -> list[ComponentRow]:
        journal = self._write("component_start")
        components = self._data.components
        earlier = [old for old in components.found("name", (row.kind, row.name)) if old.id != row.id]
        for old in earlier:
            components.delete(journal, (old.kind, old.id))
        components.put(journal, (row.kind, row.id), replace(row, heartbeat_at=self.now()))
        return earlier

    def component_beat(self, kind: str, id: str) -> bool:
        journal = self._write("component_beat")
        row = self._data.components.get((kind, id))
        if row is None:
            return False
        self._data.components.put(journal, (kind, id), replace(row, heartbeat_at=self.now()))
        return True

    def component_stop(self, kind: str, id: str) -> None:
        self._data.components.delete(self._write("component_stop"), (kind, id))

    def component_list(self, kind: str | None = None) -> list[ComponentRow]:
        rows = [row for row in self._data.components if kind is None or row.kind == kind]
        return sorted(rows, key=lambda row: (row.kind, row.name, row.id))

    def component_remove_lost(self, kind: str, seconds: float) -> list[ComponentRow]:
        journal = self._write("component_remove_lost")
        stale = self._before(seconds)
        lost = [row for row in self.component_list(kind) if row.heartbeat_at < stale]
        for row in lost:
            self._data.components.delete(journal, (row.kind, row.id))
        return lost
