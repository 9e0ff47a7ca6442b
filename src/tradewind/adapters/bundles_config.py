"""Which bundles there are: the setting `bundles.sources`, read and opened.

    [
      {"name": "dags"},
      {"name": "team", "kind": "git", "kwargs": {"repo_url": "https://git.example/dags.git", "tracking_ref": "main",
                                                 "subdir": "dags", "git_conn_id": "git_default"}},
      {"name": "shop", "kind": "zip", "kwargs": {"path": "s3://bucket/dags.zip"}}
    ]

The form of Airflow's `dag_bundle_config_list`, with its class paths, is taken as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tradewind.kernel.clock import Clock
from tradewind.ports.bundles import Bundle
from tradewind.wire.errors import BadInput, InvalidSetting
from tradewind.wire.execution import ConnectionFacts

from .bundles import LocalBundle
from .bundles_git import GitBundle, GitLogin
from .bundles_zip import ZipBundle

DEFAULT_NAME = "dags"
"""Name of the bundle that core.dags_folder is, when no other is named."""
_KINDS = {
    "local": "local",
    "git": "git",
    "zip": "zip",
    "airflow.dag_processing.bundles.local.LocalDagBundle": "local",
    "airflow.providers.git.bundles.git.GitDagBundle": "git",
}
_TAKEN = {
    "local": {"path"},
    "git": {"repo_url", "tracking_ref", "subdir", "git_conn_id", "shallow", "timeout_seconds"},
    "zip": {"path", "subdir", "options"},
}
_COMMON = {"refresh_interval", "view_url_template", "view_url"}
_WITHOUT_EFFECT = {"prune_dotgit_folder", "submodules"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

ReadConnection = Callable[[str], ConnectionFacts]
"""The connection of this id, opened. Raises `NotFound`."""


class Source(NamedTuple):
    """One bundle as the settings name it."""

    name: str
    kind: str
    kwargs: dict[str, Any]
    view_url_template: str | None = None


def read_sources(text: str) -> list[Source]:
    """The bundles of the setting; the DAGs folder alone when it is empty.

    Raises:
        InvalidSetting: it is no list of bundles, naming what is wrong.
    """
    if not text.strip():
        return [Source(DEFAULT_NAME, "local", {})]
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise InvalidSetting(f"bundles.sources is not JSON: {error}") from None
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise InvalidSetting('bundles.sources must be a list of objects such as {"name": "dags", "kind": "local"}')
    sources = [_source(each) for each in listed]
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise InvalidSetting(f"bundles.sources names {name!r} twice")
    return sources


def open_bundle(
    source: Source, dags_folder: Path, root: Path, clock: Clock, read_connection: ReadConnection | None = None
) -> Bundle:
    """The bundle behind a source.

    Parameters:
        dags_folder: what a local bundle without a path is.
        root: setting bundles.root.
        read_connection: for the login of git repositories.

    Raises:
        InvalidSetting: an argument is missing or cannot be used.
    """
    given = {name: value for name, value in source.kwargs.items() if name not in _COMMON | _WITHOUT_EFFECT}
    rhythm = source.kwargs.get("refresh_interval")
    try:
        if source.kind == "local":
            return LocalBundle(source.name, Path(given.get("path") or dags_folder), root, clock)
        if source.kind == "zip":
            if "path" not in given:
                raise InvalidSetting(f"bundle {source.name!r} needs the path of its archive")
            seconds: dict[str, Any] = {"refresh_seconds": float(rhythm)} if rhythm is not None else {}
            return ZipBundle(source.name, root, given.pop("path"), **given, **seconds)
        return _git(source, given, root, clock, rhythm, read_connection)
    except BadInput as error:
        raise InvalidSetting(str(error)) from None


def view_url(source: Source, version: str | None) -> str | None:
    """Where people can look at a version of this bundle, if it says so; `{version}` and `{subdir}` are filled in."""
    template = source.view_url_template
    if template is None or version is None:
        return None
    return template.replace("{version}", version).replace("{subdir}", str(source.kwargs.get("subdir") or ""))


def git_login(facts: ConnectionFacts) -> GitLogin:
    """What a connection says about a repository: host is its address, login and password or token as they are; in
    `extra` `private_key` or `key_file`, `strict_host_key_checking`, `known_hosts_file`.
    """
    try:
        extra = json.loads(facts.extra) if facts.extra else {}
    except ValueError:
        extra = {}
    strict = str(extra.get("strict_host_key_checking", "yes")).lower() not in ("no", "false", "0")
    return GitLogin(
        url=facts.host,
        username=facts.login,
        password=facts.password or None,
        key=extra.get("private_key"),
        key_file=extra.get("key_file"),
        strict_host_key_checking=strict,
        known_hosts_file=extra.get("known_hosts_file"),
    )


def _git(
    source: Source,
    given: dict[str, Any],
    root: Path,
    clock: Clock,
    rhythm: Any,
    read_connection: ReadConnection | None,
) -> GitBundle:
    conn_id = given.pop("git_conn_id", None)
    if "tracking_ref" not in given:
        raise InvalidSetting(f"bundle {source.name!r} needs a tracking_ref: a branch, a tag or a commit")
    if conn_id is None and "repo_url" not in given:
        raise InvalidSetting(f"bundle {source.name!r} needs a repo_url, or a git_conn_id whose host it is")
    if source.kwargs.get("submodules"):
        raise NotImplementedError(f"bundle {source.name!r}: submodules are not available yet")
    login = None
    if conn_id is not None and read_connection is not None:

        def login() -> GitLogin:
            return git_login(read_connection(conn_id))

    seconds: dict[str, Any] = {"refresh_seconds": float(rhythm)} if rhythm is not None else {}
    return GitBundle(source.name, root, clock=clock, login=login, **given, **seconds)


def _source(given: dict[str, Any]) -> Source:
    name, word = given.get("name"), given.get("kind") or given.get("classpath") or "local"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidSetting(f"bundles.sources: {name!r} is no name of a bundle (letters, digits, _ . -)")
    kind = _KINDS.get(str(word))
    if kind is None:
        raise InvalidSetting(f"bundle {name!r}: {word!r} is none of the kinds local, git, zip")
    unknown = sorted(set(given) - {"name", "kind", "classpath", "kwargs", "team_name", "view_url_template"})
    kwargs = given.get("kwargs") or {}
    if not isinstance(kwargs, dict):
        raise InvalidSetting(f"bundle {name!r}: kwargs must be an object, not {kwargs!r}")
    unknown += sorted(set(kwargs) - _TAKEN[kind] - _COMMON - _WITHOUT_EFFECT)
    if unknown:
        taken = ", ".join(sorted(_TAKEN[kind] | {"refresh_interval", "view_url_template"}))
        raise InvalidSetting(f"bundle {name!r} knows no {unknown[0]!r}; {kind} takes {taken}")
    template = given.get("view_url_template") or kwargs.get("view_url_template") or kwargs.get("view_url")
    return Source(name, kind, kwargs, template)
