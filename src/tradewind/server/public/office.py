"""What the handlers of the public face work with: the database, the clock, the vault. Light: no FastAPI here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from tradewind.commands.documents import Documents
from tradewind.kernel.clock import Clock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.settings import Settings
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.store import Store, Transaction
from tradewind.ports.vault import Vault
from tradewind.runtime.plugin_probe import Plugins
from tradewind.server.database import Database

from .facts import FactsOfVersions

T = TypeVar("T")
_THREADS = 4
_PLUGINS_SECONDS = 60.0


class Office:
    """One per server process.

    Parameters:
        store: the database; the lists need one in SQL.
        vault: opens connections and variables.
        plugins: asks a child what plugins there are; the answer is kept for a while.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        vault: Vault,
        plugins: Callable[[], Plugins] = Plugins,
    ) -> None:
        # Threads of its own: lists that take long do not keep probes waiting.
        self.database = Database(store, threads=_THREADS)
        self.store = store
        self.settings = settings
        self.clock = clock
        self.vault = vault
        self.facts = FactsOfVersions()
        self._local = threading.local()
        self._ending: asyncio.Event | None = None
        self._plugins = plugins
        self._plugins_found: tuple[float, Plugins] | None = None
        self._plugins_lock = threading.Lock()

    @property
    def documents(self) -> Documents:
        """The documents as this thread keeps them: a cache is not for several threads at once."""
        found: Documents | None = getattr(self._local, "documents", None)
        if found is None:
            found = self._local.documents = Documents(128)
        return found

    def plugins(self) -> Plugins:
        """What plugins there are, as of a minute ago. Blocks: for threads."""
        with self._plugins_lock:
            now = self.clock.monotonic()
            if self._plugins_found is None or now - self._plugins_found[0] > _PLUGINS_SECONDS:
                self._plugins_found = (now, self._plugins())
            return self._plugins_found[1]

    def new_id(self) -> str:
        return str(uuid7())

    async def read(self, ask: Callable[[PublicTransaction], T]) -> T:
        """What `ask` finds in a snapshot, in a thread."""
        return await self.database.read(lambda tx: ask(_public(tx)))

    async def write(self, act: Callable[[PublicTransaction], T]) -> T:
        """What `act` answers, committed, in a thread."""
        return await self.database.write(lambda tx: act(_public(tx)))

    async def pause(self, seconds: float) -> bool:
        """Wait between two lines of a stream; False: the server stops, the stream is to end."""
        if self._ending is None:
            self._ending = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return True
        return False

    def end_streams(self) -> None:
        """End the answers that wait for something: the server stops. In the loop's thread."""
        if self._ending is None:
            self._ending = asyncio.Event()
        self._ending.set()

    def close(self) -> None:
        self.database.close()


def _public(tx: Transaction) -> PublicTransaction:
    return cast(PublicTransaction, tx)
