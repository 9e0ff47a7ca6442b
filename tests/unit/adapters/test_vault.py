from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tradewind.adapters.vault import FernetVault, add_key
from tradewind.wire.errors import InvalidSetting, InvalidValue


def test_what_was_sealed_opens_and_cannot_be_read(tmp_path: Path) -> None:
    vault = FernetVault(tmp_path / "keys" / "fernet.key")
    sealed = vault.seal("s3cret € ")
    assert b"s3cret" not in sealed
    assert vault.open(sealed) == "s3cret € "
    assert vault.seal("s3cret € ") != sealed


def test_the_key_file_is_its_owners_only_and_shared_by_all_processes(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "fernet.key"
    sealed = FernetVault(path).seal("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert FernetVault(path).open(sealed) == "x"


def test_a_new_key_seals_and_old_keys_open(tmp_path: Path) -> None:
    path = tmp_path / "fernet.key"
    running = FernetVault(path)
    old = running.seal("old")
    running.open(old)
    add_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    new = FernetVault(path).seal("new")
    assert running.open(new) == "new", "a process that runs notices the new key"
    assert FernetVault(path).open(old) == "old"
    path.write_bytes(b"# only the new one\n" + path.read_bytes().splitlines()[0] + b"\n")
    assert FernetVault(path).open(new) == "new"
    with pytest.raises(InvalidValue, match=r"none of the 1 keys in .*fernet\.key fits"):
        FernetVault(path).open(old)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"not a key\n", b"c2hvcnQ=\n"])
def test_a_file_without_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fernet.key"
    path.write_bytes(content)
    with pytest.raises(InvalidSetting, match=r"fernet\.key"):
        FernetVault(path)
