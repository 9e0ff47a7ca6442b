"""The metadata database: the only room that speaks SQL. README.md tells its promises and where to begin reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tradewind.kernel.clock import Clock
    from tradewind.kernel.doorbell import Doorbell

    from .sql import SqlStore

__all__ = ["DatabaseSettings", "open_store", "prepare_schema"]


class DatabaseSettings(Protocol):
    """What is read of the section `database` of the settings."""

    @property
    def url(self) -> str: ...
    @property
    def pool_size(self) -> int: ...
    @property
    def pool_overflow_max(self) -> int: ...
    @property
    def connect_timeout_seconds(self) -> float: ...
    @property
    def busy_timeout_seconds(self) -> float: ...
    @property
    def echo(self) -> bool: ...


def open_store(
    database: str | DatabaseSettings, *, clock: Clock | None = None, doorbell: Doorbell | None = None
) -> SqlStore:
    """The store of a database whose schema is there.

    Parameters:
        database: the settings of section `database`, or just a URL.
        clock: see `SqlStore`.
        doorbell: see `SqlStore`.

    Raises:
        BadInput: the URL is of no database that we know, or names no file.
    """
    from .sql import SqlStore

    if isinstance(database, str):
        return SqlStore(database, clock=clock, doorbell=doorbell)
    return SqlStore(
        database.url,
        clock=clock,
        doorbell=doorbell,
        pool_size=database.pool_size,
        pool_overflow_max=database.pool_overflow_max,
        connect_timeout_seconds=database.connect_timeout_seconds,
        busy_timeout_seconds=database.busy_timeout_seconds,
        echo=database.echo,
    )


def prepare_schema(url: str, *, default_pool_slots: int = 128) -> bool:
    """Bring the schema up to date; True when there was something to do. Loads the tools only then.

    Parameters:
        url: of the database, in SQLAlchemy's form.
        default_pool_slots: slots of `default_pool` when it is made.

    Raises:
        BadInput, Unavailable: as `SqlStore`.
        Conflict: the schema was made by a newer program.
    """
    from .schema_head import HEAD, find_revision
    from .sql import SqlStore

    store = SqlStore(url)
    try:
        current = find_revision(store) == HEAD
    finally:
        store.close()
    if not current:
        from .schema import migrate

        migrate(url, default_pool_slots=default_pool_slots)
    return not current
