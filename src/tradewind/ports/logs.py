"""Attempt logs: one file of JSON lines per attempt, written by the agent, read in ranges by everybody else.

A line is a JSON object: `t` (ISO instant UTC), `l` (level: debug, info, warning, error, critical), `s` (source: stdout,
stderr, log, agent), `n` (logger name), `m` (text), and for exceptions `e` (structured traceback: list of {type,
message, frames: [{file, line, function, text}]}).
"""

from __future__ import annotations

from pathlib import Path


def attempt_log(folder: Path, dag_id: str, run_id: str, task_id: str, map_path: str, try_number: int) -> Path:
    """Path of the log of one attempt below the logs folder. Ids are checked when they are made; run ids may hold any
    printable character but slashes.
    """
    leaf = f"attempt={try_number}.jsonl"
    base = folder / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
    return base / f"map_index={map_path}" / leaf if map_path else base / leaf
