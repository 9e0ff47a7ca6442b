"""Views with Airflow's names, on PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest
from tests.postgres import temporary_database

from tradewind.store.airflow_views import VIEWS, make_airflow_views
from tradewind.store.schema import migrate
from tradewind.wire.errors import BadInput


@pytest.mark.postgres
def test_each_view_can_be_read_and_made_again():
    with temporary_database() as url:
        migrate(url)
        assert len(make_airflow_views(url)) == len(VIEWS)
        make_airflow_views(url)
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
            for name in VIEWS:
                assert connection.execute(f"SELECT * FROM airflow.{name}").fetchall() is not None
            pools = connection.execute("SELECT pool, slots FROM airflow.slot_pool").fetchall()
            assert ("default_pool", 128) in pools


def test_sqlite_has_no_schema_for_them():
    with pytest.raises(BadInput, match="PostgreSQL"):
        make_airflow_views("sqlite:////tmp/x.db")
