"""The recipes name settings, commands and files that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tradewind.cli.main import NOUNS
from tradewind.kernel.settings.model import OPTIONS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
VARIABLES = {option.environment_name for option in OPTIONS.values()}
COMPOSE = sorted((DEPLOY / "compose").glob("*.yml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return found


def ours(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, service in services(path).items():
        if service["image"] == "tradewind":
            yield name, service


def test_every_variable_is_a_setting() -> None:
    for path in (*COMPOSE, DEPLOY / "docker" / "Dockerfile"):
        named = set(re.findall(r"\bTRADEWIND__[A-Z0-9_]+", path.read_text()))
        assert named, path
        assert named <= VARIABLES, f"{path.name}: {sorted(named - VARIABLES)}"


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_services_run_commands_that_there_are(path: Path) -> None:
    for name, service in ours(path):
        assert service["command"][0] in NOUNS, name
        build = service["build"]
        assert (path.parent / build["context"] / build["dockerfile"]).resolve().is_file()


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_volumes_and_dependencies_are_declared(path: Path) -> None:
    declared = yaml.safe_load(path.read_text())["volumes"]
    known = services(path)
    for name, service in known.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith(".") or source in declared, f"{name}: {volume}"
        assert set(service.get("depends_on", ())) <= set(known), name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} listens to everybody: {port}"


def test_no_password_is_written_down() -> None:
    for path in COMPOSE:
        for line in path.read_text().splitlines():
            if "PASSWORD:" in line:
                assert ":?" in line, line


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_commands_that_there_are(path: Path) -> None:
    start = re.search(r"^ExecStart=\S+/tradewind (\S+)", path.read_text(), re.MULTILINE)
    assert start is not None
    assert start[1] in NOUNS


def test_what_the_image_copies_is_there() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
