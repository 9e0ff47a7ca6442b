"""The conf of a run against the params of its DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradewind.wire.document import DagDocument
from tradewind.wire.errors import InvalidConf


def check_conf(document: DagDocument, conf: object) -> dict[str, Any]:
    """Return `conf` if it is an object whose values fit the schemas of the DAG's params, given or by default.

    Keys that are no params are allowed (they reach the tasks as `dag_run.conf`). Raises `InvalidConf` naming the param,
    the value and what is wrong.
    """
    if not isinstance(conf, Mapping):
        raise InvalidConf(f'conf must be a JSON object such as {{"key": "value"}}, not {type(conf).__name__}: {conf!r}')
    for key in conf:
        if not isinstance(key, str):
            raise InvalidConf(f"keys of conf must be texts, not {type(key).__name__}: {key!r}")
    for name, param in document.params.items():
        if name not in conf and param.required:
            raise InvalidConf(f"DAG {document.dag_id!r} needs a value for param {name!r}: pass it in conf")
        if param.schema:
            _check_value(document.dag_id, name, param.schema, conf.get(name, param.default))
    return dict(conf)


def _check_value(dag_id: str, name: str, schema: dict[str, Any], value: object) -> None:
    import jsonschema  # heavy: only needed where there are schemas

    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(value)
    )
    if error is not None:
        raise InvalidConf(f"param {name!r} of DAG {dag_id!r}: {error.message}")
