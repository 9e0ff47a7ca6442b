"""The contract of the public face as a file: `python -m tradewind.server.contract [--check]`.

Without arguments `contracts/openapi.json` is made anew; with `--check` it is only compared with what the routes say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FILE = Path("contracts") / "openapi.json"


def contract_text() -> str:
    """The OpenAPI document, always in the same order and form."""
    from .public.app import make_application

    document = make_application().openapi()
    document["info"]["version"] = "v2"  # of the interface: a release of ours does not change it
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    text = contract_text()
    if "--check" not in arguments:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
        return 0
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE} is not what the routes say: run `make generated`, then look at what changed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
