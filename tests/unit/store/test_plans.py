"""The cost of work does not grow with the history: no statement of the engine reads a whole table that does."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.postgres import temporary_database

from tradewind.domain.task_state import TASK_CHANGES
from tradewind.store import schema
from tradewind.store.dialects.base import Dialect
from tradewind.store.dialects.postgresql import PostgresDialect
from tradewind.store.dialects.sqlite import SqliteDialect
from tradewind.store.queries import (
    asset_log,
    assets,
    backfills,
    dags,
    deadlines,
    hitl,
    inbox,
    limits,
    past,
    retention,
    runs,
    tasks,
    triggers,
    xcoms,
)
from tradewind.store.read import lists
from tradewind.store.sql import SqlStore
from tradewind.store.transitions import runs as run_moves
from tradewind.store.transitions import tasks as task_moves

_GROWING = (
    "asset_event",
    "asset_log",
    "asset_consumed",
    "asset_event_alias",
    "dag_run",
    "task_instance",
    "task_attempt",
    "xcom",
    "dag_version",
    "rendered_fields",
    "trigger_row",
    "hitl_detail",
    "deadline",
)


def statements(d: Dialect) -> dict[str, str]:
    """What the engine and its watchers say again and again, by name."""
    texts = {
        "dag_claim_due": dags.dag_claim_due(d),
        "dag_next_due": dags.dag_next_due(d),
        "dag_list_with_free_slot": dags.dag_list_with_free_slot(d),
        "version_newest": dags.version_newest(d),
        "run_get": runs.run_get(d, True),
        "run_find": runs.run_find(d, True),
        "run_hold": runs.run_hold(d),
        "run_next_queued": runs.run_next_queued(d),
        "run_previous": runs.run_previous(d, True),
        "run_following": runs.run_following(d),
        "run_last_automated": runs.run_last_automated(d),
        "run_newest_finished_states": runs.run_newest_finished_states(d),
        "task_list_of_run": runs.task_list_of_run(d, True),
        "dag_list_startable": run_moves.dag_list_startable(d),
        "run_list_queued_of_dag": run_moves.run_list_queued_of_dag(d),
        "run_start": run_moves.run_start(d),
        "run_take_over": run_moves.run_take_over(d),
        "run_release": run_moves.run_release(d),
        "run_move": run_moves.run_move(d, "succeed"),
        "task_get_many": tasks.task_get_many(d, True),
        "task_by_token": tasks.task_by_token(d, True),
        "task_list_of_agent": tasks.task_list_of_agent(d),
        "task_list_orphaned": tasks.task_list_orphaned(d),
        "attempt_list": tasks.attempt_list(d),
        "attempt_keep": task_moves.attempt_keep(d, "retry", ("ended_at", "due_at")),
        "xcom_drop": task_moves.xcom_drop(d),
        "task_release": task_moves.task_release(d),
        "xcom_find": xcoms.xcom_find(d, False, False),
        "xcom_inputs": xcoms.xcom_inputs(d),
        "xcom_delete": xcoms.xcom_delete(d),
        "inbox_take": inbox.inbox_take(d),
        "asset_topic_lock": asset_log.asset_topic_lock(d),
        "asset_wake_consumers": asset_log.asset_wake_consumers(d),
        "asset_waiting": asset_log.asset_waiting(d),
        "asset_cursor_unread": asset_log.asset_cursor_unread(d, True, False),
        "asset_claim_consumers": asset_log.asset_claim_consumers(d),
        "asset_next_wake": asset_log.asset_next_wake(d),
        "asset_consume": asset_log.asset_consume(d),
        "asset_consumed_by": asset_log.asset_consumed_by(d),
        "asset_consumers_of": asset_log.asset_consumers_of(d),
        "asset_event_list": asset_log.asset_event_list(d, True, False, False, True, True, False),
        "asset_event_list_alias": asset_log.asset_event_list(d, False, False, True, False, False, True),
        "asset_event_get_many": asset_log.asset_event_get_many(d),
        "asset_find": assets.asset_find(d, True, True),
        "run_find_by_client_key": runs.run_find_by_client_key(d),
        "pool_audit": limits.counter_list_wrong(d, "pool"),
        "limit_audit": limits.counter_list_wrong(d, "limit"),
        "runs_audit": limits.counter_list_wrong(d, "runs"),
        "backfill_audit": limits.counter_list_wrong(d, "backfill"),
        "backfill_list_startable": run_moves.backfill_list_startable(d),
        "run_list_queued_of_backfill": run_moves.run_list_queued_of_backfill(d, True),
        "backfill_complete": backfills.backfill_complete(d, True),
        "backfill_count_states": backfills.backfill_count_states(d),
        "deadline_claim": deadlines.deadline_claim(d),
        "deadline_next_due": deadlines.deadline_next_due(d),
        "deadline_list_of_run": deadlines.deadline_list_of_run(d),
        "run_list_lengths": deadlines.run_list_lengths(d),
        "run_list_expired": retention.run_list_expired(d, True, True),
        "inbox_prune": retention.inbox_prune(d),
        "version_prune": retention.version_prune(d),
        "bundle_versions_used": past.bundle_versions_used(d),
        "run_list_window": past.run_list_window(d),
        "run_list": lists.run_list(d, True, False, False, True),
        "run_list_all": lists.run_list(d, False, False, False, True),
        "task_count_states": lists.task_count_states(d),
        "task_list_running": lists.task_list_running(d),
        "xcom_list": lists.xcom_list(d),
        "trigger_forget": triggers.trigger_forget(d),
        "trigger_drop": triggers.trigger_drop(d),
        "trigger_cancel": triggers.trigger_cancel(d),
        "trigger_get_many": triggers.trigger_get_many(d),
        "trigger_list_of": triggers.trigger_list_of(d, "fired"),
        "trigger_fire": triggers.trigger_fire(d),
        "trigger_claim": triggers.trigger_claim(d, False, False),
        "trigger_claim_orphans": triggers.trigger_claim(d, True, False),
        "trigger_list_hosted": triggers.trigger_list_hosted(d),
        "trigger_take_cancelled": triggers.trigger_take_cancelled(d),
        "hitl_list": hitl.hitl_list(d),
        "hitl_list_open": hitl.hitl_list_open(d),
        "hitl_answer": hitl.hitl_answer(d),
    }
    texts |= {
        f"task_move {change}": task_moves.task_move(d, change, rule.sets) for change, rule in TASK_CHANGES.items()
    }
    return texts


def test_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/plans.db"
    schema.migrate(url)
    store = SqlStore(url)
    assert isinstance(store.dialect, SqliteDialect)
    connection = sqlite3.connect(tmp_path / "plans.db")
    scans = {}
    for name, text in statements(store.dialect).items():
        places = dict.fromkeys(re.findall(r"(?<!:):([a-z_]\w*)", text))
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", places)]
        aliases = _aliases(text)
        wrong = [
            step
            for step in plan
            if (found := re.match(r"SCAN (\w+)(?! USING)", step)) and aliases.get(found[1], found[1]) in _GROWING
            if " USING " not in step
        ]
        if wrong:
            scans[name] = wrong
    connection.close()
    store.close()
    assert scans == {}


@pytest.fixture
def postgres() -> Iterator[str]:
    with temporary_database() as url:
        schema.migrate(url)
        yield url


@pytest.mark.postgres
def test_postgresql(postgres: str) -> None:
    store = SqlStore(postgres)
    assert isinstance(store.dialect, PostgresDialect)
    connection = store.dialect.connect()
    connection.prepare_threshold = None
    scans = {}
    for name, text in statements(store.dialect).items():
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
        numbered = text.replace("%%", "%")
        for number, each in enumerate(names, 1):
            numbered = numbered.replace(f"%({each})s", f"${number}")
        connection.execute(f'PREPARE "{name}" AS {numbered}'.encode())
        nothing = f"({', '.join(['NULL'] * len(names))})" if names else ""
        plan = [row[0] for row in connection.execute(f'EXPLAIN EXECUTE "{name}"{nothing}'.encode()).fetchall()]
        wrong = [step.strip() for step in plan if re.search(rf"Seq Scan on ({'|'.join(_GROWING)})\b", step)]
        wrong += [step.strip() for step in plan if "Hash Join" in step or "Merge Join" in step]
        if name.startswith(("task_move", "attempt_keep", "task_release")):
            # Also on a database without statistics: no index of states or tokens may tempt the planner.
            wrong += [step.strip() for step in plan if " on ix_" in step or " using ix_" in step or " uq_" in step]
        if wrong:
            scans[name] = wrong
    connection.close()
    store.close()
    assert scans == {}


def _aliases(text: str) -> dict[str, str]:
    return {alias: table for table, alias in re.findall(r"(?:FROM|JOIN|UPDATE) (\w+)(?: AS)? (\w)\b", text)}


def test_the_test_sees_a_scan() -> None:
    assert _aliases("SELECT 1 FROM dag_run r JOIN xcom AS x ON true") == {"r": "dag_run", "x": "xcom"}
    assert psycopg.__version__
