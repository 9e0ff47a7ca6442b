"""`tradewind info` and `tradewind version`: what is installed, where it lies and who runs."""

from __future__ import annotations

import platform
import sys
from argparse import Namespace
from datetime import timedelta
from typing import Any

from tradewind import __version__
from tradewind.cli.commandline import OUTPUT, Noun
from tradewind.cli.output import show_record, show_rows
from tradewind.cli.world import settings
from tradewind.kernel.settings import Settings
from tradewind.wire.errors import TradewindError

INFO = Noun("info", "What is installed, where it lies and who runs")
VERSION = Noun("version", "The version")
NOUNS = {INFO.name: INFO, VERSION.name: VERSION}


@VERSION.alone()
def version(_given: Namespace) -> None:
    """Print the version."""
    print(__version__)


@INFO.alone(OUTPUT)
def info(given: Namespace) -> None:
    """Show what is installed, where it lies and which processes run."""
    from tradewind.app.plugs import shown_url

    found = settings()
    state, components = _components(found)
    facts = {
        "version": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "home": str(found.home),
        "dags_folder": str(found.core.dags_folder),
        "logs": str(found.logs.folder),
        "database": shown_url(found),
        "database_state": state,
        "address": found.api.base_url,
    }
    if given.output in ("json", "yaml"):
        show_record({**facts, "components": components}, given.output)
        return
    show_record(facts, given.output)
    if given.output == "table":
        print()
        show_rows(components, given.output, empty="no process runs; `tradewind standalone` starts everything")


def _components(found: Settings) -> tuple[str, list[dict[str, Any]]]:
    """The state of the database in words, and who has a heartbeat in it."""
    from tradewind.app.plugs import existing_database

    fresh = timedelta(seconds=max(found.scheduler.lease_seconds, found.agent.lost_seconds))
    try:
        with existing_database(found) as store, store.read() as tx:
            now = tx.now()
            return "current", [
                {
                    "component": row.kind,
                    "name": row.name,
                    "pid": row.pid,
                    "state": "healthy" if now - row.heartbeat_at <= fresh else "missing",
                    "heartbeat": row.heartbeat_at,
                    "since": row.started_at,
                }
                for row in tx.component_list()
            ]
    except TradewindError as error:
        return str(error), []
