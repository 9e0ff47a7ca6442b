"""Versions of a DAG: which there are, what its file said, and what changed between two of them."""

from __future__ import annotations

import difflib
from typing import Any

import msgspec

from tradewind.ports.rows import VersionRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument, decode_document
from tradewind.wire.errors import NotFound

from .runs import require_dag

_QUIET = frozenset({"format", "code_digest", "tasks", "groups", "edge_labels"})
_CONTEXT_LINES = 3


class FieldChange(msgspec.Struct, frozen=True):
    """A field that differs; `before` and `after` are plain data, absent ones None."""

    field: str
    before: Any
    after: Any


class ThingChange(msgspec.Struct, frozen=True):
    """A task or group that differs."""

    id: str
    fields: tuple[FieldChange, ...]


class VersionDiff(msgspec.Struct, frozen=True):
    """What changed from one version to another."""

    dag_id: str
    before: int
    after: int
    fields: tuple[FieldChange, ...]
    """Of the DAG itself."""
    tasks_added: tuple[str, ...]
    tasks_removed: tuple[str, ...]
    tasks_changed: tuple[ThingChange, ...]
    edges_added: tuple[tuple[str, str], ...]
    """(upstream, downstream), between tasks of both versions too."""
    edges_removed: tuple[tuple[str, str], ...]
    groups_added: tuple[str, ...]
    groups_removed: tuple[str, ...]
    groups_changed: tuple[ThingChange, ...]
    source: str
    """Unified diff of the DAG file."""
    code_only: bool
    """Nothing of the DAG's shape differs: only code does."""


def require_version(tx: Transaction, dag_id: str, number: int | None = None) -> VersionRow:
    """A version by its number; None: the newest. Raises `NotFound`."""
    require_dag(tx, dag_id)
    row = tx.version_newest(dag_id) if number is None else tx.version_find(dag_id, number)
    if row is None:
        which = f"version {number}" if number is not None else "versions"
        raise NotFound(f"DAG {dag_id!r} has no {which}; `tradewind dags versions {dag_id}` lists them")
    return row


def diff_versions(tx: Transaction, dag_id: str, before: int, after: int | None = None) -> VersionDiff:
    """What changed between two versions, `after` None: the newest. Raises `NotFound`."""
    old, new = require_version(tx, dag_id, before), require_version(tx, dag_id, after)
    return diff_rows(old, new)


def diff_rows(old: VersionRow, new: VersionRow) -> VersionDiff:
    """As `diff_versions`, of two rows."""
    first, second = decode_document(old.document), decode_document(new.document)
    tasks = _things(_by_id(first, "tasks", "task_id"), _by_id(second, "tasks", "task_id"), frozenset({"upstream"}))
    groups = _things(_by_id(first, "groups", "group_id"), _by_id(second, "groups", "group_id"), frozenset())
    fields = _fields(msgspec.to_builtins(first), msgspec.to_builtins(second), _QUIET)
    edges_before, edges_after = _edges(first), _edges(second)
    found = VersionDiff(
        dag_id=new.dag_id,
        before=old.number,
        after=new.number,
        fields=fields,
        tasks_added=tasks[0],
        tasks_removed=tasks[1],
        tasks_changed=tasks[2],
        edges_added=tuple(sorted(edges_after - edges_before)),
        edges_removed=tuple(sorted(edges_before - edges_after)),
        groups_added=groups[0],
        groups_removed=groups[1],
        groups_changed=groups[2],
        source=_source(old, new),
        code_only=False,
    )
    return msgspec.structs.replace(found, code_only=_is_code_only(found))


def _is_code_only(diff: VersionDiff) -> bool:
    shape = (
        diff.fields, diff.tasks_added, diff.tasks_removed, diff.tasks_changed, diff.edges_added, diff.edges_removed,
        diff.groups_added, diff.groups_removed, diff.groups_changed,
    )  # fmt: skip
    return not any(shape)


def _things(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], quiet: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[ThingChange, ...]]:
    """Added, removed, changed."""
    changed = (ThingChange(each, _fields(before[each], after[each], quiet)) for each in sorted(before.keys() & after))
    return (
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(change for change in changed if change.fields),
    )


def _by_id(document: DagDocument, field: str, key: str) -> dict[str, dict[str, Any]]:
    return {each[key]: each for each in msgspec.to_builtins(getattr(document, field))}


def _fields(before: dict[str, Any], after: dict[str, Any], quiet: frozenset[str]) -> tuple[FieldChange, ...]:
    names = sorted((before.keys() | after.keys()) - quiet)
    return tuple(
        FieldChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _edges(document: DagDocument) -> set[tuple[str, str]]:
    return {(upstream, task.task_id) for task in document.tasks for upstream in task.upstream}


def _source(old: VersionRow, new: VersionRow) -> str:
    lines = difflib.unified_diff(
        old.source.splitlines(),
        new.source.splitlines(),
        f"{old.file} (version {old.number})",
        f"{new.file} (version {new.number})",
        lineterm="",
        n=_CONTEXT_LINES,
    )
    return "\n".join(lines)
