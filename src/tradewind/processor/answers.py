"""From the answer of a parsing child to what is published."""

from __future__ import annotations

import zipfile
from collections.abc import Container
from pathlib import Path

from tradewind.commands.publication import ParsedFile, Problem
from tradewind.runtime.parse_words import ParseAnswer

from .known import Contents

_SOURCE_BYTES_MAX = 1 << 20
"""Longer texts are generated; what people are shown is cut."""


def parsed_file(
    answer: ParseAnswer, bundle: str, path: str, disk: str, contents: Contents, dag_files: Container[str]
) -> ParsedFile:
    """What to publish for a file.

    Parameters:
        disk: the file it lies in: itself, or its archive.
        contents: the snapshot it was loaded from.
        dag_files: all DAG files: a DAG that came in through an import is published by its own file.
    """
    own = [dag for dag in answer.dags if dag.origin in (None, path, disk) or dag.origin not in dag_files]
    return ParsedFile(
        bundle=bundle,
        path=path,
        bundle_version=contents.snapshot.version,
        digest=contents.fingerprint(disk, answer.dependencies),
        source=_source(contents.snapshot.tree, path, disk),
        documents=tuple(dag.document for dag in own),
        problems=tuple(Problem(problem.message, problem.traceback) for problem in answer.problems),
        dependencies=answer.dependencies,
        parse_seconds=answer.seconds,
    )


def _source(tree: Path, path: str, disk: str) -> str:
    if path == disk:
        raw = (tree / path).read_bytes()
    else:
        with zipfile.ZipFile(tree / disk) as archive:
            raw = archive.read(path[len(disk) + 1 :])
    text = raw[:_SOURCE_BYTES_MAX].decode("utf-8", "replace")
    # PostgreSQL keeps no NUL in a text.
    return text.replace("\0", "�")
