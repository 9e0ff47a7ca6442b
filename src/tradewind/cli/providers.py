"""`tradewind providers`: packages of Airflow's providers, installed without apache-airflow.

Provider packages require apache-airflow, which must not stand beside `tradewind-airflow`: `install` resolves with that
requirement switched off, pins what it chose in a file of the home, and brings the libraries that providers take for
granted because apache-airflow brings them.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_record, show_rows
from tradewind.cli.world import settings
from tradewind.wire.errors import BadInput, NotFound, Unavailable

NOUN = Noun("providers", "Provider packages of Airflow: install, list, show, check")
NOUNS = {NOUN.name: NOUN}
GROUP = "apache_airflow_provider"
PREFIX = "apache-airflow-providers-"
_NEVER = ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk")
_PINS = "providers.txt"


def distribution_of(name: str) -> str:
    """The distribution of a provider by its short or full name: `postgres`, `cncf.kubernetes`, `postgres==7.1.1`."""
    wanted = name.strip()
    short, mark, version = wanted, "", ""
    for sign in ("==", ">=", "<=", "~=", "<", ">"):
        if sign in wanted:
            short, mark, version = wanted.partition(sign)
            break
    short = short.strip().lower().replace(".", "-").replace("_", "-").removeprefix(PREFIX)
    if not short or not short.replace("-", "").replace("[", "").replace("]", "").replace(",", "").isalnum():
        raise BadInput(f"{name!r} is no provider's name; write for example postgres, amazon or cncf-kubernetes==10.1.0")
    return f"{PREFIX}{short}{mark}{version}"


@NOUN.verb(
    "install",
    argument("names", nargs="+", metavar="NAME", help="postgres, amazon, cncf-kubernetes==10.25.0, ..."),
    argument("--dry-run", action="store_true", help="only show what would be run"),
)
def install(given: Namespace) -> None:
    """Install providers and what they need, without apache-airflow. What was chosen is pinned in HOME/providers.txt."""
    wanted = [distribution_of(name) for name in given.names]
    uv = _uv()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.writelines(f"{name} ; sys_platform == 'never'\n" for name in _NEVER)
        overrides.flush()
        command = [*uv, "pip", "install", "--python", sys.executable, "--overrides", overrides.name, *wanted]
        if given.dry_run:
            print(" ".join(command))
            return
        if subprocess.run(command, check=False).returncode:
            raise Unavailable("the packages could not be installed; the lines above say why")
    pins = _write_pins()
    print(f"installed {', '.join(wanted)}; all providers are pinned in {pins}")


@NOUN.verb("list", OUTPUT)
def list_providers(given: Namespace) -> None:
    """List installed providers."""
    rows = (
        {
            "name": one.metadata["Name"].removeprefix(PREFIX),
            "version": one.version,
            "hooks": len(info.get("connection-types") or ()),
            "operators": _count(info, "operators"),
            "triggers": _count(info, "triggers"),
            "description": str(info.get("description", "")).strip().partition("\n")[0].strip("`"),
        }
        for one, info in _installed()
    )
    show_rows(rows, given.output, empty="no provider package is installed; `tradewind providers install NAME`")


@NOUN.verb("show", argument("name", help="short name, such as postgres"), OUTPUT)
def show(given: Namespace) -> None:
    """Show what a provider brings."""
    wanted = distribution_of(given.name).lower()
    for one, info in _installed():
        if one.metadata["Name"].lower() == wanted:
            show_record(
                {
                    "name": one.metadata["Name"],
                    "version": one.version,
                    "connection_types": [item["connection-type"] for item in info.get("connection-types") or ()],
                    "operators": _modules(info, "operators"),
                    "sensors": _modules(info, "sensors"),
                    "hooks": _modules(info, "hooks"),
                    "triggers": _modules(info, "triggers"),
                    "decorators": [item["name"] for item in info.get("task-decorators") or ()],
                    "notifications": list(info.get("notifications") or ()),
                    "secrets_backends": list(info.get("secrets-backends") or ()),
                    "options": sorted(info.get("config") or ()),
                },
                given.output,
            )
            return
    raise NotFound(f"provider {given.name!r} is not installed; `tradewind providers install {given.name}`")


@NOUN.verb("check", argument("names", nargs="*", metavar="NAME", help="which (default: all)"), OUTPUT)
def check(given: Namespace) -> int:
    """Import every module of installed providers; exit code 1 when one of them does not come."""
    wanted = {distribution_of(name).lower() for name in given.names}
    rows = []
    for one, _ in _installed():
        name = one.metadata["Name"]
        if wanted and name.lower() not in wanted:
            continue
        broken = {module: error for module in _python_modules(one) if (error := _import_error(module))}
        modules = len(list(_python_modules(one)))
        first = next(iter(broken.items()), None)
        rows.append(
            {
                "name": name.removeprefix(PREFIX),
                "modules": modules,
                "imported": modules - len(broken),
                "first_problem": f"{first[0]}: {first[1]}" if first else "",
            }
        )
    show_rows(rows, given.output, empty="no provider package is installed")
    return 1 if any(row["first_problem"] for row in rows) else 0


def _uv() -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise Unavailable(
            "`uv` is needed, because pip cannot leave a requirement out: pip install uv, then try again; or install "
            "the packages with `pip install --no-deps` and what they need by hand"
        )
    return [found]


def _write_pins() -> Path:
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    path = home / _PINS
    importlib.invalidate_caches()
    pins = sorted(f"{one.metadata['Name']}=={one.version}" for one, _ in _installed())
    path.write_text("\n".join(pins) + "\n", "utf-8")
    return path


def _installed() -> Iterator[tuple[metadata.Distribution, dict[str, Any]]]:
    found = {}
    for one in metadata.distributions():
        if (one.metadata["Name"] or "").startswith(PREFIX):
            found[one.metadata["Name"]] = one
    for _, one in sorted(found.items()):
        yield one, _info(one)


def _info(one: metadata.Distribution) -> dict[str, Any]:
    for point in one.entry_points:
        if point.group == GROUP:
            try:
                loaded: dict[str, Any] = point.load()()
                return loaded
            except Exception:  # its package is broken; `check` says how
                return {}
    return {}


def _modules(info: dict[str, Any], kind: str) -> list[str]:
    return [module for item in info.get(kind) or () for module in item.get("python-modules", ())]


def _count(info: dict[str, Any], kind: str) -> int:
    return len(_modules(info, kind))


def _python_modules(one: metadata.Distribution) -> Iterator[str]:
    for file in one.files or ():
        parts: Sequence[str] = file.parts
        if file.suffix != ".py" or parts[:2] != ("airflow", "providers") or "example_dags" in parts:
            continue
        name = ".".join(parts)[: -len(".py")].removesuffix(".__init__")
        if all(part.isidentifier() for part in name.split(".")):
            yield name


def _import_error(module: str) -> str:
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever a vendor's package raises is the answer
        return f"{type(error).__name__}: {error}"[:200]
    return ""
