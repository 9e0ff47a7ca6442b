"""Answers what a callback asks while it is delivered: variables, connections, values that tasks left, states."""

from __future__ import annotations

from tradewind.ports.outbox_rows import OutboxRow
from tradewind.ports.store import Store, Transaction
from tradewind.ports.vault import Vault
from tradewind.wire.errors import TradewindError
from tradewind.wire.execution import (
    AgentMessage,
    DeleteVariable,
    Done,
    GetConnection,
    GetPreviousRun,
    GetVariable,
    PullXCom,
    Refused,
    Reply,
    Run,
    SetVariable,
    Text,
    Values,
)

from . import secrets


class CallbackDesk:
    """Speaks for one line of the outbox; one transaction per question.

    Parameters: `store`, `vault` (secrets for callbacks), `row` (whose run is meant where none is named).
    """

    def __init__(self, store: Store, vault: Vault, row: OutboxRow) -> None:
        self._store = store
        self._vault = vault
        self._row = row

    def answer(self, message: AgentMessage) -> Reply:
        """The reply; what cannot be fulfilled is `Refused`."""
        try:
            if isinstance(message, SetVariable | DeleteVariable):
                with self._store.begin() as tx:
                    return self._write(tx, message)
            with self._store.read() as tx:
                return self._read(tx, message)
        except TradewindError as error:
            return Refused(type(error).__name__, str(error))

    def _write(self, tx: Transaction, message: SetVariable | DeleteVariable) -> Reply:
        if isinstance(message, SetVariable):
            secrets.set_variable(tx, self._vault, message.key, message.value, message.description)
        else:
            secrets.delete_variable(tx, message.key)
        return Done()

    def _read(self, tx: Transaction, message: AgentMessage) -> Reply:
        match message:
            case GetVariable(_, key):
                return Text(secrets.variable_value(tx, self._vault, key))
            case GetConnection(_, conn_id):
                return secrets.connection_facts(tx, self._vault, conn_id)
            case GetPreviousRun():
                return Run()
            case PullXCom():
                dag_id, run_id = message.dag_id or self._row.dag_id, message.run_id or self._row.run_id
                if dag_id is None or run_id is None:
                    return Values(())
                found = tx.xcom_find(
                    dag_id,
                    run_id,
                    message.task_ids,
                    message.key,
                    map_paths=message.map_paths,
                    map_prefix=message.map_prefix,
                )
                return Values(tuple(found))
            case _:
                what = type(message).__name__
                return Refused("BadInput", f"a callback cannot do this ({what}); let a task do it")
