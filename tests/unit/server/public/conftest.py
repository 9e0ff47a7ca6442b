"""A world on each kind of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.postgres import temporary_database
from tests.unit.server.public.world import World

from tradewind.store import schema
from tradewind.store.dialects.postgresql import conninfo_of_url
from tradewind.store.tables import METADATA


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, copied by each test."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    schema.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """URL of this worker's migrated database."""
    with temporary_database() as url:
        schema.migrate(url)
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "tradewind.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """The same database, emptied."""
    tables = [name for name in METADATA.tables if name != "pool"]
    statements = [f"DELETE FROM {name}" for name in tables]
    statements += ["DELETE FROM pool WHERE name <> 'default_pool'", "UPDATE pool SET slots = 128, used = 0"]
    with psycopg.connect(conninfo_of_url(postgres_database), autocommit=True) as connection:
        connection.execute("; ".join(statements))
    return postgres_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
    world = World(tmp_path, url)
    yield world
    world.close()
