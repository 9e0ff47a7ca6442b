"""A parsed file becomes DAGs and versions; a deleted one takes its DAGs off the list.

What stays equal writes nothing but the time of the look: a new version is made only when the canonical bytes of the
document differ. A file that fails keeps the last good versions of its DAGs. A DAG id belongs to the file that had it
first, for as long as that file lives and defines it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from msgspec.structs import replace

from tradewind.domain.timetables import timetable_for
from tradewind.ports.rows import DagRow, FileRow, ImportErrorRow, VersionRow
from tradewind.ports.store import Transaction
from tradewind.wire.document import DagDocument, decode_document
from tradewind.wire.errors import InvalidDag, InvalidSchedule

from . import listening
from .asset_publication import publish_assets, retire_assets
from .schedules import following_run

_DETAILS_MAX = 20
"""Problems of one file that are told in full; a generated file may have hundreds."""


class Problem(NamedTuple):
    """What is wrong with a file, or with one DAG of it."""

    message: str
    traceback: str


class ParsedFile(NamedTuple):
    """What loading a file gave."""

    bundle: str
    path: str
    bundle_version: str
    digest: str
    """Of all that decides about the outcome; the file is not loaded again while it stays."""
    source: str
    documents: tuple[bytes, ...]
    """Canonical bytes of its own DAGs."""
    problems: tuple[Problem, ...] = ()
    dependencies: tuple[str, ...] = ()
    parse_seconds: float = 0.0


class Published(NamedTuple):
    """What a publication changed."""

    dags: int
    """Live DAGs of the file afterwards."""
    new_versions: tuple[str, ...] = ()
    """DAG ids."""
    freed: tuple[str, ...] = ()
    """DAG ids the file no longer defines: files that were refused them may have them now."""
    refused: tuple[str, ...] = ()
    """DAG ids another live file has."""
    error: str | None = None
    """First line of the import error."""


def publish_file(
    tx: Transaction, parsed: ParsedFile, now: datetime, new_id: Callable[[], str], *, paused_at_creation: bool
) -> Published:
    """Bring DAGs, versions, import error and file row in line with what the file gave.

    Parameters:
        paused_at_creation: setting core.dags_are_paused_at_creation, for DAGs that do not say.
    """
    before = {row.dag_id: row for row in tx.dag_list_of_file(parsed.bundle, parsed.path)}
    problems = list(parsed.problems)
    news: list[str] = []
    refused: list[str] = []
    changed = False
    defined: set[str] = set()
    for raw in parsed.documents:
        try:
            document = decode_document(raw)
            holder = tx.dag_get(document.dag_id, lock=True)
            if holder is not None and _is_of_other_file(holder, parsed):
                refused.append(document.dag_id)
                problems.append(_taken(document.dag_id, holder, parsed))
                continue
            outcome = _publish_dag(tx, parsed, document, raw, holder, now, new_id, paused_at_creation)
        except (InvalidDag, InvalidSchedule) as wrong:  # compiled by a newer Tradewind, or by user code gone wrong
            problems.append(Problem(str(wrong), f"{parsed.path}: {wrong}"))
            continue
        defined.add(document.dag_id)
        changed |= outcome is not _Outcome.SAME
        if outcome is _Outcome.NEW_VERSION:
            news.append(document.dag_id)
    freed = () if parsed.problems else tuple(sorted(_live(before) - defined - set(refused)))
    if freed:
        tx.dag_set_stale(freed, True)
        retire_assets(tx, freed)
    # A DAG that moved to another file is not ours any more, though nobody had to mark it.
    live = len(defined | (_live(before) if parsed.problems else set()))
    error = _tell_problems(tx, parsed, problems, now)
    tx.file_put(_file_row(parsed, live, now))
    if changed or freed:
        tx.ring("dags")
    if changed or freed or error is not None:
        tx.ring("changes")
    return Published(live, tuple(news), freed, tuple(refused), error)


def forget_file(tx: Transaction, bundle: str, path: str) -> tuple[str, ...]:
    """The file is gone: its DAGs are stale, its import error is cleared; the DAG ids that others may have now."""
    freed = tuple(sorted(_live({row.dag_id: row for row in tx.dag_list_of_file(bundle, path)})))
    if freed:
        tx.dag_set_stale(freed, True)
        retire_assets(tx, freed)
    tx.file_delete(bundle, path)
    tx.ring(*(["dags"] if freed else []), "changes")
    return freed


class _Outcome(Enum):
    """What became of one document."""

    SAME = "same"
    REVIVED = "revived"
    NEW_VERSION = "new version"


def _publish_dag(
    tx: Transaction,
    parsed: ParsedFile,
    document: DagDocument,
    raw: bytes,
    row: DagRow | None,
    now: datetime,
    new_id: Callable[[], str],
    paused_at_creation: bool,
) -> _Outcome:
    newest = tx.version_newest(document.dag_id)
    digest = hashlib.sha256(raw).hexdigest()
    if newest is not None and newest.hash == digest and row is not None and row.version_id == newest.version_id:
        if not row.is_stale:
            tx.dag_put(replace(row, parsed_at=now, bundle_version=parsed.bundle_version, file_digest=parsed.digest))
            return _Outcome.SAME
        version, outcome = newest, _Outcome.REVIVED
    else:
        version = _new_version(parsed, document, raw, digest, newest, now, new_id())
        tx.version_insert(version)
        outcome = _Outcome.NEW_VERSION
    fresh = _dag_row(parsed, document, version, row, now, paused_at_creation)
    tx.dag_put(fresh)
    other_schedule = newest is None or _has_other_schedule(newest, document)
    publish_assets(tx, document, now, paused=fresh.is_paused, other_schedule=other_schedule)
    if row is None or row.is_stale or other_schedule:
        # Only then: an announced run must not move because somebody saved the file again.
        tx.dag_set_next(document.dag_id, following_run(tx, document, now))
    return outcome


def _new_version(
    parsed: ParsedFile,
    document: DagDocument,
    raw: bytes,
    digest: str,
    newest: VersionRow | None,
    now: datetime,
    version_id: str,
) -> VersionRow:
    return VersionRow(
        version_id=version_id,
        dag_id=document.dag_id,
        number=newest.number + 1 if newest is not None else 1,
        hash=digest,
        bundle=parsed.bundle,
        bundle_version=parsed.bundle_version,
        file=parsed.path,
        document=raw,
        source=parsed.source,
        created_at=now,
    )


def _dag_row(
    parsed: ParsedFile,
    document: DagDocument,
    version: VersionRow,
    row: DagRow | None,
    now: datetime,
    paused_at_creation: bool,
) -> DagRow:
    said = document.is_paused_upon_creation
    values: dict[str, Any] = {
        "bundle": parsed.bundle,
        "file": parsed.path,
        "version_id": version.version_id,
        "is_stale": False,
        "description": document.description,
        "display_name": document.display_name,
        "schedule_summary": timetable_for(document.schedule).summary,
        "timezone": document.timezone,
        "tags": document.tags,
        "owners": document.owners,
        "max_active_runs": _active_runs_limit(document),
        "max_consecutive_failed_dag_runs": document.max_consecutive_failed_dag_runs,
        "parsed_at": now,
        "bundle_version": parsed.bundle_version,
        "file_digest": parsed.digest,
        "access": document.access,
    }
    if row is not None:
        return replace(row, **values)
    return DagRow(dag_id=document.dag_id, is_paused=paused_at_creation if said is None else said, **values)


def _active_runs_limit(document: DagDocument) -> int:
    of_schedule = timetable_for(document.schedule).active_runs_limit
    return document.max_active_runs if of_schedule is None else min(document.max_active_runs, of_schedule)


def _has_other_schedule(newest: VersionRow, document: DagDocument) -> bool:
    try:
        old = decode_document(newest.document)
    except InvalidDag:
        return True
    return (old.schedule, old.start_date, old.end_date, old.catchup) != (
        document.schedule,
        document.start_date,
        document.end_date,
        document.catchup,
    )


def _is_of_other_file(holder: DagRow, parsed: ParsedFile) -> bool:
    return not holder.is_stale and (holder.bundle, holder.file) != (parsed.bundle, parsed.path)


def _taken(dag_id: str, holder: DagRow, parsed: ParsedFile) -> Problem:
    message = (
        f"DAG id {dag_id!r} is used by two files: {holder.file} had it first, so that of {parsed.path} is not taken; "
        "give one of them another dag_id"
    )
    return Problem(message, message)


def _live(rows: dict[str, DagRow]) -> set[str]:
    return {dag_id for dag_id, row in rows.items() if not row.is_stale}


def _tell_problems(tx: Transaction, parsed: ParsedFile, problems: Sequence[Problem], now: datetime) -> str | None:
    if not problems:
        tx.import_error_clear(parsed.bundle, parsed.path)
        return None
    message = problems[0].message
    if len(problems) > 1:
        message += f" (and {len(problems) - 1} more)"
    text = "\n\n".join(problem.traceback for problem in problems[:_DETAILS_MAX])
    for hook in ("on_new_dag_import_error", "on_existing_dag_import_error"):
        if listening.listens(hook):
            known = any((one.bundle, one.path) == (parsed.bundle, parsed.path) for one in tx.list_import_errors())
            if known == (hook == "on_existing_dag_import_error"):
                facts = {"filename": parsed.path, "stacktrace": text}
                listening.tell(tx, hook, f"{parsed.bundle}/{parsed.path}/{now.isoformat()}", facts, now)
    tx.import_error_put(ImportErrorRow(bundle=parsed.bundle, path=parsed.path, message=message, traceback=text, at=now))
    return message


def _file_row(parsed: ParsedFile, dags: int, now: datetime) -> FileRow:
    return FileRow(
        bundle=parsed.bundle,
        path=parsed.path,
        digest=parsed.digest,
        bundle_version=parsed.bundle_version,
        parsed_at=now,
        parse_seconds=parsed.parse_seconds,
        dag_count=dags,
        imported=parsed.dependencies,
    )
