"""Typed settings: defaults, then `tradewind.toml` under TRADEWIND_HOME, then `TRADEWIND__SECTION__KEY`.

Begin reading at `sections` (the list), then `loading` (the sources). Imports only what is needed to read values,
because every process pays for it at start.
"""

from tradewind.kernel.settings.errors import SettingsError, UnknownSettingError
from tradewind.kernel.settings.loading import load_settings
from tradewind.kernel.settings.model import OPTIONS, SettingEntry, Settings
from tradewind.kernel.settings.sections import SECTIONS, mask_url

__all__ = [
    "load_settings",
    "Settings",
    "SettingEntry",
    "SettingsError",
    "UnknownSettingError",
    "OPTIONS",
    "SECTIONS",
    "mask_url",
]
