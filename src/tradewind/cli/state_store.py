"""`tradewind state-store`: what tasks and assets remember between attempts."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_rows
from tradewind.cli.world import database

NOUN = Noun("state-store", "What tasks and assets remember: list, clean")
NOUNS = {NOUN.name: NOUN}
_BATCH = 1000


@NOUN.verb(
    "list",
    argument("--asset", help="name of an asset, or its URI where it has no name"),
    argument("--dag-id", help="of a task instance"),
    argument("--run-id", help="of a task instance"),
    argument("--task-id", help="of a task instance"),
    argument("--map-index", default="", help="of a mapped task instance; of nested mapping 2.0"),
    OUTPUT,
)
def list_states(given: Namespace) -> None:
    """List what one task instance, or one asset, remembers."""
    from tradewind.ports.state_store_rows import StateScope, task_place
    from tradewind.wire.errors import BadInput

    instance = (given.dag_id, given.run_id, given.task_id)
    if (given.asset is None) is not all(instance) or (given.asset is not None and any(instance)):
        raise BadInput("give --asset, or --dag-id with --run-id and --task-id")
    if given.asset is not None:
        scope, place = StateScope.ASSET, given.asset
    else:
        scope, place = StateScope.TASK, task_place(*instance, given.map_index)
    with database() as store, store.read() as tx:
        rows = tx.state_list(scope, place, tx.now())
    show_rows(
        (
            {"key": row.key, "value": row.value, "updated_at": row.updated_at, "expires_at": row.expires_at}
            for row in rows
        ),
        given.output,
    )


@NOUN.verb("clean", argument("--dry-run", action="store_true", help="only say how many values would go"))
def clean(given: Namespace) -> None:
    """Delete values that expired. The scheduler does so by itself; this is for when none runs."""
    with database() as store:
        if given.dry_run:
            with store.read() as tx:
                print(f"{tx.state_expired(tx.now())} values expired")
            return
        count = 0
        while True:
            with store.begin() as tx:
                gone = tx.state_prune(tx.now(), _BATCH)
            count += gone
            if gone < _BATCH:
                break
    print(f"{count} values deleted")
