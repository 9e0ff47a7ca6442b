"""What importing the kernel brings in. Time is measured by the benchmarks; here stands what it must not drag along."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"msgspec", "structlog", "pydantic", "sqlalchemy", "asyncio", "tomllib", "difflib", "zoneinfo", "email", "http"}
KERNEL = ["clock", "doorbell", "ids", "log", "process", "service", "settings", "telemetry", "unix_socket"]


@pytest.mark.parametrize("modules", [[name] for name in KERNEL] + [KERNEL], ids="-".join)
def test_the_kernel_imports_nothing_heavy(modules: list[str]) -> None:
    program = "import sys\nbefore = set(sys.modules)\n"
    program += "".join(f"import tradewind.kernel.{name}\n" for name in modules)
    program += "print('\\n'.join(set(sys.modules) - before))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert not HEAVY & set(output.stdout.split())


def test_loading_settings_from_the_environment_imports_nothing_heavy() -> None:
    program = "import sys\nfrom tradewind.kernel.settings import load_settings\n"
    program += "load_settings({'TRADEWIND_HOME': '/nonexistent'})\nprint('\\n'.join(sys.modules))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert not HEAVY & set(output.stdout.split())
    assert "logging" not in output.stdout.split()
