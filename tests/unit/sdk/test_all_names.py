"""Every public name of Airflow's SDK is ours too, the very same object under each of its paths, and imported lazily."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.unit.sdk.authoring.test_public_names import AIRFLOW_NAMES

import tradewind
from tradewind import sdk


@pytest.mark.parametrize("name", sorted(AIRFLOW_NAMES))
def test_a_name_resolves(name: str) -> None:
    assert name in sdk.__all__
    value = getattr(sdk, name)
    assert value is not None
    assert getattr(tradewind, name) is value


def test_nothing_is_missing_any_more() -> None:
    assert len(AIRFLOW_NAMES) == 98
    assert sdk._NOT_YET == {}


def test_a_star_import_gives_them_all() -> None:
    code = "from tradewind.sdk import *\nimport tradewind.sdk as s\nassert not set(s.__all__) - set(globals())"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_types_know_what_is_lazy() -> None:
    """What a type checker is told is what there is."""
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(sdk))
    told = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None
    }
    assert set(sdk.__all__) <= told
