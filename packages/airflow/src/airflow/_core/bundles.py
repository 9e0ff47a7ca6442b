"""`airflow.dag_processing.bundles`: bases of sources of DAG files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple


class BundleVersionLock:
    """Holds a version of a bundle in its place."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> BundleVersionLock:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class BundleVersion(NamedTuple):
    """A version of a bundle, and what is known of it."""

    version: str | None = None
    data: dict[str, Any] | None = None


class BaseDagBundle:
    """A source of DAG files.

    Parameters:
        name: of the bundle; refresh_interval: seconds; version: one to be pinned.
    """

    supports_versioning: bool = False
    is_initialized: bool = False

    def __init__(
        self,
        *,
        name: str,
        refresh_interval: int = 300,
        version: str | None = None,
        view_url_template: str | None = None,
        **_: Any,
    ) -> None:
        self.name = name
        self.version = version
        self.refresh_interval = refresh_interval
        self._view_url_template = view_url_template
        self.base_dir = get_bundle_storage_root_path() / name
        self.versions_dir = get_bundle_versions_base_folder(name)

    def initialize(self) -> None:
        """Make it ready."""
        self.is_initialized = True

    @property
    def path(self) -> Path:
        """Where its files are."""
        raise NotImplementedError

    def get_current_version(self) -> str | None:
        """The version that the files are."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Fetch the newest files."""
        raise NotImplementedError

    def view_url(self, version: str | None = None) -> str | None:  # noqa: ARG002
        """Where people see it."""
        return None

    def view_url_template(self) -> str | None:
        """Where people see it, with gaps."""
        return self._view_url_template

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody else changes it while the block runs."""
        yield


class LocalDagBundle(BaseDagBundle):
    """A folder."""

    def __init__(self, *, path: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._path = Path(path or ".")

    @property
    def path(self) -> Path:
        return self._path

    def get_current_version(self) -> None:
        return None

    def refresh(self) -> None:
        """Nothing."""


class DagBundlesManager:
    """Knows the bundles; they are a setting of the installation."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError("bundles are a matter of the installation: setting bundles.sources")


def get_bundle_storage_root_path() -> Path:
    """The folder that bundles keep their files in."""
    from airflow._core.configuration import conf, get_airflow_home

    configured = conf.get("dag_processor", "dag_bundle_storage_path", fallback="")
    return Path(configured or Path(get_airflow_home()) / "dag_bundles")


def get_bundle_base_folder(bundle_name: str) -> Path:
    """The folder of one bundle."""
    return get_bundle_storage_root_path() / bundle_name


def get_bundle_versions_base_folder(bundle_name: str) -> Path:
    """The folder of its versions."""
    return get_bundle_base_folder(bundle_name) / "versions"
