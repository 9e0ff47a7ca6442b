"""DAGs that people starred."""

from __future__ import annotations

from tradewind.store.dialects.base import Dialect
from tradewind.store.statements import Work, statement


@statement
def favorite_list(_: Dialect) -> str:
    return "SELECT dag_id FROM dag_favorite WHERE username = :username"


@statement
def favorite_put(_: Dialect) -> str:
    return """INSERT INTO dag_favorite (username, dag_id) VALUES (:username, :dag_id)
              ON CONFLICT (username, dag_id) DO NOTHING"""


@statement
def favorite_delete(_: Dialect) -> str:
    return "DELETE FROM dag_favorite WHERE username = :username AND dag_id = :dag_id RETURNING dag_id"


class FavoriteQueries(Work):
    """See `ports.favorites.FavoriteTx`."""

    def favorite_list(self, username: str) -> frozenset[str]:
        return frozenset(dag_id for (dag_id,) in self._rows(favorite_list(self._dialect), username=username))

    def favorite_put(self, username: str, dag_id: str) -> None:
        self._write(favorite_put(self._dialect), username=username, dag_id=dag_id)

    def favorite_delete(self, username: str, dag_id: str) -> bool:
        return bool(self._rows(favorite_delete(self._dialect), username=username, dag_id=dag_id))
