"""The schema of the database: bring it up to date, look at it, make it anew."""

from __future__ import annotations

from pathlib import Path

import msgspec
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from tradewind.wire.errors import Conflict

from .dialects.admin import schema_transaction, tune_storage
from .schema_head import HEAD

_MIGRATIONS = Path(__file__).parent / "migrations"
_DEFAULT_POOL = text(
    "INSERT INTO pool (name, slots, description, include_deferred, used) "
    "VALUES ('default_pool', :slots, 'Default pool', false, 0) ON CONFLICT (name) DO NOTHING"
)


class SchemaState(msgspec.Struct, frozen=True):
    """The revision that the database has, and the one that this program needs."""

    found: str | None
    """None: there is no schema yet."""
    needed: str

    @property
    def is_current(self) -> bool:
        return self.found == self.needed


def migrate(url: str, *, default_pool_slots: int = 128) -> SchemaState:
    """Bring the schema up to date, in one transaction; several processes may do so at once.

    Parameters:
        url: of the database, in SQLAlchemy's form. A SQLite file is made, with its folder.
        default_pool_slots: slots of `default_pool` when it is made.

    Returns:
        What was found before; `is_current` says that there was nothing to do.

    Raises:
        BadInput, Unavailable: as `store.sql.SqlStore`.
        Conflict: the schema was made by a newer program.
    """
    with schema_transaction(url) as connection:
        before = _state(connection)
        if not before.is_current:
            command.upgrade(_config(connection), "head")
            tune_storage(connection)
            connection.execute(_DEFAULT_POOL, {"slots": default_pool_slots})
    return before


def check(url: str) -> SchemaState:
    """The state of the schema. Raises as `migrate`."""
    with schema_transaction(url) as connection:
        return _state(connection)


def reset(url: str, *, default_pool_slots: int = 128) -> None:
    """Drop everything of ours, history included, and make the schema anew. Raises as `migrate`, without `Conflict`."""
    with schema_transaction(url) as connection:
        for name in (*_our_tables(), "alembic_version"):
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    migrate(url, default_pool_slots=default_pool_slots)


def _our_tables() -> list[str]:
    # The names of all schemas there ever were, as long as none is given up.
    from .tables import METADATA

    return list(METADATA.tables)


def _state(connection: Connection) -> SchemaState:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found > HEAD:
        raise Conflict(
            f"the database has schema {found}, this program knows schemas up to {HEAD}: "
            "it was migrated by a newer Tradewind; upgrade this one"
        )
    return SchemaState(found=found, needed=HEAD)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
