"""What an invariant is asked, and when. It answers with sentences about what is wrong; none: all is well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulation.engine_books import Books, Commit

if TYPE_CHECKING:
    from tests.simulation.engine import World
    from tests.simulation.engine_parts import Place


class Checker:
    """An invariant. Override what it wants to see; its docstring is the invariant in words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.books: Books = world.books
        self.said = 0
        """How often it complained."""

    def committed(self, commit: Commit) -> Iterator[str]:
        """Something became durable; the books have it already."""
        yield from ()

    def stepped(self, place: Place) -> Iterator[str]:
        """A scheduler has come to the end of a step, alive."""
        yield from ()

    def calmed(self) -> Iterator[str]:
        """The story is over: from here on faults and people stop, and no more dates come."""
        yield from ()

    def ended(self) -> Iterator[str]:
        """The world is quiet, or was given up."""
        yield from ()
