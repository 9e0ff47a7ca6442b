"""`tradewind config`: settings and where they come from."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import as_text, show_document, show_rows
from tradewind.cli.world import settings
from tradewind.kernel.settings.model import DEFAULT_SOURCE
from tradewind.wire.errors import BadInput

NOUN = Noun("config", "Settings and where they come from")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb(
    "list",
    argument("--section", help="only this section"),
    argument("--changed", action="store_true", help="only what differs from the defaults"),
    OUTPUT,
)
def list_settings(given: Namespace) -> None:
    """List settings: the values in force, where each comes from. Secrets are masked."""
    entries = list(settings().entries())
    sections = {entry.name.partition(".")[0] for entry in entries}
    if given.section is not None and given.section not in sections:
        raise BadInput(f"there is no section {given.section!r}; there are {', '.join(sorted(sections))}")
    rows = [
        {
            "setting": entry.name,
            "value": entry.shown,
            "source": entry.source,
            "default": entry.default,
            "environment": entry.environment_name,
            "description": entry.description,
        }
        for entry in entries
        if (given.section is None or entry.name.startswith(f"{given.section}."))
        and (not given.changed or entry.source != DEFAULT_SOURCE)
    ]
    show_rows(rows, given.output, ("setting", "value", "source"), "everything stands at its default")


@NOUN.verb("get", argument("name", help="SECTION.KEY, for example core.dags_folder"), OUTPUT)
def get_setting(given: Namespace) -> None:
    """Show the value of one setting. Secrets are masked."""
    found = settings()
    value = found.get(given.name)
    entry = next(entry for entry in found.entries() if entry.name == given.name)
    # A text may be secret as a whole, or hold a password, as the database's URL does.
    shown = entry.shown if entry.secret or isinstance(value, str) else value
    if given.output in ("json", "yaml"):
        show_document({"setting": entry.name, "value": shown, "source": entry.source}, given.output)
    else:
        print(_as_in_file(shown))


def _as_in_file(value: object) -> str:
    """As it would stand in the settings file."""
    return (
        str(value).lower()
        if isinstance(value, bool)
        else as_text(value)
        if not isinstance(value, float)
        else f"{value:g}"
    )
