"""When to look: a thread that waits for changes below a folder and says that there were some, not which.

A look at a whole folder costs milliseconds and misses nothing; lists of events miss what happened while folders came
and went. So events are only a bell.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from watchfiles import watch

from tradewind.kernel.log import get_logger

_DEBOUNCE_MS = 300
"""Longest wait for further changes after the first: a folder that is being copied is seen when it is whole, one that is
written to all the time is seen anyway."""
_STEP_MS = 20
"""After this long without a further change it is enough; also how often the library looks up, which costs a fifth of a
percent of a processor when nothing happens (measured; at 10 ms it is twice that)."""
_STOP_LOOK_MS = 60_000
_log = get_logger("processor")


class FolderWatch:
    """Watches one folder, as it is now. A folder put in its place is another one: make a new watch.

    Parameters:
        folder: an existing folder.
        on_change: called from the watching thread.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(self, folder: str, on_change: Callable[[], None]) -> None:
        status = os.stat(folder)
        self._identity = (status.st_dev, status.st_ino)
        self._folder = os.path.realpath(folder)
        self._on_change = on_change
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dag-folder-watch", daemon=True)
        self._thread.start()

    def is_of(self, folder: str) -> bool:
        """Whether it still watches what `folder` is now."""
        try:
            status = os.stat(folder)
        except OSError:
            return False
        return self._thread.is_alive() and (status.st_dev, status.st_ino) == self._identity

    def close(self) -> None:
        """Stop watching. Twice is once."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for _ in watch(
                self._folder,
                watch_filter=None,
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                stop_event=self._stopping,
                rust_timeout=_STOP_LOOK_MS,
                ignore_permission_denied=True,
            ):
                self._on_change()
        except (OSError, RuntimeError) as error:  # out of inotify watches; the folder vanished
            _log.warning("watch_failed", folder=self._folder, reason=str(error), remedy="changes are found by rescans")
