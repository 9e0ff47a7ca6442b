"""Loading DAG files: one file is imported as a module, and the DAGs it made are picked up.

Only children load files (a parsing child, the template of a task). What goes wrong in the file is an answer, not an
accident: it
comes back in `LoadedFile.errors`, with a traceback of the user's own frames.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.util
import sys
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType

from tradewind.wire.errors import NotFound

from .definition import DAG
from .errors import nearest
from .exceptions import AirflowClusterPolicySkipDag
from .policies import apply_policies
from .stack import collecting
from .tracebacks import short_traceback

_SOURCE = (".py",)
_of_bundles: dict[str, str] = {}
"""Modules that a load imported from a bundle → the bundle's root. They are imported anew by the next load."""


@dataclass(frozen=True, slots=True)
class LoadError:
    """What went wrong in a file."""

    message: str
    """One line: type and message."""
    traceback: str
    """Frames of the user's code."""
    line: int | None = None
    """Line in the DAG file, as far as known."""
    dag_id: str | None = None
    """The DAG that cannot be built; None: the whole file."""


@dataclass
class LoadedFile:
    """What a file gave.

    `origins` tells, for a DAG that was made while another module of the bundle was being imported, that module's
    path: that file
    owns the DAG if it is a DAG file itself.
    """

    path: str
    """Relative to the bundle root."""
    dags: dict[str, DAG] = field(default_factory=dict)
    imported: list[str] = field(default_factory=list)
    """Other modules of the bundle that were imported, relative paths, sorted."""
    errors: list[LoadError] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def code_digest(self) -> str:
        """SHA-256 over the syntax trees of the file and of what it imported from the bundle; comments and layout do
        not count."""
        digest = hashlib.sha256()
        for name in sorted(self.sources):
            digest.update(name.encode() + b"\0")
            try:
                digest.update(ast.dump(ast.parse(self.sources[name])).encode())
            except (SyntaxError, ValueError):
                digest.update(self.sources[name])
        return digest.hexdigest()


def load_dag_file(path: str | Path, *, bundle_root: str | Path, module_name: str) -> LoadedFile:
    """Import a DAG file and collect its DAGs.

    Parameters:
        path: a `.py` file, a zip archive, or a member of one (`archive.zip/member.py`).
        bundle_root: folder of the bundle; modules beside it can be imported by its files.
        module_name: name the module gets in `sys.modules` (for an archive: prefix of the names of its members).

    Raises:
        KeyboardInterrupt: as the only thing a file can do that is not an error of the file.
    """
    root = Path(bundle_root).absolute()  # links stay: the file belongs where it is listed
    full = Path(path) if Path(path).is_absolute() else root / path
    loaded = LoadedFile(_relative(full, root))
    _forget_bundle_modules(root)
    before = set(sys.modules)
    archive = next((part for part in (full, *full.parents) if part.suffix == ".zip" and part.is_file()), None)
    with collecting() as registered, _search_paths(root, archive):
        modules: list[ModuleType] = []
        try:
            for name, file in _members(full, archive, module_name):
                module = _import_file(name, file, loaded, archive)
                if module is not None:
                    modules.append(module)
        except (OSError, zipfile.BadZipFile) as error:
            loaded.errors.append(LoadError(f"{type(error).__name__}: {error}", f"{error}"))
        _note_imports(loaded, root, before, {module.__name__ for module in modules})
        _collect(loaded, [*_globals_of(modules), *registered], root, modules)
    _warn_of_dags_never_made(modules)
    return loaded


def find_dag(path: str | Path, dag_id: str, *, bundle_root: str | Path, module_name: str) -> DAG:
    """Load a file and pick one DAG, for a task's process.

    Raises:
        NotFound: the file has no such DAG (any more), or could not be loaded; the message says why.
    """
    loaded = load_dag_file(path, bundle_root=bundle_root, module_name=module_name)
    if dag_id in loaded.dags:
        return loaded.dags[dag_id]
    if loaded.errors:
        raise NotFound(f"DAG {dag_id!r} cannot be loaded from {loaded.path!r}:\n{loaded.errors[0].traceback}")
    raise NotFound(f"{loaded.path!r} has no DAG {dag_id!r}{nearest(dag_id, loaded.dags)}")


class _FreshLoader(importlib.machinery.SourceFileLoader):
    """Compiles what is in the file now: a cached compilation is trusted by size and whole seconds, and a file saved
    twice in a
    second would run its old code."""

    def get_code(self, fullname: str):  # type: ignore[no-untyped-def] # the base class leaves it open
        file = self.get_filename(fullname)
        return compile(self.get_data(file), file, "exec", dont_inherit=True)


