"""`tradewind audit`: what people changed."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import jsonable, show_rows
from tradewind.cli.world import database, instant, write_file

NOUN = Noun("audit", "The audit log: what people and their tokens changed")
NOUNS = {NOUN.name: NOUN}
_FILTERS = (
    argument("--user", help="what this user did"),
    argument("--event", help="this kind of event, for example set_connection"),
    argument("--dag-id", help="what was done to this DAG"),
    argument("--since", help="from this instant on"),
    argument("--until", help="before this instant"),
)
_PAGE = 1000


@NOUN.verb(
    "list", *_FILTERS, argument("-n", "--limit", type=int, default=50, help="how many at most; default 50"), OUTPUT
)
def list_audit(given: Namespace) -> None:
    """List what people changed, newest first."""
    with database() as store, store.read() as tx:
        rows = tx.audit_list(**_filters(given), limit=given.limit)
    columns = ("at", "actor", "means", "event", "dag_id", "run_id", "task_id", "thing")
    show_rows(map(asdict, rows), given.output, columns, empty="nothing was changed")


@NOUN.verb(
    "export", argument("file", nargs="?", default="-", help="file to write; default: standard output"), *_FILTERS
)
def export_audit(given: Namespace) -> None:
    """Write the audit log as JSON lines, newest first, with the objects before and after."""
    lines = [json.dumps(jsonable(row), ensure_ascii=False) for row in _all(given)]
    write_file(given.file, "\n".join(lines), private=True)


def _all(given: Namespace) -> Iterator[dict[str, Any]]:
    filters, before = _filters(given), None
    with database() as store:
        while True:
            with store.read() as tx:
                rows = tx.audit_list(**filters, before_id=before, limit=_PAGE)
            yield from map(asdict, rows)
            if len(rows) < _PAGE:
                return
            before = rows[-1].event_id


def _filters(given: Namespace) -> dict[str, Any]:
    return {
        "actor": given.user,
        "event": given.event,
        "dag_id": given.dag_id,
        "since": instant(given.since) if given.since else None,
        "until": instant(given.until) if given.until else None,
    }
