"""What loading a DAG file tells about moving it here: a verdict, and findings with their line and remedy. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SLOW_SECONDS = 2.0
"""A file that takes longer to load works at its top what belongs into tasks."""
OLDER = "OlderForm: "
_PROVIDER = re.compile(r"airflow\.providers\.([\w.]+)")
_MODULE = re.compile(r"No module named '([\w.]+)'")
_PLACE = re.compile(r'File "[^"]*", line (\d+)')
_WARNING = re.compile(r"^(?P<file>.*?):(?P<line>\d+): (?P<kind>\w+): (?P<text>.*)$", re.DOTALL)
_GROUPS = ("apache", "common", "microsoft", "cncf", "dbt", "atlassian", "facebook")
_DATABASE_NAMES = frozenset({"create_session", "provide_session", "Session", "NEW_SESSION"})
_DATABASE_MODULES = ("airflow.utils.session", "airflow.utils.db", "airflow.settings")
_SERVER_MODULES = ("airflow.www", "airflow.api_fastapi", "airflow.executors", "airflow.jobs")


class Finding(NamedTuple):
    """One thing about a file."""

    line: int | None
    kind: str
    """needs, older, database, slow, warning."""
    text: str
    remedy: str = ""


class Diagnosis(NamedTuple):
    """What became of a file."""

    file: str
    verdict: str
    """runs, notes, needs."""
    dags: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float


VERDICTS = {"runs": "runs as is", "notes": "runs with notes", "needs": "needs something"}


def diagnose(
    file: str,
    source: str,
    dags: Sequence[str],
    problems: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    seconds: float,
) -> Diagnosis:
    """The verdict about a file.

    Parameters:
        source: its text.
        problems: (message, traceback) of what did not load.
        warnings: as the parsing child tells them, `file:line: Kind: text`.
        seconds: that loading took.
    """
    needs = [_need(message, traceback) for message, traceback in problems]
    notes = [*_noted(warnings), *_seen(source)]
    if seconds > SLOW_SECONDS:
        remedy = "move requests, queries and Variable.get from the top of the file into tasks or templates"
        notes.append(Finding(None, "slow", f"takes {seconds:.1f} s to load", remedy))
    verdict = "needs" if needs else "notes" if notes else "runs"
    findings = sorted({*needs, *notes}, key=lambda one: (one.kind != "needs", one.line or 0, one.text))
    return Diagnosis(file, verdict, tuple(dags), tuple(findings), seconds)


def _need(message: str, traceback: str) -> Finding:
    places = _PLACE.findall(traceback)
    line = int(places[-1]) if places else None
    missing = _MODULE.search(message)
    provider = _PROVIDER.search(message)
    if provider is not None and (missing is not None or "ImportError" in message or "is not" in message):
        package = package_of(provider.group(1))
        remedy = f"tradewind providers install {package}"
        return Finding(line, "needs", f"the provider package {package}: {message}", remedy)
    if missing is not None and not missing.group(1).startswith("airflow"):
        module = missing.group(1).partition(".")[0]
        remedy = f"install what brings the module {module}, or put it beside the DAG files"
        return Finding(line, "needs", f"the Python module {module}", remedy)
    if missing is not None:
        remedy = "see docs/reference/compatibility.md for what is not offered"
        return Finding(line, "needs", f"{missing.group(1)}, which no distribution here offers", remedy)
    return Finding(line, "needs", message, "mend the line, or see docs/reference/compatibility.md")


def package_of(path: str) -> str:
    """The short name of the provider that has a module: `cncf.kubernetes.operators.pod` → `cncf-kubernetes`."""
    parts = path.split(".")
    return "-".join(parts[:2] if parts[0] in _GROUPS else parts[:1])


def _noted(warnings: Sequence[str]) -> Iterator[Finding]:
    for text in warnings:
        found = _WARNING.match(text)
        if found is None:
            yield Finding(None, "warning", text)
            continue
        kind = "older" if found["kind"] == OLDER.rstrip(": ") else "warning"
        words = found["text"] if kind == "older" else f"{found['kind']}: {found['text']}"
        yield Finding(int(found["line"]), kind, words)


def _seen(source: str) -> Iterator[Finding]:
    """What loads and is refused when it runs."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        names = {alias.name for alias in node.names}
        if node.module in _DATABASE_MODULES and names & _DATABASE_NAMES:
            remedy = "ask airflow.sdk (Variable, Connection, ti...) or the REST API"
            yield Finding(node.lineno, "database", "tasks have no session with the metadata database", remedy)
        elif node.module.startswith(_SERVER_MODULES):
            remedy = "plugins with views, and executors, are Tradewind's own"
            yield Finding(node.lineno, "server", f"{node.module} belongs to Airflow's server", remedy)
