"""`airflow.utils.module_loading` and what else looks at modules and packages."""

from __future__ import annotations

import functools
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any


def import_string(dotted_path: str) -> Any:
    """The object of a dotted path. Raises ImportError when there is none."""
    try:
        module_path, class_name = dotted_path.rsplit(".", 1)
    except ValueError:
        raise ImportError(f"{dotted_path} doesn't look like a module path") from None
    module = import_module(module_path)
    try:
        return getattr(module, class_name)
    except AttributeError:
        raise ImportError(f'Module "{module_path}" does not define a "{class_name}" attribute/class') from None


def qualname(o: Any, use_qualname: bool = False, exclude_module: bool = False) -> str:
    """The dotted path of a class, function or object's class."""
    if hasattr(o, "__module__") and hasattr(o, "__name__"):
        name = str(getattr(o, "__qualname__", o.__name__))
        return name if exclude_module else f"{o.__module__}.{name}"
    if isinstance(o, functools.partial):
        return qualname(o.func, use_qualname, exclude_module)
    cls = o if isinstance(o, type) else type(o)
    if exclude_module or cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def iter_namespace(ns: ModuleType) -> Iterator[pkgutil.ModuleInfo]:
    """Modules below a package."""
    return pkgutil.iter_modules(ns.__path__, f"{ns.__name__}.")


def is_valid_dotpath(path: str) -> bool:
    """Whether a text may be a dotted path."""
    return all(part.isidentifier() for part in path.split("."))


def entry_points_with_dist(group: str) -> Iterator[tuple[Any, Any]]:
    """Entry points of a group, each with its distribution."""
    from importlib import metadata

    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            if point.group == group:
                yield point, distribution


def add_deprecated_classes(
    module_imports: dict[str, dict[str, str]],
    package: str,
    override_deprecated_classes: dict[str, dict[str, str]] | None = None,  # noqa: ARG001
    extra_message: str | None = None,  # noqa: ARG001
) -> None:
    """Offer names under modules of earlier days: (module, name → where it is now)."""
    for module_name, names in module_imports.items():
        full = f"{package}.{module_name}"
        module = ModuleType(full)
        module.__dict__["__getattr__"] = functools.partial(_moved, full, names)
        sys.modules.setdefault(full, module)


def _moved(module: str, names: dict[str, str], name: str) -> Any:
    if name not in names:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return import_string(names[name])


def getattr_with_deprecation(
    imports: dict[str, str],
    module: str,
    override_deprecated_classes: dict[str, str],  # noqa: ARG001
    extra_message: str,  # noqa: ARG001
    name: str,
) -> Any:
    """The object that moved from `module`. Raises AttributeError for a name not listed."""
    return _moved(module, imports, name)


def get_python_source(x: Any) -> str | None:
    """The source text of a function or class; None when there is none."""
    if isinstance(x, str):
        return x
    if x is None:
        return None
    try:
        return inspect.getsource(inspect.unwrap(x))
    except (TypeError, OSError):
        return f"No source code available for {type(x)}"


def prepare_code_snippet(file_path: str, line_no: int, context_lines_count: int = 5) -> str:
    """The lines around one of a file."""
    with open(file_path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    first = max(1, line_no - context_lines_count)
    shown = lines[first - 1 : line_no + context_lines_count]
    return "\n".join(f"{first + number:>5} | {line}" for number, line in enumerate(shown))


def get_docs_url(page: str | None = None) -> str:
    """The address of Airflow's documentation."""
    return f"https://airflow.apache.org/docs/apache-airflow/stable/{page or ''}"


class Singleton(type):
    """Metaclass of classes with one object."""

    _instances: dict[type, Any] = {}  # noqa: RUF012 # of all its classes

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls not in cls._instances:
            cls._instances[cls] = super().__call__(*args, **kwargs)
        return cls._instances[cls]


class ThreadSafeDict(dict[Any, Any]):
    """A dict; its single operations are atomic as they are."""

    def set(self, key: Any, value: Any) -> None:
        """Put a value."""
        self[key] = value
