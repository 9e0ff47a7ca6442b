"""Keeping history short: what is too old, or too much, is deleted in small pieces.

Each call is one transaction with a bounded number of rows; the caller repeats until nothing is left. What lives, the
newest run of a DAG and its newest scheduled run are never touched.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tradewind.ports.rows import RunRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, InvalidSetting
from tradewind.wire.states import LIVE_RUN_STATES

ROWS_MAX = 1000
"""Task instances that one piece deletes at most, so that nobody waits for a lock for long."""
_RUNS_MAX = 100
OTHERS = ("audit_log", "callbacks", "backfills", "asset_events")


class Policy(msgspec.Struct, frozen=True):
    """How long runs of a DAG are kept; None: no bound."""

    age: timedelta | None = None
    keep: int | None = None

    @property
    def keeps_all(self) -> bool:
        return self.age is None and self.keep is None


class Policies(msgspec.Struct, frozen=True):
    """The policy of each DAG."""

    general: Policy
    by_pattern: tuple[tuple[str, Policy], ...] = ()

    def of(self, dag_id: str) -> Policy:
        """The first pattern that fits counts, else the general one."""
        return next(
            (policy for pattern, policy in self.by_pattern if fnmatch.fnmatchcase(dag_id, pattern)), self.general
        )


class Piece(msgspec.Struct, frozen=True):
    """What one transaction deleted."""

    runs: tuple[RunRow, ...] = ()
    rows: int = 0
    """Task instances."""
    urls: tuple[str, ...] = ()
    """Values of them that lie outside of the database."""
    more: bool = False
    """There may be more to delete."""


def read_policies(days: float, keep: int, dags: str) -> Policies:
    """Policies as the settings of section `retention` say them.

    Raises:
        InvalidSetting: `dags` is no object of patterns.
    """
    general = Policy(timedelta(days=days) if days else None, keep or None)
    if not dags.strip():
        return Policies(general)
    try:
        found = json.loads(dags)
        pairs = [(str(pattern), _policy(said)) for pattern, said in found.items()]
    except (ValueError, AttributeError, TypeError) as error:
        example = '{"ticks_*": {"days": 7, "keep": 1000}}'
        raise InvalidSetting(f"retention.dags must be a JSON object such as {example}: {error}") from None
    return Policies(general, tuple(pairs))


def prune_runs(tx: Transaction, dag_id: str, policy: Policy, now: datetime, *, archive: bool = False) -> Piece:
    """Delete some runs of a DAG that are older than its policy allows, or more."""
    if policy.keeps_all:
        return Piece()
    before = now - policy.age if policy.age is not None else None
    return _delete(tx, tx.run_list_expired(dag_id, before, policy.keep, _RUNS_MAX), now, archive)


def clean_runs(tx: Transaction, dag_id: str, before: datetime, now: datetime, *, archive: bool = True) -> Piece:
    """Delete some runs of a DAG that ended before an instant."""
    return _delete(tx, tx.run_list_expired(dag_id, before, None, _RUNS_MAX), now, archive)


def count_expired(tx: Transaction, dag_ids: Sequence[str], before: datetime) -> dict[str, tuple[int, int]]:
    """What `clean_runs` would delete: runs and task instances by DAG."""
    found: dict[str, tuple[int, int]] = {}
    for dag_id in dag_ids:
        runs = tasks = 0
        after: str | None = None
        while page := tx.run_list_expired(dag_id, before, None, _RUNS_MAX, after):
            after = page[-1].run_key
            runs += len(page)
            counts = tx.count_task_states([run.run_key for run in page])
            tasks += sum(sum(states.values()) for states in counts.values())
        if runs:
            found[dag_id] = (runs, tasks)
    return found


def prune_others(
    tx: Transaction, before: datetime, limit: int = ROWS_MAX, *, only: Collection[str] = OTHERS
) -> dict[str, int]:
    """Delete some of the audit log, of delivered callbacks, of completed backfills and of events of assets that
    everyone has read, from before an instant."""
    ways = {
        "audit_log": tx.audit_prune,
        "callbacks": tx.outbox_prune,
        "backfills": tx.backfill_prune,
        "asset_events": tx.asset_prune,
    }
    return {name: prune(before, limit) for name, prune in ways.items() if name in only}


def chosen_dags(tx: Transaction, dag_ids: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    """Ids of the DAGs that are meant, of all when none is named; patterns are allowed.

    Raises:
        BadInput: a name fits no DAG.
    """
    known = [dag.dag_id for dag in tx.list_dags(include_stale=True, limit=1_000_000)]
    for pattern in dag_ids:
        if not fnmatch.filter(known, pattern):
            raise BadInput(f"no DAG is called {pattern!r}")
    wanted = [each for each in known if not dag_ids or any(fnmatch.fnmatchcase(each, p) for p in dag_ids)]
    return [each for each in wanted if not any(fnmatch.fnmatchcase(each, pattern) for pattern in exclude)]


def _policy(said: Mapping[str, float | int]) -> Policy:
    unknown = set(said) - {"days", "keep"}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is neither days nor keep")
    days, keep = float(said.get("days", 0)), int(said.get("keep", 0))
    if days < 0 or keep < 0:
        raise ValueError("days and keep must not be negative")
    return Policy(timedelta(days=days) if days else None, keep or None)


def _delete(tx: Transaction, candidates: Sequence[RunRow], now: datetime, archive: bool) -> Piece:
    if not candidates:
        return Piece()
    counts = tx.count_task_states([run.run_key for run in candidates])
    sizes = {run_key: sum(states.values()) for run_key, states in counts.items()}
    first = candidates[0]
    if sizes.get(first.run_key, 0) > ROWS_MAX and not archive:
        return _delete_giant(tx, first)
    chosen: list[RunRow] = []
    rows = 0
    for run in candidates:
        size = sizes.get(run.run_key, 0)
        if chosen and rows + size > ROWS_MAX:
            break
        locked = tx.run_get(run.run_key, lock=True)
        if locked is None or locked.state in LIVE_RUN_STATES or locked.ended_at != run.ended_at:
            continue  # a person let it run again in the meantime
        chosen.append(run)
        rows += size
    if not chosen:
        return Piece(more=False)
    keys = [run.run_key for run in chosen]
    if archive:
        tx.run_archive(keys, now)
    urls = tuple(tx.xcom_list_urls(keys))
    tx.run_delete(keys)
    return Piece(tuple(chosen), rows, urls, more=True)


def _delete_giant(tx: Transaction, run: RunRow) -> Piece:
    """A run of very many instances goes piece by piece, itself last."""
    locked = tx.run_get(run.run_key, lock=True)
    if locked is None or locked.state in LIVE_RUN_STATES:
        return Piece()
    return Piece((), tx.run_delete_some_tasks(run.run_key, ROWS_MAX), (), more=True)
