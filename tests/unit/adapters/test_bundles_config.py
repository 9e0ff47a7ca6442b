"""Bundles as the settings name them, and archives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tradewind.adapters.bundles import LocalBundle
from tradewind.adapters.bundles_config import Source, git_login, open_bundle, read_sources, view_url
from tradewind.adapters.bundles_git import GitBundle
from tradewind.adapters.bundles_zip import ZipBundle
from tradewind.kernel.clock import VirtualClock
from tradewind.wire.errors import BadInput, InvalidSetting, Unavailable
from tradewind.wire.execution import ConnectionFacts


def test_the_dags_folder_is_the_bundle_when_no_other_is_named(tmp_path: Path) -> None:
    (source,) = read_sources("")
    bundle = open_bundle(source, tmp_path, tmp_path / "root", VirtualClock())
    assert isinstance(bundle, LocalBundle)
    assert (bundle.name, bundle.folder, bundle.refresh_seconds) == ("dags", tmp_path, None)


def test_several_bundles_in_our_form_and_airflows(tmp_path: Path) -> None:
    text = json.dumps(
        [
            {"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}},
            {
                "name": "team",
                "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
                "kwargs": {
                    "git_conn_id": "git",
                    "tracking_ref": "main",
                    "subdir": "dags",
                    "refresh_interval": 7,
                    "view_url_template": "https://git/{version}/{subdir}",
                    "prune_dotgit_folder": True,
                },
            },
            {"name": "shop", "kind": "zip", "kwargs": {"path": "/x.zip"}},
        ]
    )
    sources = read_sources(text)
    kinds = [type(open_bundle(each, tmp_path, tmp_path / "r", VirtualClock(), lambda _: None)) for each in sources]  # type: ignore[arg-type,return-value]
    assert kinds == [LocalBundle, GitBundle, ZipBundle]
    git = open_bundle(sources[1], tmp_path, tmp_path / "r", VirtualClock(), None)
    assert git.refresh_seconds == 7.0
    assert view_url(sources[1], "abc") == "https://git/abc/dags"
    assert view_url(sources[0], "abc") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("{}", "must be a list"),
        ("[]", "must be a list"),
        ('[{"name": "../x"}]', "no name"),
        ('[{"name": "a"}, {"name": "a"}]', "'a' twice"),
        ('[{"name": "a", "kind": "svn"}]', "'svn'"),
        ('[{"name": "a", "kind": "git", "kwargs": {"brunch": "x"}}]', "knows no 'brunch'; git takes"),
        ('[{"name": "a", "kwargs": 3}]', "must be an object"),
    ],
)
def test_wrong_settings(text: str, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        read_sources(text)


@pytest.mark.parametrize(
    ("kind", "kwargs", "message"),
    [
        ("git", {"repo_url": "x"}, "tracking_ref"),
        ("git", {"tracking_ref": "main"}, "repo_url"),
        ("git", {"tracking_ref": "-x", "repo_url": "x"}, "no branch"),
        ("zip", {}, "path of its archive"),
    ],
)
def test_bundles_that_cannot_be_opened(tmp_path: Path, kind: str, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        open_bundle(Source("a", kind, kwargs), tmp_path, tmp_path, VirtualClock())


def test_a_connection_says_how_to_sign_in() -> None:
    facts = ConnectionFacts(
        conn_id="git", conn_type="git", host="git@host:dags.git", login="ann", password="t",
        extra=json.dumps({"private_key": "KEY", "strict_host_key_checking": "no"}),
    )  # fmt: skip
    login = git_login(facts)
    assert (login.url, login.username, login.password, login.key) == ("git@host:dags.git", "ann", "t", "KEY")
    assert login.strict_host_key_checking is False


def archive(path: Path, **members: str) -> None:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in members.items():
            out.writestr(name.replace("__", "/") + ".py", content)


def test_an_archive_is_a_bundle(tmp_path: Path) -> None:
    archive(tmp_path / "dags.zip", a="1", lib__b="2")
    bundle = ZipBundle("shop", tmp_path / "root", str(tmp_path / "dags.zip"))
    first = bundle.snapshot()
    assert list(first.files) == ["a.py", "lib/b.py"]
    assert (first.tree / "lib/b.py").read_text() == "2"
    assert bundle.snapshot() is first
    archive(tmp_path / "dags.zip", a="one", lib__b="2")
    second = bundle.snapshot()
    assert second.version != first.version
    assert first.files["lib/b.py"] == second.files["lib/b.py"]
    assert bundle.remove_trees([]) == [first.version]
    inner = ZipBundle("lib", tmp_path / "root", f"file://{tmp_path}/dags.zip", subdir="lib").snapshot()
    assert list(inner.files) == ["b.py"]


def test_archives_that_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        ZipBundle("shop", tmp_path, str(tmp_path / "none.zip")).snapshot()
    (tmp_path / "no.zip").write_text("hello")
    with pytest.raises(BadInput, match="no zip archive"):
        ZipBundle("shop", tmp_path, str(tmp_path / "no.zip")).snapshot()
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as out:
        out.writestr("../../etc/x.py", "1")
    with pytest.raises(BadInput, match="outside of it"):
        ZipBundle("shop", tmp_path, str(tmp_path / "bad.zip")).snapshot()
