"""`python -m tradewind`: the same as the command `tradewind`."""

from __future__ import annotations

import sys

from tradewind.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
