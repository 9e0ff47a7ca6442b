"""An archive as a bundle: a zip file on this machine or in object storage; a version is the hash of its bytes.

Addresses such as `s3://bucket/dags.zip` are read through fsspec, which must be installed with the library of that
storage.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from tradewind.kernel.ids import uuid7
from tradewind.ports.bundles import BundleFile, Snapshot, tree_path
from tradewind.wire.errors import BadInput, Unavailable

from .bundles_trees import BUILDING, remove_tree, trees_in

_CURRENT = ".current"
UNPACKED_BYTES_MAX = 1 << 30
"""An archive that unpacks to more is refused."""


class ZipBundle:
    """`ports.bundles.Bundle` of a zip archive. For one thread.

    Parameters:
        name: of the bundle; a folder name.
        root: setting bundles.root.
        path: of the archive: a file of this machine, or an address that fsspec can open.
        subdir: folder inside it that is the bundle.
        refresh_seconds: between two looks at the archive.
        options: for fsspec.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        path: str,
        *,
        subdir: str = "",
        refresh_seconds: float = 30.0,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._name = name
        self._root = root
        self._home = tree_path(root, name, "")
        self._path = path
        self._subdir = subdir.strip("/")
        self.refresh_seconds = refresh_seconds
        self._options = options or {}
        self._mark: object = None
        self._last: Snapshot | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def folder(self) -> Path:
        """A link to the newest tree."""
        return self._home / _CURRENT

    def trees(self) -> dict[str, float]:
        return trees_in(self._home)

    def remove_trees(self, in_use: Collection[str]) -> list[str]:
        """Delete all trees but the present one and those `in_use`; what went."""
        kept = {*in_use, self._last.version if self._last else ""}
        gone = [version for version in self.trees() if version not in kept]
        for version in gone:
            remove_tree(self._home, version)
        return gone

    def snapshot(self) -> Snapshot:
        """The archive as it is now.

        Raises:
            Unavailable: it cannot be read just now.
            BadInput: it is no zip archive, or unpacks to too much or to places outside.
        """
        try:
            mark = self._look()
            if self._last is not None and mark is not None and mark == self._mark and self._last.tree.is_dir():
                return self._last
            content = self._read()
        except (OSError, ValueError, ImportError) as error:
            raise Unavailable(f"bundle {self._name!r}: {self._path} cannot be read: {error}") from error
        self._last, self._mark = self._unpack(content), mark
        return self._last

    def _look(self) -> object:
        """What changes with the archive; None: it must be read to know."""
        if "://" not in self._path:
            status = os.stat(self._path)
            return status.st_size, status.st_mtime_ns, status.st_ino
        filesystem, path = self._remote()
        facts = filesystem.info(path)
        return (
            facts.get("ETag")
            or facts.get("etag")
            or (facts.get("size"), str(facts.get("mtime") or facts.get("LastModified")))
        )

    def _read(self) -> bytes:
        if "://" not in self._path:
            return Path(self._path).read_bytes()
        filesystem, path = self._remote()
        found: bytes = filesystem.cat_file(path)
        return found

    def _remote(self) -> tuple[Any, str]:
        import fsspec  # type: ignore[import-untyped] # it has no types

        found: tuple[Any, str] = fsspec.core.url_to_fs(self._path, use_listings_cache=False, **self._options)
        return found

    def _unpack(self, content: bytes) -> Snapshot:
        version = hashlib.sha256(content + self._subdir.encode()).hexdigest()[:40]
        tree = tree_path(self._root, self._name, version)
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = self._members(archive)
                if not tree.is_dir():
                    self._build(tree, archive, members)
        except zipfile.BadZipFile as error:
            raise BadInput(f"bundle {self._name!r}: {self._path} is no zip archive: {error}") from error
        files = {path: BundleFile(f"{member.CRC:08x}-{member.file_size}", 0) for path, member in members.items()}
        link = self._home / f"{BUILDING}{uuid7()}"
        os.symlink(tree.name, link)
        os.replace(link, self.folder)
        return Snapshot(version, tree, dict(sorted(files.items())))

    def _members(self, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        size = 0
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts:
                raise BadInput(f"bundle {self._name!r}: {self._path} unpacks to {member.filename!r}, outside of it")
            size += member.file_size
            if size > UNPACKED_BYTES_MAX:
                raise BadInput(
                    f"bundle {self._name!r}: {self._path} unpacks to more than {UNPACKED_BYTES_MAX >> 20} MiB"
                )
            if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
                continue
            inside = path.relative_to(self._subdir) if self._subdir and path.is_relative_to(self._subdir) else path
            if not self._subdir or path.is_relative_to(self._subdir):
                found[str(inside)] = member
        return found

    def _build(self, tree: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
        building = self._home / f"{BUILDING}{uuid7()}"
        building.mkdir(parents=True)
        try:
            for path, member in members.items():
                target = building / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out)
            try:
                os.rename(building, tree)
            except OSError:
                if not tree.is_dir():  # otherwise another process made it in the meantime
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
