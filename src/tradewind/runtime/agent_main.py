"""The main of the process `tradewind agent`."""

from __future__ import annotations

import gc
import signal
from collections.abc import Sequence

from tradewind.kernel.keys import ensure_key
from tradewind.kernel.log import configure_logging
from tradewind.kernel.process import PidFile, set_process_name
from tradewind.kernel.settings import Settings
from tradewind.wire.errors import InvalidSetting

from .agent import Agent
from .agent_settings import agent_settings
from .processes import raise_descriptor_limit


def run_agent(settings: Settings, *, preload: Sequence[str] = ()) -> int:
    """Run the agent of this machine until SIGTERM or SIGINT; a second signal does not wait for attempts.

    Parameters:
        preload: modules that all tasks share and the runtime does not know: the operators that come in the box.

    Returns:
        The exit code.

    Raises:
        AlreadyRunning: another agent serves the same socket.
        InvalidSetting: the execution key cannot be read.
    """
    configure_logging(level=settings.logs.level, line_format=settings.logs.format, process="agent")
    set_process_name("tradewind-agent")
    raise_descriptor_limit()
    with PidFile(settings.agent.socket.with_suffix(".pid")):
        agent = Agent(agent_settings(settings, _execution_key(settings), preload=preload))
        agent.stop_at(signal.SIGTERM, signal.SIGINT)
        gc.collect()
        gc.freeze()
        agent.run()
    return 0


def _execution_key(settings: Settings) -> bytes:
    path = settings.execution.key_file
    # A key made here would fit no server.
    if not path.is_file():
        raise InvalidSetting(
            f"there is no execution key {path}; it is made when a server process starts first on this home, or copied "
            "from there (setting execution.key_file)"
        )
    return ensure_key(path)
