"""Functions in other interpreters, with this machine's own Python as the other one. No package is downloaded."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tradewind import DAG, task
from tradewind.sdk.callables_foreign import VirtualenvCallable
from tradewind.sdk.connections import Connection
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.virtual_env import VenvPlan, chosen_installer, kept
from tradewind.standard import ExternalPythonOperator, PythonVirtualenvOperator

PYTHON = sys.executable


def _value(outcome: Any) -> Any:
    assert outcome.state == "success", outcome.reason
    return json.loads(next(entry.value.data for entry in outcome.xcoms if entry.key == "return_value"))


def _only(dag: DAG) -> Any:
    (task_,) = dag.tasks
    return task_


def test_arguments_context_and_result_travel(bench: Any) -> None:
    with DAG("d") as dag:

        @task.external_python(python=PYTHON)
        def add(a: int, b: int = 1, ds: str = "", logical_date: Any = None) -> dict[str, Any]:
            import os

            return {"sum": a + b, "ds": ds, "year": logical_date.year, "other": os.getpid()}

        add(1, b=2)
    said = _value(bench.run(_only(dag)))
    assert (said["sum"], said["ds"], said["year"]) == (3, "2024-03-04", 2024)
    assert said["other"] != os.getpid()


def test_async_functions_and_templates(bench: Any) -> None:
    with DAG("d") as dag:

        @task.external_python(python=PYTHON, env_vars={"X": "y"})
        async def look(text: str) -> list[str]:
            import asyncio
            import os

            await asyncio.sleep(0)
            return [text, os.environ["X"]]

        look("{{ ds }}")
    assert _value(bench.run(_only(dag))) == ["2024-03-04", "y"]


def _raises() -> None:
    raise KeyError("no such thing")


def _dies() -> None:
    import os

    os._exit(7)


def _returns_nothing() -> None: ...


def test_how_it_may_end(bench: Any) -> None:
    with DAG("d"):
        raises = ExternalPythonOperator(task_id="r", python=PYTHON, python_callable=_raises)
        dies = ExternalPythonOperator(task_id="e", python=PYTHON, python_callable=_dies)
        skips = ExternalPythonOperator(task_id="s", python=PYTHON, python_callable=_dies, skip_on_exit_code=7)
        nothing = ExternalPythonOperator(task_id="n", python=PYTHON, python_callable=_returns_nothing)
        missing = ExternalPythonOperator(task_id="m", python="/nowhere/python", python_callable=_dies)
    assert bench.run(raises).reason == "AirflowException: the function raised KeyError: 'no such thing'"
    assert bench.run(dies).reason.endswith("the process of the function ended with code 7; its output is in the log")
    assert bench.run(skips).state == "skipped"
    assert bench.run(nothing).xcoms == ()
    assert bench.run(missing).reason.endswith("there is no interpreter at /nowhere/python; correct python=")


def test_what_cannot_be_sent_is_refused_early(bench: Any) -> None:
    local = 1

    def closure() -> int:
        return local

    with DAG("d"):
        with pytest.raises(WrongArgument, match=r"uses variables of a function around it \(local\)"):
            ExternalPythonOperator(task_id="c", python=PYTHON, python_callable=closure)
        with pytest.raises(WrongArgument, match="must be written with def"):
            ExternalPythonOperator(task_id="l", python=PYTHON, python_callable=lambda: 1)
        with pytest.raises(WrongArgument, match="serializer of task 's' must be pickle, cloudpickle, dill"):
            ExternalPythonOperator(task_id="s", python=PYTHON, python_callable=_dies, serializer="json")
        with pytest.raises(WrongArgument, match="needs python="):
            ExternalPythonOperator(task_id="p", python="", python_callable=_dies)


def _wants_ti(ti: Any) -> None: ...


def test_what_lives_in_the_task_is_named(bench: Any) -> None:
    with DAG("d"):
        wants = ExternalPythonOperator(task_id="w", python=PYTHON, python_callable=_wants_ti)
    assert "'ti' of the context lives in the task's own process" in bench.run(wants).reason


def test_a_branch_in_another_interpreter(bench: Any) -> None:
    with DAG("d") as dag:

        @task.branch_external_python(python=PYTHON)
        def choose() -> str:
            return "a"

        @task
        def a() -> None: ...

        @task
        def b() -> None: ...

        choose() >> [a(), b()]
    outcome = bench.run(dag.get_task("choose"))
    assert (outcome.state, outcome.skips) == ("success", ("b",))


# --- virtual environments --------------------------------------------------------------------------------------------


def _prefix() -> list[str]:
    import sys

    return [sys.prefix, sys.base_prefix]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_environment_of_its_own_kept_or_not(
    installer: str, bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__STANDARD__VENV_INSTALL_METHOD", installer)
    cache = tmp_path / "cache"
    with DAG("d"):
        once = PythonVirtualenvOperator(task_id="o", python_callable=_prefix)
        again = PythonVirtualenvOperator(task_id="k", python_callable=_prefix, venv_cache_path=str(cache))
    prefix, base = _value(bench.run(once))
    assert prefix != base
    assert not Path(prefix).exists()
    first, second = _value(bench.run(again)), _value(bench.run(again))
    assert first == second
    assert first[0].startswith(str(cache))
    assert len([one for one in cache.iterdir() if one.is_dir()]) == 1


def test_what_is_installed_and_from_where(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands: list[tuple[list[str], dict[str, str]]] = []

    def run(command: Any, variables: Any) -> int:
        commands.append((list(command), dict(variables)))
        (tmp_path / f"venv-{plan.digest()}" / "bin").mkdir(parents=True, exist_ok=True)
        return 0

    plan = VenvPlan(requirements=("a==1",), index_urls=("https://one", "https://two"), pip_options=("--pre",))
    kept(tmp_path, plan, run)
    make, install = commands
    assert make[0][1:3] == ["-m", "venv"]
    assert make[0][-1] == "--system-site-packages"
    assert install[0][1:5] == ["-m", "pip", "install", "--pre"]
    assert install[1] == {"PIP_INDEX_URL": "https://one", "PIP_EXTRA_INDEX_URL": "https://two"}
    kept(tmp_path, plan, run)
    assert len(commands) == 2
    assert plan.digest() != VenvPlan(requirements=("a==2",)).digest()
    assert chosen_installer("pip") == "pip"


def test_requirements_in_all_forms(bench: Any) -> None:
    bench.world.connections["idx"] = Connection(
        conn_id="idx", conn_type="package_index", host="https://index.example/simple", login="me", password="hush/hush"
    )
    seen: list[VenvPlan] = []

    class Looks(VirtualenvCallable):
        def call(self, context: Any) -> None:
            seen.append(self._plan())

    with DAG("d"):
        looks = Looks(
            task_id="t",
            python_callable=_prefix,
            requirements="a=={{ ds_nodash }}\n# nothing\n\nb",
            serializer="cloudpickle",
            index_urls="https://one",
            index_urls_from_connection_ids="idx",
            python_version=3.11,
        )
    assert bench.run(looks).state == "success"
    (plan,) = seen
    assert plan.requirements == ("a==20240304", "b", "cloudpickle")
    assert plan.index_urls == ("https://one", "https://me:hush%2Fhush@index.example/simple")
    assert plan.python_version == "3.11"


# --- stubs -----------------------------------------------------------------------------------------------------------


def test_a_task_in_another_language(bench: Any) -> None:
    with DAG("d") as dag:

        @task.stub(queue="java", retries=2)
        def elsewhere() -> None:
            """It is written in Java."""

        elsewhere()

        @task.stub
        def wrong() -> int:
            return 1

        @task.stub(retry_policy=object())
        def policed() -> None: ...

        with pytest.raises(WrongArgument, match="must be empty"):
            wrong()
        with pytest.raises(WrongArgument, match="retry_policy"):
            policed()
    stub = dag.get_task("elsewhere")
    assert (stub.queue, stub.retries, stub.operator_name) == ("java", 2, "@task.stub")
    assert "no worker for that language listens on queue 'java'" in bench.run(stub).reason


def test_a_branch_in_a_virtual_environment(bench: Any, tmp_path: Path) -> None:
    with DAG("d") as dag:

        @task.branch_virtualenv(venv_cache_path=str(tmp_path))
        def choose() -> list[str]:
            return ["a"]

        @task
        def a() -> None: ...

        @task
        def b() -> None: ...

        choose() >> [a(), b()]
    outcome = bench.run(dag.get_task("choose"))
    assert (outcome.state, outcome.skips) == ("success", ("b",))


def test_the_decorator_of_environments(bench: Any, tmp_path: Path) -> None:
    with DAG("d") as dag:

        @task.virtualenv(venv_cache_path=str(tmp_path), system_site_packages=False)
        def where() -> bool:
            import sys

            return sys.prefix != sys.base_prefix

        where()
    assert _value(bench.run(_only(dag))) is True


def test_outputs_of_mapped_tasks_travel_as_lists() -> None:
    with DAG("d") as dag:

        @task
        def one(x: int) -> int:
            return x

        @task.external_python(python=PYTHON)
        def total(xs: Any) -> int:
            return sum(xs)

        total(one.expand(x=[1, 2, 3]))
    assert dag.test().xcom("total") == 6
