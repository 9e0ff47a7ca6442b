"""The schema as SQLAlchemy tables: what the migrations must arrive at.

Tests compare the two, and the columns with `ports.rows`. Only schema work imports this room: statements are text (see
README.md of `store`), so that services do not load SQLAlchemy.

There are no foreign keys: a check of one would lock the parent row, which for a run is the very row that its owner
holds, and history is deleted by run key in batches. What must always hold within a row is a CHECK.
"""

from . import (  # noqa: F401 # they fill the metadata
    archive,
    assets,
    backfills,
    connection_tests,
    dags,
    deadlines,
    favorites,
    outbox,
    people,
    runs,
    services,
    tasks,
    waits,
)
from .metadata import METADATA

__all__ = ["METADATA"]
