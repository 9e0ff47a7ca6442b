"""Plugins as a server process sees them: it asks a child once, and tells listeners that it starts and stops."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tradewind.commands import listening
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.service import ThreadService
from tradewind.kernel.settings import Settings
from tradewind.ports.store import Store
from tradewind.runtime.agent_settings import task_environment
from tradewind.runtime.plugin_probe import Plugins, probe
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults
from tradewind.sdk.entry_points import entry_points
from tradewind.sdk.plugins import GROUPS
from tradewind.wire.errors import Unavailable

log = get_logger("plugins")


def installed_plugins(settings: Settings, environment: Mapping[str, str] | None = None) -> Plugins:
    """What plugins there are. Without any source nothing is started, and there are none."""
    if not has_sources(settings):
        return Plugins()
    return probe(
        {
            **task_environment(settings.home, os.environ if environment is None else environment),
            DEFAULTS_VARIABLE: Defaults.of(settings.core).as_text(),
        }
    )


def has_sources(settings: Settings) -> bool:
    """Whether there is a file in the folder of plugins, or a package with one; nothing is imported."""
    folder = settings.core.plugins_folder
    if folder.is_dir() and any(folder.rglob("*.py")):
        return True
    return any(entry_points(group) for group in GROUPS)


class PluginWatch(ThreadService):
    """Learns which hooks there are when its process starts, and tells them of the process.

    Parameters:
        component: name of the process, for `on_starting` and `before_stopping`.
    """

    def __init__(self, store: Store, settings: Settings, component: str) -> None:
        super().__init__("plugin-watch")
        self._store = store
        self._settings = settings
        self._component = component
        self._incarnation = str(uuid7())

    def run(self) -> None:
        self.ready()
        found = installed_plugins(self._settings)
        for source, problem in found.problems.items():
            log.error("plugin_not_loaded", source=source, problem=problem)
        listening.listen_for(found.hooks)
        self._tell("on_starting")
        self.stopping.wait()
        self._tell("before_stopping")

    def _tell(self, hook: str) -> None:
        if not listening.listens(hook):
            return
        try:
            with self._store.begin() as tx:
                listening.tell(tx, hook, self._incarnation, {"component": self._component}, tx.now())
        except Unavailable as error:
            log.warning("listener_not_told", hook=hook, reason=str(error))
