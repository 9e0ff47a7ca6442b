"""TCP ports for servers that a test starts."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of this machine that nobody uses just now.

    Not one that the system would choose: it gives those of its range to outgoing connections too, and one of these may
    sit on the port before the server comes, or while the server is restarted. Drawn, so that tests side by side differ.
    """
    low, high = map(int, _EPHEMERAL.read_text().split())
    ports = range(10_000, low) or range(high + 1, 65_536) or range(1_024, 65_536)
    while True:
        port = secrets.choice(ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken
            return port
