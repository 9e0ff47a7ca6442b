"""`tradewind callbacks`: what waits for delivery, and what could not be delivered."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_record, show_rows
from tradewind.cli.world import database

if TYPE_CHECKING:
    from tradewind.ports.outbox_rows import OutboxRow

NOUN = Noun("callbacks", "Callbacks of runs, tasks and deadlines: list, show, retry")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb(
    "list",
    argument(
        "--state",
        action="append",
        default=[],
        choices=("pending", "delivered", "dead"),
        help="only these; may be repeated; default: pending and dead",
    ),
    argument("--all", action="store_true", help="delivered ones too"),
    argument("--limit", type=int, default=100, help="at most so many, newest first"),
    OUTPUT,
)
def list_callbacks(given: Namespace) -> None:
    """List callbacks that wait or failed, newest first."""
    from tradewind.commands.outbox import list_callbacks as command
    from tradewind.ports.outbox_rows import OutboxState

    states = [OutboxState(state) for state in given.state]
    if not states and not given.all:
        states = [OutboxState.PENDING, OutboxState.DEAD]
    with database() as store, store.read() as tx:
        rows = command(tx, states=states, limit=given.limit)
    show_rows(map(_shown, rows), given.output)


@NOUN.verb("show", argument("id", help="as `callbacks list` shows it"), OUTPUT)
def show_callback(given: Namespace) -> None:
    """Show one callback with what it was told, and where its log is."""
    from tradewind.commands.outbox import require_callback

    with database() as store, store.read() as tx:
        row = require_callback(tx, given.id)
    show_record({**_shown(row), "payload": row.payload, "log": _log_file(row.id)}, given.output)


@NOUN.verb("retry", argument("id", nargs="*", help="of dead callbacks; none: all of them"))
def retry_callbacks(given: Namespace) -> None:
    """Try dead callbacks again."""
    from tradewind.commands.outbox import retry_callbacks as command

    with database() as store, store.begin() as tx:
        ids = command(tx, given.id, tx.now())
    print(f"{len(ids)} callbacks are tried again")


def _shown(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind.value,
        "state": row.state.value,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "callback": row.payload.get("path") or row.payload.get("callback"),
        "tries": row.tries,
        "due_at": row.due_at,
        "error": row.error,
    }


def _log_file(id: str) -> str:
    from tradewind.kernel.settings import load_settings

    return str(load_settings().logs.folder / "callbacks" / f"{id}.log")
