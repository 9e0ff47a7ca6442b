"""`tradewind plugins`: what an installation adds, and what of it could not be loaded."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_rows

NOUN = Noun("plugins", "Plugins: list, with what they bring")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb("list", argument("--errors", action="store_true", help="only what could not be loaded"), OUTPUT)
def list_plugins(given: Namespace) -> None:
    """List plugins and what they bring; what could not be loaded stands below, with the reason."""
    from tradewind.app.plugin_watch import installed_plugins
    from tradewind.kernel.settings import load_settings

    found = installed_plugins(load_settings())
    rows: list[dict[str, Any]] = []
    if not given.errors:
        rows = [
            {
                "plugin": plugin.name,
                "brings": "; ".join(f"{kind}: {', '.join(names)}" for kind, names in plugin.brings.items()),
                "source": plugin.source,
                "problem": None,
            }
            for plugin in found.plugins
        ]
    rows += [
        {"plugin": None, "brings": None, "source": source, "problem": problem}
        for source, problem in found.problems.items()
    ]
    empty = "every plugin could be loaded" if given.errors else "there are no plugins"
    show_rows(rows, given.output, empty=empty)
