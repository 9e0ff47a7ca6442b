"""Connections and variables while a DAG file is loaded, when there is no task that could ask the server.

The DAG processor listens on a socket and names it in the environment of the processes that load files. A question is a
line of JSON, so is the answer.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any, Literal

LOOKUP_VARIABLE = "TRADEWIND_LOOKUP"
"""Names the socket; absent where nobody answers."""
_SECONDS_MAX = 20.0
_ANSWER_BYTES_MAX = 64 << 20


def look_up(kind: Literal["connection", "variable"], name: str) -> Any:
    """What the processor knows: the fields of a connection, the text of a variable; None when there is none, or nobody
    to ask.
    """
    path = os.environ.get(LOOKUP_VARIABLE)
    if not path:
        return None
    from tradewind.kernel.unix_socket import unix_address

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, unix_address(Path(path)) as address:
            line.settimeout(_SECONDS_MAX)
            line.connect(address)
            line.sendall(json.dumps({"kind": kind, "name": name}).encode() + b"\n")
            received = bytearray()
            while len(received) < _ANSWER_BYTES_MAX and (data := line.recv(65536)):
                received += data
        return json.loads(received).get("found") if received else None
    except (OSError, ValueError):
        return None  # as when there is nobody: the author reads where it was looked for
