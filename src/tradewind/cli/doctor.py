"""`tradewind doctor`: what moving DAG files here would meet, per file; `tradewind dags deprecations`: older forms."""

from __future__ import annotations

import html
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.diagnosis import VERDICTS, Diagnosis, diagnose
from tradewind.cli.output import show_document, show_rows
from tradewind.cli.world import settings

NOUN = Noun("doctor", "What moving DAG files here would meet, file by file")
NOUNS = {NOUN.name: NOUN}
_FOLDER = argument("folder", nargs="?", type=Path, help="folder of DAG files (default: core.dags_folder)")
DEPRECATIONS = (_FOLDER, OUTPUT)
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Moving to Tradewind</title><style>
body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2733}}
table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dee6}}
.runs{{color:#1a7f4b}}.notes{{color:#8a6100}}.needs{{color:#b3261e}}small{{color:#5b6776}}
</style></head><body><h1>Moving to Tradewind</h1><p>{summary}</p><table>
<tr><th>File</th><th>Verdict</th><th>DAGs</th><th>Findings</th></tr>{rows}</table></body></html>
"""


@NOUN.alone(
    _FOLDER,
    argument("--html", type=Path, metavar="FILE", help="write a report for the browser"),
    OUTPUT,
)
def doctor(given: Namespace) -> int:
    """Load every DAG file of a folder and say whether it runs here: as it is, with notes, or what it needs.

    Nothing is changed and nothing is run. Exit code 1 when a file needs something.
    """
    found = list(_diagnoses(given.folder))
    if given.html is not None:
        given.html.write_text(_report(found), "utf-8")
    if given.output in ("json", "yaml"):
        show_document([_as_record(one) for one in found], given.output)
    else:
        rows = (
            {
                "file": one.file,
                "verdict": VERDICTS[one.verdict],
                "dags": len(one.dags),
                "line": finding.line if finding else None,
                "finding": finding.text if finding else "",
                "remedy": finding.remedy if finding else "",
            }
            for one in found
            for finding in one.findings or (None,)
        )
        show_rows(rows, given.output, empty="no DAG file here")
        if given.output == "table":
            print(_summary(found))
    return 1 if any(one.verdict == "needs" for one in found) else 0


def deprecations(given: Namespace) -> None:
    """Count the older forms that DAG files use, with file and line."""
    counted = Counter(
        (one.file, finding.line, finding.text)
        for one in _diagnoses(given.folder)
        for finding in one.findings
        if finding.kind == "older"
    )
    found = sorted(counted, key=lambda each: (each[0], each[1] or 0, each[2]))
    rows = ({"file": file, "line": line, "form": text} for file, line, text in found)
    show_rows(rows, given.output, empty="no older forms")
    if given.output == "table" and counted:
        print(f"{len(counted)} older forms in {len({file for file, _, _ in counted})} files; each of them works")


def _diagnoses(folder: Path | None) -> Iterator[Diagnosis]:
    from tradewind.cli.dag_files import loaded_files

    found = settings()
    root = (folder or found.core.dags_folder).absolute()
    for file, answer in loaded_files(root, found):
        path = root / file
        yield diagnose(
            file,
            path.read_text("utf-8", "replace") if path.suffix == ".py" and path.is_file() else "",
            [one.dag_id for one in answer.dags],
            [(one.message, one.traceback) for one in answer.problems],
            answer.warnings,
            answer.seconds,
        )


def _summary(found: list[Diagnosis]) -> str:
    counted = Counter(one.verdict for one in found)
    parts = [f"{counted[verdict]} {words}" for verdict, words in VERDICTS.items() if counted[verdict]]
    return f"{len(found)} files, {sum(len(one.dags) for one in found)} DAGs: {', '.join(parts) or 'nothing found'}"


def _as_record(one: Diagnosis) -> dict[str, Any]:
    return {
        "file": one.file,
        "verdict": one.verdict,
        "dags": list(one.dags),
        "seconds": round(one.seconds, 3),
        "findings": [finding._asdict() for finding in one.findings],
    }


def _report(found: list[Diagnosis]) -> str:
    rows = []
    for one in found:
        listed = "<br>".join(
            f"{f'line {finding.line}: ' if finding.line else ''}{html.escape(finding.text)}"
            + (f" <small>{html.escape(finding.remedy)}</small>" if finding.remedy else "")
            for finding in one.findings
        )
        rows.append(
            f'<tr><td>{html.escape(one.file)}</td><td class="{one.verdict}">{VERDICTS[one.verdict]}</td>'
            f"<td>{html.escape(', '.join(one.dags))}</td><td>{listed}</td></tr>"
        )
    return _PAGE.format(summary=html.escape(_summary(found)), rows="\n".join(rows))
