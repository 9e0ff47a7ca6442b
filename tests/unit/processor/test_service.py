"""The processor with real files, a real parse host and a store in memory: what a person who saves files sees."""

from __future__ import annotations

import os
import shutil
import signal
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tradewind.adapters.bundles import LocalBundle
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.service import ServiceState
from tradewind.kernel.settings import load_settings
from tradewind.ports.rows import FileRow, VersionRow
from tradewind.ports.store import Transaction
from tradewind.processor.service import ProcessorService
from tradewind.runtime.processes import descendants
from tradewind.store.memory import MemoryStore
from tradewind.wire.errors import Unavailable
from tradewind.wire.telemetry import DagParsed, TelemetryEvent

BUNDLE = "dags-folder"
PATIENCE_SECONDS = 60.0


def dag_text(dag_id: str, extra: str = "") -> str:
    return textwrap.dedent(
        f"""
        from tradewind import dag, task
        {extra}

        @dag(dag_id={dag_id!r}, schedule="@daily")
        def made():
            @task
            def one():
                return 1
            one()

        made()
        """
    )


class Heard:
    """Telemetry that remembers which files were loaded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.parsed: list[DagParsed] = []

    def emit(self, event: TelemetryEvent) -> None:
        assert isinstance(event, DagParsed)
        with self._changed:
            self.parsed.append(event)
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.parsed) >= count, PATIENCE_SECONDS), self.parsed

    @property
    def files(self) -> list[str]:
        return [event.file for event in self.parsed]


class Site:
    """A home with a DAGs folder, a store, and processors."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "dags"
        self.folder.mkdir()
        self.broken_writes = threading.Event()
        self.store = MemoryStore(SystemClock(), before_write=self._before_write)
        self.heard = Heard()
        self._listener = self.store.listen(["dags", "changes"])

    def _before_write(self, _name: str) -> None:
        if self.broken_writes.is_set():
            raise Unavailable("the database is away")

    def write(self, name: str, text: str) -> None:
        """As editors do: to another name, then renamed."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.home / "draft"
        draft.write_text(text)
        draft.rename(path)

    def processor(self, **settings: Any) -> ProcessorService:
        chosen = load_settings({}, self.home)
        if settings:
            chosen = chosen.replace(**{f"processor.{key}": value for key, value in settings.items()})
        bundle = LocalBundle(BUNDLE, self.folder, chosen.bundles.root)
        return ProcessorService(self.store, bundle, chosen, SystemClock(), self.heard)  # type: ignore[arg-type]

    @contextmanager
    def running(self, **settings: Any) -> Iterator[ProcessorService]:
        service = self.processor(**settings)
        service.start()
        try:
            assert service.wait_ready(PATIENCE_SECONDS)
            yield service
        finally:
            assert service.stop(PATIENCE_SECONDS)
            assert service.state is ServiceState.STOPPED, service.failure

    def until(self, condition: Callable[[Transaction], object]) -> None:
        while True:
            with self.store.read() as tx:
                if condition(tx):
                    return
            assert self._listener.wait(PATIENCE_SECONDS), "nothing changed any more"

    def listed(self, *dag_ids: str) -> None:
        """Wait until exactly these DAGs are listed."""
        self.until(lambda tx: [row.dag_id for row in tx.list_dags()] == sorted(dag_ids))

    def errors(self) -> dict[str, str]:
        with self.store.read() as tx:
            return {row.path: row.message for row in tx.list_import_errors()}

    def version(self, dag_id: str) -> VersionRow:
        with self.store.read() as tx:
            found = tx.version_newest(dag_id)
        assert found is not None
        return found

    def file(self, path: str) -> FileRow | None:
        with self.store.read() as tx:
            return next((row for row in tx.file_list(BUNDLE) if row.path == path), None)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_files_are_listed_changed_broken_mended_and_deleted(site: Site) -> None:
    site.write("a.py", dag_text("first"))
    site.write("team/b.py", dag_text("second"))
    with site.running():
        site.listed("first", "second")
        site.write("c.py", dag_text("third"))
        site.listed("first", "second", "third")
        site.write("c.py", "from tradewind import dag\nx = (")
        site.until(lambda tx: tx.list_import_errors())
        assert site.errors() == {"c.py": "SyntaxError: '(' was never closed (c.py, line 2)"}
        site.listed("first", "second", "third")
        site.write("c.py", dag_text("third", "late = 1"))
        site.until(lambda tx: tx.version_newest("third").number == 2 and not tx.list_import_errors())  # type: ignore[union-attr]
        (site.folder / "c.py").unlink()
        site.listed("first", "second")
        shutil.rmtree(site.folder / "team")
        site.listed("first")
        assert site.file("team/b.py") is None
    tree = site.home / "bundles" / BUNDLE / site.version("first").bundle_version
    assert (tree / "a.py").read_text() == site.version("first").source


def test_a_restart_loads_only_what_changed_meanwhile_or_failed(site: Site) -> None:
    for name in ("a", "b", "gone"):
        site.write(f"{name}.py", dag_text(name))
    site.write("broken.py", "import airflow, no_such_dag_module")
    with site.running():
        site.listed("a", "b", "gone")
        site.heard.wait(4)
    site.write("b.py", dag_text("b", "x = 1"))
    (site.folder / "gone.py").unlink()
    site.heard.parsed.clear()
    with site.running():
        site.heard.wait(2)
        site.listed("a", "b")
    assert sorted(site.heard.files) == ["b.py", "broken.py"]


def test_comments_make_no_version(site: Site) -> None:
    site.write("a.py", dag_text("a"))
    with site.running():
        site.heard.wait(1)
        before = site.version("a")
        site.write("a.py", dag_text("a") + "# a comment\n")
        site.heard.wait(2)
        assert site.version("a").version_id == before.version_id
        assert site.heard.parsed[1].versions == 0


def test_a_changed_helper_loads_its_importers(site: Site) -> None:
    site.write("helper.py", "value = 1")
    site.write("a.py", dag_text("a", "import helper"))
    site.write("b.py", dag_text("b"))
    with site.running():
        site.heard.wait(2)
        site.write("helper.py", "value = 2")
        site.until(lambda tx: tx.version_newest("a").number == 2)  # type: ignore[union-attr]
    assert site.heard.files[2:] == ["a.py"]


def test_files_that_only_tasks_read_reach_new_runs_without_a_new_version(site: Site) -> None:
    def query_of_new_runs() -> str:
        with site.store.read() as tx:
            row = tx.dag_get("a")
        assert row is not None
        return (site.home / "bundles" / BUNDLE / (row.bundle_version or "") / "data/query.sql").read_text()

    site.write("a.py", dag_text("a"))
    site.write("data/query.sql", "SELECT 1")
    with site.running():
        site.listed("a")
        site.write("data/query.sql", "SELECT 2")
        site.write("b.py", dag_text("b"))
        site.listed("a", "b")
        assert query_of_new_runs() == "SELECT 2"
        assert site.version("a").number == 1
        site.write("a.py", "# tradewind dag\n(")
        site.until(lambda tx: tx.list_import_errors())
        site.write("data/query.sql", "SELECT 3")
        site.write("c.py", dag_text("c"))
        site.listed("a", "b", "c")
        assert query_of_new_runs() == "SELECT 2", "the file is broken: the tree in which it was whole"


def test_a_file_waits_for_the_module_it_misses(site: Site) -> None:
    site.write("a.py", dag_text("a", "import helper"))
    with site.running():
        site.until(lambda tx: tx.list_import_errors())
        assert site.errors() == {"a.py": "ModuleNotFoundError: No module named 'helper'"}
        site.write("helper.py", "value = 1")
        site.listed("a")
        assert site.errors() == {}


def test_the_same_dag_id_in_two_files_is_told_and_solves_itself(site: Site) -> None:
    site.write("first.py", dag_text("same"))
    with site.running():
        site.listed("same")
        site.write("second.py", dag_text("same"))
        site.until(lambda tx: tx.list_import_errors())
        (message,) = site.errors().values()
        assert "first.py" in message
        assert "second.py" in message
        site.write("first.py", dag_text("renamed"))
        site.listed("renamed", "same")
        site.until(lambda tx: not tx.list_import_errors())
        site.write("third.py", dag_text("same"))
        site.until(lambda tx: tx.list_import_errors())
        (site.folder / "second.py").unlink()
        site.until(lambda tx: tx.dag_get("same").file == "third.py")  # type: ignore[union-attr]


def test_a_dag_imported_from_another_dag_file_belongs_to_that_file(site: Site) -> None:
    site.write("a.py", dag_text("a").replace("\nmade()", "\nshared_dag = made()"))
    site.write("b.py", "from a import shared_dag  # tradewind")
    with site.running():
        site.heard.wait(2)
    assert site.errors() == {}
    with site.store.read() as tx:
        assert [row.file for row in tx.list_dags()] == ["a.py"]


def test_ignore_files_take_dags_off_the_list(site: Site) -> None:
    site.write("a.py", dag_text("a"))
    site.write("old/b.py", dag_text("b"))
    with site.running():
        site.listed("a", "b")
        site.write(".airflowignore", "old/\n")
        site.listed("a")


def test_a_saved_file_does_not_wait_for_slow_ones(site: Site) -> None:
    for number in range(4):
        site.write(f"slow{number}.py", "# tradewind dag\nwhile True: pass")
    with site.running(parse_timeout_seconds=5.0, parse_processes_max=1):
        site.write("quick.py", dag_text("quick"))
        site.listed("quick")
        assert len(site.errors()) < 4


def test_mending_a_hanging_file_does_not_wait_for_its_end(site: Site) -> None:
    site.write("a.py", f"# tradewind dag\nopen({str(site.home / 'began')!r}, 'w').close()\nwhile True: pass")
    with site.running(parse_timeout_seconds=30.0):
        while not (site.home / "began").exists():
            os.sched_yield()
        site.write("a.py", dag_text("a"))
        site.listed("a")
        assert site.errors() == {}


def test_the_parse_host_may_die_at_any_time(site: Site) -> None:
    site.write("a.py", dag_text("a"))
    with site.running():
        site.listed("a")
        (host,) = [pid for pid in descendants(os.getpid()) if b"parse_host" in _command(pid)]
        os.kill(host, signal.SIGKILL)
        site.write("b.py", dag_text("b"))
        site.listed("a", "b")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_a_file_that_kills_its_host_is_given_up_and_no_other(site: Site) -> None:
    for number in range(5):
        site.write(f"good{number}.py", dag_text(f"d{number}", "import time; time.sleep(0.05)"))
    site.write("killer.py", "# tradewind dag\nimport os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nsignal.pause()")
    with site.running():
        site.until(lambda tx: tx.list_import_errors())
        assert "dies whenever it has this one" in site.errors()["killer.py"]
        site.write("good5.py", dag_text("d5"))
        site.listed(*(f"d{number}" for number in range(6)))
        assert list(site.errors()) == ["killer.py"]


def test_a_database_that_is_away_is_waited_for(site: Site) -> None:
    site.write("a.py", dag_text("a"))
    with site.running():
        site.listed("a")
        site.broken_writes.set()
        site.write("b.py", dag_text("b"))
        (site.folder / "a.py").unlink()
        threading.Timer(0.5, site.broken_writes.clear).start()
        site.listed("b")


def test_a_folder_that_is_away_keeps_its_dags(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradewind.processor.service._MISSING_FOLDER_SECONDS", 0.05)
    site.write("a.py", dag_text("a"))
    with site.running(rescan_seconds=0.1):
        site.listed("a")
        site.folder.rename(site.home / "away")
        (site.home / "away" / "b.py").write_text(dag_text("b"))
        (site.home / "away").rename(site.folder)
        site.listed("a", "b")
        site.write("c.py", dag_text("c"))
        site.listed("a", "b", "c")


def test_two_processors_share_the_files(site: Site) -> None:
    for number in range(30):
        site.write(f"f{number}.py", dag_text(f"d{number}"))
    with site.running(), site.running():
        site.until(lambda tx: len(tx.list_dags()) == 30)
        site.write("f0.py", dag_text("d0", "x = 1"))
        site.until(lambda tx: tx.version_newest("d0").number == 2)  # type: ignore[union-attr]
    with site.store.read() as tx:
        assert [version.number for n in range(1, 30) for version in tx.list_versions(f"d{n}")] == [1] * 29
        assert tx.component_list() == []
    assert site.errors() == {}


def test_what_the_database_refuses_is_the_files_own_trouble(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from tradewind.store.memory.dags import DagPart

    put = DagPart.dag_put

    def refuse(self: DagPart, row: Any) -> None:
        if row.dag_id == "poison":
            raise ValueError("no such letter")
        put(self, row)

    monkeypatch.setattr(DagPart, "dag_put", refuse)
    site.write("a.py", dag_text("poison"))
    site.write("b.py", dag_text("good"))
    with site.running():
        site.listed("good")
        site.until(lambda tx: tx.list_import_errors())
        assert "cannot be stored: ValueError: no such letter" in site.errors()["a.py"]


def test_a_file_that_somebody_wants_loaded_again_is(site: Site) -> None:
    site.write("one.py", dag_text("one"))
    with site.running():
        site.heard.wait(1)
        site.until(lambda tx: [row for row in tx.file_list(BUNDLE) if row.digest])
        with site.store.begin() as tx:
            (row,) = tx.file_list(BUNDLE)
            tx.file_put(replace(row, digest=""))
            tx.ring("files")
        site.heard.wait(2)
    assert site.heard.files == ["one.py", "one.py"]
