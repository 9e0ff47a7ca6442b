"""A home with a migrated database, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tradewind.cli.main import main
from tradewind.commands.publication import ParsedFile, publish_file
from tradewind.kernel.ids import uuid7
from tradewind.kernel.settings import load_settings
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.loading import load_dag_file
from tradewind.store import open_store
from tradewind.store.sql import SqlStore
from tradewind.wire.document import encode_document

NOW = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)


class Said(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TRADEWIND_HOME of the test; nothing is in it yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TRADEWIND_HOME", str(folder))
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line; checks the exit code, unless it is None."""

    def run(*words: str, code: int | None = 0) -> Said:
        capsys.readouterr()
        found = main(list(words))
        out, err = capsys.readouterr()
        assert code is None or found == code, f"{words}: exit code {found}\n{out}{err}"
        return Said(found, out, err)

    return run


@pytest.fixture
def database(cli: Cli) -> Any:
    """The store of a migrated home."""
    cli("db", "migrate")
    store = open_store(load_settings().database)
    yield store
    store.close()


@pytest.fixture
def dags_folder(home: Path) -> Path:
    folder = home / "dags"
    folder.mkdir(parents=True)
    return folder


def publish(store: SqlStore, folder: Path, name: str, source: str) -> None:
    """Save a DAG file and publish its DAGs as the processor would."""
    (folder / name).write_text(source)
    loaded = load_dag_file(folder / name, bundle_root=folder, module_name=f"published_{name[:-3]}")
    assert not loaded.errors, loaded.errors
    documents = tuple(encode_document(compile_dag(dag, file=name)) for dag in loaded.dags.values())
    parsed = ParsedFile("dags", name, "v1", "digest", source, documents)
    with store.begin() as tx:
        publish_file(tx, parsed, NOW, lambda: str(uuid7()), paused_at_creation=False)
