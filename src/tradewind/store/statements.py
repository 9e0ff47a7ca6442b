"""Statements: functions from a dialect to SQL text, built once and kept, so that every driver sees constant texts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from .codec import Codec, Row, encode_value
from .dialects.base import Dialect, Session
from .kinds import Kind

P = ParamSpec("P")


def statement(build: Callable[Concatenate[Dialect, P], str]) -> Callable[Concatenate[Dialect, P], str]:
    """Decorates a function that writes a statement for a dialect (and, where it must, for a few fixed shapes).

    The result is prepared and kept for as long as the program runs: further arguments must be hashable and few.
    """

    texts: dict[tuple[type[Dialect], tuple[object, ...]], str] = {}

    @functools.wraps(build)
    def prepared(dialect: Dialect, /, *args: P.args, **kwargs: P.kwargs) -> str:
        assert not kwargs, "the shapes of a statement are given by position"
        key = (type(dialect), args)
        text = texts.get(key)
        if text is None:
            text = texts[key] = dialect.prepare(build(dialect, *args, **kwargs))
        return text

    return prepared


class Work:
    """What the families of queries stand on: one session, and the bell."""

    def __init__(self, session: Session, judged_at: datetime | None) -> None:
        self._session = session
        self._dialect = session.dialect
        self._judged_at = judged_at
        self._topics: set[str] = set()
        self._slot_deltas: Counter[str] = Counter()
        self._backfill_deltas: Counter[int] = Counter()

    def ring(self, *topics: str) -> None:
        self._topics.update(topics)

    def now(self) -> datetime:
        return self._judged_at or self._session.now()

    def _judge(self) -> Any:
        """Value of the parameter `judged_at` (see `Dialect.judge`)."""
        return self._instant(self._judged_at)

    def _instant(self, value: datetime | None) -> Any:
        return self._value(Kind.INSTANT, value)

    def _value(self, kind: Kind, value: Any) -> Any:
        return encode_value(self._dialect.encoders, kind, value)

    def _id(self, value: str | None) -> Any:
        return self._value(Kind.ID, value)

    def _ids(self, values: Iterable[str]) -> str:
        return self._dialect.array(Kind.ID, values)

    def _texts(self, values: Iterable[str]) -> str:
        return self._dialect.array(Kind.TEXT, values)

    def _read_one(self, codec: Codec[Row], sql: str, /, **params: Any) -> Row | None:
        return codec.decode_one(self._dialect, self._session.rows(sql, params))

    def _read_all(self, codec: Codec[Row], sql: str, /, **params: Any) -> list[Row]:
        return codec.decode_all(self._dialect, self._session.rows(sql, params))

    def _first_instant(self, sql: str, /, **params: Any) -> datetime | None:
        """The only value of the only row, an instant; None without any."""
        found = self._session.rows(sql, params)
        if not found or found[0][0] is None:
            return None
        decoder = self._dialect.decoders.get(Kind.INSTANT)
        value = found[0][0]
        instant: datetime = decoder(value) if decoder is not None else value
        return instant

    def _rows(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        return self._session.rows(sql, params)

    def _write(self, sql: str, /, **params: Any) -> None:
        self._session.write(sql, params)

    def _insert(self, codec: Codec[Row], rows: Sequence[Row], tail: str = "") -> None:
        if rows:
            encoded = [codec.encode(self._dialect, row) for row in rows]
            self._session.insert(codec.table, tuple(codec.kinds.items()), encoded, tail)


def upsert_tail(codec: Codec[Any], keys: Sequence[str], keep: Sequence[str] = ()) -> str:
    """ON CONFLICT clause that replaces everything but the key and `keep`."""
    changed = [column for column in codec.columns if column not in keys and column not in keep]
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in changed)
