"""Videos of flowing blood with exact truth: scenes drawn at random and filmed.

What writes and reads recordings on disk loads on first use: training draws scenes where neither zarr nor pandas is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.bench import BenchCase, bench_obm, bench_v1, vitals_v1
from sam2flow_core.synthetic.clip import Clip, recorded_flow, render_clip, true_displacement, true_flow
from sam2flow_core.synthetic.film import cell_flux, film, film_long
from sam2flow_core.synthetic.scene import Scene, sample_scene
from sam2flow_core.synthetic.vessels import Vessel

if TYPE_CHECKING:
    from sam2flow_core.synthetic.case_files import (
        CapFlowVideo,
        StoredCase,
        StoredVessel,
        read_capflow,
        read_cases,
        write_capflow,
        write_cases,
    )

__all__ = [
    "BenchCase",
    "CapFlowVideo",
    "Clip",
    "Scene",
    "SceneSettings",
    "StoredCase",
    "StoredVessel",
    "Vessel",
    "bench_obm",
    "bench_v1",
    "cell_flux",
    "film",
    "film_long",
    "read_capflow",
    "read_cases",
    "recorded_flow",
    "render_clip",
    "sample_scene",
    "true_displacement",
    "true_flow",
    "vitals_v1",
    "write_capflow",
    "write_cases",
]

_ON_DISK = (
    "CapFlowVideo",
    "StoredCase",
    "StoredVessel",
    "read_capflow",
    "read_cases",
    "write_capflow",
    "write_cases",
)


def __getattr__(name: str) -> Any:
    if name in _ON_DISK:
        return getattr(import_module(f"{__name__}.case_files"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
