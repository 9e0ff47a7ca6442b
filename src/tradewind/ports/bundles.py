"""Where DAG code comes from, and where the tree of a bundle version lies on this machine.

A bundle version is content-addressed and immutable: `<root>/<bundle>/<version>/` holds the tree as it was. Making and
fetching trees is an adapter's work (`adapters.bundles`); reading needs only the path, a convention that processor,
agent and parsing children share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


def tree_path(root: Path, bundle: str, version: str) -> Path:
    """Folder of one bundle version. `root` is the setting bundles.root (HOME/bundles)."""
    return root / bundle / version


class BundleFile(NamedTuple):
    """One file of a snapshot."""

    digest: str
    """Content hash."""
    mtime_ns: int
    """When the source was changed last, nanoseconds since 1970: tells a mere touch."""


class Snapshot(NamedTuple):
    """A bundle at one moment."""

    version: str
    """Equal content has the equal version, on every machine."""
    tree: Path
    """Folder of this version."""
    files: Mapping[str, BundleFile]
    """By path inside the bundle, `/`-separated, sorted."""
    notes: tuple[str, ...] = ()
    """What was left out and why, one line each."""


class Bundle(Protocol):
    """A source of DAG files."""

    @property
    def name(self) -> str:
        """Part of paths and rows: must stay the same."""
        ...

    @property
    def folder(self) -> Path:
        """What people call the place of these files: watched for changes, shown in tracebacks."""
        ...

    @property
    def refresh_seconds(self) -> float | None:
        """How often `snapshot` has something new to say though nothing happens in `folder`; None: never."""
        ...

    def trees(self) -> dict[str, float]:
        """Versions whose trees lie on this machine, and when each was made, in seconds since 1970."""
        ...

    def remove_trees(self, in_use: Collection[str]) -> list[str]:
        """Delete all trees but the present one and those `in_use`; what went."""
        ...

    def snapshot(self) -> Snapshot:
        """The bundle as it is now, with its tree made. Unchanged content gives the same version.

        Raises:
            Unavailable: the source cannot be read just now, the folder named; what was known of it stays true.
        """
        ...
