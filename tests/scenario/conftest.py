"""Installations for scenarios: one shared by the tests of a module, and fresh ones for tests that break things."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.postgres import temporary_database
from tests.scenario.installation import Installation

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@contextmanager
def installation(database: str, folder: Path, **settings: str) -> Iterator[Installation]:
    """A fresh installation, not started."""
    if database == "sqlite":
        made = Installation(folder, **settings)
        try:
            yield made
        finally:
            made.abandon()
        return
    with temporary_database() as url:
        made = Installation(folder, url, **settings)
        try:
            yield made
        finally:
            made.abandon()


@pytest.fixture(scope="module", params=DATABASES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that runs, shared by the tests of a module."""
    with installation(request.param, tmp_path_factory.mktemp("running")) as made:
        made.start()
        yield made
        assert made.stop() == 0, made.story()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """An installation on SQLite that has not been started."""
    with installation("sqlite", tmp_path) as made:
        yield made
