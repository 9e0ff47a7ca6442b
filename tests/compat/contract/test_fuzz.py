"""The contract, tried with made-up requests: nothing is a bug of the server, every answer is as the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from tests.unit.server.public.seeds import seed
from tests.unit.server.public.world import World
from tests.unit.server.serving import serving

from tradewind.server.public.app import make_application
from tradewind.store import schema as store_schema

EXAMPLES = 3
WALKS = 12
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
CONTRACT = schemathesis.openapi.from_dict(make_application().openapi())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and token."""
    home = tmp_path_factory.mktemp("fuzz")
    url = f"sqlite:///{home / 'tradewind.db'}"
    store_schema.migrate(url)
    world = World(home, url)
    seed(world)
    with serving(world.api, world.close) as (_, port):
        yield f"http://127.0.0.1:{port}", world.token


@CONTRACT.exclude(operation_id=["wait_dag_run_until_finished", "login", "logout"]).parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate],
)
def test_no_request_meets_a_bug(case: Any, server: tuple[str, str]) -> None:
    address, token = server
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {token}"},
        checks=CHECKS,
        timeout=30,
    )


def test_the_contract_on_disk_is_the_one_of_the_routes() -> None:
    from tradewind.server.contract import FILE, contract_text

    root = Path(__file__).parents[3]
    assert (root / FILE).read_text(encoding="utf-8") == contract_text(), "run `make generated`"


def test_walks_along_the_links_meet_no_bug(server: tuple[str, str]) -> None:
    """What one request made, the next ones read, change and delete."""
    address, token = server

    class Walk(CONTRACT.as_state_machine()):  # type: ignore[misc] # made when the test runs
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": address, "headers": {"Authorization": f"Bearer {token}"}, "timeout": 30}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    try:
        Walk.run(
            settings=hypothesis.settings(
                max_examples=WALKS,
                stateful_step_count=6,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(hypothesis.HealthCheck),
                phases=[hypothesis.Phase.generate],
            )
        )
    except hypothesis.errors.FlakyStrategyDefinition:
        pass  # the server remembers earlier walks, so that one may go on differently: no fault of an answer
