"""Servers that this user signed in to: their addresses and tokens, in a file that only he can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tradewind.kernel.keys import replace_file
from tradewind.wire.errors import BadInput, NotFound

DEFAULT = "default"


class Target(NamedTuple):
    """A server, and what to show it."""

    server: str
    token: str = ""


def profiles_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where profiles are kept: TRADEWIND_PROFILES, or the user's configuration folder."""
    env = os.environ if environment is None else environment
    if given := env.get("TRADEWIND_PROFILES"):
        return Path(given)
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "tradewind" / "profiles.json"


def read_profiles() -> dict[str, Target]:
    """All profiles by name. Raises `BadInput` when the file cannot be read."""
    path = profiles_file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: Target(facts["server"], facts.get("token", "")) for name, facts in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"the profiles in {path} cannot be read; correct the file or remove it") from None


def write_profiles(profiles: Mapping[str, Target]) -> None:
    """Keep these. Raises `BadInput` when the file cannot be written."""
    path = profiles_file()
    content = {name: target._asdict() for name, target in profiles.items()}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, json.dumps(content, indent=2).encode() + b"\n")
    except OSError as error:
        raise BadInput(f"the profiles cannot be written to {path}: {error.strerror}") from error


def find_target(server: str | None, token: str | None, profile: str | None) -> Target | None:
    """The server that a command is meant for; None: this machine's own installation.

    Options come before the environment (TRADEWIND_SERVER, TRADEWIND_TOKEN, TRADEWIND_PROFILE), and an address before
    the one of a profile. Raises `NotFound` for a profile that there is not.
    """
    server = server or os.environ.get("TRADEWIND_SERVER") or None
    token = token or os.environ.get("TRADEWIND_TOKEN") or None
    profile = profile or os.environ.get("TRADEWIND_PROFILE") or None
    known = read_profiles() if profile or (server and not token) else {}
    if profile is not None:
        if profile not in known:
            raise NotFound(
                f"there is no profile {profile!r}; there are {', '.join(known) or 'none'} (`tradewind login`)"
            )
        kept = known[profile]
        return Target(server or kept.server, token or kept.token)
    if server is None:
        return None
    if token is None:
        token = next((kept.token for kept in known.values() if kept.server.rstrip("/") == server.rstrip("/")), "")
    return Target(server, token)
