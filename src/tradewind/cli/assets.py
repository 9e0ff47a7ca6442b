"""`tradewind assets`: data that DAGs make and wait for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Mapping
from typing import Any

from tradewind.cli.clearing import who
from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_document, show_record, show_rows
from tradewind.cli.world import CLOCK, database, json_value
from tradewind.ports.asset_rows import AssetEventRow, AssetRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput

NOUN = Noun("assets", "Assets: list, show, make, tell of changes, see what waits")
NOUNS = {NOUN.name: NOUN}
_NAME = argument("name", nargs="?", help="name of the asset")
_PAGE = 1000
_MEMBERS_SHOWN = 3
_URI = argument("--uri", help="URI of the asset, instead of its name")


@NOUN.verb(
    "list",
    argument("pattern", nargs="?", help="only those whose name or URI contains this"),
    argument("--alias", action="store_true", help="list aliases instead"),
    argument("--all", action="store_true", help="also those that no DAG speaks of any more"),
    argument("-n", "--limit", type=int, default=100, help="how many (default 100)"),
    OUTPUT,
)
def list_assets(given: Namespace) -> None:
    """List assets, or aliases."""
    with database() as store, store.read() as tx:
        if given.alias:
            rows = [{"id": row.alias_id, "name": row.name, "group": row.group_name} for row in tx.alias_list()]
            show_rows(rows, given.output, ("id", "name", "group"), "there are no aliases")
            return
        active = None if given.all else True
        found = [_facts(row) for row in tx.asset_list(pattern=given.pattern, active=active, limit=given.limit)]
    show_rows(found, given.output, ("id", "name", "uri", "group", "active", "late_since"), "there are no assets")


@NOUN.verb("show", _NAME, _URI, OUTPUT)
def show_asset(given: Namespace) -> None:
    """Show an asset: what makes it, what waits for it, its last change."""
    with database() as store, store.read() as tx:
        row = _asset(tx, given)
        uses = tx.asset_use_list(name=row.name, uri=row.uri)
        last = tx.asset_event_list(name=row.name, uri=row.uri, ascending=False, limit=1)
    facts = _facts(row) | {
        "extra": row.extra,
        "conflict": row.conflict,
        "watchers": sorted(row.watchers),
        "expected_every_seconds": row.expected_every_seconds,
        "made_by": sorted({f"{use.dag_id}.{use.task_id}" for use in uses if use.role == "outlet"}),
        "read_by": sorted({f"{use.dag_id}.{use.task_id}" for use in uses if use.role == "inlet"}),
        "starts": sorted({use.dag_id for use in uses if use.role == "schedule"}),
        "last_event": _event_facts(last[0]) if last else None,
    }
    show = show_document if given.output in ("json", "yaml") else show_record
    show(facts, given.output)


@NOUN.verb(
    "materialize",
    _NAME,
    _URI,
    argument("--conf", help='conf of the run, JSON such as {"key": "value"}'),
    argument("--partition-key", help="partition to make"),
    argument("--note", help="note on the run"),
    OUTPUT,
)
def materialize(given: Namespace) -> None:
    """Run the DAG that makes an asset."""
    from tradewind.commands.assets import materialize_asset
    from tradewind.commands.documents import Documents
    from tradewind.commands.runs import run_summary
    from tradewind.kernel.ids import uuid7

    with database() as store, store.begin() as tx:
        row = _asset(tx, given)
        run = materialize_asset(
            tx,
            Documents(),
            CLOCK.now(),
            lambda: str(uuid7()),
            row,
            conf=None if given.conf is None else json_value(given.conf, "--conf"),
            partition_key=given.partition_key,
            note=given.note,
            user=who(),
        )
    show_record(run_summary(run), given.output)


@NOUN.verb(
    "tell",
    _NAME,
    _URI,
    argument("--extra", help='facts about the change, JSON such as {"rows": 3}'),
    argument("--partition-key", help="partition that changed"),
    OUTPUT,
)
def tell(given: Namespace) -> None:
    """Tell of a change of an asset: DAGs that wait for it may start."""
    from tradewind.commands.assets import create_asset_event

    with database() as store, store.begin() as tx:
        event = create_asset_event(
            tx,
            CLOCK.now(),
            _asset(tx, given),
            extra=_object(given.extra),
            partition_key=given.partition_key,
            user=who(),
        )
    show_record(_event_facts(event), given.output)


@NOUN.verb(
    "events",
    _NAME,
    _URI,
    argument("--alias", help="those that came through this alias"),
    argument("-n", "--limit", type=int, default=25, help="how many (default 25)"),
    OUTPUT,
)
def list_events(given: Namespace) -> None:
    """List changes, newest first."""
    with database() as store, store.read() as tx:
        named = given.name is not None or given.uri is not None
        row = _asset(tx, given) if named else None
        found = tx.asset_event_list(
            name=row.name if row else None,
            uri=row.uri if row else None,
            alias=given.alias,
            ascending=False,
            limit=given.limit,
        )
    columns = ("id", "name", "at", "source", "partition_key", "extra")
    show_rows(map(_event_facts, found), given.output, columns, "there are no events")


@NOUN.verb(
    "queued",
    _NAME,
    _URI,
    argument("--dag-id", help="what waits for this DAG"),
    argument("--drop", action="store_true", help="pass over what waits"),
    OUTPUT,
)
def queued(given: Namespace) -> None:
    """Show, or drop, changes that wait for a DAG's condition to hold."""
    from tradewind.commands.assets import drop_queued, queued_of_asset, queued_of_dag

    with database() as store, store.begin() if given.drop else store.read() as tx:
        named = given.name is not None or given.uri is not None or given.dag_id is None
        row = _asset(tx, given) if named else None
        if given.drop:
            count = drop_queued(tx, dag_id=given.dag_id, asset=row)
            print(f"dropped what waited for {count} pairs of DAG and asset")
            return
        if row is not None:
            found = [
                {"dag_id": dag_id, "asset": row.name, "since": at}
                for dag_id, at in queued_of_asset(tx, row)
                if given.dag_id in (None, dag_id)
            ]
        else:
            found = [
                {"dag_id": given.dag_id, "asset": each.name, "since": at}
                for each, at in queued_of_dag(tx, given.dag_id)
            ]
    show_rows(found, given.output, ("dag_id", "asset", "since"), "nothing waits")


