"""Git repositories as bundles, on repositories of this machine."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tradewind.adapters.bundles_git import GitBundle, GitLogin
from tradewind.kernel.clock import VirtualClock
from tradewind.wire.errors import BadInput, NotFound, Unavailable


class Remote:
    """A repository that people push to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        command = ["git", *identity, *words]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files: str) -> str:
        for name, content in files.items():
            path = self.folder / name.replace("__", "/")
            path = path.with_name(f"{path.name}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def bundle(remote: Remote | str, tmp_path: Path, clock: VirtualClock, ref: str = "main", **options: Any) -> GitBundle:
    url = remote if isinstance(remote, str) else f"file://{remote.folder}"
    return GitBundle("team", tmp_path / "bundles", ref, url, clock=clock, refresh_seconds=60.0, **options)


def settle(one: GitBundle, clock: VirtualClock, version: str | None = None) -> str:
    """Look until the fetch that is due is over."""
    clock.advance(61)
    one.snapshot()
    assert one._fetch is not None
    one._fetch.process.wait()
    return one.snapshot().version


def test_a_commit_is_a_version_and_its_checkout_the_tree(remote: Remote, tmp_path: Path, clock: VirtualClock) -> None:
    first = remote.commit(a="1", lib__b="2")
    one = bundle(remote, tmp_path, clock)
    snapshot = one.snapshot()
    assert snapshot.version == first
    assert list(snapshot.files) == ["a.py", "lib/b.py"]
    assert (snapshot.tree / "lib/b.py").read_text() == "2"
    assert not (snapshot.tree / ".git").exists()
    assert one.folder.resolve() == snapshot.tree
    assert one.snapshot() == snapshot, "equal content has the equal version"


def test_a_new_commit_is_seen_after_the_next_fetch_and_the_old_tree_stays(
    remote: Remote, tmp_path: Path, clock: VirtualClock
) -> None:
    first = remote.commit(a="1", b="same")
    one = bundle(remote, tmp_path, clock)
    before = one.snapshot()
    second = remote.commit(a="2")
    assert one.snapshot().version == first, "it is not time yet"
    assert settle(one, clock) == second
    after = one.snapshot()
    assert before.files["b.py"] == after.files["b.py"]
    assert before.files["a.py"] != after.files["a.py"]
    assert (before.tree / "a.py").read_text() == "1"
    assert sorted(one.trees()) == sorted([first, second])
    assert one.remove_trees([]) == [first]


def test_tags_commits_and_folders(remote: Remote, tmp_path: Path, clock: VirtualClock) -> None:
    first = remote.commit(dags__a="1")
    remote.git("tag", "v1")
    remote.commit(dags__a="2", other="x")
    assert bundle(remote, tmp_path / "x", clock, "v1").snapshot().version == first
    assert bundle(remote, tmp_path / "y", clock, first).snapshot().version == first
    snapshot = bundle(remote, tmp_path / "z", clock, subdir="dags/").snapshot()
    assert list(snapshot.files) == ["a.py"]
    assert (snapshot.tree / "a.py").read_text() == "2"
    with pytest.raises(NotFound, match="no folder 'nope'"):
        bundle(remote, tmp_path / "q", clock, subdir="nope").snapshot()


def test_a_remote_that_is_gone_is_survived(remote: Remote, tmp_path: Path, clock: VirtualClock) -> None:
    first = remote.commit(a="1")
    one = bundle(remote, tmp_path, clock)
    one.snapshot()
    hidden = remote.folder.rename(tmp_path / "hidden")
    assert settle(one, clock) == first
    assert "cannot be reached" in one.snapshot().notes[-1]
    hidden.rename(remote.folder)
    second = remote.commit(a="2")
    assert settle(one, clock) == second
    assert one.snapshot().notes == ()
    again = bundle("file:///nowhere", tmp_path, clock)
    assert again.snapshot().version == second, "what was fetched by an earlier process counts too"


def test_without_anything_fetched_there_is_nothing(remote: Remote, tmp_path: Path, clock: VirtualClock) -> None:
    with pytest.raises(Unavailable, match="file:///nowhere"):
        bundle("file:///nowhere", tmp_path, clock).snapshot()
    remote.commit(a="1")
    with pytest.raises(Unavailable, match="no-such-branch"):
        bundle(remote, tmp_path, clock, "no-such-branch").snapshot()


def test_the_tree_of_an_old_commit_is_fetched_when_it_is_missing(
    remote: Remote, tmp_path: Path, clock: VirtualClock
) -> None:
    first = remote.commit(a="1")
    second = remote.commit(a="2")
    one = bundle(remote, tmp_path, clock)
    assert one.snapshot().version == second
    assert (one.make_tree(first) / "a.py").read_text() == "1"
    with pytest.raises(Unavailable, match="cannot be had"):
        one.make_tree("0" * 40)
    with pytest.raises(BadInput):
        one.make_tree("main")


@pytest.mark.parametrize(
    ("facts", "message"),
    [({"ref": "--upload-pack=x"}, "tracking_ref"), ({"ref": ""}, "tracking_ref"), ({"subdir": "a/../.."}, "leads out")],
)
def test_what_git_must_never_be_told(tmp_path: Path, clock: VirtualClock, facts: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        bundle("file:///x", tmp_path, clock, **facts)


@pytest.mark.parametrize("url", ["ext::sh -c true", "--upload-pack=x", ""])
def test_addresses_that_are_none(tmp_path: Path, clock: VirtualClock, url: str) -> None:
    with pytest.raises(BadInput, match="no address"):
        bundle(url, tmp_path, clock).snapshot()


@pytest.fixture
def guarded() -> Iterator[tuple[str, list[str | None]]]:
    """A server that wants a password and keeps what it is told; its address."""
    told: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers.get("Authorization"))
            self.send_response(401 if told[-1] is None else 404)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/repo.git", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_password_reaches_the_server_and_nobody_else(
    guarded: tuple[str, list[str | None]], tmp_path: Path, clock: VirtualClock
) -> None:
    url, told = guarded
    one = bundle(url, tmp_path, clock, login=lambda: GitLogin(username="ann", password="s3cret token"))
    with pytest.raises(Unavailable) as raised:
        one.snapshot()
    assert "s3cret" not in str(raised.value)
    expected = base64.b64encode(b"ann:s3cret token").decode()
    assert told[-1] == f"Basic {expected}"
    assert not [
        path
        for path in (tmp_path / "bundles").rglob("*")
        if path.is_file() and "s3cret" in path.read_text(errors="replace")
    ]


def test_a_password_in_the_address_is_not_shown(tmp_path: Path, clock: VirtualClock) -> None:
    with pytest.raises(Unavailable) as raised:
        bundle("http://ann:s3cret@127.0.0.1:9/x.git", tmp_path, clock).snapshot()
    assert "s3cret" not in str(raised.value)
