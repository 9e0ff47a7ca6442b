"""What settings name, opened: one function per socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tradewind.kernel.keys import ensure_key
from tradewind.kernel.settings import Settings
from tradewind.wire.errors import Conflict, NotFound

if TYPE_CHECKING:
    from tradewind.adapters.tokens import BearerTokens
    from tradewind.adapters.vault import FernetVault
    from tradewind.kernel.clock import Clock
    from tradewind.store.sql import SqlStore


def open_database(settings: Settings) -> SqlStore:
    """The database, its schema brought up to date first when database.migrate_on_start says so: for what serves.

    Raises:
        NotFound, Conflict: the schema does not fit and may not be changed here.
        Unavailable: the database cannot be reached.
    """
    from tradewind.store import open_store

    store = open_store(settings.database)
    try:
        if settings.database.migrate_on_start and not is_current(store):
            from tradewind.store.schema import migrate

            migrate(settings.database.url, default_pool_slots=settings.core.default_pool_slots)
        else:
            require_schema(store, settings)
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def existing_database(settings: Settings) -> Iterator[SqlStore]:
    """The database as it is, for commands; closed at the end of the block.

    Raises:
        NotFound, Conflict: there is none, or its schema does not fit.
        Unavailable: it cannot be reached.
    """
    from tradewind.store import open_store

    store = open_store(settings.database)
    try:
        require_schema(store, settings)
        yield store
    finally:
        store.close()


def is_current(store: SqlStore) -> bool:
    """Whether the database has the schema that this program needs."""
    from tradewind.store.dialects.revision import found_revision
    from tradewind.store.schema_head import HEAD

    return found_revision(store) == HEAD


def require_schema(store: SqlStore, settings: Settings) -> None:
    """Raises `NotFound` (no schema yet) or `Conflict` (another one), with the remedy."""
    from tradewind.store.dialects.revision import found_revision
    from tradewind.store.schema_head import HEAD

    found = found_revision(store)
    if found is None:
        raise NotFound(
            f"there is no Tradewind database at {shown_url(settings)} yet; "
            "start everything with `tradewind standalone`, or make the database with `tradewind db migrate`"
        )
    if found != HEAD:
        what = "`tradewind db migrate` brings it up to date" if found < HEAD else "upgrade this Tradewind"
        raise Conflict(f"the database at {shown_url(settings)} has schema {found}, this program needs {HEAD}; {what}")


def shown_url(settings: Settings) -> str:
    """The database's URL for people: without its password."""
    return next(entry.shown for entry in settings.entries() if entry.name == "database.url")


def open_vault(settings: Settings) -> FernetVault:
    """Encryption of connections and variables. Raises `InvalidSetting` for a key file that cannot be used."""
    from tradewind.adapters.vault import FernetVault

    return FernetVault(settings.secrets.key_file)


def bearer_tokens(settings: Settings, clock: Clock) -> BearerTokens:
    """Tokens for people and scripts; the key lies beside the others of this home."""
    from tradewind.adapters.tokens import BearerTokens

    key = ensure_key(settings.secrets.key_file.with_name("tokens.key"))
    return BearerTokens(key, clock, settings.auth.token_seconds)


def execution_key(settings: Settings) -> bytes:
    """The key that seals workloads; made at the first start."""
    return ensure_key(settings.execution.key_file)
