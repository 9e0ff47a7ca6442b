"""The command `tradewind`: finds noun and verb, loads that noun only, turns errors into one line and an exit code.

Exit codes: 0 done; 1 failed (a run that was waited for, a check); 2 wrong input; 3 not allowed; 4 not found;
5 conflict; 6 unavailable; 7 running already; 70 a bug in Tradewind; 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tradewind import __version__
from tradewind.wire.errors import BadInput, TradewindError

if TYPE_CHECKING:
    from tradewind.cli.commandline import Noun

BUG_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130
BROKEN_PIPE_EXIT_CODE = 141
# Written here so that the list can be shown without loading any of them; a test compares it with what they say.
NOUNS: dict[str, tuple[str, str]] = {
    "standalone": ("serve", "Run everything on this machine"),
    "dags": ("dags", "DAGs: list, show, trigger, pause, test, delete"),
    "runs": ("runs", "Runs of DAGs: list, show, cancel, clear, mark, delete"),
    "backfill": ("backfill", "Runs over the past: create, list, show, pause, unpause, cancel"),
    "tasks": ("tasks", "Tasks: states, logs, why, clear, mark, test, render"),
    "connections": ("connections", "Connections to other systems"),
    "variables": ("variables", "Variables that tasks may read"),
    "questions": ("questions", "Questions of tasks that wait for a person: list, show, answer"),
    "pools": ("pools", "Pools: slots that tasks share"),
    "assets": ("assets", "Assets: list, show, make, tell of changes, see what waits"),
    "plugins": ("plugins", "Plugins: list, with what they bring"),
    "callbacks": ("callbacks", "Callbacks of runs, tasks and deadlines: list, show, retry"),
    "state-store": ("state_store", "What tasks and assets remember: list, clean"),
    "secrets": ("secrets", "Encryption of connections and variables, and where else they come from"),
    "users": ("users", "Users: who may sign in, and with which roles"),
    "roles": ("roles", "Roles: what people may do"),
    "tokens": ("tokens", "API tokens of users, for programs"),
    "audit": ("audit", "The audit log: what people and their tokens changed"),
    "api": ("api", "Call the REST API of a server"),
    "login": ("api", "Sign in to a server and remember it"),
    "profiles": ("api", "Servers that were signed in to"),
    "config": ("config", "Settings and where they come from"),
    "db": ("db", "The metadata database: migrate, check, clean, reset"),
    "doctor": ("doctor", "What moving DAG files here would meet, file by file"),
    "providers": ("providers", "Provider packages of Airflow: install, list, show, check"),
    "migrate-from-airflow": ("migrate", "Bring connections, variables, pools, pause states and history from Airflow"),
    "info": ("info", "What is installed, where it lies and who runs"),
    "version": ("info", "The version"),
    "scheduler": ("serve", "Run a scheduler"),
    "api-server": ("serve", "Run an API server"),
    "dag-processor": ("serve", "Run a DAG file processor"),
    "triggerer": ("serve", "Run a triggerer, which hosts what deferred tasks wait for"),
    "agent": ("serve", "Run the agent that executes tasks on this machine"),
    "celery": ("celery", "Workers that take tasks from a message broker (executor celery)"),
}
_OF_SERVERS = ("api", "login", "profiles")
"""They are about servers themselves."""
ALIASES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("webserver",): ("api-server",),
    ("db", "init"): ("db", "migrate"),
    ("db", "upgrade"): ("db", "migrate"),
    ("dags", "list-runs"): ("runs", "list"),
    ("dags", "list-import-errors"): ("dags", "errors"),
    ("tasks", "states-for-dag-run"): ("tasks", "states"),
    ("dags", "clear"): ("runs", "clear"),
    ("dags", "backfill"): ("backfill", "create"),
    ("assets", "details"): ("assets", "show"),
    ("tasks", "failed-deps"): ("tasks", "why"),
    ("connections", "add"): ("connections", "set"),
    ("config", "get-value"): ("config", "get"),
    ("rotate-fernet-key",): ("secrets", "rotate-key"),
    ("users", "reset-password"): ("users", "set-password"),
    ("users", "add-role"): ("users", "set-role"),
}
"""Names of old, or of Airflow, for ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters:
        arguments: without the program's name; default: those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except TradewindError as error:
        return _fail(str(error), error.exit_code)
    except NotImplementedError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE_EXIT_CODE
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else _fail(str(end.code), 1)
    except Exception:  # the boundary of the process: what comes here is a bug
        import traceback

        traceback.print_exc()
        return _fail("this is a bug in Tradewind; please report it with the lines above", BUG_EXIT_CODE)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_root_help())
        return 0
    if words[0] in ("-V", "--version"):
        print(__version__)
        return 0
    target = None
    if _is_remote(words):
        from tradewind.cli.remote import split_options, target_of

        words, options = split_options(words)
        target = target_of(options)
        if not words:
            print(_root_help())
            return 0
    words = _without_aliases(words)
    noun = _load_noun(words[0])
    from tradewind.cli.commandline import TARGET, run_verb

    if target is not None and words[0] not in _OF_SERVERS:
        from tradewind.cli.remote import run_remote

        verb = noun.single or noun.verbs.get(words[1] if len(words) > 1 else "")
        if verb is not None:
            return run_remote(target, noun, verb, words[1:] if noun.single is not None else words[2:])
    TARGET.set(target)
    if noun.single is not None:
        return run_verb(f"tradewind {noun.name}", noun.single, words[1:])
    if len(words) < 2 or words[1] in ("-h", "--help"):
        print(_noun_help(noun))
        return 0 if len(words) > 1 else BadInput.exit_code
    verb = noun.verbs.get(words[1])
    if verb is None:
        raise _unknown(f"tradewind {noun.name}", words[1], noun.verbs)
    return run_verb(f"tradewind {noun.name} {verb.name}", verb, words[2:])


