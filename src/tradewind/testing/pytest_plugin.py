"""Fixtures for tests of DAGs. pytest finds this plugin by itself where Tradewind is installed.

    def test_orders(dag_run, connections, variables):
        variables["region"] = "eu"
        run = dag_run(orders_dag, conf={"day": "2024-01-01"})
        assert run.state == "success"
        assert run.xcom("count") == 3
        run.matches_snapshot()

Fixtures: `dag_run` runs a DAG in memory on a clock that does not wait; `fake_clock` is that clock; `connections` and
`variables` are what its tasks find; `dag_files` loads DAG files. Nothing of Tradewind is imported until one of them is
used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tradewind.kernel.clock import VirtualClock

    from .runs import DagFiles, DagRunner


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that writes snapshots anew."""
    group = parser.getgroup("tradewind")
    group.addoption(
        "--tradewind-update-snapshots",
        action="store_true",
        default=False,
        help="write the snapshots that DAG runs are compared with, instead of comparing",
    )


@pytest.fixture
def fake_clock() -> VirtualClock:
    """The clock of `dag_run`: it begins on 2024-01-01 and moves only when something waits, or `advance` is called."""
    from tradewind.kernel.clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def connections() -> dict[str, Any]:
    """Connections that tasks find, by id: a URI, a dict of fields, or a `Connection`. Fill it in the test."""
    return {}


@pytest.fixture
def variables() -> dict[str, Any]:
    """Variables that tasks find, by name. Fill it in the test."""
    return {}


@pytest.fixture
def dag_run(
    request: pytest.FixtureRequest,
    fake_clock: VirtualClock,
    connections: dict[str, Any],
    variables: dict[str, Any],
) -> DagRunner:
    """A function that runs a DAG and gives what became of it."""
    from .runs import DagRunner, Snapshots

    folder = Path(request.path).parent / "__snapshots__"
    name = f"{Path(request.path).stem}.{request.node.name}"
    snapshots = Snapshots(folder, name, update=bool(request.config.getoption("--tradewind-update-snapshots")))
    return DagRunner(fake_clock, connections, variables, snapshots)


@pytest.fixture
def dag_files() -> DagFiles:
    """A function that loads the DAGs of a file or folder, and fails the test where one cannot be loaded."""
    from .runs import DagFiles

    return DagFiles()
