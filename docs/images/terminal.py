"""Pictures of the command line for the documentation, made from real output.

    python docs/images/terminal.py docs/images/first-run.svg "tradewind dags list" "tradewind runs list"

The commands run on a pseudo terminal, so that they use their colours, in the environment of the caller. It needs a
running `tradewind standalone`.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 120
_FONT_FACE = re.compile(r"@font-face \{.*?\}\n?", re.DOTALL)
"""rich names a font on a foreign server; a picture of ours loads nothing."""


def output_of(command: str) -> str:
    """What a command writes to its terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(shlex.split(command), stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:
        pass  # Linux's way to say that all writers are gone
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


def picture(commands: list[str]) -> str:
    """The SVG of a session."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    for command in commands:
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(output_of(command)), soft_wrap=False)
    svg = console.export_svg(title="Tradewind", unique_id="tradewind").replace(
        "Fira Code", "Fira Code, Menlo, Consolas"
    )
    return "\n".join(line.rstrip() for line in _FONT_FACE.sub("", svg).splitlines()) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(sys.argv[2:]), encoding="utf-8")