def _is_remote(words: list[str]) -> bool:
    """Whether options or the environment name a server. Serving processes never look at the environment for that."""
    options = ("--server", "--token", "--profile")
    if any(word.partition("=")[0] in options for word in words):
        return True
    serving = any(word in NOUNS and NOUNS[word][0] in ("serve", "celery") for word in words[:1])
    return not serving and bool(os.environ.get("TRADEWIND_SERVER") or os.environ.get("TRADEWIND_PROFILE"))


def _without_aliases(words: list[str]) -> list[str]:
    for old, new in ALIASES.items():
        if tuple(words[: len(old)]) == old:
            print(f"hint: `{' '.join(old)}` is called `{' '.join(new)}` here", file=sys.stderr)
            return [*new, *words[len(old) :]]
    return words


def _load_noun(name: str) -> Noun:
    if name not in NOUNS:
        raise _unknown("tradewind", name, NOUNS)
    module = importlib.import_module(f"tradewind.cli.{NOUNS[name][0]}")
    found: Noun = module.NOUNS[name]
    return found


def _unknown(program: str, word: str, known: Iterable[str]) -> BadInput:
    from tradewind.cli.commandline import UsageError, nearest

    return UsageError(f"`{program}` has no command {word!r}{nearest(word, known)}; see `{program} --help`")


def _root_help() -> str:
    width = max(map(len, NOUNS))
    lines = "\n".join(f"  {name:{width}}  {help}" for name, (_, help) in NOUNS.items())
    return (
        f"Tradewind {__version__}: authors, schedules, runs and watches batch workflows.\n\n"
        f"usage: tradewind COMMAND [ARGUMENT ...]\n\n{lines}\n\n"
        "With --server URL, --token - or --profile NAME a command works on another machine's installation.\n"
        "`tradewind COMMAND --help` tells more. TRADEWIND_HOME names the folder everything lives in "
        "(default ~/tradewind)."
    )


def _noun_help(noun: Noun) -> str:
    from tradewind.cli.commandline import listing

    verbs = listing((verb.name, verb.help) for verb in noun.verbs.values())
    return (
        f"{noun.help}\n\nusage: tradewind {noun.name} COMMAND [ARGUMENT ...]\n\n{verbs}\n\n"
        f"`tradewind {noun.name} COMMAND --help` tells more."
    )


def _fail(message: str, code: int) -> int:
    sys.stdout.flush()
    print(f"error: {message}", file=sys.stderr)
    return code
