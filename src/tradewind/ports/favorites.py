"""DAGs that people starred. Offered by the SQL store only."""

from __future__ import annotations

from typing import Protocol


class FavoriteTx(Protocol):
    """Stars, by user name."""

    def favorite_list(self, username: str) -> frozenset[str]:
        """Ids of the DAGs this user starred."""
        ...

    def favorite_put(self, username: str, dag_id: str) -> None: ...
    def favorite_delete(self, username: str, dag_id: str) -> bool: ...
