"""The pictures of the legal changes: `python -m tradewind.domain.drawing` writes docs/internals/states.md from the
tables, `--check` proves it is current."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from .run_state import RUN_CHANGES, RunChange
from .task_state import TASK_CHANGES, TaskChange

PAGE = Path("docs/internals/states.md")
"""From the root of the repository, where the command is run."""

_HEAD = """# States and legal changes

Made by `python -m tradewind.domain.drawing` from `domain/task_state` and `domain/run_state`; do not edit.
Nothing but these changes happens to the state of a task instance or a run: `store/transitions` has one function per
change.
"""
_NO_STATUS = "no_status"


def page() -> str:
    """The whole page as Markdown."""
    by_machine = [
        change for change in TASK_CHANGES.values() if not change.name.startswith("mark_") and change.name != "clear"
    ]
    by_person = [change for change in TASK_CHANGES.values() if change not in by_machine]
    return "\n".join(
        (
            _HEAD,
            "## Task instance: what Tradewind does",
            "",
            *_diagram(_task_edges(by_machine)),
            "",
            "## Task instance: what a person may do",
            "",
            "`any` stands for every state the table below lists as an origin.",
            "",
            *_diagram(("any", _name(change.target), change.name) for change in by_person),
            "",
            *_table(TASK_CHANGES.values()),
            "",
            "## DAG run",
            "",
            *_diagram(
                (origin.value, change.target.value, change.name)
                for change in RUN_CHANGES.values()
                for origin in sorted(change.origins)
            ),
            "",
            *_table(RUN_CHANGES.values()),
            "",
        )
    )


def _task_edges(changes: Iterable[TaskChange]) -> Iterable[tuple[str, str, str]]:
    for change in changes:
        for origin in sorted(_name(state) for state in change.origins):
            yield origin, _name(change.target), change.name


def _diagram(edges: Iterable[tuple[str, str, str]]) -> list[str]:
    """One arrow per pair of states; its label lists the changes."""
    labels: dict[tuple[str, str], list[str]] = {}
    for origin, target, name in edges:
        labels.setdefault((origin, target), []).append(name)
    arrows = [f"    {origin} --> {target}: {', '.join(names)}" for (origin, target), names in labels.items()]
    return ["```mermaid", "stateDiagram-v2", *arrows, "```"]


def _table(changes: Iterable[TaskChange | RunChange]) -> list[str]:
    rows = ["| change | from | to | asked by | sets | clears | duty |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for change in changes:
        askers = ", ".join(sorted(asker.value for asker in change.askers))
        if isinstance(change, TaskChange) and change.fenced_by_token:
            askers += " (token)"
        origins = ", ".join(sorted(_name(state) for state in change.origins))
        sets, clears = ", ".join(change.sets), ", ".join(change.clears)
        rows.append(
            f"| {change.name} | {origins} | {_name(change.target)} | {askers} | {sets} | {clears} | {change.duty} |"
        )
    return rows


def _name(state: str | None) -> str:
    return _NO_STATUS if state is None else str(state)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with `--check` say whether it is current (exit code 1 if not)."""
    parser = argparse.ArgumentParser(prog="python -m tradewind.domain.drawing", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail when the page is out of date")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"where the page is (default {PAGE})")
    options = parser.parse_args(arguments)
    wanted = page()
    if options.check:
        found = options.page.read_text(encoding="utf-8") if options.page.exists() else None
        if found != wanted:
            print(f"{options.page} does not show the tables; run `python -m tradewind.domain.drawing`", file=sys.stderr)
            return 1
        return 0
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
