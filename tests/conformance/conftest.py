"""Databases for the exam: copies of a migrated SQLite file; one PostgreSQL database per worker, emptied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.postgres import temporary_database

from tradewind.store import schema
from tradewind.store.dialects.postgresql import conninfo_of_url
from tradewind.store.tables import METADATA


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file."""
    path = tmp_path_factory.mktemp("template") / "tradewind.db"
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
    """URL of a fresh database of the test."""
    path = tmp_path / "tradewind.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """URL of this worker's database, emptied."""
    tables = [name for name in METADATA.tables if name != "pool"]
    with psycopg.connect(conninfo_of_url(postgres_database), autocommit=True) as connection:
        connection.execute(
            "; ".join(
                [f"DELETE FROM {name}" for name in tables]
                + ["DELETE FROM pool WHERE name <> 'default_pool'", "UPDATE pool SET slots = 128, used = 0"]
            )
        )
    return postgres_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, one after another of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
