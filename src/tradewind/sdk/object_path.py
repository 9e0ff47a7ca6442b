"""`ObjectStoragePath`: files of any storage that fsspec knows, used like `pathlib.Path`.

    base = ObjectStoragePath("s3://aws_default@bucket/folder")     # or conn_id="aws_default"
    with (base / "data.csv").open("rb") as file: ...

A path is only a name until something is read or written: connection and storage are looked up then. It may be returned
from a task: the name and the connection's id travel, never a secret.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Self
from urllib.parse import urlsplit

from .errors import WrongValue

_LOCAL = ("", "file", "local")
_PROVIDERS = {
    "s3": "airflow.providers.amazon.aws.fs.s3",
    "s3a": "airflow.providers.amazon.aws.fs.s3",
    "s3n": "airflow.providers.amazon.aws.fs.s3",
    "gs": "airflow.providers.google.cloud.fs.gcs",
    "gcs": "airflow.providers.google.cloud.fs.gcs",
    "abfs": "airflow.providers.microsoft.azure.fs.adls",
    "abfss": "airflow.providers.microsoft.azure.fs.adls",
    "adl": "airflow.providers.microsoft.azure.fs.adls",
}
"""Scheme → module of a provider package with `get_fs(conn_id, storage_options)`, used where it is installed."""
_COPY_BYTES = 1 << 20


class _Attached:
    """A storage under a name of one's own."""

    def __init__(self, protocol: str, conn_id: str | None, options: dict[str, Any], fs: Any) -> None:
        self.protocol = protocol
        self.conn_id = conn_id
        self.options = options
        self.fs = fs


_attached: dict[str, _Attached] = {}
_file_systems: dict[tuple[str, str | None, str], Any] = {}


def attach(
    protocol: str | None = None,
    conn_id: str | None = None,
    encryption: str | None = "",  # noqa: ARG001 # Airflow's signature; the storage's own options decide
    storage_options: dict[str, Any] | None = None,
    alias: str | None = None,
    fs: Any = None,
) -> None:
    """Make a storage known under `alias` (or its scheme): `alias://...` leads there.

    Parameters:
        protocol: scheme that fsspec knows; default: the one of `fs`.
        conn_id: connection with the credentials.
        storage_options: for fsspec.
        fs: a ready file system.

    Raises:
        WrongValue: there is neither alias nor protocol nor file system.
    """
    if protocol is None and fs is not None:
        protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    name = alias or protocol
    if name is None:
        raise WrongValue("attach needs a protocol, an alias or a file system")
    _attached[name] = _Attached(protocol or name, conn_id, dict(storage_options or {}), fs)


