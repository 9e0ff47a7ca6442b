"""Airflow's module paths as a table: modules that exist only as rows, and names that live elsewhere.

Three kinds of paths are answered here; everything else below `airflow` is an ordinary package.

- A row of `_tables`: a module is made of it, and its names are fetched from their homes when they are first asked for.
- A provider's path that its package dropped long ago (`_tables.providers`): the module, or the class in it, that took
  its place.
- The standard provider's paths while its package is absent: what comes with Tradewind.

A name that nobody knows raises the ordinary ImportError: providers probe what this Airflow can do by importing it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow._notes import note_older_path

_ROOT = "airflow"
_HERE = Path(__file__).parent


class Row:
    """What one module offers.

    Parameters:
        name: of the module, without `airflow.`.
        text: `home: a b=c; other home: *` — `a` lives in `home` under its name, `b` under the name `c`, and whatever
            else is asked for in `other home`. A home that begins with `.` lies below `airflow`, `~` is
            `tradewind.sdk`. Homes joined by `|` are tried in turn.
        older: whether the path is one of earlier days, so that its use is noted.
    """

    __slots__ = ("homes", "name", "older", "rest")

    def __init__(self, name: str, text: str, older: bool) -> None:
        self.name = name
        self.older = older
        self.homes: dict[str, tuple[str, str]] = {}
        self.rest: list[str] = []
        for part in filter(None, map(str.strip, text.split(";"))):
            home, _, names = part.rpartition(": ")
            for entry in names.split():
                public, given, private = entry.partition("=")
                if public == "*":
                    self.rest.append(home)
                else:
                    self.homes[public] = (home, private if given else public)

    def find(self, name: str) -> Any:
        """The object called `name`. Raises AttributeError when the module has no such name, ImportError when it has
        one that cannot be had here."""
        if name in self.homes:
            home, private = self.homes[name]
            try:
                return _fetch(home, private)
            except AttributeError:
                raise ImportError(
                    f"cannot import name {name!r} from 'airflow.{self.name}': {_full(home)} does not offer it"
                ) from None
        if not name.startswith("__"):
            for home in self.rest:
                try:
                    return _fetch(home, name)
                except (AttributeError, ImportError):
                    continue
        raise AttributeError(f"module 'airflow.{self.name}' has no attribute {name!r}")

    def home_of(self, name: str) -> str:
        """Where the name is to be imported from today, for people."""
        home, private = self.homes.get(name, (self.rest[0] if self.rest else "", name))
        first = home.split("|")[0]
        row = _older_row(first)
        if row is not None and private:
            return row.home_of(private)
        return f"{_full(first)}.{private}" if private else _full(first)


def _full(home: str) -> str:
    if home.startswith("~"):
        return f"tradewind.sdk{home[1:]}"
    return f"{_ROOT}{home}" if home.startswith(".") else home


def _fetch(home: str, name: str) -> Any:
    """`name` of the first of the homes that has it; an empty name: the home itself."""
    tried = home.split("|")
    for number, one in enumerate(tried):
        try:
            row = _older_row(one)
            if row is not None and name:
                return row.find(name)  # not by way of the module, which would note a use
            module = importlib.import_module(_full(one))
            return getattr(module, name) if name else module
        except (ImportError, AttributeError):
            if number == len(tried) - 1:
                raise
    raise AssertionError


def _older_row(home: str) -> Row | None:
    row = rows().get(home[1:]) if home.startswith(".") else None
    return row if row is not None and row.older else None


@cache
def rows() -> dict[str, Row]:
    """All rows by module name."""
    from airflow._tables import all_rows

    return {name: Row(name, text, older) for name, text, older in all_rows()}


@cache
def _packages() -> frozenset[str]:
    """Names below `airflow` that have something below them."""
    from airflow._tables import providers

    moved = (f"providers.{name}" for name in providers.MODULES)
    found = {name.rpartition(".")[0] for name in (*rows(), *moved)}
    found |= {name.rpartition(".")[0] for name in found if name.startswith("providers.")}
    return frozenset(found - {""})


class _RowLoader(importlib.abc.Loader):
    """Makes a module of a row."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:  # noqa: ARG002
        return None

    def exec_module(self, module: ModuleType) -> None:
        row = self._row
        full = f"{_ROOT}.{row.name}"
        module.__doc__ = f"`{full}`: names that live elsewhere."
        if row.homes:
            module.__dict__["__all__"] = sorted(row.homes)
        module.__dict__["__getattr__"] = _getter(module, row)
        module.__dict__["__dir__"] = lambda: sorted({*module.__dict__, *row.homes})


