"""The stack of connections."""

from __future__ import annotations

import pytest

from tradewind.store.dialects.pool import ConnectionPool
from tradewind.wire.errors import Unavailable


class Link:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def pool_of(made: list[Link], *, keep: int = 2, limit: int = 3) -> ConnectionPool[Link]:
    def connect() -> Link:
        made.append(Link())
        return made[-1]

    return ConnectionPool(connect, keep=keep, limit=limit, timeout_seconds=0.01, name="the database", remedy="wait")


def test_the_last_one_back_is_the_first_one_out() -> None:
    made: list[Link] = []
    pool = pool_of(made)
    a, b = pool.take(), pool.take()
    pool.give(a)
    pool.give(b)
    assert pool.take() is b
    assert len(made) == 2


def test_what_is_too_many_is_closed() -> None:
    made: list[Link] = []
    pool = pool_of(made)
    for link in [pool.take() for _ in range(3)]:
        pool.give(link)
    assert [link.closed for link in made] == [False, False, True]


def test_no_more_than_the_limit() -> None:
    pool = pool_of([], limit=1)
    link = pool.take()
    with pytest.raises(Unavailable, match="the database: all 1 connections"):
        pool.take()
    pool.give(link)
    assert pool.take() is link


def test_a_broken_one_takes_the_resting_ones_along() -> None:
    made: list[Link] = []
    pool = pool_of(made)
    a, b = pool.take(), pool.take()
    pool.give(a)
    pool.drop(b)
    assert [link.closed for link in made] == [True, True]
    assert pool.take() not in (a, b)


def test_a_failed_connect_takes_no_place() -> None:
    failing = True

    def connect() -> Link:
        if failing:
            raise Unavailable("not now")
        return Link()

    pool = ConnectionPool(connect, keep=1, limit=1, timeout_seconds=0.01, name="x", remedy="wait")
    with pytest.raises(Unavailable, match="not now"):
        pool.take()
    failing = False
    assert not pool.take().closed


def test_closing() -> None:
    made: list[Link] = []
    pool = pool_of(made)
    a, b = pool.take(), pool.take()
    pool.give(a)
    pool.close()
    assert (a.closed, b.closed) == (True, False)
    pool.give(b)
    assert b.closed
