"""Lists as programs ask for them: any filters, any order, pages by offset or from a place.

Offered by the SQL store only.

A list is asked with an `Ask` and answered with a `Found`. Which fields a list knows stands with its statement
(`store.read.api_*`); a field that it does not know is `BadInput`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from .asset_rows import AliasRow, AssetUseRow
from .connection_tests import ConnectionTestTx
from .favorites import FavoriteTx
from .reads_rows import VersionHead
from .rows import RunRow
from .store import Transaction

Row = TypeVar("Row")


class Op(Enum):
    """How a field is compared."""

    IS = "="
    """Equal; None: has no value."""
    ANY = "any"
    """One of a sequence; None among them: or has no value."""
    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    LIKE = "like"
    """Contains one of the texts, without regard to case; `%` and `_` are wildcards."""
    BEGINS = "begins"
    """Begins with one of the texts, exactly."""
    HAS_ANY = "has_any"
    """A list of names has one of these."""
    HAS_ALL = "has_all"
    NOT_ANY = "not_any"


class Where(NamedTuple):
    """One condition."""

    field: str
    op: Op
    value: Any


class Sort(NamedTuple):
    field: str
    descending: bool = False


class Place(NamedTuple):
    """Where a page begins: what the order compares, of the row behind (or, `backward`, before) which to go on."""

    values: tuple[Any, ...]
    backward: bool = False


class Ask(NamedTuple):
    """What somebody wants of a list.

    `count_max`: None counts everything, 0 nothing, else at most so many.
    """

    where: tuple[Where, ...] = ()
    sort: tuple[Sort, ...] = ()
    limit: int = 50
    offset: int = 0
    place: Place | None = None
    count_max: int | None = None


class Found(NamedTuple, Generic[Row]):
    """A page. `more`: there are further rows in the direction that was asked for."""

    rows: list[Row]
    total: int
    first: tuple[Any, ...] | None
    """What the order compares, of the first row: for a `Place`."""
    last: tuple[Any, ...] | None
    more: bool


class ApiReads(Protocol):
    """What programs ask of the database beside the lists everybody uses."""

    def ask_list(self, name: str, ask: Ask) -> Found[Any]:
        """A page of the list called `name` (see `store.read.api_lists`).

        Raises:
            BadInput: the list has no such field, or the place is of another order.
        """
        ...

    def list_fields(self, name: str) -> Sequence[str]:
        """The fields that list knows."""
        ...

    def version_heads(self, version_ids: Iterable[str]) -> dict[str, VersionHead]: ...
    def version_documents(self, version_ids: Iterable[str]) -> dict[str, bytes]:
        """Encoded documents, many at once."""
        ...

    def version_source(self, dag_id: str, number: int | None) -> tuple[int, str] | None:
        """Number and text of a version of the DAG; None: of the newest."""
        ...

    def dag_tags(self, dag_ids: Sequence[str] | None) -> list[str]:
        """Tags of the DAGs that are not stale, of these only or of all, sorted."""
        ...

    def run_counts(self, dag_ids: Sequence[str] | None) -> list[tuple[str, str, str, int]]:
        """(DAG id, display name, state, number of runs), by DAG."""
        ...

    def run_clear_partition(self, run_key: str) -> None:
        """The run is about no partition any more."""
        ...

    def run_many(self, run_keys: Iterable[str]) -> dict[str, RunRow]: ...
    def rendered_many(self, ti_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Rendered fields of instances, by ti_id."""
        ...

    def dags_consuming(self, pattern: str) -> list[str]:
        """DAGs scheduled by assets whose name or URI contains this."""
        ...

    def asset_conflicts(self, dag_ids: Sequence[str]) -> list[tuple[str, str]]:
        """(DAG, why an asset that it speaks of is not active)."""
        ...

    def asset_uses(self, names: Sequence[str], uris: Sequence[str]) -> list[AssetUseRow]:
        """Who speaks of assets with these names or URIs."""
        ...

    def asset_links(self, *, asset_ids: Sequence[int] = (), aliases: Sequence[str] = ()) -> list[tuple[str, int]]:
        """(alias, asset) of these assets or aliases."""
        ...

    def asset_last_events(self, asset_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
        """Asset → its newest event and when that was."""
        ...

    def asset_runs_of(self, event_ids: Sequence[int]) -> list[tuple[int, str]]:
        """(event, key of a run that took it)."""
        ...

    def asset_aliases_named(self, names: Sequence[str]) -> list[AliasRow]: ...
    def pool_states(self) -> dict[str, dict[str, int]]:
        """Pool → state → slots of the instances in that state; only states that matter to pools."""
        ...


class PublicTransaction(Transaction, ApiReads, FavoriteTx, ConnectionTestTx, Protocol):
    """A transaction of the SQL store."""
