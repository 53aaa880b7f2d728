"""The bundled sample recording."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sam2flow_core.errors import StackError
from sam2flow_napari.files.readers import LayerData, read_stack

RESOURCES = "sam2flow_resources"


def sample_path() -> Path:
    """Return the sample recording's path.

    Raises
    ------
    StackError
        If this installation lacks it.
    """
    try:
        path = Path(str(files(RESOURCES) / "sample.tif"))
    except ModuleNotFoundError:
        path = Path("sample.tif")
    if not path.is_file():
        raise StackError("the sample recording is missing from this installation: reinstall sam2flow")
    return path


def open_sample() -> list[LayerData]:
    """Open the sample through File > Open Sample."""
    return read_stack(str(sample_path()))
