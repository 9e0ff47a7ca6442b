"""What of its bundle decides about a DAG file besides its own text.

Found in four ways, because each alone has holes:
- what was opened and listed while it was imported: modules and data files (an audit hook, only in parsing children);
- what it imports later, inside functions of tasks (the syntax tree tells);
- templates and other files of the bundle that arguments of its tasks name;
- modules that were looked for and are missing: when they appear, the file is worth another try.

A change of any of them parses the file again, and their contents are part of the digest of its DAGs: a run is pinned to
a tree, so a DAG whose script or data changed must get a new version, or its runs would go on with the old ones.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tradewind.sdk.definition import DAG
from tradewind.sdk.loading import LoadedFile

_MODULES_MAX = 2000
_FOLDER_FILES_MAX = 2000
_NAMED_BYTES_MAX = 64 << 20


class Watcher:
    """Notes what this process opens and lists below a folder. It cannot be taken away again: for children only."""

    def __init__(self, tree: str) -> None:
        self._prefix = tree.rstrip("/") + "/"
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def begin(self) -> None:
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, mode = arguments[0], arguments[1]
            if isinstance(mode, str) and mode.strip("rbtU"):
                return  # written, not read
            inside = self._inside(path)
            if inside:
                self.files.add(inside)
        elif event in ("os.listdir", "os.scandir"):
            # The import machinery lists every folder it searches; that is no wish of the file.
            if sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
                return
            inside = self._inside(arguments[0])
            if inside is not None:
                self.folders.add(inside.rstrip("/") + "/" if inside else "/")

    def _inside(self, path: object) -> str | None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, os.PathLike):
            path = os.fspath(path)
        if path is None:
            path = "."
        if not isinstance(path, str):
            return None
        try:
            full = os.path.abspath(path)
        except OSError:  # relative to a folder that is gone
            return None
        if full + "/" == self._prefix:
            return ""
        return full[len(self._prefix) :] if full.startswith(self._prefix) else None


class Dependencies:
    """Collects paths of the bundle and digests what they hold.

    Parameters:
        tree: folder of the bundle version.
        loaded: the loaded file; its own text and the modules it imported are digested by it already.
    """

    def __init__(self, tree: Path, loaded: LoadedFile) -> None:
        self._tree = tree
        self._loaded = loaded
        self._own = loaded.path.partition(".zip/")[0] + ".zip" if ".zip/" in loaded.path else loaded.path
        self._found: set[str] = set(loaded.imported)

    def add(self, paths: Iterable[str]) -> None:
        self._found.update(path for path in paths if "__pycache__" not in path)

    def add_missing_modules(self, names: Iterable[str]) -> None:
        """Modules that could not be found: where they would be in the bundle."""
        for name in names:
            path = name.replace(".", "/")
            self._found |= {f"{path}.py", f"{path}/__init__.py"}

    def add_later_imports(self) -> None:
        """Modules of the bundle that functions import when they run, and what those import."""
        sources = dict(self._loaded.sources)
        open_ends = list(sources)
        while open_ends and len(sources) < _MODULES_MAX:
            path = open_ends.pop()
            for module in self._imports_of(path, sources[path]):
                if module not in sources:
                    sources[module] = (self._tree / module).read_bytes()
                    open_ends.append(module)
        self._found |= set(sources) - set(self._loaded.sources)

    def add_named_files(self, dags: Iterable[DAG], documents: Iterable[bytes]) -> None:
        """Templates, and whatever below the tree the arguments of tasks name by their full path."""
        for dag in dags:
            self._found.update(self._templates_of(dag))
        for document in documents:
            self._found.update(self._full_paths_in(document))

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(path for path in self._found if path and path != self._own))

    @property
    def digest(self) -> str:
        """Digest of the code and of all that was found; comments and layout of modules do not count."""
        others = [path for path in self.paths if path not in self._loaded.sources]
        contents = [(path, self._content(path)) for path in others]
        if not any(content for _, content in contents):
            return self._loaded.code_digest
        digest = hashlib.sha256(self._loaded.code_digest.encode())
        for path, content in contents:
            digest.update(f"\n{path}\0{content}".encode())
        return digest.hexdigest()

    def _content(self, path: str) -> str:
        full = self._tree / path
        if path.endswith("/"):
            return "/".join(sorted(os.listdir(full))) if full.is_dir() else ""
        if not full.is_file():
            return ""
        if full.stat().st_size > _NAMED_BYTES_MAX:
            return str(full.stat().st_size)
        content = full.read_bytes()
        if path.endswith(".py"):
            try:
                content = ast.dump(ast.parse(content)).encode()
            except (SyntaxError, ValueError):
                pass  # then its bytes have to do
        return hashlib.sha256(content).hexdigest()

    def _imports_of(self, path: str, source: bytes) -> Iterator[str]:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return
        package = path.split("/")[:-1]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._modules_at(alias.name.split("."), [])
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                parts = [*base, *(node.module.split(".") if node.module else [])]
                yield from self._modules_at(parts, [alias.name for alias in node.names])

    def _modules_at(self, parts: list[str], names: list[str]) -> Iterator[str]:
        """Files of the bundle that `import a.b` or `from a.b import names` runs."""
        for length in range(1, len(parts) + 1):
            yield from self._module("/".join(parts[:length]))
        for name in names:
            yield from self._module("/".join([*parts, name]))

    def _module(self, path: str) -> Iterator[str]:
        for candidate in (f"{path}.py", f"{path}/__init__.py"):
            if (self._tree / candidate).is_file():
                yield candidate

    def _templates_of(self, dag: DAG) -> Iterator[str]:
        folders = [Path(dag.fileloc).parent if dag.fileloc else self._tree, *map(Path, dag.template_searchpath or ())]
        for task in dag.tasks:
            endings = tuple(getattr(task, "template_ext", ()) or ())
            given = getattr(task, "partial_kwargs", None)
            for name in task.template_fields if endings else ():
                value = given.get(name) if given is not None else getattr(task, name, None)
                for text in value if isinstance(value, list | tuple) else (value,):
                    if isinstance(text, str) and text.endswith(endings) and "\n" not in text:
                        yield from self._first_inside(folder / text for folder in folders)

    def _first_inside(self, candidates: Iterable[Path]) -> Iterator[str]:
        for candidate in candidates:
            full = Path(os.path.normpath(candidate))
            if full.is_relative_to(self._tree) and full.is_file():
                yield full.relative_to(self._tree).as_posix()
                return

    def _full_paths_in(self, document: bytes) -> Iterator[str]:
        prefix = f"{self._tree}/".encode()
        for piece in document.split(prefix)[1:]:
            words = piece.decode("utf-8", "replace")
            end = next((at for at, c in enumerate(words) if c in " \"'\\;|&<>()$`,:"), len(words))
            path = os.path.normpath(words[:end])
            full = self._tree / path
            if full.is_file():
                yield path
            elif full.is_dir() and path != ".":
                yield from self._files_below(full)

    def _files_below(self, folder: Path) -> Iterator[str]:
        listed = 0
        for where, _, names in os.walk(folder):
            for name in names:
                listed += 1
                if listed > _FOLDER_FILES_MAX:
                    return
                yield (Path(where) / name).relative_to(self._tree).as_posix()
