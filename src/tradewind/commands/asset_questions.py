"""What a running task asks about assets."""

from __future__ import annotations

from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.execution import AssetEvents, Assets, FoundAsset, GetAssetEvents, GetAssets, Reply

from .asset_events import facts_of_events

_EVENTS_MAX = 10_000


def answer(tx: Transaction, question: GetAssetEvents | GetAssets, row: TaskRow) -> Reply:
    """The reply to a question of the attempt of `row`."""
    match question:
        case GetAssetEvents(triggering=True):
            return AssetEvents(tuple(facts_of_events(tx, tx.asset_consumed_by(row.run_key))))
        case GetAssetEvents():
            found = tx.asset_event_list(
                name=question.name,
                uri=question.uri,
                alias=question.alias,
                after=question.after,
                before=question.before,
                ascending=question.ascending,
                limit=_EVENTS_MAX if question.limit is None else min(question.limit, _EVENTS_MAX),
            )
            return AssetEvents(tuple(facts_of_events(tx, found)))
        case GetAssets(names=names, uris=uris):
            return Assets(tuple([_found(tx, name=name) for name in names] + [_found(tx, uri=uri) for uri in uris]))


def _found(tx: Transaction, *, name: str | None = None, uri: str | None = None) -> FoundAsset | None:
    rows = tx.asset_find(name=name, uri=uri)
    if not rows:
        return None
    row = rows[0]
    return FoundAsset(
        name=row.name,
        uri=row.uri,
        group=row.group_name,
        extra=row.extra,
        is_active=row.is_active,
        conflict=row.conflict,
    )
