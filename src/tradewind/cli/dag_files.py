"""DAG files without a database: find the file that has a DAG and load it, in a child or (to be run) in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tradewind.kernel.settings import Settings
from tradewind.wire.errors import BadInput, InvalidDag, NotFound, TradewindError, Unavailable

if TYPE_CHECKING:
    from tradewind.runtime.parse_words import ParseAnswer
    from tradewind.sdk.definition import DAG
    from tradewind.wire.document import DagDocument

_MODULE = "tradewind_dag_of_command"
_OTHERS_MAX = 5


def document_in_folder(folder: Path, dag_id: str, settings: Settings) -> DagDocument:
    """The document of a DAG, from the first file of a folder that has it; files are loaded in children.

    Raises:
        NotFound: no file has it.
        InvalidDag: the file that names it cannot be loaded.
        BadInput: there is no such folder.
    """
    from tradewind.wire.document import decode_document

    problems: list[str] = []
    others: list[str] = []
    for file, answer in _answers(folder, list(candidates(folder, dag_id)), settings):
        for found in answer.dags:
            if found.dag_id == dag_id:
                return decode_document(found.document)
        broken = [f"{file}: {problem.message}" for problem in answer.problems if problem.dag_id in (None, dag_id)]
        if dag_id.encode() in (folder / file.partition(".zip/")[0]).read_bytes():
            problems += broken
        else:
            others += broken[:1]
    raise _not_found(folder, dag_id, problems, others)


def loaded_files(folder: Path, settings: Settings) -> Iterator[tuple[str, ParseAnswer]]:
    """Each DAG file of a folder, as a child loads it. Raises `BadInput` when there is no such folder."""
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}; name another, or set core.dags_folder")
    yield from _answers(folder, [path for path in _python_files(folder) if _speaks_of_dags(path)], settings)


def _speaks_of_dags(path: Path) -> bool:
    if path.suffix == ".zip":
        return True
    text = path.read_bytes().lower()
    return (b"airflow" in text or b"tradewind" in text) and (b"dag" in text or b"asset" in text)


def load_dag(dag_id: str, settings: Settings, *, folder: Path | None = None, file: Path | None = None) -> DAG:
    """The DAG itself, its file imported by this process: for running it here.

    Parameters:
        folder: where to look; default core.dags_folder, with the database's knowledge of the file.
        file: the file that has it, when that is known.

    Raises:
        NotFound: no file has it.
        InvalidDag: the file that names it cannot be loaded.
        BadInput: there is no such folder or file.
    """
    from tradewind.sdk.defaults import Defaults, use_defaults
    from tradewind.sdk.loading import load_dag_file

    use_defaults(Defaults.of(settings.core))
    if file is not None and not file.is_file():
        raise BadInput(f"there is no file {file}")
    root = (folder or (file.parent if file is not None else settings.core.dags_folder)).absolute()
    paths = [file.absolute()] if file is not None else list(_likely_files(root, dag_id, settings, folder is None))
    problems: list[str] = []
    others: list[str] = []
    for path in paths:
        loaded = load_dag_file(path, bundle_root=root, module_name=_MODULE)
        if dag_id in loaded.dags:
            return loaded.dags[dag_id]
        broken = [error.traceback for error in loaded.errors if error.dag_id in (None, dag_id)]
        if path == file or dag_id.encode() in path.read_bytes():
            problems += broken
        else:
            others += [f"{path}: {error.message}" for error in loaded.errors[:1]]
    raise _not_found(file or root, dag_id, problems, others)


def candidates(folder: Path, dag_id: str) -> Iterator[Path]:
    """Python files and archives of a folder, those first that contain the id as text. Raises `BadInput`."""
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}; --dags-folder names another, or set core.dags_folder")
    later = []
    for path in _python_files(folder):
        if path.suffix == ".zip" or dag_id.encode() not in path.read_bytes():
            later.append(path)
        else:
            yield path
    yield from later


def _python_files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            if name.endswith((".py", ".zip")) and not name.startswith("."):
                yield Path(where) / name


def _likely_files(folder: Path, dag_id: str, settings: Settings, ask_database: bool) -> Iterator[Path]:
    known = _known_file(dag_id, settings) if ask_database else None
    if known is not None and (folder / known).exists():
        yield folder / known
    yield from candidates(folder, dag_id)


def _known_file(dag_id: str, settings: Settings) -> str | None:
    """What the database says; a database that is not there is no reason not to look for the file."""
    from tradewind.app.plugs import existing_database

    try:
        with existing_database(settings) as store, store.read() as tx:
            row = tx.dag_get(dag_id)
    except TradewindError:
        return None
    return row.file if row is not None else None


def _answers(folder: Path, files: list[Path], settings: Settings) -> Iterator[tuple[str, ParseAnswer]]:
    """Each file as a parse host loads it, in order, a few at a time."""
    from tradewind.runtime.agent_settings import task_environment
    from tradewind.runtime.loop import Loop
    from tradewind.runtime.parse import ParseHost
    from tradewind.runtime.parse_words import ParseLimits, ParseOrder
    from tradewind.sdk.defaults import Defaults

    root = folder.absolute()
    loop = Loop()
    answers: dict[int, ParseAnswer] = {}
    ended: list[bool] = []
    host = ParseHost(
        loop,
        environment=task_environment(settings.home, os.environ),
        limits=ParseLimits(
            processes_max=settings.processor.parse_processes_max,
            timeout_seconds=settings.processor.parse_timeout_seconds,
            memory_bytes_max=settings.processor.parse_memory_bytes_max,
            output_bytes_max=settings.processor.output_bytes_max,
        ),
        defaults=Defaults.of(settings.core),
        on_ready=lambda: None,
        on_answer=lambda answer: answers.__setitem__(answer.number, answer),
        on_end=lambda: ended.append(True),
    )
    try:
        for number, file in enumerate(files):
            name = file.absolute().relative_to(root).as_posix()
            host.submit(ParseOrder(number=number, tree=str(root), file=name, shown_root=str(root)))
            while number not in answers:
                if ended:
                    raise Unavailable(f"the process that loads DAG files died while it had {name}; try again")
                loop.turn()
            yield name, answers.pop(number)
    finally:
        host.close()
        loop.close()


def _not_found(where: Path, dag_id: str, problems: list[str], others: list[str]) -> TradewindError:
    """`problems` are of files that name the DAG; `others` of files that do not, a line each."""
    if problems:
        return InvalidDag(
            f"DAG {dag_id!r} was not found in {where}, where this cannot be loaded:\n" + "\n".join(problems)
        )
    shown = "".join(f"\n  {line}" for line in others[:_OTHERS_MAX])
    if len(others) > _OTHERS_MAX:
        shown += f"\n  and {len(others) - _OTHERS_MAX} more; `tradewind dags errors` tells all"
    hint = f"; what cannot be loaded there:{shown}" if others else "; `tradewind dags list` shows what there is"
    return NotFound(f"no DAG {dag_id!r} in {where}{hint}")
