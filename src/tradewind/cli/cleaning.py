"""`tradewind db clean|export-archived|drop-archived`: old history out of the database."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import OUTPUT, YES, argument
from tradewind.cli.output import show_rows
from tradewind.cli.world import CLOCK, confirm, database, instant, settings
from tradewind.wire.errors import BadInput

if TYPE_CHECKING:
    from tradewind.ports.store import Store

_RUNS = ("dag_run", "task_instance", "task_attempt", "xcom", "rendered_fields", "deadline")
_OTHERS = {
    "log": "audit_log",
    "audit_log": "audit_log",
    "callback_request": "callbacks",
    "callbacks": "callbacks",
    "backfill": "backfills",
    "backfills": "backfills",
}
_DROP_MAX = 5000
CLEAN = (
    argument("--before", "--clean-before-timestamp", required=True, help="an ISO instant: what ended before it goes"),
    argument("--dag-ids", help="only runs of these DAGs: ids or patterns, with commas between"),
    argument("--exclude-dag-ids", help="not runs of these DAGs"),
    argument(
        "-t",
        "--tables",
        help="with commas between: runs (with all that belongs to them), audit_log, callbacks, backfills; default: all",
    ),
    argument("--skip-archive", action="store_true", help="do not keep what is deleted of runs in the table archive"),
    argument("--dry-run", action="store_true", help="only say what would be deleted"),
    YES,
    OUTPUT,
)
EXPORT = (
    argument("--output-path", type=Path, required=True, help="a folder that exists"),
    argument("--export-format", choices=("csv", "json"), default="csv", help="csv (default), or a JSON object a line"),
    argument("-t", "--tables", help="only these, with commas between"),
    argument("--drop-archives", action="store_true", help="delete from the archive what was written"),
    YES,
)
DROP = (argument("-t", "--tables", help="only these, with commas between"), YES)


def clean(given: Namespace) -> None:
    """Delete history from before an instant: runs that are over with all that belongs to them, and old logs of deeds.

    The newest run of each DAG, and its newest scheduled one, stay. Deletes in small pieces; may run beside everything.
    """
    from tradewind.commands.retention import chosen_dags, count_expired

    before, now = instant(given.before), CLOCK.now()
    if before > now:
        raise BadInput(f"--before {before.isoformat()} is in the future")
    runs, others = _chosen(given.tables)
    with database() as store:
        with store.read() as tx:
            dag_ids = chosen_dags(tx, _words(given.dag_ids), _words(given.exclude_dag_ids)) if runs else []
            counts = count_expired(tx, dag_ids, before)
        facts = [{"dag_id": dag_id, "runs": each[0], "tasks": each[1]} for dag_id, each in counts.items()]
        if given.dry_run:
            show_rows(facts, given.output, empty="there is nothing to delete")
            return
        total = sum(each[0] for each in counts.values())
        confirm(f"Delete {total} runs of {len(counts)} DAGs from before {before.isoformat()} for good?", given.yes)
        deleted = sum(_clean_dag(store, dag_id, given) for dag_id in counts)
        gone = _clean_others(store, given, others)
    said = "".join(f", {count} of {name}" for name, count in gone.items() if count)
    print(f"{deleted} runs are deleted{said}")


def export_archived(given: Namespace) -> None:
    """Write what was archived to files, one a table."""
    if not given.output_path.is_dir():
        raise BadInput(f"{given.output_path} is no folder")
    with database() as store:
        with store.read() as tx:
            counts = tx.archive_count()
        wanted = [source for source in counts if not given.tables or source in _words(given.tables)]
        if given.drop_archives and wanted:
            confirm(f"Delete {sum(counts[each] for each in wanted)} rows from the archive afterwards?", given.yes)
        for source in wanted:
            target = given.output_path / f"{source}.{given.export_format}"
            written = _write(target, given.export_format, _archived(store, source))
            print(f"{target}: {written} rows")
        if given.drop_archives:
            _drop(store, wanted)
    if not wanted:
        print("the archive is empty")


def drop_archived(given: Namespace) -> None:
    """Delete what was archived."""
    with database() as store:
        with store.read() as tx:
            counts = tx.archive_count()
        wanted = [source for source in counts if not given.tables or source in _words(given.tables)]
        total = sum(counts[source] for source in wanted)
        if total:
            confirm(f"Delete {total} archived rows for good?", given.yes)
            _drop(store, wanted)
    print(f"{total} archived rows are deleted")


def _clean_dag(store: Store, dag_id: str, given: Namespace) -> int:
    from tradewind.commands.retention import clean_runs
    from tradewind.maintenance.retention import remove_logs

    before, deleted, found = instant(given.before), 0, settings()
    while True:
        with store.begin() as tx:
            piece = clean_runs(tx, dag_id, before, CLOCK.now(), archive=not given.skip_archive)
        if found.retention.logs and given.skip_archive:
            remove_logs(found.logs.folder, piece.runs)
        deleted += len(piece.runs)
        if not piece.more:
            return deleted


def _clean_others(store: Store, given: Namespace, wanted: set[str]) -> dict[str, int]:
    from tradewind.commands.retention import ROWS_MAX, prune_others

    total: dict[str, int] = dict.fromkeys(sorted(wanted), 0)
    more = bool(wanted)
    while more:
        with store.begin() as tx:
            gone = prune_others(tx, instant(given.before), only=wanted)
        for name, count in gone.items():
            total[name] += count
        more = any(count >= ROWS_MAX for count in gone.values())
    return total


def _chosen(tables: str | None) -> tuple[bool, set[str]]:
    """Whether runs are meant, and which others."""
    if not tables:
        return True, set(_OTHERS.values())
    words = _words(tables)
    for word in words:
        if word not in ("runs", *_RUNS, *_OTHERS):
            raise BadInput(f"--tables knows no {word!r}; there are runs, audit_log, callbacks, backfills")
    return any(word in ("runs", *_RUNS) for word in words), {_OTHERS[word] for word in words if word in _OTHERS}


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _archived(store: Store, source: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        with store.read() as tx:
            page = tx.archive_list(source, after=after)
        if not page:
            return
        after = page[-1].line
        yield from (row.payload for row in page)


def _write(target: Path, form: str, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    try:
        with target.open("w", encoding="utf-8", newline="") as out:
            table: Any = None
            for row in rows:
                count += 1
                if form == "json":
                    out.write(json.dumps(row) + "\n")
                    continue
                if table is None:
                    table = csv.DictWriter(out, list(row), extrasaction="ignore")
                    table.writeheader()
                table.writerow({name: _cell(value) for name, value in row.items()})
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}") from error
    return count


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _drop(store: Store, sources: list[str]) -> None:
    dropped = _DROP_MAX
    while sources and dropped >= _DROP_MAX:
        with store.begin() as tx:
            dropped = tx.archive_drop(sources, _DROP_MAX)
