"""`tradewind tokens`: API tokens for programs."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_rows
from tradewind.cli.world import CLOCK, database
from tradewind.wire.errors import BadInput

NOUN = Noun("tokens", "API tokens of users, for programs")
NOUNS = {NOUN.name: NOUN}


@NOUN.verb("list", argument("--user", help="of this user only"), OUTPUT)
def list_tokens(given: Namespace) -> None:
    """List API tokens, newest first; the tokens themselves are kept nowhere."""
    from tradewind.commands.tokens import shown_token

    with database() as store, store.read() as tx:
        rows = tx.api_token_list(given.user)
    show_rows(map(shown_token, rows), given.output, empty="there are no API tokens")


@NOUN.verb(
    "create",
    argument("name", help="what it is used for"),
    argument("--user", required=True, help="whose it is: it may do what he may"),
    argument("--scope", action="append", default=[], help="a grant that bounds it; may be given more than once"),
    argument("--days", default="90", help='until it ends, or "never"; default 90'),
)
def create_token(given: Namespace) -> None:
    """Make an API token and print it, this once."""
    from tradewind.commands.tokens import create_token as command

    with database() as store, store.begin() as tx:
        made = command(tx, CLOCK.now(), given.user, given.name, scopes=given.scope, days=days_of(given.days))
    end = made.row.expires_at.isoformat(timespec="seconds") if made.row.expires_at else "never"
    print(f"token {made.row.token_id} of {made.row.username!r}, ends {end}")
    print(made.token)


@NOUN.verb("revoke", argument("token_id", help="its id, as `tokens list` shows it"))
def revoke_token(given: Namespace) -> None:
    """End an API token at once."""
    from tradewind.commands.tokens import revoke_token as command

    with database() as store, store.begin() as tx:
        row = command(tx, CLOCK.now(), given.token_id)
    print(f"token {row.token_id} of {row.username!r} is revoked")


def days_of(text: str) -> float | None:
    if text == "never":
        return None
    try:
        return float(text)
    except ValueError:
        raise BadInput(f'--days is a number or "never", not {text!r}') from None
