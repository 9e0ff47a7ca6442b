"""Files that say which DAG files are none: `.airflowignore` and `.tradewindignore`, each for its folder and below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

NAMES = (".airflowignore", ".tradewindignore")
_COMMENT = re.compile(r"\s*#.*")

Verdict = Callable[[str], bool | None]
"""Path relative to the folder of the ignore file, of a folder with `/` at its end → ignored, taken back, or silence."""


class IgnoreRules:
    """The rules of one snapshot.

    Parameters:
        texts: path of each ignore file → its text.
        syntax: setting processor.ignore_syntax: `glob` (as in .gitignore) or `regexp` (searched anywhere in the path).

    What is wrong with a line is told in `notes`; the others hold.
    """

    def __init__(self, texts: Mapping[str, str], syntax: str) -> None:
        self.notes: list[str] = []
        self._by_folder: dict[str, list[Verdict]] = {}
        self._folders: dict[str, bool] = {"": False}
        for path in sorted(texts):
            lines = texts[path].splitlines()
            verdict = self._globs(path, lines) if syntax == "glob" else self._regexps(path, lines)
            self._by_folder.setdefault(path.rpartition("/")[0], []).append(verdict)

    def ignores(self, path: str) -> bool:
        """Whether the file is ignored, itself or with a folder above it."""
        if not self._by_folder:
            return False
        return self._ignores_folder(path.rpartition("/")[0]) or self._judge(path)

    def _ignores_folder(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            known = self._ignores_folder(folder.rpartition("/")[0]) or self._judge(folder + "/")
            self._folders[folder] = known
        return known

    def _judge(self, path: str) -> bool:
        """The last rule that says something holds; deeper files speak later."""
        ignored = False
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts)):
            folder = "/".join(parts[:depth])
            inside = path[len(folder) + 1 :] if folder else path
            for verdict in self._by_folder.get(folder, ()):
                said = verdict(inside)
                ignored = ignored if said is None else said
        return ignored

    def _globs(self, path: str, lines: Iterable[str]) -> Verdict:
        from pathspec import GitIgnoreSpec

        good = []
        for line in lines:
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError as error:
                self.notes.append(f"{path}: {line!r} is no glob: {error}")
            else:
                good.append(line)
        spec = GitIgnoreSpec.from_lines(good)
        return lambda inside: spec.check_file(inside).include

    def _regexps(self, path: str, lines: Iterable[str]) -> Verdict:
        patterns = []
        for line in lines:
            text = _COMMENT.sub("", line).strip()
            try:
                if text:
                    patterns.append(re.compile(text))
            except re.error as error:
                self.notes.append(f"{path}: {line!r} is no regular expression: {error}")
        return lambda inside: True if any(pattern.search(inside.rstrip("/")) for pattern in patterns) else None
