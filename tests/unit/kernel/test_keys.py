from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from tradewind.kernel.keys import ensure_file, ensure_key, execution_credential, replace_file
from tradewind.wire.errors import InvalidSetting


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "execution.key"
    key = ensure_key(path)
    assert len(key) == 32
    assert ensure_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["execution.key"]


def test_many_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "execution.key"
    together = threading.Barrier(8)
    keys: list[bytes] = []

    def make() -> None:
        together.wait(30)
        keys.append(ensure_key(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", ["", "no hexadecimal", "abcd", "é"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "execution.key"
    path.write_text(content)
    with pytest.raises(InvalidSetting, match=r"execution\.key"):
        ensure_key(path)


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="cannot be used"):
        ensure_file(tmp_path / "file" / "key", lambda: b"x")


def test_replacing_keeps_it_private(tmp_path: Path) -> None:
    path = tmp_path / "k"
    ensure_file(path, lambda: b"a")
    replace_file(path, b"b")
    assert ensure_file(path, lambda: b"c") == b"b"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_credential_follows_the_key_and_does_not_tell_it() -> None:
    key = b"k" * 32
    assert execution_credential(key) == execution_credential(key)
    assert execution_credential(key) != execution_credential(b"l" * 32)
    assert key.hex() not in execution_credential(key)
