"""A program that supervises small shell programs: `python supervised.py STOP_SECONDS NAME:RANK:SHELL ...`.

A process of its own, because a supervisor forks, which only a process with a single thread may do.
"""

from __future__ import annotations

import sys

from tradewind.app.standalone.children import Started, exec_child
from tradewind.app.standalone.supervisor import ChildSpec, Supervisor
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import configure_logging


def _spec(text: str) -> ChildSpec:
    name, rank, script = text.split(":", 2)

    def start() -> Started:
        return exec_child(["/bin/bash", "-c", script])

    return ChildSpec(name, start, int(rank), stop_share=0.3, once=name.startswith("once"))


def main(arguments: list[str]) -> None:
    configure_logging(level="debug", line_format="json", process="test")
    supervisor = Supervisor(
        [_spec(text) for text in arguments[1:]],
        SystemClock(),
        lambda name, line: print(f"{name}| {line}", flush=True),
        restart_seconds_min=0.05,
        restart_seconds_max=0.2,
        stop_seconds=float(arguments[0]),
    )
    supervisor.run()
    print("over, forced" if supervisor.forced else "over", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
