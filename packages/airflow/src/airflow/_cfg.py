"""`airflow config lint` / `airflow config update`: what becomes of each option of an `airflow.cfg` here."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from airflow._core.configuration import _DEFAULTS, get_airflow_config
from tradewind.sdk.configuration import _OURS

_GONE = {
    "webserver": "the screens are Tradewind's; see setting api.*",
    "dag_processor": "files are watched; see settings processor.*",
    "scheduler": "the scheduler is event-driven and has no intervals to tune",
    "logging": "logs are written by the agent; see settings logs.*",
    "metrics": "see settings metrics.*",
    "traces": "see settings metrics.*",
    "fab": "users and roles are built in",
    "api_auth": "tokens are built in",
    "edge": "there is no edge executor",
    "kerberos": "tickets are renewed outside",
}
_READ = ("operators", "email", "smtp", "secrets", "openlineage", "aws", "sensors", "lineage")


class Fate(NamedTuple):
    """What becomes of an option."""

    section: str
    option: str
    outcome: str
    """taken, translated, default, none."""
    text: str


def fates(path: Path) -> Iterator[Fate]:
    """What becomes of each option that the file sets."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read(path, encoding="utf-8")
    for section in parser.sections():
        for option, value in parser.items(section):
            yield _fate(section.lower(), option.lower(), value)


def _fate(section: str, option: str, value: str) -> Fate:
    ours = _OURS.get((section, option))
    if ours is not None:
        name = f"TRADEWIND__{ours.replace('.', '__').upper()}"
        return Fate(section, option, "translated", f"set {ours} in tradewind.toml, or {name}")
    if str(_DEFAULTS.get(section, {}).get(option, "\0")) == value:
        return Fate(section, option, "default", "as it is without being set")
    if section in _READ or (section not in _DEFAULTS and section not in _GONE):
        return Fate(section, option, "taken", "read by tasks and providers through `conf`, from this file")
    return Fate(section, option, "none", _GONE.get(section, "no meaning here; tasks can still read it through `conf`"))


def main(arguments: Sequence[str]) -> int:
    """Print the report; `--all` shows also what stands at its default."""
    path = Path(next((word for word in arguments if not word.startswith("-")), get_airflow_config()))
    if not path.is_file():
        print(f"there is no file {path}; set AIRFLOW_HOME or name the file")
        return 4
    counted: dict[str, int] = {}
    for fate in fates(path):
        counted[fate.outcome] = counted.get(fate.outcome, 0) + 1
        if fate.outcome != "default" or "--all" in arguments:
            print(f"[{fate.section}] {fate.option}: {fate.outcome}: {fate.text}")
    print(", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items())) or "nothing is set")
    hint = Path(os.path.dirname(path)) / "webserver_config.py"
    if hint.is_file():
        print(f"{hint}: sign-in is set up with docs/howto/sso.md; roles with docs/howto/permissions.md")
    return 0
