"""A database of its own for each installation that is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import temporary_database

DATABASES = ("postgres", "sqlite")


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """URL of a new, empty database; gone at the end of the block.

    Raises:
        ValueError: `kind` is none of DATABASES.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'tradewind.db'}"
    elif kind == "postgres":
        with temporary_database() as url:
            yield url
    else:
        raise ValueError(f"there is no database {kind!r}; choose one of {', '.join(DATABASES)}")
