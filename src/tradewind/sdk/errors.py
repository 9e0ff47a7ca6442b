"""What can be wrong with a DAG file, as the authoring side says it.

InvalidDag (wire.errors)
├── DagCycle
├── WrongArgument     also a TypeError: unknown, missing, doubled or mistyped argument
└── WrongValue        also a ValueError: the type fits, the value does not

The standard bases keep `except TypeError` in users' helpers and tests working. Errors that Airflow has a name for
(duplicate id, unknown task, cycle) stand in `exceptions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tradewind.wire.errors import BadInput, InvalidDag
from tradewind.wire.ids import check_id

__all__ = ["InvalidDag", "WrongArgument", "WrongValue"]


class WrongArgument(InvalidDag, TypeError):
    """An argument is unknown, missing, given twice or of a wrong type."""


class WrongValue(InvalidDag, ValueError):
    """An argument has a value that cannot be taken."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` when a known name is close, else nothing."""
    close = get_close_matches(name, sorted(map(str, known)), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def checked_id(kind: str, value: object) -> str:
    """`value` if it may be the id of a `kind` ("task id"). Raises `WrongValue` naming value and remedy."""
    try:
        return check_id(kind, value)
    except BadInput as error:
        raise WrongValue(str(error)) from None
