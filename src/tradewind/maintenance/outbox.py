"""Delivery of the outbox: each line in a child of its own, at least once, with growing pauses between failures.

A line is held by lease while it is delivered: when this process dies another one takes it when the lease is over. A
line that fails too often is dead: it stays, with the reason, until a person has it tried again
(`tradewind callbacks list|retry`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from tradewind.commands.callback_desk import CallbackDesk
from tradewind.kernel.clock import Clock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.service import ThreadService
from tradewind.kernel.settings import Settings
from tradewind.ports.bundles import tree_path
from tradewind.ports.outbox_rows import OutboxRow, OutboxState
from tradewind.ports.store import Store
from tradewind.ports.vault import Vault
from tradewind.runtime.agent_settings import BASE_URL_VARIABLE, task_environment
from tradewind.runtime.callback_host import deliver
from tradewind.runtime.callback_words import CallbackDone, CallbackOrder
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults
from tradewind.wire.errors import Unavailable

_SAFETY_POLL_SECONDS = 30.0
_LEASE_MARGIN_SECONDS = 30.0
_PRUNE_SECONDS = 3600.0
_PRUNE_MAX = 1000
_LOG_FOLDER = "callbacks"


class OutboxDelivery(ThreadService):
    """Waits for lines and has them delivered, several at once.

    Parameters:
        settings: sections callbacks, bundles, logs, core, secrets.
        environment: of this process; children inherit it without secrets.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        vault: Vault,
        settings: Settings,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("outbox-delivery")
        self._store = store
        self._clock = clock
        self._vault = vault
        self._settings = settings
        self._options = settings.callbacks
        self._owner = str(uuid7())
        self._environment = {
            **task_environment(settings.home, os.environ if environment is None else environment),
            DEFAULTS_VARIABLE: Defaults.of(settings.core).as_text(),
            BASE_URL_VARIABLE: settings.api.base_url,
        }
        self._listener = store.listen(["outbox"])
        self._under_way: dict[str, OutboxRow] = {}
        self._pruned_at = clock.monotonic()
        self._log_events = get_logger("outbox")
        self._outage = Outage(self._log_events, "database_unavailable", "database_reached_again")

    def wake(self) -> None:
        self._listener.interrupt()

    def run(self) -> None:
        with self._listener:
            self.ready()
            while not self.stopping.is_set():
                self._listener.wait(self._turn())
            self._give_back()

    def _turn(self) -> float:
        """Begin what there is room for; how long to wait at most, in seconds."""
        room = self._options.parallel_max - len(self._under_way)
        try:
            rest, rows = self._claim(room)
        except Unavailable as error:
            self._outage.met(error=str(error), again_in_seconds=_SAFETY_POLL_SECONDS)
            return _SAFETY_POLL_SECONDS
        self._outage.over()
        for row in rows:
            self._under_way[row.id] = row
            # Daemons: a callback that takes long must not keep the process from ending. Their children end with them.
            threading.Thread(target=self._deliver_beside, args=(row,), name=f"outbox-{row.id}", daemon=True).start()
        return rest

    def _deliver_beside(self, row: OutboxRow) -> None:
        self.deliver_one(row)
        self._under_way.pop(row.id, None)
        if not self.stopping.is_set():
            self._listener.interrupt()

    def _give_back(self) -> None:
        """What is not done when this process stops is for another one, at once: at least once is what was promised."""
        for row in list(self._under_way.values()):
            try:
                with self._store.begin() as tx:
                    tx.outbox_settle(row.id, OutboxState.PENDING, tx.now(), error="its deliverer was stopped")
            except Unavailable:
                return  # the leases run out

    def _claim(self, room: int) -> tuple[float, list[OutboxRow]]:
        with self._store.read() as tx:
            due, now = tx.outbox_next_due(), tx.now()
        self._prune()
        if due is None or room < 1:
            return _SAFETY_POLL_SECONDS, []
        if due > now:
            return min(_SAFETY_POLL_SECONDS, (due - now).total_seconds() + 0.01), []
        lease = self._options.timeout_seconds + _LEASE_MARGIN_SECONDS
        with self._store.begin() as tx:
            rows = tx.outbox_claim(self._owner, tx.now(), lease, room)
        return 0.0 if rows and len(rows) < room else _SAFETY_POLL_SECONDS, rows

    def _prune(self) -> None:
        if self._clock.monotonic() - self._pruned_at < _PRUNE_SECONDS:
            return
        self._pruned_at = self._clock.monotonic()
        with self._store.begin() as tx:
            tx.outbox_prune(tx.now() - timedelta(seconds=self._options.keep_seconds), _PRUNE_MAX)
            tx.state_prune(tx.now(), _PRUNE_MAX)

    # --- one line ----------------------------------------------------------------------------------------------------

    def deliver_one(self, row: OutboxRow) -> None:
        """Deliver a line that is held, and note how it went. Never raises."""
        try:
            done = self._deliver(row)
        except Exception as error:  # a child that cannot be started is a failed try
            self._log_events.error("callback_not_started", error=error, id=row.id)
            done = CallbackDone(error=f"{type(error).__name__}: {error}")
        try:
            self._settle(row, done)
        except Unavailable as error:
            # The lease runs out and the line is delivered again: at least once is what was promised.
            self._log_events.warning("callback_not_noted", id=row.id, error_text=str(error))

    def _deliver(self, row: OutboxRow) -> CallbackDone:
        return deliver(
            self._order(row),
            CallbackDesk(self._store, self._vault, row).answer,
            environment=self._environment,
            log_file=self.log_file(row),
            timeout_seconds=self._options.timeout_seconds,
            clock=self._clock,
        )

    def log_file(self, row: OutboxRow) -> Path:
        """Where what a callback prints is kept."""
        return self._settings.logs.folder / _LOG_FOLDER / f"{row.id}.log"

    def _order(self, row: OutboxRow) -> CallbackOrder:
        said = row.payload
        tree = None
        if said.get("bundle") and said.get("bundle_version"):
            tree = str(tree_path(self._settings.bundles.root, said["bundle"], said["bundle_version"]))
        return CallbackOrder(
            id=row.id,
            kind=row.kind.value,
            path=said.get("path", ""),
            kwargs=said.get("kwargs", {}),
            context=said.get("context", {}),
            callback=said.get("callback"),
            number=said.get("number"),
            dag_id=row.dag_id,
            task_id=row.task_id,
            tree=tree,
            file=said.get("file"),
            mask_length_min=self._settings.secrets.mask_length_min,
        )

    def _settle(self, row: OutboxRow, done: CallbackDone) -> None:
        fields: dict[str, Any] = {"id": row.id, "kind": row.kind.value, "dag_id": row.dag_id, "run_id": row.run_id}
        with self._store.begin() as tx:
            now = tx.now()
            if done.error is None:
                tx.outbox_settle(row.id, OutboxState.DELIVERED, now)
                self._log_events.info("callback_delivered", **fields)
            elif row.tries >= self._options.tries_max:
                tx.outbox_settle(row.id, OutboxState.DEAD, now, error=done.error)
                self._log_events.error("callback_given_up", tries=row.tries, reason=done.error, **fields)
            else:
                rest = min(self._options.retry_seconds * 2 ** (row.tries - 1), self._options.retry_seconds_max)
                due = now + timedelta(seconds=rest)
                tx.outbox_settle(row.id, OutboxState.PENDING, now, error=done.error, due_at=due)
                self._log_events.warning("callback_failed", tries=row.tries, reason=done.error, again_in=rest, **fields)
