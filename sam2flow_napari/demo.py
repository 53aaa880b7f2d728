"""The demo in a window: the sample recording, its prompts, and a run whose overlays appear frame by frame."""

from __future__ import annotations

from pathlib import Path


def open_demo(recording: Path, prompts: Path) -> None:
    """Open napari with the dock, load the prompts, start a run, and return when the window is closed.

    Parameters
    ----------
    recording : Path
    prompts : Path
        A ``prompts.csv`` for it.
    """
    import napari

    viewer = napari.Viewer(title="SAM2Flow")
    viewer.window.resize(1500, 950)
    _, dock = viewer.window.add_plugin_dock_widget("sam2flow", "SAM2Flow")
    dock.bench.open(recording)
    dock.bench.load_prompts(prompts)
    dock.bench.runs.start()
    napari.run()
