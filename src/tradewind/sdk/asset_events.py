"""What a running task knows and tells of changes of assets: `outlet_events`, `inlet_events`,
`triggering_asset_events`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, overload

from tradewind.wire.assets import AssetEmission, AssetEventFacts
from tradewind.wire.execution import AssetEvents, Assets, FoundAsset, GetAssetEvents, GetAssets
from tradewind.wire.partitions import KEY_LENGTH_MAX

from .assets import Asset, AssetAlias, AssetNameRef, AssetRef, AssetUriRef
from .attempt import Attempt
from .dates import instant
from .errors import WrongArgument, WrongValue
from .exceptions import AirflowException, AirflowNotFoundException

Key = tuple[str, str, str]
"""("asset", name, uri) or ("alias", name, "")."""


@dataclass(frozen=True, slots=True)
class AssetEventDagRun:
    """The run whose task told of a change."""

    dag_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """A change of an asset that somebody told of."""

    id: int
    asset: Asset
    extra: dict[str, Any]
    timestamp: datetime
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: int = -1
    source_aliases: tuple[AssetAlias, ...] = ()
    partition_key: str | None = None
    _attempt: Attempt | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, facts: AssetEventFacts, attempt: Attempt | None = None) -> AssetEvent:
        """From what the server says."""
        import pendulum

        return cls(
            id=facts.event_id,
            asset=Asset(name=facts.name, uri=facts.uri, group=facts.group, extra=facts.asset_extra),
            extra=facts.extra,
            timestamp=pendulum.instance(facts.at).in_timezone("UTC"),
            source_dag_id=facts.source_dag_id,
            source_run_id=facts.source_run_id,
            source_task_id=facts.source_task_id,
            source_map_index=facts.source_map_index,
            source_aliases=tuple(AssetAlias(name) for name in facts.aliases),
            partition_key=facts.partition_key,
            _attempt=attempt,
        )

    @property
    def uri(self) -> str:
        """Of the asset."""
        return self.asset.uri

    @property
    def source_dag_run(self) -> AssetEventDagRun | None:
        """The run that told of it; None when a person or a watcher did."""
        if self.source_dag_id is None or self.source_run_id is None:
            return None
        return AssetEventDagRun(self.source_dag_id, self.source_run_id)

    @property
    def source_task_instance(self) -> Any:
        """The task instance that told of it, as far as its values are asked for with `xcom_pull`."""
        if self.source_task_id is None or self._attempt is None:
            return None
        return SourceTask(self, self._attempt)


class SourceTask:
    """The task instance that told of a change."""

    def __init__(self, event: AssetEvent, attempt: Attempt) -> None:
        self.dag_id, self.run_id, self.task_id = event.source_dag_id, event.source_run_id, event.source_task_id
        self.map_index = event.source_map_index
        self._attempt = attempt

    def xcom_pull(self, *, key: str = "return_value", default: Any = None) -> Any:
        """A value it left."""
        from tradewind.wire.execution import PullXCom, Values

        from .values import PatternGate, decode_value

        paths = None if self.map_index < 0 else (str(self.map_index),)
        reply = self._attempt.client.ask(
            PullXCom(
                token=self._attempt.token,
                task_ids=(str(self.task_id),),
                key=key,
                dag_id=self.dag_id,
                run_id=self.run_id,
                map_paths=paths,
            )
        )
        assert isinstance(reply, Values)
        if not reply.values:
            return default
        return decode_value(reply.values[0].value, self._attempt.client, PatternGate(patterns=()))


class Lookup:
    """Asks for assets that are named by reference."""

    def __init__(self, attempt: Attempt | None) -> None:
        self._attempt = attempt
        self._known: dict[tuple[str, str], FoundAsset] = {}

    def find(self, ref: AssetRef) -> FoundAsset:
        """Raises `AirflowNotFoundException`."""
        if not isinstance(ref, AssetNameRef | AssetUriRef):
            raise WrongArgument(f"{ref!r} is no reference to an asset")
        kind, name = ("name", ref.name) if isinstance(ref, AssetNameRef) else ("uri", ref.leaf().uri)
        if (kind, name) not in self._known:
            found = None
            if self._attempt is not None:
                given = {"names": (name,)} if kind == "name" else {"uris": (name,)}
                reply = self._attempt.client.ask(GetAssets(token=self._attempt.token, **given))
                found = reply.assets[0] if isinstance(reply, Assets) and reply.assets else None
            if found is None:
                raise AirflowNotFoundException(f"there is no asset with {kind} {name!r}")
            self._known[kind, name] = found
        return self._known[kind, name]

    def key(self, given: object) -> Key:
        match given:
            case Asset():
                return ("asset", given.name, given.uri)
            case AssetAlias():
                return ("alias", given.name, "")
            case AssetRef():
                found = self.find(given)
                return ("asset", found.name, found.uri)
            case _:
                raise TypeError(
                    f"events are looked up by asset, alias or reference, not by {given!r} of type "
                    f"{type(given).__name__}; write Asset({given!r}) or Asset.ref(name=...)"
                )

    def asset_of(self, name: str | None, uri: str | None) -> Asset | AssetRef:
        if name and uri:
            return Asset(name, uri)
        return Asset.ref(name=name or "", uri=uri or "")


class OutletEvent:
    """What the task tells of one outlet.

    `extra` is a dict of facts, JSON. `add` (aliases) names the assets that the alias stood for; `add_partitions`
    (assets) the partitions that were made.
    """

    def __init__(self, key: Key, lookup: Lookup) -> None:
        self.key = key
        self.extra: dict[str, Any] = {}
        self.partition_keys: dict[str, None] = {}
        self.asset_alias_events: list[AssetEmission] = []
        self._lookup = lookup

    def add(self, asset: Asset | AssetRef, extra: dict[str, Any] | None = None) -> None:
        """The alias stood for this asset. Means nothing for an outlet that is no alias."""
        if self.key[0] != "alias":
            return
        group, facts = "asset", {}
        if isinstance(asset, AssetRef):
            found = self._lookup.find(asset)
            name, uri = found.name, found.uri
        else:
            name, uri, group, facts = asset.name, asset.uri, asset.group, asset.extra
        self.asset_alias_events.append(
            AssetEmission(
                name=name, uri=uri, extra=dict(extra or {}), alias=self.key[1], group=group, asset_extra=facts
            )
        )

    def add_partitions(self, keys: str | Iterable[str]) -> None:
        """The task made these partitions: one event for each.

        Raises:
            TypeError: the outlet is an alias.
            WrongValue: a key is empty or longer than 250 characters.
        """
        if self.key[0] == "alias":
            raise TypeError("partitions belong to assets, not to an alias: name the asset with Asset(...)")
        for key in [keys] if isinstance(keys, str) else list(keys):
            self.partition_keys[check_key(key)] = None

    def __repr__(self) -> str:
        return f"OutletEvent({self.key[1]!r}, extra={self.extra!r})"


def check_key(key: Any) -> str:
    """Raises `WrongValue` for what cannot be a partition key."""
    if not isinstance(key, str) or not key.strip() or len(key) > KEY_LENGTH_MAX:
        raise WrongValue(f"a partition key must be a text of 1 to {KEY_LENGTH_MAX} characters, not {key!r}")
    return key


class OutletEvents(Mapping[Any, OutletEvent]):
    """`outlet_events` of the context: asset, alias or reference → what is told of it."""

    def __init__(self, attempt: Attempt | None = None) -> None:
        self._lookup = Lookup(attempt)
        self._found: dict[Key, OutletEvent] = {}

    def __getitem__(self, outlet: Any) -> OutletEvent:
        key = self._lookup.key(outlet)
        return self._found.setdefault(key, OutletEvent(key, self._lookup))

    def __iter__(self) -> Iterator[Any]:
        for kind, name, uri in self._found:
            yield AssetAlias(name) if kind == "alias" else Asset(name, uri)

    def __len__(self) -> int:
        return len(self._found)

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> OutletEvent:
        """By name, URI or both."""
        return self[self._lookup.asset_of(name, uri)]

    def for_asset_alias(self, *, name: str) -> OutletEvent:
        """By the name of an alias."""
        return self[AssetAlias(name)]

    def told(self, outlets: Iterable[Any], partition_key: str | None) -> tuple[AssetEmission, ...]:
        """The changes to tell when the task has succeeded: those of its outlets, and what their aliases stood for."""
        emissions: list[AssetEmission] = []
        for outlet in outlets:
            if isinstance(outlet, Asset | AssetRef):
                emissions += self._told_of_asset(outlet, partition_key)
            elif isinstance(outlet, AssetAlias) and self._lookup.key(outlet) in self._found:
                emissions += self._found[self._lookup.key(outlet)].asset_alias_events
        return tuple(emissions)

    def _told_of_asset(self, outlet: Asset | AssetRef, partition_key: str | None) -> Iterator[AssetEmission]:
        if isinstance(outlet, Asset):
            name, uri = outlet.name, outlet.uri
        else:
            found = self._lookup.find(outlet)
            name, uri = found.name, found.uri
        event = self._found.get(("asset", name, uri))
        extra = dict(event.extra) if event is not None else {}
        for key in (event.partition_keys if event is not None else ()) or (partition_key,):
            yield AssetEmission(name=name, uri=uri, extra=extra, partition_key=key)


def outlet_events_of(attempt: Attempt) -> OutletEvents:
    """What the task of this attempt tells, the same object whoever looks at it."""
    if attempt.outlet_events is None:
        attempt.outlet_events = OutletEvents(attempt)
    events: OutletEvents = attempt.outlet_events
    return events


class EventsOf(Sequence[AssetEvent]):
    """Events of one inlet, oldest first, read when they are first looked at.

    `after(t)`, `before(t)` (inclusive), `ascending(bool)`, `limit(n)` narrow what is read; each returns the object.
    """

    def __init__(self, attempt: Attempt, question: dict[str, Any]) -> None:
        self._attempt = attempt
        self._question = question
        self._read: list[AssetEvent] | None = None

    def after(self, after: datetime | str) -> Self:
        """Not before this instant."""
        return self._narrow(after=instant("after", after))

    def before(self, before: datetime | str) -> Self:
        """Not after this instant."""
        return self._narrow(before=instant("before", before))

    def ascending(self, ascending: bool = True) -> Self:
        """Oldest first, or newest first."""
        return self._narrow(ascending=bool(ascending))

    def limit(self, limit: Any) -> Self:
        """At most so many."""
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise WrongValue(f"limit must be a whole number, not {limit!r}")
        return self._narrow(limit=limit)

    def _narrow(self, **words: Any) -> Self:
        self._question = {**self._question, **words}
        self._read = None
        return self

    def _events(self) -> list[AssetEvent]:
        if self._read is None:
            reply = self._attempt.client.ask(GetAssetEvents(token=self._attempt.token, **self._question))
            assert isinstance(reply, AssetEvents)
            self._read = [AssetEvent.of(facts, self._attempt) for facts in reply.events]
        return self._read

    @overload
    def __getitem__(self, index: int) -> AssetEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[AssetEvent]: ...
    def __getitem__(self, index: int | slice) -> AssetEvent | list[AssetEvent]:
        return self._events()[index]

    def __len__(self) -> int:
        return len(self._events())


class InletEvents(Mapping[Any, EventsOf]):
    """`inlet_events` of the context: inlet, or its place among the inlets → its events."""

    def __init__(self, inlets: Sequence[Any], attempt: Attempt) -> None:
        self._inlets = [each for each in inlets if isinstance(each, Asset | AssetAlias | AssetRef)]
        self._all = list(inlets)
        self._attempt = attempt
        self._lookup = Lookup(attempt)

    def __getitem__(self, inlet: Any) -> EventsOf:
        if isinstance(inlet, int):
            inlet = self._all[inlet]
            if not isinstance(inlet, Asset | AssetAlias | AssetRef):
                raise IndexError("this inlet is no asset")
        key = self._lookup.key(inlet)
        if key not in {self._lookup.key(each) for each in self._inlets}:
            raise KeyError(f"{inlet!r} is no inlet of this task; add it to inlets=")
        question = {"alias": key[1]} if key[0] == "alias" else {"name": key[1], "uri": key[2]}
        return EventsOf(self._attempt, question)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inlets)

    def __len__(self) -> int:
        return len(self._inlets)

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> EventsOf:
        """By name, URI or both."""
        return self[self._lookup.asset_of(name, uri)]

    def for_asset_alias(self, *, name: str) -> EventsOf:
        """By the name of an alias."""
        return self[AssetAlias(name)]


class TriggeringEvents(Mapping[Any, list[AssetEvent]]):
    """`triggering_asset_events` of the context: asset or alias → the events that the run was made for."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._lookup = Lookup(attempt)
        self._read: list[AssetEvent] | None = None

    @property
    def events(self) -> list[AssetEvent]:
        """All of them, oldest first."""
        if self._read is None:
            reply = self._attempt.client.ask(GetAssetEvents(token=self._attempt.token, triggering=True))
            assert isinstance(reply, AssetEvents)
            self._read = [AssetEvent.of(facts, self._attempt) for facts in reply.events]
        return self._read

    def _by_key(self) -> dict[Key, list[AssetEvent]]:
        found: dict[Key, list[AssetEvent]] = {}
        for event in self.events:
            found.setdefault(("asset", event.asset.name, event.asset.uri), []).append(event)
            for alias in event.source_aliases:
                found.setdefault(("alias", alias.name, ""), []).append(event)
        return found

    def __getitem__(self, asset: Any) -> list[AssetEvent]:
        return self._by_key()[self._lookup.key(asset)]

    def __iter__(self) -> Iterator[Any]:
        for kind, name, uri in self._by_key():
            yield AssetAlias(name) if kind == "alias" else Asset(name, uri)

    def __len__(self) -> int:
        return len(self._by_key())

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> list[AssetEvent]:
        """By name, URI or both."""
        return self[self._lookup.asset_of(name, uri)]

    def for_asset_alias(self, *, name: str) -> list[AssetEvent]:
        """By the name of an alias."""
        return self[AssetAlias(name)]


def check_active(inlets: Iterable[Any], outlets: Iterable[Any], attempt: Attempt) -> None:
    """Ask whether the assets of a task are in use. Raises `AirflowException` naming one that is not, and why."""
    assets = [each for each in (*inlets, *outlets) if isinstance(each, Asset)]
    if not assets:
        return
    names = tuple(dict.fromkeys(each.name for each in assets))
    reply = attempt.client.ask(GetAssets(token=attempt.token, names=names))
    if not isinstance(reply, Assets):
        return
    found = {name: answer for name, answer in zip(names, reply.assets, strict=False) if answer is not None}
    for each in assets:
        known = found.get(each.name)
        if known is not None and known.uri != each.uri and known.is_active:
            raise AirflowException(
                f"asset {each.name!r} with uri {each.uri!r} is not active: asset {known.name!r} has uri {known.uri!r} "
                "already; give one of them another name"
            )
