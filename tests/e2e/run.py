"""Start the product on fresh data and let a browser walk through it.

python -m tests.e2e.run            the journeys
python -m tests.e2e.run --bench    the measurements, with big data
python -m tests.e2e.run --shots    screenshots of every screen
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
UI = HERE.parent.parent / "ui"
PASSWORD = "journeys-2026"  # of an installation that lives for minutes


def main() -> int:
    """The exit code of the browser's tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", action="store_true")
    parser.add_argument("--shots", action="store_true")
    parser.add_argument("--dags", type=int, default=10_000, help="how many DAGs the big data has")
    parser.add_argument("--gigabyte", action="store_true", help="with a log of a gigabyte")
    parser.add_argument("-g", "--grep", help="only the tests whose name fits")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no Chromium: scripts/chromium.sh installs one", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tradewind-e2e-") as folder:
        return _walk(Path(folder), given, ["-g", given.grep] if given.grep else [], chromium)


def _walk(folder: Path, given: argparse.Namespace, rest: list[str], chromium: str) -> int:
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")} | {
        "TRADEWIND_HOME": str(folder / "home"),
        "TRADEWIND__CORE__DAGS_FOLDER": str(folder / "dags"),
        "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
        "TRADEWIND__API__PORT": str(port),
        "TRADEWIND__AUTH__ADMIN_PASSWORD": PASSWORD,
    }
    shutil.copytree(HERE.parent / "data" / "e2e_dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    if given.bench:
        _seed(folder, environment, given)
    with (folder / "product.log").open("wb") as log:
        command = [sys.executable, "-m", "tradewind", "standalone"]
        product = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(port, product, folder)
            kind = "bench" if given.bench else "shots" if given.shots else "journeys"
            browser = environment | {
                "BASE": f"http://127.0.0.1:{port}",
                "PASSWORD": PASSWORD,
                "CHROMIUM": chromium,
                "PRODUCT_PID": str(product.pid),
                "FOLDER": str(folder),
            }
            return subprocess.run(
                ["npx", "playwright", "test", "--config", "e2e/playwright.config.ts", "--project", kind, *rest],
                cwd=UI,
                env=browser,
                check=False,
            ).returncode
        finally:
            product.send_signal(signal.SIGTERM)
            try:
                product.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(product.pid, signal.SIGKILL)


def _seed(folder: Path, environment: dict[str, str], given: argparse.Namespace) -> None:
    from tradewind.store.sql import SqlStore

    from .seed import seed

    subprocess.run([sys.executable, "-m", "tradewind", "db", "migrate"], env=environment, check=True)
    home = folder / "home"
    (file,) = home.glob("**/*.db")
    store = SqlStore(f"sqlite:///{file}")
    started = time.monotonic()
    seed(store, home / "logs", dags=given.dags, gigabyte=given.gigabyte)
    store.close()
    print(f"seeded in {time.monotonic() - started:.0f} s", flush=True)


def _wait(port: int, product: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and product.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"the product did not start:\n{(folder / 'product.log').read_text()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    raise SystemExit(main())
