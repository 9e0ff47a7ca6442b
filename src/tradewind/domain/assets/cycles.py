"""DAGs that trigger one another through assets, round and round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def find_cycles(arrows: Mapping[str, Iterable[str]], begin: str) -> list[str]:
    """The shortest way from `begin` back to itself along `arrows`, or nothing.

    Parameters:
        arrows: DAG id → ids of the DAGs that its assets trigger.

    Returns:
        DAG ids, the first is the last: `["a", "b", "a"]`.
    """
    came_from: dict[str, str] = {}
    front = [begin]
    while front:
        following: list[str] = []
        for here in front:
            for there in sorted(arrows.get(here, ())):
                if there == begin:
                    return _path(came_from, here, begin)
                if there not in came_from:
                    came_from[there] = here
                    following.append(there)
        front = following
    return []


def _path(came_from: Mapping[str, str], last: str, begin: str) -> list[str]:
    path = [begin]
    here = last
    while here != begin:
        path.append(here)
        here = came_from[here]
    return [*path, begin][::-1]
