"""Values kept outside the database: bytes under a URL (setting values.url).

Local folders are read and written directly; any other scheme goes through fsspec, which is imported only then.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tradewind.wire.errors import InvalidValue, NotFound, Unavailable

_UNSAFE = re.compile(r"[^\w.\-=+:]+")
_PART_LENGTH_MAX = 120


class ValueStore:
    """Puts and gets bytes.

    Parameters:
        url: where new values go: `file:///…`, or anything fsspec knows.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def store(self, data: bytes, name: str) -> str:
        """Keep `data`; its url. `name` (dag/run/task/key) helps people to find it; the url is unique anyway.

        Raises:
            Unavailable: the storage cannot be written.
        """
        parts = [_UNSAFE.sub("_", part)[:_PART_LENGTH_MAX] for part in name.split("/") if part not in ("", ".", "..")]
        # Never the same url twice: an attempt that is repeated must not change what others read meanwhile.
        leaf = f"{parts.pop() if parts else 'value'}.{secrets.token_hex(8)}"
        url = "/".join([self._url, *parts, leaf])
        path = _local_path(url)
        try:
            if path is not None:
                _write_whole(path, data)
            else:
                with _open_remote(url, "wb") as stream:
                    stream.write(data)
        except OSError as error:
            raise Unavailable(
                f"value {name!r} of {len(data)} bytes cannot be stored under {self._url}: {error}"
            ) from error
        return url

    def fetch(self, url: str, sha256: str | None) -> bytes:
        """The bytes behind `url`.

        Raises:
            NotFound: there are none (pruned, or the storage is not shared by the machines).
            InvalidValue: they are not those that were stored.
            Unavailable: the storage cannot be read.
        """
        path = _local_path(url)
        try:
            if path is not None:
                data = path.read_bytes()
            else:
                with _open_remote(url, "rb") as stream:
                    data = bytes(stream.read())
        except FileNotFoundError as error:
            raise NotFound(
                f"the value {url} is gone, or stored on another machine; see the setting values.url"
            ) from error
        except OSError as error:
            raise Unavailable(f"the value {url} cannot be read: {error}") from error
        if sha256 is not None and (found := hashlib.sha256(data).hexdigest()) != sha256:
            raise InvalidValue(f"the value {url} was changed after it was stored: its SHA-256 is {found}, not {sha256}")
        return data

    def delete(self, url: str) -> None:
        """Delete what lies behind `url`; what is not there is fine.

        Raises:
            InvalidValue: it does not lie where values of this store go.
            Unavailable: the storage cannot be written.
        """
        if not url.startswith(f"{self._url}/") or ".." in url.split("/"):
            raise InvalidValue(f"the value {url} does not lie below {self._url}: it is not deleted")
        path = _local_path(url)
        try:
            if path is not None:
                path.unlink(missing_ok=True)
                return
            import fsspec  # type: ignore[import-untyped] # it has no types

            filesystem, place = fsspec.core.url_to_fs(url)
            filesystem.rm_file(place)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unavailable(f"the value {url} cannot be deleted: {error}") from error


def _local_path(url: str) -> Path | None:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path)) if "%" in parts.path else Path(parts.path)
    return Path(url) if not parts.scheme else None


def _write_whole(path: Path, data: bytes) -> None:
    """All or nothing: a reader never sees half a value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _open_remote(url: str, mode: str) -> Any:
    import fsspec

    return fsspec.open(url, mode)
