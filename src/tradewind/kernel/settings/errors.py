"""What can be wrong with settings, in words that say what to do.

SettingsError            one or more settings are wrong; `problems` lists them all
UnknownSettingError      a setting was asked for, by code or a person, that does not exist
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tradewind.wire.errors import InvalidSetting, NotFound


class SettingsError(InvalidSetting):
    """The settings are wrong, as told by `problems`, each with key, value, source and remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class UnknownSettingError(NotFound):
    """There is no setting of this name; the nearest right one is suggested."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        super().__init__(f"there is no setting {name}{suggestion(name, known)}")


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """`; did you mean X?` with the nearest of `known`, or nothing when none is near."""
    # Imported here: only a process that is about to complain pays for it.
    from difflib import get_close_matches

    near = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
