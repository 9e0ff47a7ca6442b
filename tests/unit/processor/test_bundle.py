"""A local folder as a bundle: snapshots are exact, shared and cheap to repeat."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tradewind.adapters import bundles
from tradewind.adapters.bundles import LocalBundle
from tradewind.wire.errors import Unavailable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    (folder / "team").mkdir(parents=True)
    (folder / "a.py").write_text("a = 1")
    (folder / "team" / "b.py").write_text("b = 1")
    return folder


@pytest.fixture
def bundle(folder: Path, tmp_path: Path) -> LocalBundle:
    return LocalBundle("dags-folder", folder, tmp_path / "bundles")


def test_a_snapshot_has_the_files_as_they_were(bundle: LocalBundle, folder: Path) -> None:
    first = bundle.snapshot()
    (folder / "a.py").write_text("a = 2")
    second = bundle.snapshot()
    assert first.version != second.version
    assert (first.tree / "a.py").read_text() == "a = 1"
    assert (second.tree / "a.py").read_text() == "a = 2"
    assert list(second.files) == ["a.py", "team/b.py"]
    assert (first.tree / "team/b.py").samefile(second.tree / "team/b.py"), "what did not change is shared"
    assert not (first.tree / "team/b.py").samefile(folder / "team/b.py"), "never with the source"
    assert bundle.versions() == sorted([first.version, second.version])


def test_equal_content_is_the_equal_version(bundle: LocalBundle, folder: Path, tmp_path: Path) -> None:
    first = bundle.snapshot()
    assert bundle.snapshot().version == first.version
    (folder / "a.py").write_text("a = 2")
    bundle.snapshot()
    (folder / "a.py").write_text("a = 1")
    assert bundle.snapshot().version == first.version
    elsewhere = LocalBundle("dags-folder", folder, tmp_path / "other")
    assert elsewhere.snapshot().version == first.version


def test_changes_within_a_clock_tick_are_seen(bundle: LocalBundle, folder: Path) -> None:
    path = folder / "a.py"
    path.write_text("a = 0")
    status = path.stat()
    seen = set()
    for number in range(9):
        with open(path, "r+") as opened:  # in place: the same inode, the same size
            opened.write(f"a = {number}")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        snapshot = bundle.snapshot()
        assert (snapshot.tree / "a.py").read_text() == f"a = {number}"
        seen.add(snapshot.version)
    assert len(seen) == 9


def test_debris_of_tools_and_editors_is_left_out(bundle: LocalBundle, folder: Path) -> None:
    for name in (".git/config", "__pycache__/a.pyc", "a.pyc", ".a.py.swp", "a.py~", ".#a.py", ".venv/lib/x.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".airflowignore").write_text("x")
    assert list(bundle.snapshot().files) == [".airflowignore", "a.py", "team/b.py"]


def test_modes_and_links(bundle: LocalBundle, folder: Path, tmp_path: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh")
    plain = bundle.snapshot()
    (folder / "run.sh").chmod(0o755)
    (tmp_path / "outside.py").write_text("outside")
    (folder / "link.py").symlink_to(tmp_path / "outside.py")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.py").symlink_to(tmp_path / "missing")
    os.mkfifo(folder / "pipe.py")
    snapshot = bundle.snapshot()
    assert snapshot.version != plain.version
    assert (snapshot.tree / "run.sh").stat().st_mode & stat.S_IXUSR
    assert not (plain.tree / "run.sh").stat().st_mode & stat.S_IXUSR
    assert (snapshot.tree / "link.py").read_text() == "outside"
    assert list(snapshot.files) == ["a.py", "link.py", "run.sh", "team/b.py"]
    assert [note.partition(":")[0] for note in snapshot.notes] == ["loop", "nowhere.py"]


def test_huge_files_are_not_copied(bundle: LocalBundle, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "FILE_BYTES_MAX", 4)
    (folder / "a.py").write_text("a=1")
    snapshot = bundle.snapshot()
    assert (snapshot.tree / "team/b.py").is_symlink()
    assert not (snapshot.tree / "a.py").is_symlink()
    assert "team/b.py: not copied" in snapshot.notes[0]


def test_a_missing_folder_is_trouble_not_emptiness(bundle: LocalBundle, folder: Path) -> None:
    bundle.snapshot()
    folder.rename(folder.with_name("away"))
    with pytest.raises(Unavailable, match=r"dags cannot be read.*stay as they are"):
        bundle.snapshot()
    folder.with_name("away").rename(folder)
    assert list(bundle.snapshot().files) == ["a.py", "team/b.py"]


def test_a_tree_removed_by_hand_is_made_again(bundle: LocalBundle) -> None:
    import shutil

    first = bundle.snapshot()
    shutil.rmtree(first.tree.parent)
    again = bundle.snapshot()
    assert again.version == first.version
    assert (again.tree / "a.py").read_text() == "a = 1"


def test_trees_nobody_needs_are_removed_with_their_contents(bundle: LocalBundle, folder: Path) -> None:
    versions = []
    for number in range(3):
        (folder / "a.py").write_text(f"a = {number}")
        versions.append(bundle.snapshot().version)
    objects = folder.parent / "bundles/dags-folder/.objects"
    assert len(list(objects.glob("*/*"))) == 4
    assert bundle.remove_trees([versions[0]]) == [versions[1]]
    assert bundle.versions() == sorted([versions[0], versions[2]])
    assert len(list(objects.glob("*/*"))) == 3
