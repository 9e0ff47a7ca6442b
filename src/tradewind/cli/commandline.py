"""How a noun and its verbs are written.

    NOUN = Noun("pools", "Pools: limits that tasks share")

    @NOUN.verb("list", OUTPUT)
    def list_pools(given: Namespace) -> None:
        \"\"\"List pools.\"\"\"

The docstring is the help. A verb returns its exit code, or None for 0; errors are raised (`wire.errors`).
"""

from __future__ import annotations

import argparse
import difflib
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

from tradewind.wire.errors import BadInput

Run = Callable[[Namespace], int | None]
RUNNING: ContextVar[str] = ContextVar("running", default="tradewind")
"""The command that runs, as typed: `tradewind pools set`."""
GIVEN: ContextVar[Namespace | None] = ContextVar("given", default=None)
"""Its arguments; None: none runs."""


TARGET: ContextVar[Any] = ContextVar("target", default=None)
"""The server that --server or --profile name (`cli.profiles.Target`); None: the installation of this machine."""


class UsageError(BadInput):
    """The command line is wrong."""


class Argument(NamedTuple):
    """One argument or option, as `argparse` takes it."""

    names: tuple[str, ...]
    options: dict[str, Any]


def argument(*names: str, **options: Any) -> Argument:
    """An argument (`"dag_id"`) or an option (`"-n", "--limit"`); see `argparse.ArgumentParser.add_argument`."""
    return Argument(names, options)


FORMATS = ("table", "json", "yaml", "plain")
OUTPUT = argument(
    "-o", "--output", choices=FORMATS, default="table", help="how to show it: table (default), json, yaml or plain"
)
YES = argument("-y", "--yes", action="store_true", help="do not ask")


class Verb(NamedTuple):
    """What a noun can do."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    run: Run


class Noun:
    """A family of verbs, or (`alone`) a command of its own.

    Parameters:
        name: as typed.
        help: one line.
    """

    def __init__(self, name: str, help: str) -> None:
        self.name = name
        self.help = help
        self.verbs: dict[str, Verb] = {}
        self.single: Verb | None = None

    def verb(self, name: str, *arguments: Argument) -> Callable[[Run], Run]:
        """Declare the decorated function as a verb."""

        def declare(run: Run) -> Run:
            self.verbs[name] = Verb(name, (run.__doc__ or "").strip(), arguments, run)
            return run

        return declare

    def alone(self, *arguments: Argument) -> Callable[[Run], Run]:
        """Declare the decorated function as the whole command."""

        def declare(run: Run) -> Run:
            self.single = Verb("", (run.__doc__ or "").strip(), arguments, run)
            return run

        return declare


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def run_verb(program: str, verb: Verb, words: Sequence[str]) -> int:
    """Parse `words` as the arguments of `verb` and run it.

    Raises:
        UsageError: they do not fit.
        SystemExit: help was asked for.
    """
    parser = _Parser(
        prog=program,
        description=verb.help,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for names, options in verb.arguments:
        parser.add_argument(*names, **options)
    given = parser.parse_args(list(words))
    token, token_given = RUNNING.set(program), GIVEN.set(given)
    try:
        return verb.run(given) or 0
    finally:
        RUNNING.reset(token)
        GIVEN.reset(token_given)


def nearest(wrong: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing."""
    close = difflib.get_close_matches(wrong, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def listing(rows: Iterable[tuple[str, str]]) -> str:
    """Names with their one-line helps, aligned."""
    found = [(name, help.partition("\n")[0]) for name, help in rows]
    width = max(len(name) for name, _ in found)
    return "\n".join(f"  {name:{width}}  {help}" for name, help in found)