@NOUN.verb("warnings", OUTPUT)
def warnings(given: Namespace) -> None:
    """Show what is wrong with assets: contradictions, circles of DAGs, late ones."""
    from tradewind.commands.asset_publication import asset_cycles

    with database() as store, store.read() as tx:
        rows = [{"kind": "circle", "about": dag_id, "warning": text} for dag_id, text in asset_cycles(tx).items()]
        after = 0
        while page := tx.asset_list(limit=_PAGE, after=after):
            after = page[-1].asset_id
            for row in page:
                if row.conflict is not None:
                    rows.append({"kind": "conflict", "about": row.name, "warning": row.conflict})
                if row.late_since is not None:
                    text = f"was expected to change by {row.late_since.isoformat()}"
                    rows.append({"kind": "late", "about": row.name, "warning": text})
    show_rows(rows, given.output, ("kind", "about", "warning"), "nothing is wrong with assets")


@NOUN.verb("partitions", argument("dag_id", help="a DAG that runs on partitions of assets"), OUTPUT)
def partitions(given: Namespace) -> None:
    """Show partitions of a DAG that are being filled, and what they wait for."""
    from tradewind.commands.assets import pending_partitions
    from tradewind.commands.documents import Documents

    with database() as store, store.read() as tx:
        found = pending_partitions(tx, Documents(), given.dag_id)
    rows = [each._asdict() for each in found]
    if given.output == "table":
        rows = [{**row, "have": _members(row["have"]), "missing": _members(row["missing"])} for row in rows]
    show_rows(rows, given.output, ("partition_key", "since", "have", "missing"), "no partition is being filled")


def _members(keys: Mapping[str, Collection[str]]) -> str:
    """How many keys of each asset, and the first of them: a window may have thousands."""
    told = []
    for asset, members in keys.items():
        first = sorted(members)[:_MEMBERS_SHOWN]
        rest = " …" if len(members) > len(first) else ""
        told.append(f"{asset}: {len(members)}" + (f" ({', '.join(first)}{rest})" if first else ""))
    return "; ".join(told)


def _object(text: str | None) -> dict[str, Any] | None:
    value = None if text is None else json_value(text, "--extra")
    if value is not None and not isinstance(value, dict):
        raise BadInput(f'--extra must be a JSON object such as {{"rows": 3}}, not {text}')
    return value


def _asset(tx: Transaction, given: Namespace) -> AssetRow:
    from tradewind.commands.assets import require_asset

    return require_asset(tx, name=given.name, uri=given.uri)


def _facts(row: AssetRow) -> dict[str, Any]:
    return {
        "id": row.asset_id,
        "name": row.name,
        "uri": row.uri,
        "group": row.group_name,
        "active": row.is_active,
        "late_since": row.late_since,
    }


def _event_facts(row: AssetEventRow) -> dict[str, Any]:
    parts = [part for part in (row.source_dag_id, row.source_run_id, row.source_task_id) if part]
    return {
        "id": row.event_id,
        "name": row.name,
        "at": row.at,
        "source": "/".join(parts) or row.created_by,
        "partition_key": row.partition_key,
        "extra": row.extra,
    }