def _getter(module: ModuleType, row: Row) -> Callable[[str], Any]:
    full = f"{_ROOT}.{row.name}"

    def fetch(name: str) -> Any:
        if name not in row.homes and is_module(f"{row.name}.{name}"):
            # `import airflow` and then `airflow.utils.dates`: packages of earlier days brought their modules.
            return importlib.import_module(f"{full}.{name}")
        value = row.find(name)
        if row.older:
            # Not kept: each file that asks is to be noted.
            note_older_path(full, name, row.home_of(name), value, sys._getframe(1))
        else:
            module.__dict__[name] = value
        return value

    return fetch


class RowFinder(importlib.abc.MetaPathFinder):
    """Answers for paths of the table that are no files. It stands last, so that files win."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 # as the protocol says
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        root, _, name = fullname.partition(".")
        if root != _ROOT or not name:
            return None
        row = rows().get(name)
        if row is None:
            if name not in _packages():
                return _moved(fullname, name)
            row = Row(name, "", False)
        spec = importlib.machinery.ModuleSpec(fullname, _RowLoader(row), is_package=name in _packages())
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(str(_HERE.joinpath(*name.split("."))))
        return spec


def _moved(fullname: str, name: str) -> importlib.machinery.ModuleSpec | None:
    """The spec of a provider's module that goes by another name now."""
    from airflow._tables import providers

    now = providers.MODULES.get(name.removeprefix("providers."))
    if now is None or not name.startswith("providers."):
        return None
    row = Row(name, f".providers.{now}: *", True)
    return importlib.machinery.ModuleSpec(fullname, _RowLoader(row), is_package=False)


class ClassFinder(importlib.abc.MetaPathFinder):
    """Gives modules of providers the names back that they dropped. It stands first, because the modules exist."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("airflow.providers."):
            return None
        from airflow._tables import providers

        name = fullname.removeprefix("airflow.providers.")
        if name not in providers.NAMES and name not in providers.ARGUMENTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _FormerNames(spec.loader.name, spec.loader.path)
        return spec


class _FormerNames(importlib.machinery.SourceFileLoader):
    """Loads a provider's module and adds what it had before."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        from airflow._tables import providers

        name = module.__name__.removeprefix("airflow.providers.")
        if name in providers.ARGUMENTS:
            from airflow._translate import remember_arguments

            remember_arguments(module, providers.ARGUMENTS[name])
        former = providers.NAMES.get(name)
        if former:
            row = Row(f"providers.{name}", former, True)
            own = module.__dict__.get("__getattr__")

            def fetch(wanted: str) -> Any:
                if wanted in row.homes:
                    value = row.find(wanted)
                    note_older_path(module.__name__, wanted, row.home_of(wanted), value, sys._getframe(1))
                    return value
                if own is not None:
                    return own(wanted)
                raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")

            module.__dict__["__getattr__"] = fetch


def install() -> None:
    """Put both finders in place; once is enough."""
    if not any(isinstance(one, RowFinder) for one in sys.meta_path):
        sys.meta_path.insert(0, ClassFinder())
        sys.meta_path.append(RowFinder())


def is_module(name: str) -> bool:
    """Whether `airflow.<name>` is a module of the table."""
    return name in rows() or name in _packages()
