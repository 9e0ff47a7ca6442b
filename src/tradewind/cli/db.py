"""`tradewind db`: the metadata database."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.cleaning import CLEAN, DROP, EXPORT, clean, drop_archived, export_archived
from tradewind.cli.commandline import OUTPUT, YES, Noun
from tradewind.cli.output import show_record
from tradewind.cli.world import confirm, settings

NOUN = Noun("db", "The metadata database: migrate, check, clean, reset")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb("migrate")
def migrate(_given: Namespace) -> None:
    """Make the database, or bring its schema up to date."""
    from tradewind.app.first_start import make_folders
    from tradewind.app.plugs import shown_url
    from tradewind.store.schema import migrate as command

    found = settings()
    make_folders(found)
    before = command(found.database.url, default_pool_slots=found.core.default_pool_slots)
    if before.is_current:
        print(f"{shown_url(found)} has schema {before.needed} already")
    else:
        print(f"{shown_url(found)}: schema {before.found or 'none'} → {before.needed}")


@NOUN.verb("check", OUTPUT)
def check(given: Namespace) -> None:
    """Say whether the database answers and has the schema that this program needs (exit code 0 only then)."""
    from tradewind.app.plugs import existing_database, shown_url
    from tradewind.store.schema_head import HEAD

    found = settings()
    with existing_database(found):
        show_record({"database": shown_url(found), "schema": HEAD, "state": "current"}, given.output)


@NOUN.verb("reset", YES)
def reset(given: Namespace) -> None:
    """Drop everything in the database, history included, and make it anew. Files and keys stay."""
    from tradewind.app.first_start import make_folders
    from tradewind.app.plugs import shown_url
    from tradewind.store.schema import reset as command

    found = settings()
    confirm(f"Drop everything in {shown_url(found)}, with all history?", given.yes)
    make_folders(found)
    command(found.database.url, default_pool_slots=found.core.default_pool_slots)
    print(f"{shown_url(found)} is empty now")


@NOUN.verb("airflow-views")
def airflow_views(_given: Namespace) -> None:
    """Make read-only views with the names and columns of Airflow's tables, in the schema `airflow` (PostgreSQL)."""
    from tradewind.store.airflow_views import make_airflow_views

    for name in make_airflow_views(settings().database.url):
        print(name)


NOUN.verb("clean", *CLEAN)(clean)
NOUN.verb("export-archived", *EXPORT)(export_archived)
NOUN.verb("drop-archived", *DROP)(drop_archived)
