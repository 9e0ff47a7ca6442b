"""Commands on another machine's installation, over its public API: the same arguments, the same output.

`tradewind --server https://host --token - dags list`, or with a profile (`tradewind login`). What is not in the table
works only where the installation lies: it reads its files, or its database.
"""

from __future__ import annotations

import importlib
from argparse import Namespace
from collections.abc import Callable, Sequence

from tradewind.cli.commandline import Noun, Verb, run_verb
from tradewind.cli.profiles import Target, find_target
from tradewind.cli.remote_client import Client
from tradewind.cli.world import secret
from tradewind.wire.errors import BadInput

Act = Callable[[Client, Namespace], int | None]
_MODULES = ("remote_dags", "remote_things", "remote_people", "remote_more")
OPTIONS = ("--server", "--token", "--profile")


def split_options(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without --server, --token and --profile, and what these say. Raises `BadInput` without a value."""
    rest: list[str] = []
    found: dict[str, str] = {}
    waiting: str | None = None
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if waiting is not None:
            found[waiting], waiting = word, None
        elif word == "--":
            rest += words[position:]
            break
        elif name in OPTIONS and equals:
            found[name[2:]] = value
        elif word in OPTIONS:
            waiting = word[2:]
        else:
            rest.append(word)
    if waiting is not None:
        raise BadInput(f"--{waiting} needs a value")
    return rest, found


def target_of(options: dict[str, str]) -> Target | None:
    """The server that is meant; None: the installation of this machine."""
    token = options.get("token")
    return find_target(options.get("server"), secret(token) if token else None, options.get("profile"))


def run_remote(target: Target, noun: Noun, verb: Verb, words: Sequence[str]) -> int:
    """Run a verb on the server. Raises `BadInput` for one that works only on its own machine."""
    name = f"{noun.name} {verb.name}".strip()
    act = verbs().get(name)
    if act is None:
        raise BadInput(f"`tradewind {name}` works only on the machine of the installation, not over --server")

    def run(given: Namespace) -> int | None:
        client = Client(target)
        try:
            return act(client, given)
        finally:
            client.close()

    return run_verb(f"tradewind {name}", verb._replace(run=run), words)


def verbs() -> dict[str, Act]:
    """Everything that works over a server: noun and verb → what does it."""
    found: dict[str, Act] = {}
    for module in _MODULES:
        found |= importlib.import_module(f"tradewind.cli.{module}").VERBS
    return found
