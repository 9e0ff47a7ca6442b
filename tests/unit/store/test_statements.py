"""Texts of statements: constant, prepared, and without tools that services do not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tradewind import store
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.doorbell import LocalDoorbell
from tradewind.store.dialects.base import Dialect
from tradewind.store.dialects.postgresql import PostgresDialect
from tradewind.store.dialects.sqlite import SqliteDialect
from tradewind.store.statements import statement


def postgres() -> PostgresDialect:
    return PostgresDialect("postgresql://u@h/d", pool_size=1, pool_overflow_max=0, connect_timeout_seconds=1)


def sqlite(tmp_path) -> SqliteDialect:
    return SqliteDialect(
        tmp_path / "x.db", clock=SystemClock(), doorbell=LocalDoorbell(), busy_timeout_seconds=1, pool_size=1
    )


def test_a_text_is_built_once_per_shape(tmp_path) -> None:
    built: list[tuple[object, ...]] = []

    @statement
    def look(d: Dialect, shape: int) -> str:
        built.append((type(d), shape))
        return f"SELECT :value::text, '100%', {shape}"

    first, second = postgres(), postgres()
    assert look(first, 1) == look(second, 1) == "SELECT %(value)s::text, '100%%', 1"
    assert look(first, 2) == "SELECT %(value)s::text, '100%%', 2"
    assert look(sqlite(tmp_path), 1) == "SELECT :value::text, '100%', 1"
    assert built == [(PostgresDialect, 1), (PostgresDialect, 2), (SqliteDialect, 1)]


def test_services_load_neither_sqlalchemy_nor_alembic() -> None:
    """The tools of schema work are 30 MB and a second of start-up in every process."""
    code = (
        "import sys; from tradewind.store import open_store, schema_head; open_store('postgresql://h/d'); open_store('sqlite:////tmp/x');"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'sqlalchemy', 'alembic'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_only_dialects_name_databases() -> None:
    room = Path(store.__file__).parent
    named = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if any(f'"{name}"' in path.read_text() for name in ("sqlite", "postgresql"))
    }
    # sql.py chooses the dialect by the scheme of the URL; the two others are about databases of Airflow and views for
    # one database only.
    besides = {"sql.py", "airflow_views.py", "read/airflow.py"}
    assert {name for name in named if not name.startswith("dialects/")} == besides
