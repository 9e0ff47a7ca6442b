"""Uses of older forms: each is a warning with the author's file and line, and nothing more happens.

What parses a DAG file collects the warnings of the file, so that they are counted and shown per file. Code of providers
uses older forms on purpose, to work with several versions; it is not reported.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = (str(Path(__file__).parent), "<frozen")
_PROVIDERS = "/airflow/providers/"


class OlderForm(DeprecationWarning):
    """A path or an argument of an earlier Airflow was used; it works."""


def note_older_path(module: str, name: str, home: str, value: Any, frame: FrameType) -> None:
    """Say that `module.name` is found elsewhere today.

    Parameters:
        home: where it lives.
        value: the object, which may know a better address than its home.
        frame: of the code that asked.
    """
    _note(f"{module}.{name} is an older path: write {_public(name, home, value)}", _author(frame))


def note_older_form(text: str) -> None:
    """Say something about what the author wrote. The place is the first frame outside this package and the SDK."""
    _note(text, _author(sys._getframe(1)))


def _note(text: str, frame: FrameType | None) -> None:
    if frame is None or _PROVIDERS in frame.f_code.co_filename:
        return
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(OlderForm(text), OlderForm, frame.f_code.co_filename, frame.f_lineno, registry=registry)


def _author(frame: FrameType | None) -> FrameType | None:
    sdk = _sdk()
    while frame is not None and frame.f_code.co_filename.startswith((*_OURS, *sdk)):
        if _PROVIDERS in frame.f_code.co_filename:
            break
        frame = frame.f_back
    return frame


def _sdk() -> tuple[str, ...]:
    module = sys.modules.get("tradewind")
    return (str(Path(module.__file__).parent),) if module is not None and module.__file__ else ()


def _public(name: str, home: str, value: Any) -> str:
    # One of the two is loaded by now, and both have the same names.
    sdk = sys.modules.get("airflow.sdk") or sys.modules.get("tradewind.sdk")
    public = getattr(value, "__name__", name)
    if sdk is not None and public in getattr(sdk, "__all__", ()):
        return f"airflow.sdk.{public}"
    if "._core." in home or home.startswith(("~", "tradewind.")):
        return f"the form of today (see docs/howto/move-from-airflow.md); it is {public} there"
    return home
