"""How many instances a mapped task or group has, given the lengths of what it expands over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tradewind.wire.document import Concatenated, FromTask, LengthSource, Literal, Mapping, Zipped

LengthOf = Callable[[FromTask], int]
"""Length left by a task; may raise `NotExpandable`."""


class NotExpandable(Exception):
    """A source has no length: what the task left is not a list or dict. The text names task and key."""


def expansion_size(mapping: Mapping, length_of: LengthOf) -> int:
    """Number of instances: the product over the arguments. Raises `NotExpandable` when a source has no length."""
    size = 1
    for _, source in mapping.arguments:
        size *= source_length(source, length_of)
    return size


def source_length(source: LengthSource, length_of: LengthOf) -> int:
    """Length of one source, composed ones included. Raises `NotExpandable`."""
    if isinstance(source, Literal):
        return source.length
    if isinstance(source, FromTask):
        return length_of(source)
    lengths = [source_length(part, length_of) for part in source.sources]
    if isinstance(source, Zipped):
        return (max if source.fill else min)(lengths, default=0)
    return sum(lengths)


def sources_of(mapping: Mapping) -> Iterator[FromTask]:
    """The tasks a mapping expands over, in the order they are written (a task may come twice)."""
    for _, source in mapping.arguments:
        yield from _tasks_in(source)


def first_empty(mapping: Mapping, length_of: LengthOf) -> str:
    """Words for the first argument that made an expansion empty. Raises `NotExpandable`."""
    for name, source in mapping.arguments:
        if source_length(source, length_of) == 0:
            tasks = ", ".join(f"'{part.task_id}'" for part in _tasks_in(source))
            return f"argument '{name}'" * bool(name) + (" of " if name and tasks else "") + tasks or "its input"
    return "its input"


def _tasks_in(source: LengthSource) -> Iterator[FromTask]:
    if isinstance(source, FromTask):
        yield source
    elif isinstance(source, Zipped | Concatenated):
        for part in source.sources:
            yield from _tasks_in(part)
