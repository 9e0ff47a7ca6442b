"""`airflow.utils.helpers`."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Generator, Iterable, Mapping, MutableMapping
from functools import reduce
from itertools import filterfalse, tee
from typing import Any, TypeVar

from tradewind.sdk import chain, cross_downstream
from tradewind.sdk.exceptions import AirflowException

T = TypeVar("T")
S = TypeVar("S")

KEY_REGEX = re.compile(r"^[\w.-]+$")
GROUP_KEY_REGEX = re.compile(r"^[\w\-]+$")
CAMELCASE_TO_SNAKE_CASE_REGEX = re.compile(r"(?!^)([A-Z]+)")
_KEY_LENGTH_MAX = 250


def validate_key(k: str, max_length: int = _KEY_LENGTH_MAX) -> None:
    """Raise when `k` cannot be the id of a DAG or task."""
    _validate(k, max_length, KEY_REGEX, "alphanumeric characters, dashes, dots, and underscores")


def validate_group_key(k: str, max_length: int = 200) -> None:
    """Raise when `k` cannot be the id of a task group."""
    _validate(k, max_length, GROUP_KEY_REGEX, "alphanumeric characters, dashes and underscores")


def _validate(k: str, max_length: int, pattern: re.Pattern[str], words: str) -> None:
    if not isinstance(k, str):
        raise TypeError(f"The key has to be a string and is {type(k)}:{k}")
    if len(k) > max_length:
        raise AirflowException(f"The key has to be less than {max_length} characters: {k!r}")
    if not pattern.match(k):
        raise AirflowException(f"The key {k!r} has to be made of {words} exclusively")


def validate_instance_args(instance: object, expected_arg_types: dict[str, Any]) -> None:
    """Raise TypeError when an attribute has none of the types expected of it."""
    from airflow._core.types import validate_instance_args as validate

    validate(instance, expected_arg_types)


def alchemy_to_dict(obj: Any) -> dict[str, Any] | None:
    """The columns of a row as a dict."""
    if not obj:
        return None
    columns = getattr(getattr(obj, "__table__", None), "columns", ())
    return {column.name: getattr(obj, column.name) for column in columns}


def is_container(obj: Any) -> bool:
    """Whether something can be walked through and is no text."""
    return hasattr(obj, "__iter__") and not isinstance(obj, str)


def as_tuple(obj: Any) -> tuple[Any, ...]:
    """What can be walked through as a tuple, else a tuple of it alone."""
    return tuple(obj) if is_container(obj) else (obj,)


def chunks(items: list[T], chunk_size: int) -> Generator[list[T], None, None]:
    """The list in pieces of at most `chunk_size`."""
    if chunk_size <= 0:
        raise ValueError("Chunk size must be a positive integer")
    for start in range(0, len(items), chunk_size):
        yield items[start : start + chunk_size]


def reduce_in_chunks(fn: Callable[[S, list[T]], S], iterable: list[T], initializer: S, chunk_size: int = 0) -> S:
    """`functools.reduce` over pieces."""
    if not iterable:
        return initializer
    return reduce(fn, chunks(iterable, chunk_size or len(iterable)), initializer)


def as_flattened_list(iterable: Iterable[Iterable[T]]) -> list[T]:
    """The items of the items."""
    return [item for inner in iterable for item in inner]


def parse_template_string(template_string: str) -> tuple[str | None, Any]:
    """(text, None), or (None, template) when the text has Jinja marks."""
    if "{{" in template_string:
        import jinja2

        return None, jinja2.Template(template_string)
    return template_string, None


def render_log_filename(ti: Any, try_number: Any, filename_template: str) -> str:
    """The path of the log of an attempt."""
    text, template = parse_template_string(filename_template)
    if template is not None:
        return str(template.render(ti=ti, try_number=try_number))
    return str(text).format(dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, try_number=try_number)


def convert_camel_to_snake(camel_str: str) -> str:
    """CamelCase as snake_case."""
    return CAMELCASE_TO_SNAKE_CASE_REGEX.sub(r"_\1", camel_str).lower()


def merge_dicts(dict1: MutableMapping[str, Any], dict2: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Both dicts in one, inner dicts too; the second wins."""
    merged = copy.copy(dict1)
    for key, value in dict2.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            merged[key] = merge_dicts(inner, value)
        else:
            merged[key] = value
    return merged


