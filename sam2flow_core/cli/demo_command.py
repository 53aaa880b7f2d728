"""``sam2flow demo``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click


@click.command()
@click.option("--headless", is_flag=True, help="Write files, also where there is a screen.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the files, without a screen; a new one in demo-out by default.",
)
def demo(headless: bool, out: Path | None) -> int:
    """Measure the bundled recording: in a napari window, or as files where there is no screen."""
    from sam2flow_core.engine.demo import sample_files, sample_folder

    window = None if headless else _window()
    if window is not None:
        window(*sample_files())
        return 0
    return _write_files(out or sample_folder(Path("demo-out")))


def _window() -> Callable[[Path, Path], None] | None:
    """Return the plugin's demo window; the core itself knows no napari, so the plugin offers it as an entry point."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    if not _is_installed("napari"):
        click.echo("note: for the window install napari too: pip install 'sam2flow[gui]'", err=True)
        return None
    return next((offer.load() for offer in entry_points(group="sam2flow.window", name="demo")), None)


def _is_installed(package: str) -> bool:
    # Not imported: that takes seconds, and the window does it.
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _write_files(out: Path) -> int:
    from sam2flow_core.cli.show import show_run
    from sam2flow_core.engine.demo import sample_request, write_pictures
    from sam2flow_core.stack import open_stack

    request = sample_request(out)
    status = show_run(request)
    if status == 0:
        with open_stack(request.stack) as stack:
            pictures = write_pictures(out, stack)
        click.echo(f"pictures: {', '.join(path.name for path in pictures)}")
    return status