def _import_file(name: str, file: str, loaded: LoadedFile, archive: Path | None) -> ModuleType | None:
    """Run a file as module `name`; None, and an error, when it does not come to its end."""
    try:
        if archive is None:
            loader = _FreshLoader(name, file)
            spec = importlib.util.spec_from_file_location(name, file, loader=loader)
            assert spec is not None
            loaded.sources[loaded.path] = Path(file).read_bytes()
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            loader.exec_module(module)
            return module
        with zipfile.ZipFile(archive) as opened:
            source = opened.read(file)
        loaded.sources[f"{loaded.path}/{file}"] = source
        module = ModuleType(name)
        module.__file__ = f"{archive}/{file}"
        sys.modules[name] = module
        exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # what loading means
        return module
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and whatever else a file may raise are errors of the file
        sys.modules.pop(name, None)
        loaded.errors.append(_load_error(error, file if archive is None else f"{archive}/{file}"))
        return None


def _load_error(error: BaseException, file: str, dag_id: str | None = None) -> LoadError:
    text, line = short_traceback(error, file)
    if isinstance(error, SystemExit):
        message = f"SystemExit: the file called sys.exit({error.code!r}); a DAG file must come to its end"
        return LoadError(message, f"{text}\n{message}", line, dag_id)
    said = str(error)
    return LoadError(f"{type(error).__name__}: {said}" if said else type(error).__name__, text, line, dag_id)


def _members(full: Path, archive: Path | None, module_name: str) -> Iterator[tuple[str, str]]:
    """(module name, file) to import."""
    if archive is None:
        yield module_name, str(full)
    elif archive != full:
        yield module_name, full.relative_to(archive).as_posix()
    else:
        with zipfile.ZipFile(archive) as opened:
            for member in sorted(opened.namelist()):
                if member.endswith(_SOURCE) and "/" not in member and member != "__init__.py":
                    yield f"{module_name}_{member[:-3]}", member


class _search_paths:  # used as a function
    """The bundle's root, and the archive, on `sys.path`. They stay there: tasks import lazily."""

    def __init__(self, root: Path, archive: Path | None) -> None:
        self._paths = [str(root), *([str(archive)] if archive is not None else [])]

    def __enter__(self) -> None:
        for path in self._paths:
            if path not in sys.path:
                sys.path.append(path)

    def __exit__(self, *_: object) -> None:
        importlib.invalidate_caches()


def _globals_of(modules: list[ModuleType]) -> Iterator[DAG]:
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, DAG):
                yield value


def _collect(loaded: LoadedFile, dags: list[DAG], root: Path, modules: list[ModuleType]) -> None:
    own = {str(module.__file__) for module in modules}
    seen: list[DAG] = []
    for dag in dags:
        if any(dag is one for one in seen):
            continue
        seen.append(dag)
        if dag.dag_id in loaded.dags:
            other = loaded.dags[dag.dag_id]
            message = (
                f"DuplicateDagId: the file makes two DAGs {dag.dag_id!r} (in {_relative(Path(other.fileloc), root)} "
                "and "
                f"{_relative(Path(dag.fileloc), root)}); give one another dag_id"
            )
            loaded.errors.append(LoadError(message, message, None, dag.dag_id))
            continue
        try:
            apply_policies(dag)
            dag.validate()
        except AirflowClusterPolicySkipDag:
            continue
        except Exception as error:  # whatever is wrong with one DAG must not hide the others of the file
            loaded.errors.append(_load_error(error, dag.fileloc, dag.dag_id))
            continue
        loaded.dags[dag.dag_id] = dag
        if dag.module_file not in own and _is_inside(dag.module_file, root):
            loaded.origins[dag.dag_id] = _relative(Path(dag.module_file), root)


def _warn_of_dags_never_made(modules: list[ModuleType]) -> None:
    decorator = sys.modules.get(f"{__package__}.dag_decorator")
    if decorator is None:  # nobody used it
        return
    for module in modules:
        for name, line in decorator.dag_functions_never_called(str(module.__file__)):
            message = f"the @dag function {name!r} is never called, so that it makes no DAG: add {name}() to the file"
            warnings.warn_explicit(message, UserWarning, str(module.__file__), line)


def _note_imports(loaded: LoadedFile, root: Path, before: set[str], own: set[str]) -> None:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name in before or name in own or not file or not _is_inside(file, root):
            continue
        _of_bundles[name] = str(root)
        relative = _relative(Path(file), root)
        loaded.imported.append(relative)
        if file.endswith(_SOURCE) and Path(file).is_file():
            loaded.sources[relative] = Path(file).read_bytes()
    loaded.imported = sorted(set(loaded.imported))


def _forget_bundle_modules(root: Path) -> None:
    for name in [name for name, of in _of_bundles.items() if of == str(root)]:
        del _of_bundles[name]
        sys.modules.pop(name, None)


def _is_inside(file: str, root: Path) -> bool:
    return bool(file) and Path(file).is_absolute() and Path(file).is_relative_to(root)


def _relative(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return str(path)
