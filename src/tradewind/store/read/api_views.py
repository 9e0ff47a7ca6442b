"""Rows with what lists show beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tradewind.store.codec import Codec
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind

View = TypeVar("View")
Read = Callable[[Dialect], Callable[[Sequence[Any]], View]]


def plain(codec: Codec[Any]) -> Read[Any]:
    """Rows as they are."""
    return lambda d: codec.decoder(d)


def beside(codec: Codec[Any], make: Callable[..., View], *kinds: Kind) -> Read[View]:
    """`make(row, *further)` with further columns of these kinds behind the row's own."""
    width = len(codec.columns)

    def read(d: Dialect) -> Callable[[Sequence[Any]], View]:
        decode = codec.decoder(d)
        steps = [d.decoders.get(kind) for kind in kinds]

        def of(found: Sequence[Any]) -> View:
            further = (
                step(value) if step is not None and value is not None else value
                for step, value in zip(steps, found[width:], strict=True)
            )
            return make(decode(found[:width]), *further)

        return of

    return read


def record(make: Callable[..., View], *kinds: Kind) -> Read[View]:
    """`make(*columns)` of columns of these kinds."""

    def read(d: Dialect) -> Callable[[Sequence[Any]], View]:
        steps = [d.decoders.get(kind) for kind in kinds]

        def of(found: Sequence[Any]) -> View:
            return make(
                *(
                    step(value) if step is not None and value is not None else value
                    for step, value in zip(steps, found, strict=True)
                )
            )

        return of

    return read


def two(first: Codec[Any], second: Codec[Any], make: Callable[..., View], *kinds: Kind) -> Read[View]:
    """`make(row, other, *further)`: rows of two tables side by side."""
    width = len(first.columns)
    whole = beside(second, lambda other, *further: (other, *further), *kinds)

    def read(d: Dialect) -> Callable[[Sequence[Any]], View]:
        decode, rest = first.decoder(d), whole(d)
        return lambda found: make(decode(found[:width]), *rest(found[width:]))

    return read
