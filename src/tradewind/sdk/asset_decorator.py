"""`@asset` and `@asset.multi`: a function that makes assets, as a DAG of one task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from .asset_events import Lookup
from .assets import Asset, AssetAll, AssetWatcher, BaseAsset
from .binding import signature_of
from .callables import CallableOperator
from .definition import DAG
from .errors import WrongArgument
from .taskflow import TaskDecorator

_OWN = ("self", "context", "outlet_events")
_DAG_ARGUMENTS = frozenset(
    {
        "is_paused_upon_creation",
        "dag_display_name",
        "description",
        "params",
        "on_success_callback",
        "on_failure_callback",
        "access_control",
        "owner_links",
        "tags",
    }
)


class AssetDefinition(Asset):
    """An asset with the function that makes it."""

    __slots__ = ("dag", "function")

    def __init__(self, function: Any, dag_id: str | None, dag: Mapping[str, Any], **facts: Any) -> None:
        super().__init__(**facts)
        self.function = function
        with DAG(dag_id or self.name, catchup=False, **dag) as made:
            _make_task(function, [self], self.name)
        self.dag = made


class MultiAssetDefinition(AssetAll):
    """Several assets with the function that makes them."""

    def __init__(
        self, function: Any, name: str, dag_id: str | None, dag: Mapping[str, Any], outlets: Collection[BaseAsset]
    ) -> None:
        super().__init__(*outlets)
        self.name = name
        self.function = function
        with DAG(dag_id or name, catchup=False, **dag) as made:
            _make_task(function, list(outlets), None)
        self.dag = made


class AssetOperator(CallableOperator):
    """Calls a function that makes assets. Its parameters are assets by name, `self` (the asset it makes), `context` and
    `outlet_events`.
    """

    custom_operator_name = "@asset"

    def __init__(self, *, made: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.made = made

    def call(self, context: Any) -> Any:
        """The function's result."""
        self.op_kwargs = dict(self._arguments(context))
        return super().call(context)

    def _arguments(self, context: Any) -> Iterable[tuple[str, Any]]:
        from .attempt import attempt_at_hand

        lookup = Lookup(attempt_at_hand())
        for name, parameter in signature_of(self.python_callable).parameters.items():
            if parameter.default is not parameter.empty:
                yield name, parameter.default
            elif name == "context":
                yield name, context
            elif name == "outlet_events":
                yield name, context["outlet_events"]
            else:
                wanted = self.made if name == "self" and self.made is not None else name
                found = lookup.find(Asset.ref(name=wanted))
                yield name, Asset(found.name, found.uri, group=found.group, extra=found.extra)


class _Multi:
    """`@asset.multi(schedule=..., outlets=[...])`: a DAG of one task that makes several assets.

    Parameters:
        schedule, dag_id and arguments of the DAG as for `asset`.
        outlets: assets or aliases, at least one.
    """

    def __init__(
        self, *, schedule: Any, outlets: Collection[BaseAsset], dag_id: str | None = None, **arguments: Any
    ) -> None:
        if not outlets:
            raise WrongArgument("@asset.multi needs outlets")
        self.outlets = outlets
        self.dag_id = dag_id
        self.dag_arguments = _checked("@asset.multi", schedule, arguments)

    def __call__(self, function: Callable[..., Any]) -> MultiAssetDefinition:
        name = _name_of(function)
        return MultiAssetDefinition(function, name, self.dag_id, self.dag_arguments, self.outlets)


class asset:
    """Make a function the maker of an asset: a DAG of one task, called like the asset.

    Parameters of the function that are called like other assets become inlets, and receive these assets; `self` is the
    asset it makes, `context` and `outlet_events` are what a task gets.

    Parameters:
        schedule: as of a DAG.
        name, uri, group, extra, watchers: of the asset; the name defaults to the function's.
        dag_id: default: the name of the asset.
        arguments: is_paused_upon_creation, dag_display_name, description, params, on_success_callback,
            on_failure_callback, access_control, owner_links, tags of the DAG.

    Raises:
        WrongArgument: an argument is unknown; the function is nested or takes `*args`, `**kwargs`.
    """

    multi = _Multi

    def __init__(
        self,
        *,
        schedule: Any,
        name: str | None = None,
        uri: Any = None,
        group: str = "asset",
        extra: dict[str, Any] | None = None,
        watchers: Collection[AssetWatcher] | None = None,
        dag_id: str | None = None,
        **arguments: Any,
    ) -> None:
        self.name = name
        self.facts = {"uri": uri, "group": group, "extra": extra, "watchers": watchers}
        self.dag_id = dag_id
        self.dag_arguments = _checked("@asset", schedule, arguments)

    def __call__(self, function: Callable[..., Any]) -> AssetDefinition:
        name = self.name or _name_of(function)
        _name_of(function)
        return AssetDefinition(function, self.dag_id, self.dag_arguments, name=name, **self.facts)


def _checked(what: str, schedule: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(arguments) - _DAG_ARGUMENTS
    if unknown:
        raise WrongArgument(
            f"{what} got an unknown argument {min(unknown)!r}; it takes {', '.join(sorted(_DAG_ARGUMENTS))}"
        )
    return {"schedule": schedule, **{name: value for name, value in arguments.items() if value is not None}}


def _name_of(function: Any) -> str:
    plain = function.function if isinstance(function, TaskDecorator) else function
    if plain.__name__ != plain.__qualname__:
        raise WrongArgument(f"@asset cannot decorate {plain.__qualname__}: put the function at the top of the file")
    return str(plain.__name__)


def _make_task(function: Any, outlets: list[BaseAsset], made: str | None) -> None:
    if isinstance(function, TaskDecorator):
        if "outlets" in function.arguments:
            raise WrongArgument("@task under @asset cannot have outlets: the assets of @asset are its outlets")
        function.override(outlets=outlets)()
        return
    AssetOperator(
        task_id=function.__name__,
        python_callable=function,
        inlets=_inlets(function),
        outlets=outlets,
        made=made,
    )


def _inlets(function: Callable[..., Any]) -> list[BaseAsset]:
    """References to the assets that parameters are called after."""
    found: list[BaseAsset] = []
    for name, parameter in signature_of(function).parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise WrongArgument(f"@asset: {function.__name__} cannot take *{name}; name each asset as a parameter")
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and parameter.default is parameter.empty:
            raise WrongArgument(f"@asset: parameter {name!r} of {function.__name__} must not be positional-only")
        if name not in _OWN and parameter.default is parameter.empty:
            found.append(Asset.ref(name=name))
    return found
