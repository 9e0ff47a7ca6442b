"""Import paths of Airflow 1.10, 2 and 3 give the SDK's objects; older ones are noted with file and line."""

import importlib
import subprocess
import sys
import warnings

import pytest

import airflow
import airflow.sdk
import tradewind
from airflow._notes import OlderForm
from airflow._tables import all_rows, core, sdk


def test_names_are_the_same_objects():
    assert airflow.sdk.DAG is tradewind.DAG
    assert airflow.sdk.task is tradewind.task
    assert airflow.DAG is tradewind.DAG
    assert set(airflow.sdk.__all__) >= {"DAG", "dag", "task", "BaseOperator", "TaskGroup", "Param"}


def test_the_version_is_the_level_of_the_interface():
    assert airflow.__version__ == "3.3.2"
    assert importlib.import_module("airflow.version").version == "3.3.2"


def test_an_unknown_name_is_an_ordinary_import_error():
    with pytest.raises(ImportError):
        from airflow.sdk import no_such_name  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("airflow.no_such_module")
    with pytest.raises(ImportError):
        from airflow.exceptions import NoSuchException  # noqa: F401
    with pytest.raises(AttributeError, match="tradewind-airflow"):
        _ = airflow.no_such_name


@pytest.mark.parametrize(
    ("path", "name", "home"),
    [
        ("sdk.exceptions", "AirflowSkipException", "tradewind.sdk.exceptions"),
        ("sdk.bases.operator", "BaseOperator", "tradewind.sdk"),
        ("sdk.bases.operator", "chain", "tradewind.sdk"),
        ("sdk.bases.sensor", "PokeReturnValue", "tradewind.sdk"),
        ("sdk.bases.hook", "BaseHook", "tradewind.sdk"),
        ("sdk.definitions.param", "ParamsDict", "tradewind.sdk"),
        ("sdk.definitions.context", "get_current_context", "tradewind.sdk"),
        ("sdk.definitions.taskgroup", "MappedTaskGroup", "tradewind.sdk.groups"),
        ("sdk.definitions.decorators", "task", "tradewind.sdk"),
        ("exceptions", "AirflowFailException", "tradewind.sdk.exceptions"),
        ("models", "Variable", "tradewind.sdk"),
        ("models", "DAG", "tradewind.sdk"),
        ("models", "BaseOperator", "tradewind.sdk"),
        ("timetables.trigger", "CronTriggerTimetable", "tradewind.sdk"),
        ("triggers.base", "TriggerEvent", "tradewind.sdk.triggers"),
    ],
)
def test_paths_of_today_are_silent(path, name, home):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = importlib.import_module(f"airflow.{path}")
        assert getattr(module, name) is getattr(importlib.import_module(home), name)


OLDER = [
    ("models.baseoperator", "BaseOperator", "tradewind.sdk"),
    ("models.dag", "DAG", "tradewind.sdk"),
    ("decorators", "task", "tradewind.sdk"),
    ("hooks.base_hook", "BaseHook", "tradewind.sdk"),
    ("sensors.base_sensor_operator", "BaseSensorOperator", "tradewind.sdk"),
    ("utils.task_group", "TaskGroup", "tradewind.sdk"),
    ("operators.python_operator", "PythonOperator", "tradewind.standard"),
    ("operators.bash_operator", "BashOperator", "tradewind.standard"),
    ("operators.dummy", "DummyOperator", "tradewind.standard:EmptyOperator"),
    ("operators.dummy_operator", "DummyOperator", "tradewind.standard:EmptyOperator"),
    ("operators", "PythonOperator", "tradewind.standard"),
    ("contrib.sensors.file_sensor", "FileSensor", "tradewind.standard"),
]


@pytest.mark.parametrize(("path", "name", "home"), OLDER)
def test_older_paths_give_the_same_object_and_a_note(path, name, home):
    where, _, private = home.partition(":")
    module = importlib.import_module(f"airflow.{path}")
    with pytest.warns(OlderForm, match=rf"airflow\.{path}\.{name} is an older path") as caught:
        found = getattr(module, name)
    assert found is getattr(importlib.import_module(where), private or name)
    assert caught[0].filename == __file__


def test_a_note_names_the_file_and_the_line_of_the_author(tmp_path):
    file = tmp_path / "old.py"
    file.write_text(
        "x = 1\nfrom airflow.utils.dates import days_ago\nfrom airflow.operators.dummy import DummyOperator\n"
    )
    code = f"""
import runpy, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    runpy.run_path({str(file)!r})
print([(one.filename, one.lineno) for one in caught])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([(str(file), 3)])


def test_importing_airflow_loads_next_to_nothing():
    code = (
        "import sys, airflow; print([m for m in ('pendulum', 'jinja2', 'sqlalchemy', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_of_contrib_say_which_package_they_need():
    with pytest.raises(ImportError, match="providers"):
        from airflow.contrib.hooks.snowflake_hook import SnowflakeHook  # noqa: F401


_LATER = {"airflow.providers.", "kubernetes", "croniter"}


@pytest.mark.parametrize("table", [sdk, core], ids=["sdk", "core"])
def test_every_name_of_a_table_has_a_home(table):
    missing = []
    for module, text in table.ROWS.items():
        row = airflow._redirect.Row(module, text, False)
        for name in row.homes:
            try:
                row.find(name)
            except (ImportError, AttributeError) as error:
                missing.append(f"{module}.{name}: {error}")
    known = ("is not offered", "not available")
    assert [one for one in missing if not any(word in one for word in known)] == []


def test_no_module_stands_in_two_tables_by_mistake():
    names = [name for name, _, _ in all_rows()]
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= {"assets", "operators", "hooks", "sensors"}  # packages that have names of their own besides
