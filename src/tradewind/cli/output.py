"""How rows are shown: table for eyes, plain (tab-separated, no head) for shells, JSON and YAML for programs.

Programs get instants in ISO form in UTC and every field; tables are for people and may leave fields out.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

Row = Mapping[str, Any]

_COLOURS = {
    "success": "32",
    "running": "36",
    "queued": "90",
    "scheduled": "90",
    "failed": "31",
    "upstream_failed": "33",
    "up_for_retry": "33",
    "up_for_reschedule": "33",
    "skipped": "35",
    "healthy": "32",
    "missing": "31",
}
_PLAIN_YAML = re.compile(r"[A-Za-z_/][\w ./@+\-]*\Z")
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


def show_rows(rows: Iterable[Row], form: str, columns: Sequence[str] | None = None, empty: str = "nothing") -> None:
    """Print rows.

    Parameters:
        form: table, json, yaml or plain.
        columns: what table and plain show, in this order; default all of the first row.
        empty: what a person reads when there are none.
    """
    found = list(rows)
    if form in ("json", "yaml"):
        show_document(found, form)
        return
    names = list(columns if columns is not None else (found[0] if found else ()))
    cells = [[as_text(row.get(name)) for name in names] for row in found]
    if form == "plain":
        for line in cells:
            print("\t".join(line))
    elif not found:
        print(empty)
    else:
        print(_table(names, cells))


def show_record(record: Row, form: str) -> None:
    """Print one thing: its fields below one another for people."""
    if form in ("json", "yaml"):
        show_document(record, form)
    elif form == "plain":
        for name, value in record.items():
            print(f"{name}\t{as_text(value)}")
    else:
        width = max(map(len, record), default=0)
        for name, value in record.items():
            first, *rest = as_text(value).split("\n")
            print(f"{name:{width}}  {coloured(first)}".rstrip())
            for line in rest:
                print(f"{'':{width}}  {line}")


def counted(number: int, thing: str) -> str:
    """`1 run`, `2 runs`: a number of things whose plural is made with an s."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def show_document(value: Any, form: str) -> None:
    """Print any value as JSON or YAML."""
    plain = jsonable(value)
    print(json.dumps(plain, indent=2, ensure_ascii=False) if form == "json" else "\n".join(_yaml(plain)))


def as_yaml(value: Any) -> str:
    """Any value as YAML."""
    return "\n".join(_yaml(jsonable(value)))


def jsonable(value: Any) -> Any:
    """`value` in terms of JSON; instants in ISO form, durations in seconds."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_text(value: Any) -> str:
    """`value` in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value))
    if isinstance(value, Mapping):
        return json.dumps(jsonable(value), ensure_ascii=False)
    return str(value)


def coloured(word: str) -> str:
    """A state in its colour, on a terminal."""
    colour = _COLOURS.get(word.strip())
    return f"\x1b[{colour}m{word}\x1b[0m" if colour and _is_terminal() else word


def _is_terminal() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    one_line = [[cell.replace("\n", " ") for cell in line] for line in cells]
    widths = [max(len(name), *(len(line[i]) for line in one_line)) for i, name in enumerate(names)]
    head = "  ".join(f"{name:{width}}" for name, width in zip(names, widths, strict=True)).rstrip()
    rule = "  ".join("-" * width for width in widths)
    body = [
        "  ".join(coloured(f"{cell:{width}}") for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in one_line
    ]
    return "\n".join([head, rule, *body])


def _yaml(value: Any, indent: str = "") -> list[str]:
    """Block style; texts that could be read as something else are quoted as JSON, which YAML reads too."""
    if isinstance(value, dict) and value:
        lines = []
        for key, each in value.items():
            lines += _yaml_entry(f"{indent}{_yaml_scalar(key)}:", each, indent)
        return lines
    if isinstance(value, list) and value:
        lines = []
        for each in value:
            inner = _yaml(each, f"{indent}  ")
            lines += [f"{indent}- {inner[0].strip()}", *inner[1:]]
        return lines
    return [indent + _yaml_scalar(value)]


def _yaml_entry(head: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [head, *_yaml(value, f"{indent}  ")]
    return [f"{head} {_yaml_scalar(value)}"]


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_YAML.match(value) and value.lower() not in _YAML_WORDS:
        return value.rstrip() if value == value.rstrip() else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
