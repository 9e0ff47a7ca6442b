from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest

from tradewind.sdk import DAG, BaseOperator, literal
from tradewind.sdk.context import VariableAccessors
from tradewind.sdk.exceptions import AirflowNotFoundException, TemplateRenderingError
from tradewind.sdk.templates import FieldRenderer, TemplateEngine, compile_fields, engine_for


class Nested:
    template_fields = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Op(BaseOperator):
    template_fields = ("a", "b")
    template_ext = (".sql",)

    def __init__(self, *, a: Any = None, b: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.a, self.b = a, b


class NoFetch:
    def value(self, task_id: str, key: str) -> Any:
        return f"{task_id}.{key} {{{{ not_rendered }}}}"

    def param(self, name: str) -> Any:
        return {"n": 5}[name]


CONTEXT = {"ds": "2024-01-02", "params": {"n": 3}, "when": datetime(2024, 1, 2, 3, tzinfo=UTC), "x": [1, 2]}


def rendered(a: Any, dag: DAG | None = None, context: Any = None, **kwargs: Any) -> Any:
    task = Op(task_id="t", a=a, dag=dag or DAG("d"), **kwargs)
    FieldRenderer(task, CONTEXT if context is None else context, NoFetch()).render_fields()
    return task.a


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("plain", "plain"),
        ("{{ ds }}!", "2024-01-02!"),
        ("one\n", "one"),
        (
            ["{{ ds }}", ("{{ params.n }}",), {"{{ k }}": {"{{ ds }}"}}],
            ["2024-01-02", ("3",), {"{{ k }}": {"2024-01-02"}}],
        ),
        (5, 5),
        (None, None),
        (literal("{{ ds }}"), "{{ ds }}"),
        (literal("x.sql"), "x.sql"),
        (
            "{{ when | ds_nodash }} {{ when | ts }} {{ when | ts_nodash }}",
            "20240102 2024-01-02T03:00:00+00:00 20240102T030000",
        ),
        ("{{ x._private if x._private is defined else 'no' }}", "no"),
        ("{% do x.append(1) %}{{ 1 + 1 }}", "2"),
    ],
)
def test_rendering(value: Any, result: Any) -> None:
    assert rendered(value, context={**CONTEXT, "x": []}) == result


def test_objects_with_fields_are_rendered_as_copies() -> None:
    nested = Nested("{{ ds }}")
    assert rendered({"k": nested})["k"].inner == "2024-01-02"
    assert nested.inner == "{{ ds }}"


def test_references_resolve_and_are_not_rendered() -> None:
    dag = DAG("d")
    before = Op(task_id="before", dag=dag)
    assert rendered([before.output], dag) == ["before.return_value {{ not_rendered }}"]


def test_native_types() -> None:
    dag = DAG("d", render_template_as_native_obj=True)
    assert rendered("{{ x }}", dag) == [1, 2]
    assert rendered("{{ params.n }}", DAG("d"), render_template_as_native_obj=True) == 3


def test_macros_filters_and_options_of_the_dag() -> None:
    dag = DAG(
        "d",
        user_defined_macros={"twice": lambda value: value * 2},
        user_defined_filters={"shout": lambda text: text.upper()},
        jinja_environment_kwargs={"variable_start_string": "[[", "variable_end_string": "]]"},
    )
    assert rendered("[[ twice('a') | shout ]] {{ ds }}", dag) == "AA {{ ds }}"


def test_undefined_is_an_error_unless_the_dag_says_otherwise() -> None:
    with pytest.raises(TemplateRenderingError, match=r"task 't', field 'a', line 3: 'nope' is undefined"):
        rendered("a\nb\n{{ nope }}")
    assert rendered("{{ nope }}", DAG("d", template_undefined=jinja2.Undefined)) == ""


def test_errors_name_task_field_and_line() -> None:
    with pytest.raises(TemplateRenderingError, match=r"task 't', field 'a', line 2: .*endif"):
        rendered("x\n{% endif %}")
    with pytest.raises(ZeroDivisionError) as caught:
        rendered("\n{{ 1 // 0 }}")
    assert caught.value.__notes__ == ["while rendering field 'a' of task 't', line 2"]
    with pytest.raises(AirflowNotFoundException) as unknown:
        rendered("{{ var.value.gone }}", context={"var": VariableAccessors()})
    assert "field 'a' of task 't', line 1" in unknown.value.__notes__[0]


def test_the_sandbox_refuses_what_reaches_into_python() -> None:
    with pytest.raises(TemplateRenderingError, match="unsafe"):
        rendered("{{ ''.__class__.__mro__ }}")
    native = DAG("d", render_template_as_native_obj=True)
    with pytest.raises(TemplateRenderingError, match="unsafe"):
        rendered("{{ ''.__class__.__mro__ }}", native)


def test_files_are_found_beside_the_dag_and_in_the_search_path(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "sql").mkdir()
    (tmp_path / "dags" / "own.sql").write_text("select '{{ ds }}'")
    (tmp_path / "sql" / "other.sql").write_text("{% include 'own.sql' %} -- {{ params.n }}")
    (tmp_path / "sql" / "bad.sql").write_text("one\n{{ nope }}")
    dag = DAG("d", template_searchpath=[str(tmp_path / "sql")])
    dag.fileloc = str(tmp_path / "dags" / "dag.py")
    assert rendered("own.sql", dag) == "select '2024-01-02'"
    assert Op(task_id="u", dag=dag, b=None).b is None
    task = Op(task_id="v", dag=dag, a=["other.sql"])
    FieldRenderer(task, CONTEXT, NoFetch()).render_fields()
    assert task.a == ["select '2024-01-02' -- 3"]
    task = Op(task_id="w", dag=dag, a="bad.sql")
    with pytest.raises(TemplateRenderingError, match=r"task 'w', field 'a', line 2 of bad.sql: 'nope'"):
        FieldRenderer(task, CONTEXT, NoFetch()).render_fields()
    task = Op(task_id="x", dag=dag, a="gone.sql")
    with pytest.raises(TemplateRenderingError, match=r"'gone.sql' in .*dags.*sql.*template_searchpath.*literal"):
        FieldRenderer(task, CONTEXT, NoFetch()).render_fields()


def test_a_field_without_attribute_is_named() -> None:
    class Wrong(BaseOperator):
        template_fields = ("missing",)

    with pytest.raises(TemplateRenderingError, match="'missing' is listed in template_fields of Wrong"):
        FieldRenderer(Wrong(task_id="t", dag=DAG("d")), CONTEXT, NoFetch()).render_fields()


def test_environments_and_texts_are_kept() -> None:
    dag = DAG("d")
    task = Op(task_id="t", dag=dag, a={"k": ["{{ ds }}"]}, b="{% wrong")
    assert engine_for(task) is engine_for(Op(task_id="u", dag=dag))
    compile_fields(task)
    assert engine_for(task).compiled("{{ ds }}") is engine_for(task).compiled("{{ ds }}")


def test_a_task_without_dag_renders_too() -> None:
    assert TemplateEngine(native=False).render_text("{{ ds }}", CONTEXT) == "2024-01-02"
    task = Op(task_id="t", a="{{ ds }}")
    FieldRenderer(task, CONTEXT, NoFetch()).render_fields()
    assert task.a == "2024-01-02"
