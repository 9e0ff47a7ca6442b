from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tradewind.kernel.unix_socket import ADDRESS_BYTES_MAX, unix_address


@pytest.mark.parametrize("folder", ["short", "long" * 40])
def test_both_sides_reach_a_socket_whatever_the_length_of_its_path(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "agent.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with unix_address(path) as address:
            server.bind(address)
        server.listen()
        with unix_address(path) as address:
            client.connect(address)
        client.sendall(b"x")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b"x"
    assert path.is_socket()


def test_short_paths_are_used_as_they_are() -> None:
    with unix_address(Path("/run/tradewind/agent.sock")) as address:
        assert address == "/run/tradewind/agent.sock"


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="use one of at most 80 bytes"),
        unix_address(tmp_path / ("n" * ADDRESS_BYTES_MAX)),
    ):
        pass


def test_a_long_path_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), unix_address(tmp_path / ("missing" * 20) / "a.sock"):
        pass
