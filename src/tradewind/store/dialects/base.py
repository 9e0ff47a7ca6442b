"""What the rest of the store asks of a database: fragments of SQL, forms of values, connections, a doorbell.

The rest writes statements once, as text with `:name` parameters; where two databases say a thing differently, the
statement takes the fragment from here. The text of a statement never depends on values, so that drivers prepare it
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tradewind.kernel.doorbell import Listener
from tradewind.store.kinds import Kind

Columns = Sequence[tuple[str, Kind]]
Params = Mapping[str, Any]


class Session(Protocol):
    """One transaction on one connection. Driver errors that a repetition may cure come out as `Unavailable`."""

    @property
    def dialect(self) -> Dialect: ...

    def now(self) -> datetime:
        """The judge's time at the start of the transaction."""
        ...

    def rows(self, sql: str, params: Params) -> list[tuple[Any, ...]]:
        """Run a statement and return what it gives."""
        ...

    def rows_in_turn(
        self, first: tuple[str, Params], second: tuple[str, Params]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Run two statements, the second after the first is done and without a look at what it gave: as two times
        `rows`, in one round trip where that saves something."""
        ...

    def write(self, sql: str, params: Params) -> None:
        """Run a statement that gives nothing. It may be sent later, always before the next `rows` and the commit,
        and in order; its error then appears there."""
        ...

    def insert(self, table: str, columns: Columns, rows: Sequence[Sequence[Any]], tail: str = "") -> None:
        """Insert rows of encoded values; `tail` follows the rows (ON CONFLICT …). May be sent later, as `write`."""
        ...

    def commit(self, topics: frozenset[str]) -> None:
        """Commit, then ring `topics`. Ends the session."""
        ...

    def rollback(self) -> None:
        """Undo everything. Ends the session; never raises for a connection that is gone."""
        ...


class Dialect(Protocol):
    """One kind of database."""

    @property
    def encoders(self) -> Mapping[Kind, Callable[[Any], Any]]:
        """Value → what the driver takes as one parameter; kinds that are absent go as they are."""
        ...

    @property
    def decoders(self) -> Mapping[Kind, Callable[[Any], Any]]:
        """What the driver gives → value; kinds that are absent come as they are."""
        ...

    def prepare(self, sql: str) -> str:
        """The text with `:name` parameters in the driver's own notation."""
        ...

    def any(self, expression: str, param: str, kind: Kind) -> str:
        """Condition: `expression` is among the values of parameter `param`, made by `array`."""
        ...

    def array(self, kind: Kind, values: Iterable[Any]) -> str:
        """The form of a list parameter; the values are not encoded yet."""
        ...

    def relation(self, alias: str, columns: Columns) -> str:
        """Rows given as parameters, for FROM; the parameters are made by `relation_params`."""
        ...

    def relation_params(self, alias: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """The parameters of `relation`; the values are not encoded yet."""
        ...

    def json_column(self, expression: str) -> str:
        """A JSON text that came through `relation`, as the type of a JSON column."""
        ...

    def seconds_before(self, instant: str, seconds: str) -> str:
        """The instant that many seconds before; both are expressions."""
        ...

    def holds_name(self, column: str, param: str) -> str:
        """Condition: the NAMES column has all texts of array parameter `param`."""
        ...

    def folded(self, expression: str) -> str:
        """Text for comparison without regard to case."""
        ...

    @property
    def nulls_are_greatest(self) -> bool:
        """Whether a plain ascending order puts NULL last."""
        ...

    def leading_number(self, expression: str) -> str:
        """The number that a text of numbers and dots begins with."""
        ...

    def seconds_between(self, start: str, end: str) -> str:
        """Seconds from one instant to another, as a number; both are expressions."""
        ...

    @property
    def has_table(self) -> str:
        """A statement that gives a row when the table `name` is there."""
        ...

    @property
    def judge(self) -> str:
        """The judge's present, as an expression; may use parameter `judged_at` (None: the database's own clock)."""
        ...

    def lock(self, alias: str, *, skip: bool = False) -> str:
        """Suffix of a SELECT: lock the rows of `alias` to the end of the transaction; `skip` leaves locked ones out."""
        ...

    def begin(self) -> Session: ...

    def read(self) -> Session: ...

    def listen(self, topics: Iterable[str]) -> Listener: ...

    def close(self) -> None: ...
