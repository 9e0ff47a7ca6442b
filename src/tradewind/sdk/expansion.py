"""What a mapped task or group expands over, and how one instance finds its items.

`ByArgument` is `expand(x=[...], y=[...])`: every combination, the last argument varying fastest.
`ByDict` is `expand_kwargs([{...}, {...}])`: one instance per dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tradewind.wire.document import LengthSource, Literal
from tradewind.wire.document import Mapping as MappingDocument

from .errors import WrongArgument, WrongValue
from .sequences import as_sequence
from .xcomarg import Fetch, XComArg, references_of, resolve_args

if TYPE_CHECKING:
    from .groups import MappedTaskGroup
    from .node import Task


class Expansion:
    """Common ground of the two kinds."""

    def names(self) -> list[str] | None:
        """The arguments given by each item; None: known only when it runs."""
        raise NotImplementedError

    def references(self) -> Iterator[tuple[Task, str]]:
        """Outputs it is made of."""
        raise NotImplementedError

    def document(self) -> MappingDocument:
        """As the planner sees it: where the lengths come from. Raises `WrongValue` for outputs that cannot be
        counted."""
        raise NotImplementedError

    def items(self, index: int, fetch: Fetch) -> tuple[dict[str, Any], set[int]]:
        """The arguments of instance `index`, and the `id()`s of values that came from tasks.

        Raises whatever a `.map()` function raises (a skip, for one).
        """
        raise NotImplementedError


class ByArgument(Expansion):
    """Every combination of items.

    Parameters:
        sources: argument → list, dict, or reference.
        owner: words for messages ("task 'x'").
    """

    def __init__(self, sources: Mapping[str, Any], owner: str) -> None:
        if not sources:
            raise WrongArgument(f"{owner}: no arguments to expand over; give at least one, such as expand(x=[1, 2])")
        for name, value in sources.items():
            if isinstance(value, MappedArgument):
                raise NotImplementedError(
                    f"{owner}: expanding argument {name!r} over an item of a mapped group is not available yet; "
                    f"let a task in the group return it and expand over that"
                )
            if not _mappable(value):
                raise WrongValue(
                    f"{owner}: expand() cannot take {value!r} of type {type(value).__name__} for {name!r}; "
                    f"give a list, a dict, or the output of a task"
                )
        self.sources = dict(sources)
        self.owner = owner

    def names(self) -> list[str]:
        return list(self.sources)

    def references(self) -> Iterator[tuple[Task, str]]:
        for value in self.sources.values():
            yield from references_of(value)

    def document(self) -> MappingDocument:
        return MappingDocument(tuple((name, _length_source(value)) for name, value in self.sources.items()))

    def items(self, index: int, fetch: Fetch) -> tuple[dict[str, Any], set[int]]:
        lists = {
            name: as_sequence(
                value.resolve(fetch) if isinstance(value, XComArg) else value, f"{self.owner}, argument {name!r}"
            )
            for name, value in self.sources.items()
        }
        positions: dict[str, int] = {}
        rest = index
        for name in reversed(lists):
            length = len(lists[name])
            if not length:
                raise IndexError(f"{self.owner} has no instance {index}: argument {name!r} is empty")
            rest, positions[name] = divmod(rest, length)
        if rest:
            raise IndexError(f"{self.owner} has no instance {index}")
        found: dict[str, Any] = {}
        final: set[int] = set()
        for name in self.sources:
            found[name] = _taken(lists[name][positions[name]], self.sources[name], fetch, final)
        return found, final


class ByDict(Expansion):
    """One instance per dict.

    Parameters:
        source: list of dicts (or of references to dicts), or a reference to such a list.
        owner: words for messages.
    """

    def __init__(self, source: Any, owner: str) -> None:
        if isinstance(source, MappedArgument):
            raise NotImplementedError(f"{owner}: expand_kwargs() over an item of a mapped group is not available yet")
        if not isinstance(source, XComArg):
            if not isinstance(source, Sequence) or isinstance(source, str):
                raise WrongValue(
                    f"{owner}: expand_kwargs() takes a list of dicts or the output of a task, not {source!r}"
                )
            for item in source:
                if not isinstance(item, Mapping | XComArg):
                    raise WrongValue(
                        f"{owner}: expand_kwargs() takes a list of dicts, {item!r} is {type(item).__name__}"
                    )
        self.source = source
        self.owner = owner

    def names(self) -> list[str] | None:
        if isinstance(self.source, XComArg) or any(isinstance(item, XComArg) for item in self.source):
            return None
        return list(dict.fromkeys(name for item in self.source for name in item))

    def references(self) -> Iterator[tuple[Task, str]]:
        yield from references_of(self.source)

    def document(self) -> MappingDocument:
        return MappingDocument((("", _length_source(self.source)),))

    def items(self, index: int, fetch: Fetch) -> tuple[dict[str, Any], set[int]]:
        listed = self.source.resolve(fetch) if isinstance(self.source, XComArg) else self.source
        item = as_sequence(listed, f"{self.owner}, expand_kwargs()")[index]
        final: set[int] = set()
        if isinstance(item, XComArg):
            item = item.resolve(fetch)
            final |= deep_ids(item)
        elif isinstance(self.source, XComArg):
            final |= deep_ids(item)
        if not isinstance(item, Mapping):
            raise WrongValue(
                f"{self.owner}: expand_kwargs() needs dicts, item {index} is {type(item).__name__}: {item!r}"
            )
        for name in item:
            if not isinstance(name, str):
                raise WrongValue(f"{self.owner}: expand_kwargs() needs texts as names, item {index} has {name!r}")
        return {name: _taken(value, None, fetch, final) for name, value in item.items()}, final


class MappedArgument(XComArg):
    """Inside a mapped group: the item of the instance the group runs for.

    Parameters:
        group: the mapped group.
        name: of the argument.
    """

    def __init__(self, group: MappedTaskGroup, name: str) -> None:
        self.group = group
        self.name = name

    def resolve(self, fetch: Fetch) -> Any:
        index = getattr(fetch, "group_index", None)
        if index is None:
            raise WrongValue(f"{self!r} has a value only inside an instance of the group; see mapped.instance_operator")
        items, _ = self.group.expansion.items(index(self.group), fetch)
        if self.name not in items:
            raise WrongValue(
                f"task group {self.group.group_id!r}: expand_kwargs() gave no {self.name!r} for this instance"
            )
        return items[self.name]

    def references(self) -> Iterator[tuple[Task, str]]:
        yield from self.group.expansion.references()

    iter_references = references

    def length_source(self) -> LengthSource:
        raise NotImplementedError(f"expanding over {self!r}, an item of a mapped group, is not available yet")

    def __repr__(self) -> str:
        return f"MappedArgument({self.name!r} of group {self.group.group_id!r})"

    __str__ = __repr__


def deep_ids(value: Any) -> set[int]:
    """`id()`s of a value and of everything in it."""
    found = {id(value)}
    if isinstance(value, Mapping):
        for item in value.values():
            found |= deep_ids(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            found |= deep_ids(item)
    return found


def _taken(item: Any, source: Any, fetch: Fetch, final: set[int]) -> Any:
    """An item as its instance gets it. What came from a task goes into `final`."""
    if isinstance(source, XComArg):
        final |= deep_ids(item)
        return item
    value = resolve_args(item, fetch)
    if value is not item and isinstance(item, XComArg):
        final |= deep_ids(value)
    return value


def _mappable(value: Any) -> bool:
    return isinstance(value, XComArg | Mapping) or (isinstance(value, Sequence) and not isinstance(value, str | bytes))


def _length_source(value: Any) -> LengthSource:
    return value.length_source() if isinstance(value, XComArg) else Literal(len(value))
