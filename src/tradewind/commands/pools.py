"""What people ask of pools: make, change, remove, hand over as a file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from tradewind.ports.rows import PoolRow
from tradewind.ports.store import LimitTx, Transaction
from tradewind.wire.errors import BadInput, Conflict, NotFound

from .audit import note

DEFAULT_POOL = "default_pool"
UNLIMITED = -1
_NAME_LENGTH_MAX = 256
_SLOTS_MAX = 2**31 - 1
_FIELDS = {"slots": int, "description": str, "include_deferred": bool}


def require_pool(tx: LimitTx, name: str) -> PoolRow:
    """The pool. Raises `NotFound` naming the nearest one."""
    row = tx.pool_get(name)
    if row is None:
        near = difflib.get_close_matches(name, [pool.name for pool in tx.pool_list()], 1)
        hint = f"; did you mean {near[0]!r}?" if near else "; `tradewind pools list` shows what there is"
        raise NotFound(f"pool {name!r} does not exist{hint}")
    return row


def set_pool(
    tx: Transaction, name: str, slots: int, description: str = "", *, include_deferred: bool = False
) -> PoolRow:
    """Make or change a pool; what runs in it goes on, also when there are fewer slots now than it uses.

    Parameters:
        slots: how many task slots it has; -1 is unlimited, 0 lets nothing start.

    Raises:
        BadInput: name or slots cannot be taken.
    """
    _check(name, slots)
    before = tx.pool_get(name)
    tx.pool_put(name, slots, description, include_deferred)
    tx.ring("limits", "changes")
    row = require_pool(tx, name)
    note("set_pool", thing=f"pool {name}", before=_noted(before), after=_noted(row))
    return row


def delete_pool(tx: Transaction, name: str) -> None:
    """Remove a pool. Raises `NotFound`, `Conflict` (the default pool; tasks run in it)."""
    row = tx.pool_lock([name]).get(name) or require_pool(tx, name)
    if name == DEFAULT_POOL:
        raise Conflict(
            f"pool {DEFAULT_POOL!r} cannot be deleted: tasks that name no pool run in it; set its slots instead"
        )
    if row.used:
        raise Conflict(
            f"pool {name!r} is in use: {row.used} slots are taken; wait until its tasks have ended, or stop them"
        )
    tx.pool_delete(name)
    tx.ring("limits", "changes")
    note("delete_pool", thing=f"pool {name}", before=_noted(row))


def export_pools(tx: LimitTx) -> dict[str, dict[str, Any]]:
    """All pools by name, as `import_pools` takes them."""
    return {
        row.name: {"slots": row.slots, "description": row.description, "include_deferred": row.include_deferred}
        for row in tx.pool_list()
    }


def import_pools(tx: Transaction, content: object) -> list[str]:
    """Make or change pools from `{"name": {"slots": 5, "description": "...", "include_deferred": false}}`; their names.

    Everything is checked before anything is written. Raises `BadInput` naming pool, field and value.
    """
    if not isinstance(content, Mapping):
        raise BadInput(f'pools must be an object such as {{"name": {{"slots": 5}}}}, not {type(content).__name__}')
    read = {name: _fields(name, given) for name, given in content.items()}
    for name, fields in read.items():
        before = tx.pool_get(name)
        tx.pool_put(name, **fields)
        note("set_pool", thing=f"pool {name}", before=_noted(before), after=fields)
    if read:
        tx.ring("limits", "changes")
    return list(read)


def _noted(row: PoolRow | None) -> dict[str, Any]:
    """A pool for the audit log: what people decided, not what is in use."""
    if row is None:
        return {}
    return {"slots": row.slots, "description": row.description, "include_deferred": row.include_deferred}


def _fields(name: object, given: object) -> dict[str, Any]:
    if not isinstance(name, str) or not isinstance(given, Mapping):
        raise BadInput(f'pool {name!r} must be an object such as {{"slots": 5}}, not {given!r}')
    for field, value in given.items():
        if field not in _FIELDS:
            raise BadInput(f"pool {name!r} has an unknown field {field!r}; there are {', '.join(_FIELDS)}")
        # bool is an int in Python; `"slots": true` is a mistake nevertheless.
        if not isinstance(value, _FIELDS[field]) or (isinstance(value, bool) and field == "slots"):
            raise BadInput(f"{field} of pool {name!r} must be of type {_FIELDS[field].__name__}, not {value!r}")
    if "slots" not in given:
        raise BadInput(f"pool {name!r} needs slots: -1 is unlimited")
    _check(name, given["slots"])
    return dict(given)


def _check(name: str, slots: int) -> None:
    if not name or len(name) > _NAME_LENGTH_MAX or not name.isprintable() or name != name.strip():
        raise BadInput(
            f"name of a pool must have 1 to {_NAME_LENGTH_MAX} printable characters and no spaces around it, "
            f"not {name!r}"
        )
    if not UNLIMITED <= slots <= _SLOTS_MAX:
        raise BadInput(f"slots of pool {name!r} must be between 0 and {_SLOTS_MAX}, or -1 for unlimited, not {slots}")