class ObjectStoragePath:
    """A path in a storage.

    Parameters:
        args: a URL (`s3://connection@bucket/key`), a path of this machine, or another such path; more parts follow.
        protocol: scheme, where the first part has none.
        conn_id: connection; stands before the part before the `@`.
        storage_options: for fsspec.
    """

    __version__: ClassVar[int] = 1
    sep: ClassVar[str] = "/"
    __slots__ = ("_conn_id", "_options", "_path", "_protocol")

    def __init__(
        self, *args: Any, protocol: str | None = None, conn_id: str | None = None, **storage_options: Any
    ) -> None:
        first = args[0] if args else ""
        self._protocol: str
        self._conn_id: str | None
        self._options: dict[str, Any]
        if isinstance(first, ObjectStoragePath):
            self._protocol, self._conn_id, path = first._protocol, first._conn_id, first._path
            self._options = {**first._options, **storage_options}
        else:
            self._protocol, self._conn_id, path = _split(os.fspath(first) if first else "")
            self._options = storage_options
        if protocol is not None:
            self._protocol = "file" if protocol in _LOCAL else protocol
        self._conn_id = conn_id or self._conn_id
        for part in args[1:]:
            path = path / str(part)
        self._path: PurePosixPath = path

    def _at(self, path: PurePosixPath | str) -> Self:
        """The same storage, another path."""
        twin = object.__new__(type(self))
        twin._protocol, twin._conn_id, twin._options = self._protocol, self._conn_id, self._options
        twin._path = PurePosixPath(path)
        return twin

    # --- the name ----------------------------------------------------------------------------------------------------

    @property
    def protocol(self) -> str:
        return self._protocol

    @property
    def conn_id(self) -> str | None:
        return self._conn_id

    @property
    def storage_options(self) -> dict[str, Any]:
        return dict(self._options)

    @property
    def path(self) -> str:
        """Path inside the storage, with the bucket."""
        return str(self._path)

    @property
    def bucket(self) -> str:
        """First part of the path; "" on this machine's disk."""
        return "" if self._is_local else (self._path.parts[0] if self._path.parts else "")

    container = bucket

    @property
    def key(self) -> str:
        """The path without the bucket."""
        return str(self._path) if self._is_local else "/".join(self._path.parts[1:])

    @property
    def namespace(self) -> str:
        """Scheme and bucket."""
        return f"{self._protocol}://{self.bucket}" if self.bucket else self._protocol

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def stem(self) -> str:
        return self._path.stem

    @property
    def suffix(self) -> str:
        return self._path.suffix

    @property
    def suffixes(self) -> list[str]:
        return self._path.suffixes

    @property
    def parts(self) -> tuple[str, ...]:
        return self._path.parts

    @property
    def parent(self) -> Self:
        return self._at(self._path.parent)

    @property
    def parents(self) -> tuple[Self, ...]:
        return tuple(self._at(path) for path in self._path.parents if str(path) != ".")

    def joinpath(self, *parts: Any) -> Self:
        return self._at(self._path.joinpath(*map(str, parts)))

    def __truediv__(self, part: Any) -> Self:
        return self.joinpath(part)

    def with_name(self, name: str) -> Self:
        return self._at(self._path.with_name(name))

    def with_stem(self, stem: str) -> Self:
        return self._at(self._path.with_stem(stem))

    def with_suffix(self, suffix: str) -> Self:
        return self._at(self._path.with_suffix(suffix))

    def relative_to(self, other: Any) -> PurePosixPath:
        """The rest behind `other`. Raises ValueError when it is not inside."""
        return self._path.relative_to(ObjectStoragePath(other)._path)

    def is_relative_to(self, other: Any) -> bool:
        there = ObjectStoragePath(other)
        return self.samestore(there) and self._path.is_relative_to(there._path)

    def match(self, pattern: str) -> bool:
        return self._path.match(pattern)

    def is_absolute(self) -> bool:
        return not self._is_local or self._path.is_absolute()

    def absolute(self) -> Self:
        return self._at(Path(str(self._path)).absolute().as_posix()) if self._is_local else self

    def resolve(self, strict: bool = False) -> Self:
        return self._at(Path(str(self._path)).resolve(strict).as_posix()) if self._is_local else self

    def as_uri(self) -> str:
        return str(self)

    def as_posix(self) -> str:
        return str(self)

    @property
    def _is_local(self) -> bool:
        return self._protocol in _LOCAL

    def __str__(self) -> str:
        owner = f"{self._conn_id}@" if self._conn_id else ""
        return f"{self._protocol}://{owner}{self._path}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __fspath__(self) -> str:
        """For functions of this machine's disk. Raises `TypeError` for other storages."""
        if not self._is_local:
            raise TypeError(f"{self} is not on this machine's disk; open it with .open(), or copy it first")
        return str(self._path)

    def __hash__(self) -> int:
        return hash((self._protocol, self._conn_id, self._path))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStoragePath) and self.samestore(other) and self._path == other._path

    def __lt__(self, other: ObjectStoragePath) -> bool:
        return str(self) < str(other)

    def samestore(self, other: Any) -> bool:
        """Whether both are in one storage, seen with one connection."""
        return (
            isinstance(other, ObjectStoragePath)
            and self._protocol == other._protocol
            and self._conn_id == other._conn_id
        )

    # --- the storage -------------------------------------------------------------------------------------------------

    @property
    def fs(self) -> Any:
        """The fsspec file system, made when first needed."""
        found = _attached.get(self._protocol)
        if found is not None and found.fs is not None:
            return found.fs
        options = {**(found.options if found is not None else {}), **self._options}
        conn_id = self._conn_id or (found.conn_id if found is not None else None)
        protocol = found.protocol if found is not None else self._protocol
        known = (protocol, conn_id, repr(sorted(options.items())))
        if known not in _file_systems:
            _file_systems[known] = _file_system(protocol, conn_id, options)
        return _file_systems[known]

    def open(self, mode: str = "r", **options: Any) -> IO[Any]:
        """As `open`; folders of this machine's disk are made where a file is written."""
        if self._is_local and set(mode) & set("wax"):
            Path(str(self._path)).parent.mkdir(parents=True, exist_ok=True)
        opened: IO[Any] = self.fs.open(self.path, mode, **options)
        return opened

    def read_bytes(self) -> bytes:
        with self.open("rb") as file:
            return bytes(file.read())

    def read_text(self, encoding: str = "utf-8", errors: str | None = None) -> str:
        return self.read_bytes().decode(encoding, errors or "strict")

    def write_bytes(self, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data)
        return len(data)

    def write_text(self, data: str, encoding: str = "utf-8", errors: str | None = None) -> int:
        return self.write_bytes(data.encode(encoding, errors or "strict"))

    def exists(self) -> bool:
        return bool(self.fs.exists(self.path))

    def is_file(self) -> bool:
        return bool(self.fs.isfile(self.path))

    def is_dir(self) -> bool:
        return bool(self.fs.isdir(self.path))

    def stat(self) -> dict[str, Any]:
        """What the storage knows of it: name, size, type and more. Raises FileNotFoundError."""
        facts: dict[str, Any] = dict(self.fs.info(self.path))
        return {**facts, "conn_id": self._conn_id}

    def size(self) -> int:
        """Bytes."""
        return int(self.fs.size(self.path))

    def ukey(self) -> str:
        """A text that changes with the content."""
        return str(self.fs.ukey(self.path))

    def checksum(self) -> int:
        """A number that changes with the content."""
        try:
            return int(self.fs.checksum(self.path))
        except (NotImplementedError, ValueError):
            return zlib.crc32(self.ukey().encode())

    def read_block(self, offset: int, length: int, delimiter: bytes | None = None) -> bytes:
        """Bytes from `offset`; with a delimiter from the first one after it to the first one after its end."""
        return bytes(self.fs.read_block(self.path, offset, length, delimiter=delimiter))

    def sign(self, expiration: int = 100, **options: Any) -> str:
        """A URL that opens it for so many seconds. Raises NotImplementedError where the storage has none."""
        return str(self.fs.sign(self.path, expiration, **options))

    def iterdir(self) -> Iterator[Self]:
        for name in sorted(self.fs.ls(self.path, detail=False)):
            yield self._at(_stripped(name))

    def glob(self, pattern: str) -> Iterator[Self]:
        for name in sorted(self.fs.glob(f"{self.path.rstrip('/')}/{pattern}")):
            yield self._at(_stripped(name))

    def rglob(self, pattern: str) -> Iterator[Self]:
        return self.glob(f"**/{pattern}")

    def walk(self) -> Iterator[tuple[Self, list[str], list[str]]]:
        for folder, folders, files in self.fs.walk(self.path):
            yield self._at(_stripped(folder)), sorted(folders), sorted(files)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: ARG002 # pathlib's
        if self.exists():
            if exist_ok:
                return
            raise FileExistsError(str(self))
        if parents:
            self.fs.makedirs(self.path, exist_ok=exist_ok)
        else:
            self.fs.mkdir(self.path, create_parents=False)

    def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:  # noqa: ARG002 # pathlib's
        if self.exists():
            if not exist_ok:
                raise FileExistsError(str(self))
            return
        self.write_bytes(b"")

    def unlink(self, missing_ok: bool = False) -> None:
        if not self.exists():
            if missing_ok:
                return
            raise FileNotFoundError(str(self))
        self.fs.rm_file(self.path)

    def rmdir(self, recursive: bool = True) -> None:
        self.fs.rm(self.path, recursive=recursive)

    def rename(self, target: Any) -> Self:
        there = self._target(target)
        self.fs.mv(self.path, there.path, recursive=True)
        return there

    def replace(self, target: Any) -> Self:
        return self.rename(target)

    def samefile(self, other: Any) -> bool:
        there = ObjectStoragePath(other)
        return self == there or (self.samestore(there) and self.stat() == there.stat())

    # --- from one storage to another ---------------------------------------------------------------------------------

    def copy(self, dst: Any, recursive: bool = False, **options: Any) -> None:
        """Copy a file, or with `recursive` a folder, also into another storage. Into a folder it keeps its name."""
        there = self._target(dst)
        if self.samestore(there):
            self.fs.copy(self.path, there.path, recursive=recursive, **options)
            return
        if there.exists() and there.is_dir():
            there = there / self.name
        for source, target in self._pairs(there, recursive):
            with source.open("rb") as reader, target.open("wb") as writer:
                shutil.copyfileobj(reader, writer, _COPY_BYTES)

    def copy_into(self, target_dir: Any, recursive: bool = False, **options: Any) -> None:
        """Copy into a folder, keeping the name."""
        self.copy(self._target(target_dir) / self.name, recursive, **options)

    def move(self, path: Any, recursive: bool = False, **options: Any) -> None:
        """Copy, then delete here."""
        there = self._target(path)
        if self.samestore(there):
            self.fs.mv(self.path, there.path, recursive=recursive, **options)
            return
        self.copy(there, recursive)
        self.fs.rm(self.path, recursive=recursive)

    def move_into(self, target_dir: Any, recursive: bool = False, **options: Any) -> None:
        """Move into a folder, keeping the name."""
        self.move(self._target(target_dir) / self.name, recursive, **options)

    def _pairs(
        self, there: ObjectStoragePath, recursive: bool
    ) -> Iterator[tuple[ObjectStoragePath, ObjectStoragePath]]:
        if not self.is_dir():
            yield self, there
            return
        if not recursive:
            raise IsADirectoryError(f"{self} is a folder: copy it with recursive=True")
        for name in self.fs.find(self.path):
            source = self._at(_stripped(name))
            yield source, there / str(source._path.relative_to(self._path))

    def _target(self, path: Any) -> Self:
        if isinstance(path, ObjectStoragePath):
            return path  # type: ignore[return-value]
        text = os.fspath(path)
        return type(self)(text) if "://" in text else self._at(text)

    # --- between tasks -----------------------------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Plain data, without secrets."""
        return {"path": f"{self._protocol}://{self._path}", "conn_id": self._conn_id, "kwargs": dict(self._options)}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """What `serialize` gave. Raises `WrongValue` for data of a newer version."""
        if version > cls.__version__:
            raise WrongValue(f"an object storage path of version {version} is newer than this program reads: upgrade")
        return cls(data["path"], conn_id=data.get("conn_id"), **(data.get("kwargs") or {}))

    @classmethod
    def cwd(cls) -> Self:
        return cls(Path.cwd().as_posix())

    @classmethod
    def home(cls) -> Self:
        return cls(Path.home().as_posix())


