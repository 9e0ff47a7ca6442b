"""Where settings come from: defaults, `tradewind.toml` in the home, environment variables; the later one wins.

All mistakes of all sources are collected and told at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tradewind.kernel.settings.errors import SettingsError, suggestion
from tradewind.kernel.settings.model import OPTIONS, Given, Settings, read_value

FILE_NAME = "tradewind.toml"
HOME_VARIABLE = "TRADEWIND_HOME"
_PREFIX = "TRADEWIND__"
_BY_ENVIRONMENT_NAME = {option.environment_name: name for name, option in OPTIONS.items()}


def load_settings(env: Mapping[str, str] | None = None, home: Path | None = None) -> Settings:
    """The settings of this process.

    Parameters:
        env: environment variables; default this process's own.
        home: the home folder; default TRADEWIND_HOME of `env`, else ~/tradewind. It need not exist.

    Relative paths start at the home when they stand in the file, at the working directory when in the environment.

    Raises:
        SettingsError: something is wrong; its `problems` name every key, value, source and remedy.
    """
    env = os.environ if env is None else env
    home = Path(os.path.abspath(home if home is not None else _home_of(env)))
    given: dict[str, Given] = {}
    problems: list[str] = []
    for name, found in [*_from_file(home), *_from_environment(env)]:
        if isinstance(found, Given):
            given[name] = found
        else:
            problems.append(found)
    if problems:
        raise SettingsError(problems)
    return Settings(home, given)


def _home_of(env: Mapping[str, str]) -> str:
    wanted = env.get(HOME_VARIABLE, "").strip() or "~/tradewind"
    first, slash, rest = wanted.partition("/")
    # The home of the user is taken from `env` too, so that a given environment is the whole truth.
    if first == "~" and env.get("HOME"):
        return f"{env['HOME']}{slash}{rest}"
    return os.path.expanduser(wanted)


def _from_file(home: Path) -> Iterator[tuple[str, Given | str]]:
    path = home / FILE_NAME
    source = f"file {path}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        yield "", f"{path} cannot be read: {error.strerror}; make it a readable file, or remove it"
        return
    # Imported here: most homes have no file, and the module costs as much as all of ours.
    import tomllib

    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        yield "", f"{path} is not valid TOML: {error}"
        return
    for section, table in document.items():
        if isinstance(table, dict):
            for key, value in table.items():
                name = f"{section}.{key}"
                yield name, read_value(name, value, source, home)
        else:
            # A key outside any section; read_value names the section it belongs to.
            yield section, read_value(section, table, source, home)


def _from_environment(env: Mapping[str, str]) -> Iterator[tuple[str, Given | str]]:
    base = Path.cwd()
    for variable in sorted(env):
        if variable == HOME_VARIABLE or not _is_meant_for_us(variable):
            continue
        source = f"environment variable {variable}"
        name = _BY_ENVIRONMENT_NAME.get(variable)
        if name is None:
            yield variable, f"there is no setting for {source}{suggestion(variable.upper(), _BY_ENVIRONMENT_NAME)}"
        else:
            yield name, read_value(name, env[variable], source, base, is_text=True)


def _is_meant_for_us(variable: str) -> bool:
    """Also catches the slips that would otherwise be ignored in silence: lower case, and one underscore for two."""
    upper = variable.upper()
    return upper.startswith(_PREFIX) or (upper.startswith("TRADEWIND_") and "__" in upper)
