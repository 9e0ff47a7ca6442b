"""`apache-airflow-client` drives a real server: it understands every answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import airflow_client.client as sdk
import pytest
from tests.compat.client.tour import STEPS, operations, table, walk
from tests.unit.server.public.seeds import seed
from tests.unit.server.public.world import World
from tests.unit.server.serving import serving

from tradewind.store import schema

TABLE = Path(__file__).with_name("RESULTS.md")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sdk.ApiClient]:
    home = tmp_path_factory.mktemp("tour")
    url = f"sqlite:///{home / 'tradewind.db'}"
    schema.migrate(url)
    world = World(home, url)
    seed(world)
    with serving(world.api, world.close) as (_, port):
        configuration = sdk.Configuration(host=f"http://127.0.0.1:{port}", access_token=world.token)
        with sdk.ApiClient(configuration) as client:
            yield client
    shutil.rmtree(home, ignore_errors=True)


def test_the_tour_calls_everything() -> None:
    called = {(step.api, step.method) for step in STEPS}
    assert not operations() - called


def test_every_operation_works_or_says_why_not(client: sdk.ApiClient) -> None:
    results = walk(client)
    failed = [
        f"{result.step.api}.{result.step.method}: {result.outcome}" for result in results if "FAILED" in result.outcome
    ]
    assert not failed, "\n".join(failed)
    found = table(results)
    if not TABLE.exists() or TABLE.read_text(encoding="utf-8") != found:
        TABLE.write_text(found, encoding="utf-8")
        pytest.fail(f"{TABLE.name} was not current; it is now: look at what changed")
