"""Users of Airflow's FAB authentication manager, as users here."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from tradewind.ports.airflow_facts import AirflowUser
from tradewind.ports.store import Transaction

from .users import create_user, set_active

_ROLES = ("Admin", "Op", "User", "Viewer", "Public")


class _NoPasswords:
    """Nobody signs in with the password of Airflow: it is hashed in another way."""

    def hash(self, password: str) -> NoReturn:
        del password
        raise AssertionError("users of Airflow are made without a password")


def move_user(tx: Transaction, user: AirflowUser, now: datetime) -> str:
    """Make the user, without a password; a note about what did not move. Raises `BadInput`, `Conflict`."""
    roles = [role for role in user.roles if role in _ROLES]
    own = [role for role in user.roles if role not in _ROLES]
    create_user(
        tx,
        _NoPasswords(),  # type: ignore[arg-type] # never asked: there is no password
        now,
        user.username,
        None,
        roles or ["Viewer"],
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
    )
    if not user.active:
        set_active(tx, user.username, False)
    note = "set a password: `tradewind users set-password`"
    return f"{note}; roles of Airflow's own making did not move: {', '.join(own)}" if own else note
