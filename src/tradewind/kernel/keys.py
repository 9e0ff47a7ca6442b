"""Keys in files: made at the first start, readable by their owner only, shared by all processes of an installation."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path

from tradewind.kernel.log import get_logger
from tradewind.wire.errors import InvalidSetting

KEY_BYTES_MIN = 32
_CREDENTIAL_LABEL = b"agent-credential"
_log = get_logger("keys")


def ensure_key(path: Path) -> bytes:
    """The key in the file `path` (hexadecimal), at least 32 bytes; made when there is no file.

    Several processes may call this at once: all get the same key.

    Raises:
        InvalidSetting: the file cannot be read or written, or holds no key.
    """
    text = ensure_file(path, lambda: os.urandom(KEY_BYTES_MIN).hex().encode() + b"\n").strip()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise InvalidSetting(
            f"the key file {path} does not hold a hexadecimal key; restore it from a backup, "
            "or remove it so that a new key is made"
        ) from None
    if len(key) < KEY_BYTES_MIN:
        raise InvalidSetting(
            f"the key in {path} has {len(key)} bytes, at least {KEY_BYTES_MIN} are needed; "
            "remove the file so that a new key is made"
        )
    return key


def execution_credential(key: bytes) -> str:
    """What agents present to the execution face. Derived from the execution key: who sees it cannot sign with it."""
    return hmac.digest(key, _CREDENTIAL_LABEL, hashlib.sha256).hex()


def ensure_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a secret file; when there is none, `make` says what to put there.

    The first of several writers wins, the others read what it wrote: the file appears with all its content.

    Raises:
        InvalidSetting: the file cannot be read or written.
    """
    try:
        content = _read(path)
        if content is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(path, make())
            content = _read(path)
    except OSError as error:
        raise InvalidSetting(
            f"the key file {path} cannot be used: {error.strerror}; make it readable for this user, or set another path"
        ) from error
    if content is None:
        raise InvalidSetting(f"the key file {path} vanished while it was read; leave it in place and start again")
    return content


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a secret file, at once and durably, readable by its owner only.

    Raises:
        OSError: it cannot be written.
    """
    draft = _draft(path, content)
    draft.replace(path)
    _sync_folder(path.parent)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                _log.warning("key_file_open_to_others", path=str(path), remedy="chmod 600")
            return file.read()
    except FileNotFoundError:
        return None


def _publish(path: Path, content: bytes) -> None:
    draft = _draft(path, content)
    try:
        # A link fails where a rename would overwrite the key that another process has begun to use.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """Without it a power cut could take the name of a key that has encrypted values already."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
