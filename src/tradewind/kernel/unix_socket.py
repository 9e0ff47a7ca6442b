"""Addresses of Unix sockets for paths of any length.

The system takes 107 bytes at most. Deep home folders (tests, long user names) exceed that, so longer paths are reached
through an open descriptor of their folder: `/proc/self/fd/N/name`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS_BYTES_MAX = 107


@contextmanager
def unix_address(path: Path) -> Iterator[str]:
    """What to give to `bind`, `connect` or `sendto` for the socket at `path`; valid inside the block only.

    Raises:
        FileNotFoundError: the path is long and its folder does not exist.
        ValueError: the file name alone is too long.
    """
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        address = f"/proc/self/fd/{folder}/{path.name}"
        if len(os.fsencode(address)) > ADDRESS_BYTES_MAX:
            raise ValueError(f"the file name of the socket {path} is too long; use one of at most 80 bytes")
        yield address
    finally:
        os.close(folder)
