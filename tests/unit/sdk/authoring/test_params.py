"""Parameters."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind.sdk import DAG, Param, ParamsDict, ParamValidationError
from tradewind.sdk.compile import compile_dag
from tradewind.wire.document import ParamDocument
from tradewind.wire.errors import InvalidConf


def test_schema_of_keywords_and_of_schema() -> None:
    param = Param(5, "how many", type="integer", minimum=1, schema={"title": "N"})
    assert param.schema == {"title": "N", "type": "integer", "minimum": 1}
    assert (param.value, param.description, param.has_value) == (5, "how many", True)
    assert not Param(type="string").has_value
    assert not Param(None, type="string").has_value
    assert Param(None, type=["string", "null"]).has_value
    assert Param(None).has_value


@pytest.mark.parametrize(
    ("param", "value", "words"),
    [
        (Param(5, type="integer"), "x", "'x' is not of type 'integer'"),
        (Param(type="string"), None, "None is not of type 'string'"),
        (Param("a", enum=["a", "b"]), "c", "'c' is not one of"),
        (Param("2024-01-01", format="date", type="string"), "soon", "'soon' is not a 'date'"),
    ],
)
def test_values_that_do_not_fit(param: Param, value: Any, words: str) -> None:
    with pytest.raises(ParamValidationError, match=words):
        param.resolve(value)
    assert param.resolve(value, suppress_exception=True) is None


def test_required_and_json() -> None:
    with pytest.raises(ParamValidationError, match="no value given and there is no default"):
        Param(type="string").resolve()
    with pytest.raises(ParamValidationError, match="cannot be JSON"):
        Param(object())


def test_dict() -> None:
    params = ParamsDict({"a": Param(1, type="integer"), "b": 2})
    params["b"] = 3
    params["c"] = "new"
    assert dict(params) == {"a": 1, "b": 3, "c": "new"}
    assert params == {"a": 1, "b": 3, "c": "new"}
    with pytest.raises(InvalidConf, match="param 'a': 'x' is not of type"):
        params["a"] = "x"
    merged = params.deep_merge({"a": 5, "d": 1})
    assert (merged["a"], merged.get_param("a").schema, params["a"]) == (5, {"type": "integer"}, 1)
    del params["c"]
    assert "c" not in params
    assert ParamsDict({"x": Param(1, source="dag"), "y": 2}).filter_params_by_source("dag") == {"x": 1}


def test_document() -> None:
    with DAG("d", params={"n": Param(3, "n", type="integer"), "must": Param(type="string"), "plain": [1]}) as dag:
        pass
    assert compile_dag(dag, file="f.py").params == {
        "n": ParamDocument(schema={"type": "integer"}, default=3, description="n"),
        "must": ParamDocument(schema={"type": "string"}, required=True),
        "plain": ParamDocument(default=[1]),
    }
