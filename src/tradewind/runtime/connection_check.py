"""Does a connection work? A hook is asked, in a process of its own: its code comes from providers, it may hang, and no
server shall run it.

`python -m tradewind.runtime.connection_check` reads the connection as JSON from standard input and answers on standard
output; nothing secret is in arguments or environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tradewind.wire.execution import ConnectionFacts

_FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
_MESSAGE_LENGTH_MAX = 2000
_MARK = "connection-check:"


class Verdict(NamedTuple):
    """Whether it works, and what the hook said."""

    ok: bool
    message: str


def check_connection(
    facts: ConnectionFacts, seconds: float = 30.0, environment: Mapping[str, str] | None = None
) -> Verdict:
    """Test a connection in a child. Secrets of the connection are masked in what it said.

    Parameters:
        seconds: how long the child may take.
        environment: of the child; None: that of this process. Servers give one without their own secrets.
    """
    given = msgspec.json.encode(facts)
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(False, f"the test did not end within {seconds:g} s")
    answer = next((line for line in reversed(done.stdout.decode(errors="replace").splitlines()) if _MARK in line), None)
    if answer is None:
        return Verdict(False, f"the test ended without an answer (exit code {done.returncode})")
    ok, message = json.loads(answer.partition(_MARK)[2])
    return Verdict(ok is True, _masked(str(message), facts))


def _masked(text: str, facts: ConnectionFacts) -> str:
    from .mask import Masker

    masker = Masker(length_min=3)
    for secret in (facts.password, facts.extra, *_texts(facts.extra)):
        if secret:
            masker.add(secret)
    return masker.text(text)[:_MESSAGE_LENGTH_MAX]


def _texts(extra: str | None) -> list[str]:
    try:
        found = json.loads(extra or "")
    except ValueError:
        return []
    return [value for value in found.values() if isinstance(value, str)] if isinstance(found, dict) else []


def _main() -> int:
    facts = msgspec.json.decode(sys.stdin.buffer.read(), type=ConnectionFacts)
    # Whatever the hook prints goes elsewhere: the answer is one line, marked.
    answer = os.dup(1)
    os.dup2(2, 1)
    ok, message = _ask(facts)
    os.write(answer, f"{_MARK}{json.dumps([ok, message])}\n".encode())
    return 0


def _ask(facts: ConnectionFacts) -> tuple[bool, str]:
    from tradewind.sdk.connections import ENVIRONMENT_PREFIXES, Connection

    fields: dict[str, Any] = {name: getattr(facts, name) for name in _FIELDS}
    connection = Connection(conn_id=facts.conn_id, **fields)
    try:
        # The hook looks its connection up by name; this process has no server to ask.
        os.environ[ENVIRONMENT_PREFIXES[0] + facts.conn_id.upper()] = connection.as_json()
        ok, message = connection.test_connection()
    except Exception as error:  # foreign code: whatever it raises is the answer
        return False, f"{type(error).__name__}: {error}"
    return bool(ok), str(message)


if __name__ == "__main__":
    sys.exit(_main())
