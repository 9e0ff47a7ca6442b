"""Which files are DAG files, which have to be loaded, and in what order."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from tradewind.adapters.bundles import LocalBundle
from tradewind.ports.rows import FileRow
from tradewind.processor.backlog import Backlog, Urgency
from tradewind.processor.discovery import Discoverer
from tradewind.processor.known import Contents, KnownFiles

DAG = "from airflow.sdk import DAG"


class Folder:
    def __init__(self, place: Path) -> None:
        self.path = place / "dags"
        self.path.mkdir()
        self._bundle = LocalBundle("dags-folder", self.path, place / "bundles")

    def write(self, name: str, text: str = DAG) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def contents(self) -> Contents:
        return Contents(self._bundle.snapshot())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_python_files_and_members_of_archives_that_mention_dags(folder: Folder) -> None:
    folder.write("a.py")
    folder.write("team/b.py", "import tradewind\n@Asset")
    folder.write("helper.py", "def f(): pass")
    folder.write("half.py", "import airflow")
    folder.write("notes.txt")
    folder.write("no_archive.zip")
    folder.write("skipped.py")
    folder.write(".airflowignore", "skipped.py\npacked.zip/second.py")
    with zipfile.ZipFile(folder.path / "packed.zip", "w") as archive:
        for name in ("first.py", "second.py", "package/inner.py"):
            archive.writestr(name, DAG)
        archive.writestr("plain.py", "x = 1")
    snapshot = folder.contents().snapshot
    found = Discoverer("glob", True).find(snapshot)
    assert found.files == {"a.py": "a.py", "packed.zip/first.py": "packed.zip", "team/b.py": "team/b.py"}
    everything = Discoverer("glob", False).find(snapshot)
    assert {"helper.py", "half.py", "packed.zip/plain.py"} < everything.files.keys()


FOUND = {"a.py": "a.py", "b.py": "b.py"}


def test_a_file_is_loaded_again_when_its_fingerprint_differs(folder: Folder) -> None:
    folder.write("a.py")
    folder.write("b.py")
    folder.write("conf/x.yaml", "1")
    known = KnownFiles()
    contents = folder.contents()
    assert known.compare(contents, FOUND, {}) == [("a.py", Urgency.BACKLOG), ("b.py", Urgency.BACKLOG)]
    rows = [
        FileRow(bundle="dags-folder", path=path, digest=contents.fingerprint(path, depends), imported=depends)
        for path, depends in [("a.py", ("helper.py",)), ("b.py", ("conf/", "conf/x.yaml"))]
    ]
    known.take_rows(rows)
    assert known.compare(contents, FOUND, {}) == []
    folder.write("helper.py", "x = 1")
    assert known.compare(folder.contents(), FOUND, {}) == [("a.py", Urgency.AFFECTED)], "what was missing is there"
    known.take_rows([replace(rows[0], digest=folder.contents().fingerprint("a.py", ("helper.py",))), rows[1]])
    folder.write("conf/y.yaml", "2")
    assert known.compare(folder.contents(), FOUND, {}) == [("b.py", Urgency.AFFECTED)], "the folder it lists grew"
    folder.write("b.py", DAG + "  # changed")
    now = folder.contents()
    under_way = {"b.py": now.fingerprint("b.py", ("conf/", "conf/x.yaml"))}
    assert known.compare(now, FOUND, {}) == [("b.py", Urgency.SAVED)]
    assert known.compare(now, FOUND, under_way) == []
    assert known.gone({"a.py": "a.py"}) == ["b.py"]


def test_saving_without_a_change_loads_again(folder: Folder) -> None:
    folder.write("a.py")
    known = KnownFiles()
    contents = folder.contents()
    known.compare(contents, {"a.py": "a.py"}, {})
    known.take_published("a.py", contents.fingerprint("a.py", ()), ())
    assert known.compare(folder.contents(), {"a.py": "a.py"}, {}) == []
    (folder.path / "a.py").touch()
    assert known.compare(folder.contents(), {"a.py": "a.py"}, {}) == [("a.py", Urgency.SAVED)]
    assert known.compare(folder.contents(), {"a.py": "a.py"}, {}) == []


def test_the_backlog_gives_the_most_urgent_first_and_each_file_once() -> None:
    backlog = Backlog()
    for name in ("a", "b", "c", "d"):
        backlog.add(name, Urgency.BACKLOG)
    backlog.add("c", Urgency.SAVED)
    backlog.add("e", Urgency.SAVED)
    backlog.add("c", Urgency.BACKLOG)
    backlog.drop("a")
    assert len(backlog) == 4
    assert backlog.take(1) == [("c", Urgency.SAVED), ("e", Urgency.SAVED)], "what was saved does not wait for room"
    assert backlog.take(0) == []
    assert backlog.take(9) == [("b", Urgency.BACKLOG), ("d", Urgency.BACKLOG)]
    assert "c" not in backlog
