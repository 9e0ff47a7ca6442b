"""`airflow.sdk` gives the very objects of `tradewind`."""

import importlib

import pytest

import airflow
import airflow.sdk
import tradewind


def test_names_are_the_same_objects():
    assert airflow.sdk.DAG is tradewind.DAG
    assert airflow.sdk.task is tradewind.task
    assert set(airflow.sdk.__all__) >= {"DAG", "dag", "task", "BaseOperator", "TaskGroup", "Param"}


def test_the_top_offers_what_dag_files_of_airflow_3_import_there():
    assert airflow.DAG is tradewind.DAG


def test_an_unknown_name_is_an_ordinary_import_error():
    with pytest.raises(ImportError):
        from airflow.sdk import no_such_name  # noqa: F401
    with pytest.raises(AttributeError, match="tradewind-airflow"):
        _ = airflow.no_such_name


@pytest.mark.parametrize(
    ("path", "name", "home"),
    [
        ("exceptions", "AirflowSkipException", "tradewind.sdk.exceptions"),
        ("exceptions", "AirflowFailException", "tradewind.sdk.exceptions"),
        ("bases.operator", "BaseOperator", "tradewind.sdk"),
        ("bases.operator", "chain", "tradewind.sdk"),
        ("bases.sensor", "PokeReturnValue", "tradewind.sdk"),
        ("bases.hook", "BaseHook", "tradewind.sdk"),
        ("definitions.param", "ParamsDict", "tradewind.sdk"),
        ("definitions.context", "get_current_context", "tradewind.sdk"),
        ("definitions.taskgroup", "MappedTaskGroup", "tradewind.sdk.groups"),
        ("definitions.decorators", "task", "tradewind.sdk"),
    ],
)
def test_the_modules_of_the_sdk_give_the_same_objects(path, name, home):
    module = importlib.import_module(f"airflow.sdk.{path}")
    assert getattr(module, name) is getattr(importlib.import_module(home), name)
    assert name in module.__all__


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("airflow.operators.bash", "tradewind.standard"),
        ("airflow.providers.standard.operators.python", "tradewind.standard"),
        ("airflow.decorators", "airflow.sdk"),
        ("airflow.exceptions", "airflow.sdk.exceptions"),
        ("airflow.kubernetes", "airflow.sdk"),
    ],
)
def test_a_path_that_is_not_built_says_where_to_look(name, advice):
    with pytest.raises(ModuleNotFoundError, match=advice):
        importlib.import_module(name)
