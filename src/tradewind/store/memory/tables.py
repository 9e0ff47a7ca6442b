"""Tables of frozen rows with indexes, and the journal that undoes what a transaction wrote.

A row is never changed, only replaced, so that readers may keep it. Every write goes through `Table.put` or
`Table.delete`, which note the row as it was: undoing is putting the old rows back, last one first, and keeps the
indexes right by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class BrokenRule(RuntimeError):
    """What a CHECK, unique or foreign key of the database would refuse; the message names table, rule and value."""


Journal = list[tuple["Table[Any, Any]", Any, Any]]
"""(table, key, the row before or None), in the order of writing."""


class Index(Generic[R]):
    """Keys of rows by a value of the row. Rows whose value is None are left out: a partial index.

    Parameters:
        value: what rows are found by.
    """

    __slots__ = ("_groups", "_value")

    def __init__(self, value: Callable[[R], Hashable | None]) -> None:
        self._value = value
        # Dictionaries serve as sets that keep their order, so that equal seeds give equal runs.
        self._groups: dict[Hashable, dict[Any, None]] = {}

    def keys(self, value: Hashable) -> list[Any]:
        """Keys of the rows that have this value."""
        group = self._groups.get(value)
        return list(group) if group else []

    def count(self, value: Hashable) -> int:
        group = self._groups.get(value)
        return len(group) if group else 0

    def values(self) -> list[Any]:
        """All values that some row has."""
        return list(self._groups)

    def swap(self, key: Hashable, old: R | None, new: R | None) -> None:
        before = None if old is None else self._value(old)
        after = None if new is None else self._value(new)
        if before == after:
            return
        if before is not None:
            group = self._groups[before]
            del group[key]
            if not group:
                del self._groups[before]
        if after is not None:
            self._groups.setdefault(after, {})[key] = None

    def copy(self) -> Index[R]:
        twin = Index(self._value)
        twin._groups = {value: dict(group) for value, group in self._groups.items()}
        return twin


class Unique(Generic[R]):
    """At most one row for a value; rows whose value is None are left out."""

    __slots__ = ("_keys", "_value", "name")

    def __init__(self, name: str, value: Callable[[R], Hashable | None]) -> None:
        self.name = name
        self._value = value
        self._keys: dict[Hashable, Any] = {}

    def key(self, value: Hashable) -> Any | None:
        """Key of the row that has this value."""
        return self._keys.get(value)

    def clash(self, key: Hashable, row: R) -> Hashable | None:
        """The value of `row` that another row has already."""
        value = self._value(row)
        if value is None:
            return None
        holder = self._keys.get(value)
        return None if holder is None or holder == key else value

    def swap(self, key: Hashable, old: R | None, new: R | None) -> None:
        before = None if old is None else self._value(old)
        after = None if new is None else self._value(new)
        if before == after:
            return
        if before is not None:
            del self._keys[before]
        if after is not None:
            self._keys[after] = key

    def copy(self) -> Unique[R]:
        twin = Unique(self.name, self._value)
        twin._keys = dict(self._keys)
        return twin


class Table(Generic[K, R]):
    """Rows by primary key, in the order of their insertion.

    Parameters:
        name: for messages.
        check: raises `BrokenRule` for a row that must not exist; called before each write.
        uniques, indexes: by the name under which `unique` and `index` give them.
    """

    __slots__ = ("_all", "_check", "indexes", "name", "rows", "uniques")

    def __init__(
        self,
        name: str,
        *,
        check: Callable[[R], None] | None = None,
        uniques: dict[str, Unique[R]] | None = None,
        indexes: dict[str, Index[R]] | None = None,
    ) -> None:
        self.name = name
        self.rows: dict[K, R] = {}
        self._check = check
        self.uniques = uniques or {}
        self.indexes = indexes or {}
        self._all: list[Unique[R] | Index[R]] = [*self.uniques.values(), *self.indexes.values()]

    def get(self, key: K) -> R | None:
        return self.rows.get(key)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows.values())

    def found(self, index: str, value: Hashable) -> list[R]:
        """The rows that `index` has under `value`, in the order in which they came there."""
        rows = self.rows
        return [rows[key] for key in self.indexes[index].keys(value)]

    def one(self, unique: str, value: Hashable) -> R | None:
        key = self.uniques[unique].key(value)
        return None if key is None else self.rows[key]

    def insert(self, journal: Journal, key: K, row: R) -> None:
        """Raises `BrokenRule` when the key exists."""
        if key in self.rows:
            raise BrokenRule(f"{self.name}: the primary key {key!r} exists already")
        self.put(journal, key, row)

    def put(self, journal: Journal, key: K, row: R) -> None:
        """Insert or replace. Raises `BrokenRule`; nothing is changed then."""
        if self._check is not None:
            self._check(row)
        for unique in self.uniques.values():
            clash = unique.clash(key, row)
            if clash is not None:
                raise BrokenRule(f"{self.name}: {unique.name} {clash!r} exists already")
        old = self.rows.get(key)
        journal.append((self, key, old))
        self._swap(key, old, row)

    def delete(self, journal: Journal, key: K) -> R | None:
        """The deleted row, None when there was none."""
        old = self.rows.get(key)
        if old is not None:
            journal.append((self, key, old))
            self._swap(key, old, None)
        return old

    def restore(self, key: K, row: R | None) -> None:
        """Put back what a journal noted."""
        self._swap(key, self.rows.get(key), row)

    def copy(self) -> Table[K, R]:
        twin: Table[K, R] = Table(
            self.name,
            check=self._check,
            uniques={name: unique.copy() for name, unique in self.uniques.items()},
            indexes={name: index.copy() for name, index in self.indexes.items()},
        )
        twin.rows = dict(self.rows)
        return twin

    def _swap(self, key: K, old: R | None, new: R | None) -> None:
        for each in self._all:
            each.swap(key, old, new)
        if new is None:
            del self.rows[key]
        else:
            self.rows[key] = new


def undo(journal: Journal) -> None:
    """Put back every row the journal noted, last one first."""
    for table, key, row in reversed(journal):
        table.restore(key, row)
    journal.clear()
