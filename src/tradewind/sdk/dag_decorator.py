"""`@dag`: a function as a DAG."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, overload
from weakref import WeakKeyDictionary

from .binding import signature_of
from .definition import DAG
from .xcomarg import PlainXComArg

P = ParamSpec("P")


@overload
def dag(dag_id: Callable[P, Any]) -> Callable[P, DAG]: ...
@overload
def dag(dag_id: str = "", **kwargs: Any) -> Callable[[Callable[P, Any]], Callable[P, DAG]]: ...


def dag(dag_id: Callable[..., Any] | str = "", **kwargs: Any) -> Any:
    """Turn a function into a maker of a DAG: its arguments become params, tasks made in it belong to the DAG.

    Parameters are those of `DAG`; the id defaults to the function's name, the documentation to its docstring. A task
    output that
    the function returns is the result of the run.
    """
    if callable(dag_id):
        return _factory(dag_id, "", kwargs)
    return lambda function: _factory(function, dag_id, kwargs)


def _factory(function: Callable[..., Any], dag_id: str, arguments: dict[str, Any]) -> Callable[..., DAG]:
    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> DAG:
        _never_called.pop(function, None)
        bound = signature_of(function).bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(arguments)
        if function.__doc__ and not given.get("doc_md"):
            given["doc_md"] = function.__doc__
        with DAG(dag_id or function.__name__, **given) as made:
            made.fileloc = function.__code__.co_filename
            result = function(**{name: made.param(name, value) for name, value in bound.arguments.items()})
            if isinstance(result, PlainXComArg):
                made.add_result(result)
        return made

    _never_called[function] = None
    return make


_never_called: WeakKeyDictionary[Callable[..., Any], None] = WeakKeyDictionary()


def dag_functions_never_called(file: str) -> Iterator[tuple[str, int]]:
    """Name and line of the functions of a file that `@dag` decorates and that nobody called: no DAG comes of them."""
    for function in list(_never_called):
        code = function.__code__
        if code.co_filename == file:
            yield function.__name__, code.co_firstlineno
