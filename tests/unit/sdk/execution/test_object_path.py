"""Paths in object storages: on this machine's disk and in fsspec's memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tradewind import DAG, BaseOperator, ObjectStoragePath
from tradewind.sdk import object_path
from tradewind.sdk.connections import Connection
from tradewind.sdk.object_path import attach
from tradewind.sdk.values import PatternGate, decode_value, encode_value


@pytest.fixture
def memory() -> Iterator[ObjectStoragePath]:
    import fsspec  # type: ignore[import-untyped]

    yield ObjectStoragePath("memory://bucket/folder")
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]
    object_path._attached.clear()


def test_names() -> None:
    path = ObjectStoragePath("s3://aws@bucket/a/b.tar.gz")
    assert (path.protocol, path.conn_id, path.bucket, path.key) == ("s3", "aws", "bucket", "a/b.tar.gz")
    assert (path.name, path.stem, path.suffix, path.suffixes) == ("b.tar.gz", "b.tar", ".gz", [".tar", ".gz"])
    assert str(path) == "s3://aws@bucket/a/b.tar.gz" == path.as_uri()
    assert str(path.parent / "c") == "s3://aws@bucket/a/c"
    assert [str(one) for one in path.parents] == ["s3://aws@bucket/a", "s3://aws@bucket"]
    assert str(path.with_name("x")) == "s3://aws@bucket/a/x"
    assert str(path.with_suffix(".zip").with_stem("y")) == "s3://aws@bucket/a/y.zip"
    assert str(path.relative_to("s3://aws@bucket")) == "a/b.tar.gz"
    assert path.is_relative_to("s3://aws@bucket/a")
    assert not path.is_relative_to("s3://other@bucket/a")
    assert path.match("*.gz")
    assert path.namespace == "s3://bucket"
    assert path == ObjectStoragePath("s3://bucket/a/b.tar.gz", conn_id="aws")
    assert path != ObjectStoragePath("s3://bucket/a/b.tar.gz")
    assert len({path, ObjectStoragePath(path)}) == 1
    with pytest.raises(TypeError, match="not on this machine's disk"):
        os.fspath(path)


def test_the_disk_of_this_machine(tmp_path: Path) -> None:
    base = ObjectStoragePath(f"file://{tmp_path}")
    file = base / "new" / "a.txt"
    assert not file.exists()
    assert file.write_text("hello\nworld") == 11
    assert file.read_text() == "hello\nworld"
    assert (file.is_file(), file.parent.is_dir(), file.size()) == (True, True, 11)
    assert file.read_block(0, 4, delimiter=b"\n") == b"hello\n"
    assert Path(file).read_text().startswith("hello")
    assert [one.name for one in base.iterdir()] == ["new"]
    assert [one.name for one in base.rglob("*.txt")] == ["a.txt"]
    assert [(str(folder.name), files) for folder, _, files in base.walk()][-1] == ("new", ["a.txt"])
    file.touch()
    with pytest.raises(FileExistsError):
        file.touch(exist_ok=False)
    file.rename(str(tmp_path / "b.txt"))
    assert (tmp_path / "b.txt").exists()
    (base / "b.txt").unlink()
    (base / "b.txt").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        (base / "b.txt").unlink()
    (base / "x" / "y").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        (base / "x").mkdir()
    (base / "x").rmdir()
    assert not (base / "x").exists()


def test_from_one_storage_to_another(tmp_path: Path, memory: ObjectStoragePath) -> None:
    here = ObjectStoragePath(str(tmp_path))
    (here / "d" / "a").write_bytes(b"1")
    (here / "d" / "e" / "b").write_bytes(b"2")
    with pytest.raises(IsADirectoryError, match="recursive=True"):
        (here / "d").copy(memory)
    (here / "d").copy(memory / "d", recursive=True)
    assert (memory / "d" / "e" / "b").read_bytes() == b"2"
    (here / "d" / "a").copy_into(memory)
    assert (memory / "a").read_bytes() == b"1"
    (memory / "a").move(here / "back")
    assert ((here / "back").read_bytes(), (memory / "a").exists()) == (b"1", False)
    (memory / "d" / "a").copy(memory / "twin")
    assert (memory / "twin").checksum() == (memory / "twin").checksum()
    assert (memory / "twin").stat()["size"] == 1


def test_a_storage_under_a_name_of_its_own(memory: ObjectStoragePath) -> None:
    attach("memory", alias="lake")
    (memory / "x").write_text("y")
    assert ObjectStoragePath("lake://bucket/folder/x").read_text() == "y"
    with pytest.raises(ValueError, match="needs a protocol"):
        attach()
    with pytest.raises(ValueError, match="there is no storage for nowhere://"):
        ObjectStoragePath("nowhere://x").exists()


def test_a_path_travels_between_tasks_without_secrets(bench: Any) -> None:
    path = ObjectStoragePath("s3://aws@bucket/key", endpoint="x")
    stored = encode_value(path)
    assert b"aws" in (stored.data or b"")
    again = decode_value(stored, bench.world, PatternGate())
    assert (again, again.storage_options) == (path, {"endpoint": "x"})


def test_a_connection_gives_the_options(bench: Any) -> None:
    bench.world.connections["aws"] = Connection(
        conn_id="aws", conn_type="aws", login="id", password="hush-hush", extra='{"endpoint_url": "http://x"}'
    )
    seen: list[Any] = []

    class Looks(BaseOperator):
        def execute(self, context: Any) -> None:
            seen.append(object_path._options_of("s3", "aws"))

    assert bench.run(Looks(task_id="t", dag=DAG("d"))).state == "success"
    assert seen == [{"endpoint_url": "http://x", "key": "id", "secret": "hush-hush"}]
