"""Encryption at rest: a ring of Fernet keys in a file, one a line. The first key seals, every key opens.

To rotate: `add_key` puts a new key first; values are sealed anew by `commands.secrets.reseal`; then old lines may go.
Processes that run meanwhile notice the new key when they meet the first value they cannot open.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tradewind.kernel.keys import ensure_file, replace_file
from tradewind.wire.errors import InvalidSetting, InvalidValue

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEY_BYTES = 32


class FernetVault:
    """`ports.vault.Vault`. Safe between threads.

    Parameters:
        path: the key file (secrets.key_file); made with a first key when there is none.

    Raises:
        InvalidSetting: the file cannot be read or written, or a line is no key.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = _read_keys(path)
        self._stamp = _stamp(path)
        self._lock = threading.Lock()
        self._ring: MultiFernet | None = None

    def seal(self, text: str) -> bytes:
        return self._current().encrypt(text.encode())

    def open(self, ciphertext: bytes) -> str:
        """Raises:
        InvalidValue: no key of the ring fits.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._current().decrypt(ciphertext).decode()
        except InvalidToken:
            pass
        try:
            # A key may have been added since this process read the file.
            return self._reread().decrypt(ciphertext).decode()
        except InvalidToken:
            raise InvalidValue(
                f"a stored secret cannot be decrypted: none of the {len(self._keys)} keys in {self._path} fits; "
                "restore the key file it was encrypted with (secrets.key_file), or set the secret again"
            ) from None

    def _current(self) -> MultiFernet:
        stamp = _stamp(self._path)
        if stamp is not None and stamp != self._stamp:
            # A key was added: what is sealed from now on must be openable when the old one is gone.
            self._stamp = stamp
            return self._reread()
        with self._lock:
            if self._ring is None:
                self._ring = _ring(self._keys)
            return self._ring

    def _reread(self) -> MultiFernet:
        keys = _read_keys(self._path)
        with self._lock:
            if keys != self._keys or self._ring is None:
                self._keys, self._ring = keys, _ring(keys)
            return self._ring


def drop_old_keys(path: Path) -> int:
    """Keep only the first key of the ring; how many went. What they sealed and nobody sealed anew is lost.

    Raises as `add_key`.
    """
    first, *others = _read_keys(path)
    replace_file(path, first + b"\n")
    return len(others)


def add_key(path: Path) -> None:
    """Put a new key first on the ring in the file `path`; the present keys go on opening.

    Raises:
        InvalidSetting: the file cannot be read, or a line is no key.
        OSError: it cannot be written.
    """
    keys = [_new_key(), *_read_keys(path)]
    replace_file(path, b"".join(key + b"\n" for key in keys))


def _stamp(path: Path) -> tuple[int, int] | None:
    """Tells one state of the file from another; None while it cannot be looked at: the keys in memory go on."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def _new_key() -> bytes:
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES))


def _read_keys(path: Path) -> list[bytes]:
    content = ensure_file(path, lambda: _new_key() + b"\n")
    keys = [line.strip() for line in content.splitlines() if line.strip() and not line.lstrip().startswith(b"#")]
    for number, key in enumerate(keys, 1):
        try:
            size = len(base64.urlsafe_b64decode(key))
        except binascii.Error:
            size = 0
        if size != _KEY_BYTES:
            raise InvalidSetting(
                f"key {number} in {path} is no Fernet key (44 characters of URL-safe base64); "
                "restore the file from a backup"
            )
    if not keys:
        raise InvalidSetting(
            f"the key file {path} is empty; restore it from a backup, or remove it so that a key is made"
        )
    return keys


def _ring(keys: list[bytes]) -> MultiFernet:
    # Imported here: most processes never open a secret, and the library takes 9 MB.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])
