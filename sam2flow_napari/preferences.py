"""The plugin's page in napari's Preferences, where this napari has one."""

from __future__ import annotations

from dataclasses import dataclass

SYSTEM = "system"


@dataclass(frozen=True)
class Preferences:
    """Defaults for new recordings.

    Attributes
    ----------
    device : str
    model : str
    follow : bool
        Whether the time slider moves along with a run.
    language : str
        Of the window, such as ``de``; `SYSTEM` for that of the computer.
    """

    device: str = "auto"
    model: str = "tiny"
    follow: bool = True
    language: str = "en"


def read_preferences() -> Preferences:
    """Return the user's preferences; the defaults under a napari without plugin preferences (before 0.9)."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return Preferences()
    plugin = get_plugin_settings().get("sam2flow")
    if plugin is None:
        return Preferences()
    # napari keeps what an earlier version of the plugin knew of.
    language = getattr(getattr(plugin, "window", None), "language", Preferences.language)
    return Preferences(plugin.runs.device, plugin.runs.model, plugin.runs.follow, language)
