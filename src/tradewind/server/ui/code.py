"""The code of a DAG by version."""

from __future__ import annotations

from typing import Any

from tradewind.ports.ui_reads import UiTransaction
from tradewind.wire.errors import NotFound

from .home import milliseconds


def code(tx: UiTransaction, dag_id: str, number: str | None) -> dict[str, Any]:
    """The file of one version; the newest when no number is given. Raises `NotFound`."""
    for row in tx.list_versions(dag_id, 1000):
        if number is None or str(row.number) == number:
            return {
                "number": row.number,
                "version": row.version_id,
                "file": row.file,
                "bundle": row.bundle,
                "bundle_version": row.bundle_version,
                "at": milliseconds(row.created_at),
                "source": row.source,
            }
    raise NotFound(f"DAG {dag_id!r} has no version {number or ''}".rstrip())


def versions(tx: UiTransaction, dag_id: str) -> dict[str, Any]:
    """All versions, newest first."""
    return {
        "versions": [
            {
                "number": row.number,
                "version": row.version_id,
                "hash": row.hash[:12],
                "bundle_version": row.bundle_version,
                "at": milliseconds(row.created_at),
                "file": row.file,
            }
            for row in tx.list_versions(dag_id, 200)
        ]
    }
