"""The roles that every installation has, with the meaning they have in Airflow. Others are made by people."""

from __future__ import annotations

from collections.abc import Mapping

from tradewind.wire.errors import BadInput

from .permissions import ALL_ACTIONS, ALL_RESOURCES, DAG_RESOURCES, Action, Grant, Resource

ADMIN, OP, USER, VIEWER, PUBLIC = "Admin", "Op", "User", "Viewer", "Public"
_READ = frozenset((Action.READ,))
_WRITE = frozenset((Action.CREATE, Action.EDIT, Action.DELETE))

_VIEWER = (
    Grant(
        _READ,
        DAG_RESOURCES
        | {Resource.IMPORT_ERROR, Resource.ASSET, Resource.ASSET_ALIAS, Resource.POOL, Resource.JOB, Resource.BUNDLE},
    ),
)
_USER = (
    *_VIEWER,
    Grant(frozenset((Action.EDIT, Action.DELETE)), frozenset((Resource.DAG,))),
    Grant(_WRITE, frozenset((Resource.RUN, Resource.TASK_INSTANCE))),
    Grant(frozenset((Action.EDIT,)), frozenset((Resource.HITL,))),
    Grant(frozenset((Action.CREATE,)), frozenset((Resource.ASSET,))),
)
_OP = (
    *_USER,
    Grant(
        _READ,
        frozenset((Resource.CONFIGURATION, Resource.PLUGIN, Resource.PROVIDER, Resource.TRIGGER, Resource.CALLBACK)),
    ),
    Grant(ALL_ACTIONS, frozenset((Resource.CONNECTION, Resource.VARIABLE, Resource.POOL))),
    Grant(
        _WRITE,
        frozenset(
            (
                Resource.XCOM,
                Resource.BACKFILL,
                Resource.ASSET,
                Resource.ASSET_ALIAS,
                Resource.STATE_STORE,
                Resource.CALLBACK,
                Resource.DEADLINE,
            )
        ),
    ),
)
BUILT_IN: Mapping[str, tuple[Grant, ...]] = {
    ADMIN: (Grant(ALL_ACTIONS, ALL_RESOURCES),),
    OP: _OP,
    USER: _USER,
    VIEWER: _VIEWER,
    PUBLIC: (),
}
"""`Public` is what people have who did not sign in: nothing, until somebody grants it something."""
DESCRIPTIONS: Mapping[str, str] = {
    ADMIN: "everything, people and roles included",
    OP: "User, and connections, variables, pools, configuration, XComs, backfills",
    USER: "Viewer, and pause, trigger, clear, mark, delete",
    VIEWER: "read DAGs and everything that belongs to them, assets, pools",
    PUBLIC: "people who did not sign in",
}
_BY_FOLDED = {name.casefold(): name for name in BUILT_IN}


def canonical_role(name: str) -> str:
    """`name`, or the built-in role that is spelt so but for capitals. Raises `BadInput` for an empty or odd name."""
    stripped = name.strip()
    if not stripped or len(stripped) > 100 or not stripped.isprintable() or any(sign in stripped for sign in "=,@"):
        raise BadInput(f"the name of a role must have 1 to 100 printable characters without = , @, not {name!r}")
    return _BY_FOLDED.get(stripped.casefold(), stripped)
