"""A git repository as a bundle, through the git command: a version is a commit, its tree is the checkout of it.

`<root>/<bundle>/.git-store` is a bare repository; the tree of a commit is checked out beside it under another name and
renamed when it is complete. The repository is fetched in the background now and then: a look never waits for the
network, except the very first, and while the remote is away what was fetched stays true.

Credentials come from a connection. They reach git through a pipe that only its process can read, never through
arguments, environment or files that stay.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.ports.bundles import BundleFile, Snapshot, tree_path
from tradewind.wire.errors import BadInput, NotFound, Unavailable

from .bundles_trees import BUILDING, remove_tree, trees_in

_STORE = ".git-store"
_CURRENT = ".current"
_TRACKED = "refs/tradewind/tracked"
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "https_proxy",
    "no_proxy",
    "TMPDIR",
)
_LINK, _MODULE = "120000", "160000"
log = get_logger("bundles")


class GitLogin(NamedTuple):
    """What a connection says about a repository."""

    url: str | None = None
    username: str | None = None
    password: str | None = None
    """Or token."""
    key: str | None = None
    """Private key for ssh: its text."""
    key_file: str | None = None
    strict_host_key_checking: bool = True
    known_hosts_file: str | None = None


class GitBundle:
    """`ports.bundles.Bundle` of a git repository. For one thread.

    Parameters:
        name: of the bundle; a folder name.
        root: setting bundles.root.
        tracking_ref: branch, tag or full commit id.
        repo_url: where it lies; default: what the login says.
        subdir: folder inside it that is the bundle; "" for all of it.
        login: asked before each fetch; None for public repositories.
        refresh_seconds: between two fetches.
        timeout_seconds: longest a fetch may take.
        shallow: fetch only the commit that is tracked, not its history.

    Raises:
        BadInput: a parameter cannot be used.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        tracking_ref: str,
        repo_url: str | None = None,
        *,
        subdir: str = "",
        login: Callable[[], GitLogin] | None = None,
        refresh_seconds: float = 300.0,
        timeout_seconds: float = 120.0,
        shallow: bool = True,
        clock: Clock | None = None,
    ) -> None:
        if not tracking_ref or tracking_ref.startswith("-") or any(c in tracking_ref for c in " :^~?*[\\\n"):
            raise BadInput(f"bundle {name!r}: tracking_ref {tracking_ref!r} is no branch, tag or commit")
        subdir = subdir.strip("/")
        if ".." in subdir.split("/"):
            raise BadInput(f"bundle {name!r}: subdir {subdir!r} leads out of the repository")
        self._name = name
        self._root = root
        self._home = tree_path(root, name, "")
        self._store = self._home / _STORE
        self._ref = tracking_ref
        self._url = repo_url
        self._subdir = subdir
        self._login = login
        self._clock = clock or SystemClock()
        self.refresh_seconds = refresh_seconds
        self._timeout_seconds = timeout_seconds
        self._shallow = shallow
        self._last: Snapshot | None = None
        self._fetch: _Fetch | None = None
        self._fetched_at: float | None = None
        self._trouble: str | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def folder(self) -> Path:
        """A link to the tree of the newest commit."""
        return self._home / _CURRENT

    def trees(self) -> dict[str, float]:
        return trees_in(self._home)

    def remove_trees(self, in_use: Collection[str]) -> list[str]:
        """Delete all trees but the present one and those `in_use`; what went."""
        kept = {*in_use, self._last.version if self._last else ""}
        gone = [version for version in self.trees() if version not in kept]
        for version in gone:
            remove_tree(self._home, version)
        return gone

    def snapshot(self) -> Snapshot:
        """The newest commit that was fetched. Only the first look waits for the network.

        Raises:
            Unavailable: nothing was ever fetched, and the remote cannot be reached; or git fails.
            NotFound: the remote has no such branch, tag or commit, or it has no such folder.
        """
        commit = self._commit()
        if commit is None:
            self._begin_fetch()
            self._end_fetch(wait=True)
            commit = self._commit()
            if commit is None:
                raise Unavailable(f"bundle {self._name!r}: {self._trouble or 'nothing was fetched'}")
        else:
            self._refresh()
            commit = self._commit() or commit
        if self._last is None or self._last.version != commit or not self._last.tree.is_dir():
            self._last = self._snapshot_of(commit)
        notes = (
            (f"the remote cannot be reached, what was fetched last stays: {self._trouble}",) if self._trouble else ()
        )
        return self._last._replace(notes=(*self._last.notes, *notes))

    def make_tree(self, version: str) -> Path:
        """The tree of an earlier commit, fetched if need be.

        Raises:
            Unavailable: it is neither here nor to be had.
        """
        tree = tree_path(self._root, self._name, version)
        if tree.is_dir():
            return tree
        if not _SHA.fullmatch(version):
            raise BadInput(f"bundle {self._name!r}: {version!r} is no commit")
        if not self._has(version):
            self._begin_fetch(version)
            self._end_fetch(wait=True)
        if not self._has(version):
            raise Unavailable(f"bundle {self._name!r}: commit {version} cannot be had: {self._trouble}")
        self._check_out(version, tree)
        return tree

    # --- fetching ----------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if self._fetch is not None:
            self._end_fetch(wait=False)
        elif self._fetched_at is None or now - self._fetched_at >= self.refresh_seconds:
            self._begin_fetch()

    def _begin_fetch(self, commit: str | None = None) -> None:
        self._fetched_at = self._clock.monotonic()
        self._make_store()
        login = self._login() if self._login is not None else GitLogin()
        url = self._url or login.url
        if not url or url.startswith("-") or "::" in url.split("/")[0]:
            raise BadInput(f"bundle {self._name!r}: {_shown(url or '')!r} is no address of a repository")
        wanted = commit or self._ref
        target = "refs/tradewind/wanted" if commit else _TRACKED
        depth = ["--depth=1"] if self._shallow or commit else []
        words = ["fetch", "--force", "--no-tags", "--no-auto-gc", *depth, "--", url, f"+{wanted}:{target}"]
        self._fetch = _Fetch(self._store, words, url, login, self._clock.monotonic() + self._timeout_seconds)

    def _end_fetch(self, *, wait: bool) -> None:
        """Take note of how the fetch went, when it is over."""
        fetch = self._fetch
        if fetch is None:
            return
        late = self._clock.monotonic() > fetch.deadline
        if not wait and not late and fetch.process.poll() is None:
            return
        self._fetch = None
        trouble = fetch.finish(self._timeout_seconds if wait else 0.0)
        if trouble is not None and trouble != self._trouble:
            log.warning("bundle_fetch_failed", bundle=self._name, ref=self._ref, reason=trouble)
        elif trouble is None and self._trouble is not None:
            log.info("bundle_fetched_again", bundle=self._name, ref=self._ref)
        self._trouble = trouble

    def _make_store(self) -> None:
        if not (self._store / "HEAD").exists():
            self._home.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", str(self._store), store=False)

    # --- trees -------------------------------------------------------------------------------------------------------

    def _commit(self) -> str | None:
        if not (self._store / "HEAD").exists():
            return None
        done = self._try("rev-parse", "--verify", "--quiet", f"{_TRACKED}^{{commit}}")
        return done.stdout.strip() or None if done.returncode == 0 else None

    def _has(self, commit: str) -> bool:
        return self._store.is_dir() and self._try("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def _snapshot_of(self, commit: str) -> Snapshot:
        tree = tree_path(self._root, self._name, commit)
        if not tree.is_dir():
            self._check_out(commit, tree)
        files: dict[str, BundleFile] = {}
        notes: list[str] = []
        for line in self._git("ls-tree", "-r", "-z", self._treeish(commit)).split("\0"):
            if not line:
                continue
            facts, _, path = line.partition("\t")
            mode, _, digest = facts.split(" ")
            if mode == _MODULE:
                notes.append(f"{path}: left out, it is a submodule")
            elif mode != _LINK or (tree / path).is_file():
                files[path] = BundleFile(digest, 0)
        self._point_to(tree)
        return Snapshot(commit, tree, dict(sorted(files.items())), tuple(notes))

    def _treeish(self, commit: str) -> str:
        return f"{commit}:{self._subdir}" if self._subdir else commit

    def _check_out(self, commit: str, tree: Path) -> None:
        treeish = self._treeish(commit)
        if self._try("cat-file", "-e", treeish).returncode != 0:
            raise NotFound(f"bundle {self._name!r}: commit {commit} has no folder {self._subdir!r}")
        building = self._home / f"{BUILDING}{uuid7()}"
        building.mkdir(parents=True)
        index = {"GIT_INDEX_FILE": str(self._home / f"{BUILDING}{uuid7()}.index"), "GIT_WORK_TREE": str(building)}
        try:
            self._git("read-tree", treeish, extra=index)
            self._git("checkout-index", "--all", "--force", extra=index, folder=building)
            with suppress(FileExistsError, OSError):  # another process made the same tree in the meantime
                os.rename(building, tree)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        if not tree.is_dir():
            raise Unavailable(f"bundle {self._name!r}: the tree of commit {commit} cannot be made in {self._home}")

    def _point_to(self, tree: Path) -> None:
        link = self._home / f"{BUILDING}{uuid7()}"
        os.symlink(tree.name, link)
        os.replace(link, self.folder)

    # --- the command -------------------------------------------------------------------------------------------------

    def _git(
        self, *words: str, store: bool = True, extra: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> str:
        done = self._try(*words, store=store, extra=extra, folder=folder)
        if done.returncode != 0:
            raise Unavailable(f"bundle {self._name!r}: git {words[0]} failed: {_last_line(done.stderr)}")
        return done.stdout

    def _try(
        self, *words: str, store: bool = True, extra: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        place = [f"--git-dir={self._store}"] if store else []
        try:
            return subprocess.run(
                ["git", *place, *words],
                env=_environment() | dict(extra or {}),
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=self._timeout_seconds,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except FileNotFoundError:
            raise Unavailable(f"bundle {self._name!r}: the command git is not installed") from None
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"bundle {self._name!r}: git {words[0]} took longer than {self._timeout_seconds:g} s"
            ) from None


class _Fetch:
    """A fetch under way."""

    def __init__(self, store: Path, words: Sequence[str], url: str, login: GitLogin, deadline: float) -> None:
        self.deadline = deadline
        self._url = url
        self._secrets = [secret for secret in (login.password, urlsplit(url).password) if secret]
        self._said: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 # closed by finish
        self._key: Path | None = None
        environment, options, pipes = _environment(), [], []
        if login.password is not None:
            pipe = _credentials(login)
            pipes.append(pipe)
            helper = f'!f() {{ test "$1" = get && cat /proc/self/fd/{pipe}; }}; f'
            options = ["-c", "credential.helper=", "-c", f"credential.helper={helper}"]
        if login.key is not None or login.key_file is not None:
            self._key = _key_file(store.parent, login.key) if login.key is not None else None
            environment["GIT_SSH_COMMAND"] = _ssh(login, str(self._key or login.key_file))
        try:
            self.process = subprocess.Popen(
                ["git", f"--git-dir={store}", *options, *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=pipes,
                start_new_session=True,
            )
        finally:
            for pipe in pipes:
                os.close(pipe)

    def finish(self, wait_seconds: float) -> str | None:
        """Wait at most so long, then end it; what went wrong, in one line without secrets."""
        try:
            code = self.process.wait(wait_seconds) if wait_seconds else self.process.poll()
        except subprocess.TimeoutExpired:
            code = None
        if code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
        self._said.seek(0)
        said = _last_line(self._said.read())
        self._said.close()
        if self._key is not None:
            self._key.unlink(missing_ok=True)
        for secret in self._secrets:
            said = said.replace(secret, "***")
        if code == 0:
            return None
        where = _shown(self._url)
        return f"{where}: {said}" if code is not None else f"{where} did not answer in time"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Never ask: nobody would answer.
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "GIT_OPTIONAL_LOCKS": "0"}


def _credentials(login: GitLogin) -> int:
    """A descriptor that git's helper reads the login from, as often as it likes."""
    pipe = os.memfd_create("git-credentials", 0)
    os.write(pipe, f"username={login.username or 'git'}\npassword={login.password}\n".encode())
    return pipe


def _key_file(folder: Path, key: str) -> Path:
    """ssh closes all descriptors and refuses what others may read, so this must be a file; it goes with the fetch."""
    descriptor, name = tempfile.mkstemp(prefix=BUILDING, dir=folder)
    with os.fdopen(descriptor, "w") as out:
        out.write(key.rstrip("\n") + "\n")
    return Path(name)


def _ssh(login: GitLogin, key_file: str) -> str:
    quoted = key_file.replace("'", "'\\''")
    strict = "yes" if login.strict_host_key_checking else "no"
    words = f"ssh -i '{quoted}' -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking={strict}"
    if login.known_hosts_file:
        words += " -o UserKnownHostsFile='" + login.known_hosts_file.replace("'", "'\\''") + "'"
    return words


def _shown(url: str) -> str:
    """The address without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{place}"))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))]
    return (telling or lines or ["git said nothing"])[0][:500]
