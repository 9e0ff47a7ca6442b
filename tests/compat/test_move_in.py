"""Moving in from databases that real installations wrote: set TRADEWIND_TEST_AIRFLOW_DBS to their urls, separated by
blanks, and TRADEWIND_TEST_AIRFLOW_KEY to their fernet key. `fill_airflow.sh` makes such an installation's content."""

from __future__ import annotations

import os

import pytest
from cryptography.fernet import Fernet

from tradewind.store.read.airflow import read_airflow

URLS = os.environ.get("TRADEWIND_TEST_AIRFLOW_DBS", "").split()


@pytest.mark.parametrize("url", URLS or [pytest.param("", marks=pytest.mark.skip("no database of Airflow is named"))])
def test_everything_that_was_put_in_comes_out(url):
    fernet = Fernet(os.environ["TRADEWIND_TEST_AIRFLOW_KEY"].encode())
    facts = read_airflow(url, unseal=lambda text: fernet.decrypt(text.encode()).decode(), runs_max=10)
    assert facts.left == []
    connections = {one.conn_id: one for one in facts.connections}
    assert (connections["pg1"].password, connections["pg1"].port) == ("s3cret!", 5433)
    assert connections["web"].password == "p@ss"
    assert {one.key: one.value for one in facts.variables}["colour"] == "blue"
    assert {one.name: one.slots for one in facts.pools}["slow"] == 3
    runs = [one for one in facts.runs if one.dag_id == "daily"]
    assert {one.state for one in runs} == {"success"}
    assert {task.state for one in runs for task in one.tasks} == {"success"}
