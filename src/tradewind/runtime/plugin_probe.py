"""What plugins there are, told by a child that loads them: server processes only read the answer.

`python -m tradewind.runtime.plugin_probe` prints it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

_MODULE = "tradewind.runtime.plugin_probe"
TIMEOUT_SECONDS = 60.0


class PluginFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin."""

    name: str
    source: str
    brings: dict[str, list[str]] = {}
    """Kind → names of what it brings; of what the web server would show also its fields, as JSON."""
    views: dict[str, list[dict[str, Any]]] = {}
    """Kind → descriptions: `fastapi_apps`, `external_views`, `react_apps`, ..."""


class Plugins(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    plugins: tuple[PluginFacts, ...] = ()
    hooks: tuple[str, ...] = ()
    """Hooks that some listener has."""
    problems: dict[str, str] = {}
    """Source → why it could not be loaded."""


_decoder = msgspec.json.Decoder(Plugins)


def probe(environment: Mapping[str, str], timeout_seconds: float = TIMEOUT_SECONDS) -> Plugins:
    """Ask a child.

    Parameters:
        environment: of the child: nothing secret; TRADEWIND_HOME and the authoring defaults decide where it looks.

    A child that dies or hangs is a problem under the name "plugins".
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", _MODULE],
            env=dict(environment),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Plugins(problems={"plugins": f"loading them took longer than {timeout_seconds:g} s"})
    if done.returncode != 0:
        tail = done.stderr.decode("utf-8", "replace")[-500:]
        return Plugins(problems={"plugins": f"the process that loads them ended with {done.returncode}: {tail}"})
    # What plugins print comes before the last line.
    return _decoder.decode(done.stdout.rstrip().rpartition(b"\n")[2])


def look() -> Plugins:
    """Load the plugins here and describe them."""
    from tradewind.sdk import listeners, plugins

    loaded = plugins.load_plugins()
    return Plugins(
        plugins=tuple(_facts(plugin, loaded.sources[str(plugin.name)]) for plugin in loaded.plugins),
        hooks=tuple(listeners.implemented()),
        problems=dict(loaded.problems),
    )


_VIEWS = ("fastapi_apps", "fastapi_root_middlewares", "external_views", "react_apps", "menu_links", "appbuilder_views")


def _facts(plugin: Any, source: str) -> PluginFacts:
    from tradewind.sdk.plugins import KINDS

    brings = {kind: [_name(each) for each in getattr(plugin, kind)] for kind in KINDS if getattr(plugin, kind)}
    views = {
        kind: [_plain(each) for each in getattr(plugin, kind) if isinstance(each, Mapping)]
        for kind in _VIEWS
        if getattr(plugin, kind)
    }
    return PluginFacts(name=str(plugin.name), source=source, brings=brings, views=views)


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name", value))
    kind = value if hasattr(value, "__qualname__") or hasattr(value, "__path__") else type(value)
    return str(getattr(value, "__name__", None) or getattr(kind, "__qualname__", kind))


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = json.loads(json.dumps(dict(value), default=_name))
    return done


def main() -> None:
    """Print the answer as the last line."""
    import os

    from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults, use_defaults

    if (defaults := os.environ.get(DEFAULTS_VARIABLE)) is not None:
        use_defaults(Defaults.from_text(defaults))
    sys.stdout.flush()
    found = look()
    sys.stdout.write(f"\n{msgspec.json.encode(found).decode()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
