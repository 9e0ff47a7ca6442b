"""`tradewind dags versions|source|diff`: versions of a DAG."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import OUTPUT, argument
from tradewind.cli.output import show_document, show_rows
from tradewind.cli.world import database

if TYPE_CHECKING:
    from tradewind.commands.versions import ThingChange, VersionDiff

_DAG_ID = argument("dag_id", help="id of the DAG")
_VALUE_LENGTH_MAX = 60
VERSIONS = (_DAG_ID, argument("-n", "--limit", type=int, default=25, help="how many (default 25)"), OUTPUT)
SOURCE = (_DAG_ID, argument("number", nargs="?", type=int, help="number of the version (default: the newest)"))
DIFF = (
    _DAG_ID,
    argument("before", nargs="?", type=int, help="number of a version (default: the one before the newest)"),
    argument("after", nargs="?", type=int, help="number of another (default: the newest)"),
    argument("--source", action="store_true", help="only the text of the file"),
    OUTPUT,
)


def versions(given: Namespace) -> None:
    """List the versions of a DAG, newest first."""
    from tradewind.commands.runs import require_dag

    with database() as store, store.read() as tx:
        require_dag(tx, given.dag_id)
        rows = tx.list_versions(given.dag_id, given.limit)
    facts = (
        {
            "number": row.number,
            "created_at": row.created_at,
            "bundle": row.bundle,
            "bundle_version": row.bundle_version,
            "file": row.file,
            "hash": row.hash,
        }
        for row in rows
    )
    show_rows(facts, given.output, ("number", "created_at", "bundle", "bundle_version"), "it has no versions")


def source(given: Namespace) -> None:
    """Print the DAG file as it was."""
    from tradewind.commands.versions import require_version

    with database() as store, store.read() as tx:
        row = require_version(tx, given.dag_id, given.number)
    sys.stdout.write(row.source if row.source.endswith("\n") else row.source + "\n")


def diff(given: Namespace) -> None:
    """Show what changed between two versions: tasks, arrows, settings, and the text of the file."""
    import msgspec

    from tradewind.commands.versions import diff_versions, require_version

    with database() as store, store.read() as tx:
        before = given.before or max(1, require_version(tx, given.dag_id).number - 1)
        found = diff_versions(tx, given.dag_id, before, given.after)
    if given.output in ("json", "yaml"):
        show_document(msgspec.to_builtins(found), given.output)
        return
    if not given.source:
        print("\n".join(_lines(found)) + "\n")
    print(found.source)


def _lines(found: VersionDiff) -> list[str]:
    lines = [f"DAG {found.dag_id}: version {found.before} → {found.after}"]
    if found.code_only:
        return [*lines, "only code differs"]
    lines += [_changed("", each.field, each.before, each.after) for each in found.fields]
    lines += [f"+ task {task_id}" for task_id in found.tasks_added]
    lines += [f"- task {task_id}" for task_id in found.tasks_removed]
    lines += _things("task", found.tasks_changed)
    lines += [f"+ {upstream} >> {downstream}" for upstream, downstream in found.edges_added]
    lines += [f"- {upstream} >> {downstream}" for upstream, downstream in found.edges_removed]
    lines += [f"+ group {group_id}" for group_id in found.groups_added]
    lines += [f"- group {group_id}" for group_id in found.groups_removed]
    return lines + _things("group", found.groups_changed)


def _things(kind: str, changes: tuple[ThingChange, ...]) -> list[str]:
    return [
        _changed(f"{kind} {change.id}: ", each.field, each.before, each.after)
        for change in changes
        for each in change.fields
    ]


def _changed(head: str, field: str, before: Any, after: Any) -> str:
    return f"~ {head}{field}: {_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= _VALUE_LENGTH_MAX else text[: _VALUE_LENGTH_MAX - 1] + "…"