def partition(pred: Callable[[T], bool], iterable: Iterable[T]) -> tuple[Iterable[T], Iterable[T]]:
    """(those for which `pred` is false, those for which it is true)."""
    one, other = tee(iterable)
    return filterfalse(pred, one), filter(pred, other)


def build_airflow_url_with_query(query: dict[str, Any]) -> str:
    """An address of the UI's list of DAGs."""
    from urllib.parse import urlencode

    from airflow._core.configuration import conf

    return f"{str(conf.get('api', 'base_url')).rstrip('/')}/dags?{urlencode(query)}"


def build_airflow_dagrun_url(dag_id: str, run_id: str) -> str:
    """The address of a run in the UI."""
    from urllib.parse import quote

    from airflow._core.configuration import conf

    return f"{str(conf.get('api', 'base_url')).rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def render_template(template: Any, context: MutableMapping[str, Any], *, native: bool) -> Any:
    """A template with a context."""
    from airflow._core.templates import render

    return render(template, context, native=native)


def render_template_to_string(template: Any, context: Any) -> str:
    """A template as a text."""
    return str(render_template(template, context, native=False))


def render_template_as_native(template: Any, context: Any) -> Any:
    """A template as the Python value it stands for."""
    return render_template(template, context, native=True)


def exactly_one(*args: Any) -> bool:
    """Whether one of the arguments is true."""
    if is_container(args[0] if args else None):
        raise ValueError("Not supported for iterable args. Use `*` to unpack your iterable in the function call.")
    return sum(map(bool, args)) == 1


def at_most_one(*args: Any) -> bool:
    """Whether one argument is given, or none."""
    from airflow._core.types import NOTSET

    return sum(value is not NOTSET and bool(value) for value in args) in (0, 1)


def prune_dict(val: Any, mode: str = "strict") -> Any:
    """`val` without its empty parts: None in "strict" mode, everything false in "truthy" mode."""
    if mode not in ("strict", "truthy"):
        raise ValueError("allowable values for `mode` include 'truthy' and 'strict'")

    def empty(value: Any) -> bool:
        return value is None if mode == "strict" else not bool(value)

    if isinstance(val, dict):
        found = {}
        for key, value in val.items():
            if empty(value):
                continue
            pruned = prune_dict(value, mode) if isinstance(value, list | dict) else value
            if not (isinstance(value, list | dict) and empty(pruned)):
                found[key] = pruned
        return found
    if isinstance(val, list):
        listed = []
        for value in val:
            if empty(value):
                continue
            pruned = prune_dict(value, mode) if isinstance(value, list | dict) else value
            if not (isinstance(value, list | dict) and empty(pruned)):
                listed.append(pruned)
        return listed
    return val


def prevent_duplicates(kwargs1: dict[str, Any], kwargs2: Mapping[str, Any], *, fail_reason: str) -> None:
    """Raise TypeError when both name an argument."""
    twice = sorted(set(kwargs1).intersection(kwargs2))
    if twice:
        word = "argument" if len(twice) == 1 else "arguments"
        raise TypeError(f"{fail_reason} {word}: {', '.join(twice)}")


def ask_yesno(question: str, default: bool | None = None) -> bool:
    """Ask on the terminal."""
    while True:
        answer = input(f"{question} [y/n] ").strip().lower()
        if not answer and default is not None:
            return default
        if answer in ("y", "yes", "n", "no"):
            return answer.startswith("y")


__all__ = [
    "GROUP_KEY_REGEX",
    "KEY_REGEX",
    "alchemy_to_dict",
    "as_flattened_list",
    "as_tuple",
    "ask_yesno",
    "at_most_one",
    "build_airflow_url_with_query",
    "chain",
    "chunks",
    "convert_camel_to_snake",
    "cross_downstream",
    "exactly_one",
    "is_container",
    "merge_dicts",
    "parse_template_string",
    "partition",
    "prevent_duplicates",
    "prune_dict",
    "reduce_in_chunks",
    "render_log_filename",
    "render_template",
    "render_template_as_native",
    "render_template_to_string",
    "validate_group_key",
    "validate_instance_args",
    "validate_key",
]
