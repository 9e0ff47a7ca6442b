"""One DAG file in a process of its own: load, compile, answer. Whatever the file does wrong ends in this process."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from msgspec.structs import replace

from tradewind.sdk.compile import compile_dag
from tradewind.sdk.loading import LoadedFile, load_dag_file
from tradewind.sdk.policies import import_seconds
from tradewind.sdk.tracebacks import short_traceback
from tradewind.wire.document import DagDocument, encode_document

from . import parse_words as words
from .parse_reads import Dependencies, Watcher
from .parse_words import ParseAnswer, ParsedDag, ParseLimits, ParseOrder, ParseProblem

UNABLE = 70
"""Exit code of a child that cannot tell what happened."""
_WARNINGS_MAX = 100
_MISSING_MODULE = "ModuleNotFoundError: No module named "
_PLACE = "<bundle>"
"""Stands in documents for the folder of the bundle version; otherwise a DAG that names a file would always be new."""


class ParseTimeout(BaseException):
    """The time for loading a file is over. Not an `Exception`, so that an `except Exception` does not eat it."""


def become_parser(order: ParseOrder, limits: ParseLimits, answer_fd: int) -> NoReturn:
    """The whole life of a child just forked, with descriptors 0, 1 and 2 laid. Writes the answer to `answer_fd`."""
    code = UNABLE
    try:
        own_pid = os.getpid()
        raw = words.encode(_parse_or_tell(order, limits))
        # A file that forks has its copies come by here, too; only the first one answers.
        if os.getpid() == own_pid:
            _flush()
            _write_all(answer_fd, raw)
        code = 0
    finally:
        # Neither exit handlers nor threads that the file left behind keep this process.
        os._exit(code)


def _parse_or_tell(order: ParseOrder, limits: ParseLimits) -> ParseAnswer:
    try:
        return parse(order, limits)
    except BaseException as error:  # the boundary of the process: whatever it is, somebody has to be told
        text, _ = short_traceback(error, order.file)
        problem = ParseProblem(message=f"{type(error).__name__}: {error}", traceback=text)
        told = _for_people(problem, Path(order.tree).resolve(), order, limits)
        return ParseAnswer(number=order.number, problems=(told,))


def parse(order: ParseOrder, limits: ParseLimits) -> ParseAnswer:
    """Load `order.file` and compile its DAGs. What is wrong with the file is part of the answer.

    For a process that ends afterwards: time and memory limits, audit hook and `sys.modules` stay changed.
    """
    tree = Path(order.tree).resolve()
    watcher, told = Watcher(str(tree)), _WarningList(str(tree))
    watcher.begin()
    # The same name in every process, so that classes defined in the file can be pickled and compared.
    name = f"tradewind_dag_{hashlib.sha256(order.file.encode()).hexdigest()[:12]}"
    seconds = import_seconds(f"{order.shown_root}/{order.file}", limits.timeout_seconds)
    with _time_limit(seconds), _memory_limit(limits.memory_bytes_max) as lift:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = told.note
            loaded = load_dag_file(tree / order.file, bundle_root=tree, module_name=name)
            opened, listed = frozenset(watcher.files), frozenset(watcher.folders)
            documents, problems = _compile(loaded, order.file)
        lift()
    found = Dependencies(tree, loaded)
    found.add(opened | listed)
    found.add_missing_modules(_missing_modules(problems))
    found.add_later_imports()
    found.add_named_files(loaded.dags.values(), map(encode_document, documents))
    digest = found.digest
    return ParseAnswer(
        number=order.number,
        dags=tuple(_parsed(replace(one, code_digest=digest), tree, loaded) for one in documents),
        problems=tuple(_for_people(problem, tree, order, limits) for problem in problems),
        dependencies=found.paths,
        warnings=tuple(_shown(text, tree, order) for text in told.texts),
    )


def _compile(loaded: LoadedFile, file: str) -> tuple[list[DagDocument], list[ParseProblem]]:
    problems = [
        ParseProblem(message=error.message, traceback=error.traceback, dag_id=error.dag_id) for error in loaded.errors
    ]
    documents = []
    for dag_id, dag in sorted(loaded.dags.items()):
        try:
            documents.append(compile_dag(dag, file=file))
        except (Exception, ParseTimeout) as error:  # one DAG that cannot be built must not hide the others of its file
            text, _ = short_traceback(error, dag.fileloc)
            problems.append(ParseProblem(message=f"{type(error).__name__}: {error}", traceback=text, dag_id=dag_id))
    return documents, problems


def _parsed(document: DagDocument, tree: Path, loaded: LoadedFile) -> ParsedDag:
    raw = encode_document(document).replace(str(tree).encode(), _PLACE.encode())
    return ParsedDag(dag_id=document.dag_id, document=raw, origin=loaded.origins.get(document.dag_id))


def _missing_modules(problems: list[ParseProblem]) -> Iterator[str]:
    for problem in problems:
        if problem.message.startswith(_MISSING_MODULE):
            yield problem.message.removeprefix(_MISSING_MODULE).split(";")[0].strip("'\" ")


def _for_people(problem: ParseProblem, tree: Path, order: ParseOrder, limits: ParseLimits) -> ParseProblem:
    message = problem.message
    if message.startswith("ParseTimeout"):
        message = (
            f"took longer than {limits.timeout_seconds:g} s to load; move slow work from the top of the file into "
            "tasks, or raise processor.parse_timeout_seconds"
        )
    elif message.startswith("MemoryError"):
        message = (
            f"needed more than {limits.memory_bytes_max >> 20} MiB of memory to load; move the work from the top of "
            "the file into tasks, or raise processor.parse_memory_bytes_max"
        )
    first_line = message.strip().split("\n", 1)[0]
    return ParseProblem(
        message=_shown(first_line, tree, order),
        traceback=_shown(problem.traceback, tree, order),
        dag_id=problem.dag_id,
    )


def _shown(text: str, tree: Path, order: ParseOrder) -> str:
    """`text` with the names of files as people know them, and valid as text."""
    shown = text.replace(str(tree), order.shown_root).replace("\0", "\\0")
    return shown.encode("utf-8", "backslashreplace").decode()


class _WarningList:
    """Warnings that code of the bundle gave rise to, each once."""

    def __init__(self, tree: str) -> None:
        self._tree = tree
        self.texts: list[str] = []

    def note(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002 # as warnings.showwarning
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        text = f"{filename}:{lineno}: {category.__name__}: {message}"
        if filename.startswith(self._tree) and text not in self.texts and len(self.texts) < _WARNINGS_MAX:
            self.texts.append(text)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `ParseTimeout` in this thread, wherever it is then, so that the traceback shows the place."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise ParseTimeout(f"{seconds:g} s are over")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _memory_limit(bytes_max: int) -> Iterator[Callable[[], None]]:
    """Let allocations above `bytes_max` fail with MemoryError. What is yielded lifts the limit.

    RLIMIT_DATA counts what can be written to, not address space that libraries only reserve (threads, numpy).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _data_bytes() + bytes_max
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)

    def lift() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, resource.getrlimit(resource.RLIMIT_DATA)[1]))

    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield lift
    finally:
        lift()


def _data_bytes() -> int:
    """Data of this process now: `VmData`."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # the file closed or replaced it


def _write_all(descriptor: int, raw: bytes) -> None:
    view = memoryview(raw)
    while view:
        view = view[os.write(descriptor, view) :]
