"""Data that DAGs make and wait for: `Asset`, `AssetAlias`, conditions over them, watchers.

Everything here is a description. What was changed when is told by `asset_events`; what a condition decides stands in
`domain.assets`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from tradewind.wire import assets as wire
from tradewind.wire.errors import InvalidValue

from .errors import WrongArgument, WrongValue

RESERVED_NAMES = ("self", "context")
URI_NORMALIZERS: dict[str, Callable[[SplitResult], SplitResult]] = {}
"""Scheme → function that brings a split URI into the one form of its scheme; raises ValueError for what is none."""


class BaseAsset:
    """What may stand in `schedule=`: assets, aliases, references, conditions."""

    def leaf(self) -> wire.AssetCondition:
        """As data."""
        raise NotImplementedError

    def __or__(self, other: object) -> AssetAny:
        return AssetAny(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def __and__(self, other: object) -> AssetAll:
        return AssetAll(self, other) if isinstance(other, BaseAsset) else NotImplemented


@dataclass(frozen=True)
class AssetAccessControl:
    """Which teams may produce and consume the events of an asset.

    Parameters:
        producer_teams: teams whose events are taken besides the own one.
        consumer_teams: teams whose DAGs may be started; None: all.
        allow_global: whether DAGs without a team may take part.
    """

    producer_teams: list[str] = field(default_factory=list)
    consumer_teams: list[str] | None = None
    allow_global: bool = True


class AssetWatcher:
    """An event trigger that tells of changes of an asset from outside.

    Parameters:
        name: unique among the watchers of the asset.
        trigger: an event trigger (`BaseEventTrigger`).
    """

    def __init__(self, name: str, trigger: Any) -> None:
        self.name = _identifier("name of an asset watcher", name)
        triggers = import_module(f"{__package__}.triggers")
        if not isinstance(trigger, triggers.BaseEventTrigger):
            raise WrongArgument(
                f"trigger of asset watcher {name!r} must be an event trigger (a subclass of BaseEventTrigger), not "
                f"{trigger!r}"
            )
        self.trigger = trigger

    def facts(self) -> wire.AssetWatcherFacts:
        """As data."""
        from .values import to_json

        path, kwargs = self.trigger.serialize()
        try:
            words: dict[str, Any] = json.loads(to_json(dict(kwargs)))
        except (InvalidValue, TypeError, ValueError) as error:
            raise WrongValue(
                f"asset watcher {self.name!r}: what serialize() of {path} gives cannot be stored: {error}"
            ) from None
        return wire.AssetWatcherFacts(name=self.name, trigger=path, kwargs=words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetWatcher) and self.facts() == other.facts()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"AssetWatcher({self.name!r}, {self.trigger!r})"


class Asset(os.PathLike[str], BaseAsset):
    """A named piece of data. Name and URI together are its identity; one of them is enough.

    Parameters:
        name: at most 1500 characters, not `self` or `context`.
        uri: where it lies. It is brought into one form: scheme in small letters, query sorted, no fragment, no
            trailing slash, no password. Schemes that begin with `x-` are left as they are.
        group: kind of asset, for people.
        extra: facts about it, JSON.
        watchers: event triggers that tell of changes from outside.
        access_control: teams that may produce and consume.
        expected_every: timedelta; the asset is late when it did not change for so long.

    Raises:
        WrongArgument, WrongValue: naming the argument.
    """

    asset_type: ClassVar[str] = "asset"
    __slots__ = ("access_control", "expected_every", "extra", "group", "name", "uri", "watchers")

    def __init__(
        self,
        name: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        *,
        group: str | None = None,
        extra: dict[str, Any] | None = None,
        watchers: Collection[AssetWatcher] | None = None,
        access_control: AssetAccessControl | None = None,
        expected_every: timedelta | None = None,
    ) -> None:
        if name is None and uri is None:
            raise WrongArgument("Asset() needs a name or a uri")
        given = name if uri is None else os.fspath(uri) if isinstance(uri, os.PathLike) else uri
        self.name: str = _identifier("name of an asset", str(given) if name is None else name)
        if self.name in RESERVED_NAMES:
            raise WrongValue(f"an asset cannot be called {self.name!r}: the name is taken; choose another one")
        self.uri: str = normal_uri(_identifier(f"uri of asset {self.name!r}", given))
        self.group: str = _identifier(
            f"group of asset {self.name!r}", self.asset_type if group is None else group, empty=True
        )
        self.extra: dict[str, Any] = _extra(f"extra of asset {self.name!r}", extra)
        self.watchers: list[AssetWatcher] = _watchers(self.name, watchers)
        self.access_control = access_control or AssetAccessControl()
        if expected_every is not None and expected_every <= timedelta(0):
            raise WrongValue(f"expected_every of asset {self.name!r} must be positive, not {expected_every}")
        self.expected_every = expected_every

    @staticmethod
    def ref(*, name: str = "", uri: str = "") -> AssetRef:
        """Whichever asset has this name, or this URI. Raises `WrongArgument` unless just one is given."""
        if bool(name) == bool(uri):
            raise WrongArgument("Asset.ref() takes a name or a uri, one of the two")
        return AssetNameRef(name) if name else AssetUriRef(uri)

    @property
    def normalized_uri(self) -> str | None:
        """The URI in the form of its scheme; None when the scheme has none, or the URI does not fit it."""
        parts = urlsplit(self.uri)
        scheme = parts.scheme.lower()
        if scheme == "file":
            return self.uri
        normalize = URI_NORMALIZERS.get(scheme)
        if normalize is None:
            return None
        try:
            return urlunsplit(normalize(parts))
        except ValueError:
            return None

    def leaf(self) -> wire.AssetLeaf:
        return wire.AssetLeaf(self.name, self.uri)

    def facts(self) -> wire.AssetFacts:
        """As data."""
        control = self.access_control
        access: dict[str, Any] = {}
        if control != AssetAccessControl():
            access = {
                "producer_teams": list(control.producer_teams),
                "consumer_teams": None if control.consumer_teams is None else list(control.consumer_teams),
                "allow_global": control.allow_global,
            }
        return wire.AssetFacts(
            name=self.name,
            uri=self.uri,
            group=self.group,
            extra=self.extra,
            watchers=tuple(watcher.facts() for watcher in self.watchers),
            expected_every_seconds=None if self.expected_every is None else self.expected_every.total_seconds(),
            access=access,
        )

    def __fspath__(self) -> str:
        return self.uri

    def __eq__(self, other: object) -> bool:
        return self.facts() == other.facts() if isinstance(other, Asset) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.uri))

    def __repr__(self) -> str:
        place = "" if self.uri == self.name else f", uri={self.uri!r}"
        return f"{type(self).__name__}(name={self.name!r}{place})"


class Dataset(Asset):
    """An asset of group `dataset`."""

    asset_type: ClassVar[str] = "dataset"
    __slots__ = ()


class Model(Asset):
    """An asset of group `model`."""

    asset_type: ClassVar[str] = "model"
    __slots__ = ()


class AssetRef(BaseAsset):
    """A reference to an asset; made by `Asset.ref`."""


@dataclass(frozen=True)
class AssetNameRef(AssetRef):
    """Whichever asset has this name."""

    name: str

    def leaf(self) -> wire.NameLeaf:
        return wire.NameLeaf(self.name)


@dataclass(frozen=True)
class AssetUriRef(AssetRef):
    """Whichever asset has this URI."""

    uri: str

    def leaf(self) -> wire.UriLeaf:
        return wire.UriLeaf(normal_uri(self.uri))


class AssetAlias(BaseAsset):
    """A name for assets that are known only when a task runs.

    Parameters:
        name: at most 1500 characters.
        group: for people.
    """

    __slots__ = ("group", "name")

    def __init__(self, name: str, *, group: str = "asset") -> None:
        self.name = _identifier("name of an asset alias", name)
        self.group = _identifier(f"group of asset alias {name!r}", group, empty=True)

    def leaf(self) -> wire.AliasLeaf:
        return wire.AliasLeaf(self.name)

    def facts(self) -> wire.AliasFacts:
        """As data."""
        return wire.AliasFacts(name=self.name, group=self.group)

    def __eq__(self, other: object) -> bool:
        return self.facts() == other.facts() if isinstance(other, AssetAlias) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"AssetAlias(name={self.name!r})"


class _Condition(BaseAsset):
    """Several, joined by one word."""

    def __init__(self, *objects: BaseAsset) -> None:
        for each in objects:
            if not isinstance(each, BaseAsset):
                raise WrongArgument(
                    f"{type(self).__name__} takes assets, aliases, references and conditions, not {each!r}"
                )
        self.objects: Collection[BaseAsset] = objects

    def __eq__(self, other: object) -> bool:
        return tuple(self.objects) == tuple(other.objects) if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self).__name__, tuple(self.objects)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"


class AssetAll(_Condition):
    """Holds when each of these has changed: `a & b`."""

    def leaf(self) -> wire.AllOf:
        return wire.AllOf(tuple(each.leaf() for each in self.objects))

    def __and__(self, other: object) -> AssetAll:
        return AssetAll(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented


class AssetAny(_Condition):
    """Holds when one of these has changed: `a | b`."""

    def leaf(self) -> wire.AnyOf:
        return wire.AnyOf(tuple(each.leaf() for each in self.objects))

    def __or__(self, other: object) -> AssetAny:
        return AssetAny(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented


class Metadata:
    """Yielded by a task: facts about the change of one of its outlets.

    Parameters:
        asset: the outlet, or, with an alias, the asset it stood for.
        extra: the facts, JSON.
        alias: the outlet alias through which the asset came.
    """

    __slots__ = ("alias", "asset", "extra")

    def __init__(
        self, asset: Asset | AssetRef, extra: dict[str, Any] | None = None, alias: AssetAlias | None = None
    ) -> None:
        if not isinstance(asset, Asset | AssetRef):
            raise WrongArgument(f"Metadata() takes an asset, not {asset!r}")
        self.asset = asset
        self.extra = _extra("extra of Metadata", extra)
        self.alias = alias

    def __repr__(self) -> str:
        return f"Metadata({self.asset!r}, extra={self.extra!r})"


def condition_of(value: BaseAsset | Collection[BaseAsset]) -> BaseAsset:
    """The condition behind what was given: a collection means all of it. Raises `WrongArgument`."""
    return value if isinstance(value, BaseAsset) else AssetAll(*value)


def objects_of(condition: BaseAsset) -> Iterable[BaseAsset]:
    """The assets, aliases and references of a condition, as written."""
    if isinstance(condition, _Condition):
        for each in condition.objects:
            yield from objects_of(each)
    else:
        yield condition


def normal_uri(uri: str) -> str:
    """A URI in its one form; what does not look like one stays as it is. Raises `WrongValue` for the scheme that is
    reserved."""
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise WrongValue(f"uri {uri!r}: the scheme 'airflow' is reserved; choose another one")
    place = parts.netloc.rpartition("@")[2] if parts.password else parts.netloc
    query = urlencode(sorted(parse_qsl(parts.query))) if parts.query else ""
    plain = SplitResult(scheme, place, parts.path.rstrip("/") or "/", query, "")
    normalize = URI_NORMALIZERS.get(scheme)
    try:
        return urlunsplit(normalize(plain) if normalize is not None else plain)
    except ValueError as error:
        raise WrongValue(f"uri {uri!r} is not right for scheme {scheme!r}: {error}") from None


def _identifier(what: str, value: Any, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise WrongArgument(f"{what} must be a text, not {value!r} of type {type(value).__name__}")
    if len(value) > wire.NAME_LENGTH_MAX:
        raise WrongValue(f"{what} has {len(value)} characters; {wire.NAME_LENGTH_MAX} are allowed")
    if (not value and not empty) or value.isspace():
        raise WrongValue(f"{what} must not be empty")
    return str(value)


def _extra(what: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongArgument(f"{what} must be a dict, not {value!r}")
    return _plain(value, what)


def _plain(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """As JSON data, so that equal things are equal once they are stored."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value)))
    except (TypeError, ValueError) as error:
        raise WrongValue(f"{what} must be JSON: {error}") from None
    return plain


def _watchers(name: str, value: Any) -> list[AssetWatcher]:
    found = list(value or ())
    for each in found:
        if not isinstance(each, AssetWatcher):
            raise WrongArgument(f"watchers of asset {name!r} must be AssetWatcher objects, not {each!r}")
    return found
