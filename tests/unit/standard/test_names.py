from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import tradewind.standard
from tradewind.sdk import DAG
from tradewind.standard import EmptyOperator, PythonOperator, PythonSensor


def test_every_name_can_be_imported_and_all_are_listed() -> None:
    for name in tradewind.standard.__all__:
        assert getattr(tradewind.standard, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = tradewind.standard.Nothing
    assert set(tradewind.standard.__all__) <= set(dir(tradewind.standard))


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    program = "import sys, tradewind.standard; print(any(m in sys.modules for m in ('httpx', 'psycopg', 'jinja2')))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    assert importlib.import_module("tradewind.standard.python").PythonOperator is PythonOperator


def test_python_operators(run: Any) -> None:
    def both(x: int, *, y: str, ds: str, templates_dict: Any = None) -> list[Any]:
        return [x, y, ds, templates_dict]

    ended = run(
        PythonOperator, python_callable=both, op_args=[1], op_kwargs={"y": "{{ ds }}"}, templates_dict={"k": "{{ ds }}"}
    )
    assert ended.value == [1, "2024-01-01", "2024-01-01", {"k": "2024-01-01"}]
    answers = iter([False, 0, True])
    assert run(PythonSensor, python_callable=lambda: next(answers)).state == "success"


def test_empty_operators_need_no_process(run: Any) -> None:
    assert run(EmptyOperator).state == "success"
    said: list[Any] = []
    assert run(EmptyOperator, dag=DAG("d"), on_success_callback=said.append).state == "success"
    assert len(said) == 1
