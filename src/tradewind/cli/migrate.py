"""`tradewind migrate-from-airflow`: bring in what Airflow's metadata database knows."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_rows
from tradewind.cli.world import CLOCK, database, secret, settings
from tradewind.wire.errors import BadInput

NOUN = Noun("migrate-from-airflow", "Bring connections, variables, pools, pause states and history from Airflow")
NOUNS = {NOUN.name: NOUN}
_KEY_VARIABLE = "AIRFLOW__CORE__FERNET_KEY"


@NOUN.alone(
    argument("--db", required=True, metavar="URL", help="Airflow's metadata database: its sql_alchemy_conn"),
    argument(
        "--fernet-key",
        metavar="KEY",
        help=f"Airflow's [core] fernet_key; - reads a line from standard input (default: ${_KEY_VARIABLE})",
    ),
    argument("--runs", type=int, default=100, metavar="N", help="newest ended runs to bring per DAG (default 100)"),
    argument("--overwrite", action="store_true", help="replace what is here already and differs"),
    argument("--dry-run", action="store_true", help="only report what would be done"),
    OUTPUT,
)
def migrate(given: Namespace) -> int:
    """Bring in what a metadata database of Airflow 2 or 3 knows; a second time changes nothing.

    Connections and variables are opened with Airflow's fernet key and sealed with ours. Pause states and history need
    the DAG files in place here, and a DAG processor that has read them. Exit code 1 when something was left behind.
    """
    from tradewind.app.plugs import open_vault
    from tradewind.commands.airflow_move import move_from_airflow
    from tradewind.store.read.airflow import read_airflow

    if given.runs < 0:
        raise BadInput(f"--runs must not be negative: {given.runs}")
    facts = read_airflow(given.db, unseal=_unsealer(given.fernet_key), runs_max=given.runs)
    print(f"read Airflow's database (schema {facts.level})", file=sys.stderr)
    vault = open_vault(settings())
    with database() as store, store.read() if given.dry_run else store.begin() as tx:
        moved = move_from_airflow(tx, vault, facts, CLOCK.now(), overwrite=given.overwrite, dry=given.dry_run)
    show_rows((one._asdict() for one in moved), given.output, empty="there is nothing to bring")
    if given.output == "table":
        counted = Counter((one.kind, one.outcome) for one in moved)
        print(", ".join(f"{kind}: {number} {outcome}" for (kind, outcome), number in sorted(counted.items())))
        if given.dry_run:
            print("nothing was written (--dry-run)")
    return 1 if any(one.outcome == "left" and one.kind != "dag" for one in moved) else 0


def _unsealer(option: str | None) -> Callable[[str], str | None]:
    """Opens texts with any of Airflow's keys. Raises `BadInput` for a key that is none."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    text = secret(option) if option == "-" else option or os.environ.get(_KEY_VARIABLE, "")
    keys = [one.strip() for one in (text or "").split(",") if one.strip()]
    if not keys:
        return lambda _: None
    try:
        fernet = MultiFernet([Fernet(key.encode()) for key in keys])
    except ValueError:
        raise BadInput("the fernet key is none: it has 32 bytes in URL-safe base64") from None

    def unseal(sealed: str) -> str | None:
        try:
            return fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    return unseal
