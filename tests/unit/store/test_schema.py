"""Rows, tables, migrations and both databases agree on the schema."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from tests.postgres import temporary_database

from tradewind.kernel.ids import uuid7
from tradewind.store import open_store, prepare_schema, schema
from tradewind.store.codec import CODECS, Codec
from tradewind.store.dialects.admin import schema_transaction
from tradewind.store.schema_head import HEAD, find_revision
from tradewind.store.tables import METADATA
from tradewind.wire.errors import BadInput, Conflict, Unavailable

_CATALOGUES = {
    "sqlite": "SELECT name, type || ' ' || sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT table_name || '.' || column_name,
            concat_ws(' ', data_type, collation_name, is_nullable, column_default, is_identity)
            FROM information_schema.columns WHERE table_schema = 'public'""",
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database that is not there yet, or empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    with temporary_database() as url:
        yield url


def catalogue(url: str) -> dict[str, list[str]]:
    """What the database itself says of its schema, by name."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.execute(text(_CATALOGUES[engine.dialect.name])).fetchall()
    return {name: _parts(what) for name, what in found if "alembic_version" not in name}


def _parts(what: str) -> list[str]:
    """A definition without its line breaks; the order of columns and constraints does not matter: a later migration
    adds columns behind them.
    """
    head, opened, body = " ".join(what.split()).strip().removesuffix(")").partition("(")
    parts, depth = [""], 0
    for letter in body:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [head.strip() + opened, *sorted(part.strip() for part in parts)]


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.table)
def test_a_table_has_the_columns_of_its_row(codec: Codec[Any]) -> None:
    assert tuple(METADATA.tables[codec.table].columns.keys()) == codec.columns


def test_migrations_arrive_at_the_tables(url: str, tmp_path: Path) -> None:
    schema.migrate(url)
    migrated = catalogue(url)
    if url.startswith("sqlite"):
        _create_all(f"sqlite:///{tmp_path}/tables.db")
        described = catalogue(f"sqlite:///{tmp_path}/tables.db")
    else:
        with temporary_database() as other:
            _create_all(other)
            described = catalogue(other)
    assert migrated == described


def _create_all(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    METADATA.create_all(engine)
    engine.dispose()


def test_migrate_check_and_reset(url: str) -> None:
    assert schema.check(url) == schema.SchemaState(found=None, needed=HEAD)
    assert not schema.migrate(url, default_pool_slots=7).is_current
    assert schema.migrate(url, default_pool_slots=9).is_current
    assert schema.check(url).is_current
    store = open_store(url)
    with store.begin() as tx:
        pool = tx.pool_get("default_pool")
        assert pool is not None
        assert pool.slots == 7
        tx.pool_put("etl", 1)
    store.close()
    schema.reset(url, default_pool_slots=9)
    store = open_store(url)
    with store.read() as tx:
        assert [(row.name, row.slots) for row in tx.pool_list()] == [("default_pool", 9)]
    store.close()


def test_prepare_only_what_is_needed(url: str) -> None:
    assert prepare_schema(url)
    assert not prepare_schema(url)
    store = open_store(url)
    assert find_revision(store) == HEAD
    store.close()


def test_several_processes_migrate_at_once(url: str) -> None:
    states: list[schema.SchemaState] = []
    threads = [threading.Thread(target=lambda: states.append(schema.migrate(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(state.is_current for state in states) == [False, True, True, True]


_OF_THE_FIRST_SCHEMA = (
    """INSERT INTO dag_file (bundle, path, digest, bundle_version, dag_count)
       VALUES ('local', 'a.py', 'd1', 't1', 1), ('local', 'b.py', 'd2', 't1', 1)""",
    "INSERT INTO import_error VALUES ('local', 'b.py', 'message', 'traceback', :at)",
    """INSERT INTO dag (dag_id, bundle, file, version_id, is_paused, is_stale, schedule_summary, timezone, tags, owners,
                        max_active_runs, max_consecutive_failed_dag_runs, runs_active)
       VALUES ('a', 'local', 'a.py', :id, false, false, '', 'UTC', '[]', '[]', 1, 0, 0),
              ('b', 'local', 'b.py', :id, false, false, '', 'UTC', '[]', '[]', 1, 0, 0)""",
)


def test_dags_of_the_first_schema_get_new_trees_too(url: str) -> None:
    with schema_transaction(url) as connection:
        command.upgrade(schema._config(connection), "0001")
        for statement in _OF_THE_FIRST_SCHEMA:
            connection.execute(text(statement), {"at": _long_ago(url), "id": str(uuid7())})
    schema.migrate(url)
    store = open_store(url)
    with store.begin() as tx:
        tx.dag_move_trees("local", "t2", [("a.py", "d1"), ("b.py", "d2")])
        assert {row.dag_id: row.bundle_version for row in tx.list_dags()} == {"a": "t2", "b": None}
    store.close()


def _long_ago(url: str) -> object:
    return 0 if url.startswith("sqlite") else datetime(2026, 1, 1, tzinfo=UTC)


def test_a_schema_of_a_newer_program(url: str) -> None:
    schema.migrate(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for look in (schema.check, schema.migrate):
        with pytest.raises(Conflict, match="newer Tradewind"):
            look(url)


def test_the_newest_migration_is_the_head() -> None:
    names = sorted(path.name for path in (Path(schema.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
    assert names[-1].startswith(HEAD)


@pytest.mark.parametrize("url", ["mysql://here/x", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_a_url_of_no_database(url: str) -> None:
    with pytest.raises(BadInput, match=r"database\.url"):
        schema.migrate(url)
    with pytest.raises(BadInput, match=r"database\.url"):
        open_store(url)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((Unavailable, OSError), match="file"):
        schema.migrate(f"sqlite:///{tmp_path}/file/tradewind.db")


@pytest.mark.postgres
def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(Unavailable, match=r"nowhere at 127\.0\.0\.1:1"):
        schema.migrate("postgresql://somebody:very-secret@127.0.0.1:1/nowhere")