def _split(text: str) -> tuple[str, str | None, PurePosixPath]:
    """(scheme, connection, path with the bucket) of a URL or local path."""
    if "://" not in text:
        return "file", None, PurePosixPath(text)
    parts = urlsplit(text)
    owner, _, place = parts.netloc.rpartition("@")
    scheme = "file" if parts.scheme in _LOCAL else parts.scheme
    tail = parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return scheme, owner or None, PurePosixPath(f"{place}{tail}" if place else tail)


def _stripped(name: str) -> str:
    return name.partition("://")[2] if "://" in name else name


def _file_system(protocol: str, conn_id: str | None, options: dict[str, Any]) -> Any:
    provided = _provided(protocol)
    if provided is not None:
        return provided(conn_id, options)
    import fsspec  # type: ignore[import-untyped] # it has no types

    if conn_id is not None:
        options = {**_options_of(protocol, conn_id), **options}
    try:
        return fsspec.filesystem("file" if protocol in _LOCAL else protocol, **options)
    except (ImportError, ValueError) as error:
        raise WrongValue(f"there is no storage for {protocol}://: {error}") from error


def _provided(protocol: str) -> Callable[[str | None, dict[str, Any]], Any] | None:
    module = _PROVIDERS.get(protocol)
    if module is None:
        return None
    import importlib

    try:
        found: Callable[[str | None, dict[str, Any]], Any] = importlib.import_module(module).get_fs
    except ImportError:
        return None
    return found


def _options_of(protocol: str, conn_id: str) -> dict[str, Any]:
    """What fsspec wants to know, from a connection: its extra, and login and password under the scheme's names."""
    from .connections import find_connection

    connection = find_connection(conn_id)
    options: dict[str, Any] = dict(connection.extra_dejson)
    names = ("key", "secret") if protocol in ("s3", "s3a", "s3n") else ("username", "password")
    for name, value in zip(names, (connection.login, connection.password), strict=True):
        if value is not None:
            options.setdefault(name, value)
    if connection.host and protocol not in ("s3", "s3a", "s3n", "gs", "gcs", "file"):
        options.setdefault("host", connection.host)
        if connection.port:
            options.setdefault("port", connection.port)
    return options
