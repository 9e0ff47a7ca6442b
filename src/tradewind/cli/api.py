"""`tradewind api`, `tradewind login`, `tradewind profiles`: raw calls of a server, and the servers this user knows."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_document, show_rows
from tradewind.cli.profiles import DEFAULT, Target, find_target, profiles_file, read_profiles, write_profiles
from tradewind.cli.world import json_value, secret
from tradewind.wire.errors import BadInput, NotFound

API = Noun("api", "Call the REST API of a server")
LOGIN = Noun("login", "Sign in to a server and remember it")
PROFILES = Noun("profiles", "Servers that were signed in to")
NOUNS = {noun.name: noun for noun in (API, LOGIN, PROFILES)}
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@API.alone(
    argument("method", type=str.upper, choices=_METHODS, help="GET, POST, PATCH, PUT or DELETE"),
    argument("path", help="/dags, which is below /api/v2, or a whole path such as /auth/me"),
    argument("-d", "--data", help="JSON body; - reads it from standard input, @FILE from a file"),
    argument("-q", "--query", action="append", default=[], help="name=value; may be given more than once"),
    argument("-i", "--include", action="store_true", help="print status and headers too"),
)
def call(given: Namespace) -> int:
    """Call the REST API and print what it answers; exit code 1 for a status from 400 on.

    The server is that of --server, of --profile, or the one of this machine (api.base_url).
    """
    from tradewind.cli.remote_client import API as PREFIX
    from tradewind.cli.remote_client import Client
    from tradewind.cli.world import settings

    target = given_target() or find_target(settings().api.base_url, None, None)
    assert target is not None
    whole = given.path.startswith(("/api/", "/auth/", "/ui/", "/health", "/metrics"))
    path = given.path if whole else PREFIX + "/" + given.path.lstrip("/")
    body = {} if given.data is None else {"json": _body(given.data)}
    client = Client(target)
    try:
        answer = client.raw(given.method, path, params=[_pair(text) for text in given.query], **body)
    finally:
        client.close()
    if given.include:
        print(f"HTTP {answer.status_code}")
        for name, value in answer.headers.items():
            print(f"{name}: {value}")
        print()
    if "json" in answer.headers.get("content-type", "") and "ndjson" not in answer.headers["content-type"]:
        show_document(answer.json(), "json")
    elif answer.text:
        print(answer.text, end="" if answer.text.endswith("\n") else "\n")
    return 0 if answer.status_code < 400 else 1


@LOGIN.alone(
    argument("address", nargs="?", help="address of the server: https://host"),
    argument("-u", "--username", help="user name; with a password, whose bearer token is kept"),
    argument("-p", "--password", help="- reads a line from standard input; default: asked for"),
    argument("--api-token", help="an API token to keep instead; - reads it from standard input"),
    argument("--name", default=DEFAULT, help="name of the profile; default: default"),
)
def login(given: Namespace) -> None:
    """Sign in to a server and keep address and token as a profile, for --profile and --server."""
    from tradewind.cli.remote_client import Client

    if not given.address:
        raise BadInput("give the address of the server: `tradewind login https://host --username NAME`")
    address = given.address.rstrip("/")
    if given.api_token is not None:
        token = secret(given.api_token)
    else:
        if not given.username:
            raise BadInput("give --username, or --api-token for a token you have already")
        client = Client(Target(address))
        try:
            body = {"username": given.username, "password": _password(given.password)}
            token = client.ask("POST", "/auth/token/cli", body)["access_token"]
        finally:
            client.close()
    client = Client(Target(address, token))
    try:
        me = client.get("/auth/me")
    finally:
        client.close()
    write_profiles({**read_profiles(), given.name: Target(address, token)})
    print(f"signed in to {address} as {me['username']!r}; profile {given.name!r} is in {profiles_file()}")


@PROFILES.verb("list", OUTPUT)
def list_profiles(given: Namespace) -> None:
    """List the servers that were signed in to."""
    rows = ({"name": name, "server": target.server} for name, target in read_profiles().items())
    show_rows(rows, given.output, empty="there are no profiles; `tradewind login` makes one")


@PROFILES.verb("delete", argument("name", help="name of the profile"))
def delete_profile(given: Namespace) -> None:
    """Forget a server and its token."""
    known = read_profiles()
    if given.name not in known:
        raise NotFound(f"there is no profile {given.name!r}; there are {', '.join(known) or 'none'}")
    del known[given.name]
    write_profiles(known)
    print(f"profile {given.name!r} is deleted")


def given_target() -> Target | None:
    """The server of --server, --token and --profile of this command line."""
    from tradewind.cli.commandline import TARGET

    found: Target | None = TARGET.get()
    return found


def _body(text: str) -> Any:
    if text == "-":
        return json_value(sys.stdin.read(), "standard input")
    if text.startswith("@"):
        from tradewind.cli.world import read_json_file

        return read_json_file(text[1:])
    return json.loads(text) if text in ("null", "true", "false") else json_value(text, "--data")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--query takes name=value, not {text!r}")
    return name, value


def _password(given: str | None) -> str:
    if given is not None:
        return secret(given)
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from getpass import getpass

    return getpass("password: ")
