"""The secrets host, in which backends live: `python -m tradewind.runtime.secrets.host SOCKET_FD PARENT_PID`.

It is told what to make in the first message, never in its arguments or environment, and answers one question after
another. Backends may block; whoever asked has a time limit.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from tradewind.kernel.log import configure_logging
from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.runtime.framing import read_frame
from tradewind.wire.errors import TradewindError
from tradewind.wire.execution import ConnectionFacts

from . import host_words as words
from .chain import Chain, make_backends

_FIELDS = ("description", "host", "login", "password", "schema", "port", "extra")


def main(arguments: Sequence[str]) -> int:
    """Answer until the other side goes away."""
    descriptor, parent = map(int, arguments[:2])
    die_with_parent(parent)
    set_process_name("tradewind-secrets")
    configure_logging(level="info", line_format="console", process="secrets")
    with socket.socket(fileno=descriptor) as sock:
        chain: Chain | None = None
        problem = ""
        while (frame := read_frame(sock)) is not None:
            message = words.decode_to_host(frame[1])
            if isinstance(message, words.Open):
                try:
                    chain = Chain(make_backends(message.backend, message.kwargs))
                except TradewindError as error:
                    problem = str(error)
            else:
                words.send(sock, _answer(chain, message) if chain else words.Found(message.number, problem=problem))
    return 0


def _answer(chain: Chain, ask: words.Ask) -> words.Found:
    if ask.kind == "variable":
        return words.Found(ask.number, text=chain.variable(ask.name))
    found = chain.connection(ask.name)
    if found is None:
        return words.Found(ask.number)
    fields = {name: getattr(found, name) for name in _FIELDS}
    return words.Found(
        ask.number, connection=ConnectionFacts(conn_id=ask.name, conn_type=found.conn_type or "", **fields)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
