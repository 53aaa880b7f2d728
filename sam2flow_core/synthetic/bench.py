"""Recordings of fixed seeds: bench-v1 and bench-obm, that every method is measured on, and the bundled sample.

The seeds are frozen and lie in a namespace that training never draws from. Changing a scene, a seed or the order of
random draws in the generator changes the benchmark: `tests/synthetic/test_bench.py` holds fingerprints of all scenes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.random_draws import BENCHMARK, SAMPLE, stream
from sam2flow_core.synthetic.scene import Scene, sample_scene


@dataclass(frozen=True)
class BenchCase:
    """One recording of the benchmark.

    Attributes
    ----------
    name, about : str
    settings : SceneSettings
    seed : int
    size : tuple of int
        (H, W) px.
    length : int
        Recorded frames.
    faulty : float
        Share of frames that are lost or repeated.
    """

    name: str
    about: str
    settings: SceneSettings
    seed: int
    size: tuple[int, int] = (256, 256)
    length: int = 48
    faulty: float = 0.0

    def scene(self) -> Scene:
        """Return the scene; the same every time."""
        return sample_scene(stream(BENCHMARK, self.seed), self.size, self.settings)

    def frames(self) -> NDArray[np.int64]:
        """Return the scene's frame that each recorded frame shows: not even where frames were lost or repeated.

        Examples
        --------
        >>> bench_v1()[0].frames()[:3]
        array([0, 1, 2])
        """
        rng = stream(BENCHMARK, self.seed, 1)
        chance = rng.random(self.length - 1)
        advance = np.where(chance < self.faulty / 2, 0, np.where(chance < self.faulty, 2, 1))
        return np.concatenate([[0], np.cumsum(advance)]).astype(np.int64)


BASE = SceneSettings(
    pixel_size_um=(0.5, 0.65),
    frame_rate_hz=(160.0, 160.0),
    plan=("pair", "single", "branch"),
    diameter_px=(10.0, 26.0),
    speed_bins_px=((1.0, 5.0),),
    event_rate_hz=0.0,
    haematocrit=(0.25, 0.45),
    gaps=0.4,
    cell_scale=(0.9, 1.1),
    contrasts=(("relief", 1.0),),
    cell_contrast=(0.12, 0.25),
    texture=(0.02, 0.08),
    electrons=(5000.0, 12000.0),
    blur_um=(0.5, 0.8),
    exposure=(0.05, 0.25),
    jump_rate_hz=0.0,
    motion_probability=0.0,
)
MOVING = replace(
    BASE,
    motion_probability=1.0,
    drift_um_s=(5.0, 20.0),
    breathing_um=(4.0, 10.0),
    heartbeat_um=(0.5, 2.0),
    jump_rate_hz=3.0,
    duration_s=2.0,
)


def bench_v1() -> tuple[BenchCase, ...]:
    """Return the recordings of bench-v1.

    Examples
    --------
    >>> case = bench_v1()[0]
    >>> case.size, case.length
    ((256, 256), 48)
    """
    return (
        BenchCase("slow", "0.2 to 1 px per frame", replace(BASE, speed_bins_px=((0.2, 1.0),)), 120),
        BenchCase("medium", "1 to 5 px per frame", BASE, 102),
        BenchCase("fast", "5 to 12 px per frame", replace(BASE, speed_bins_px=((5.0, 12.0),)), 103),
        BenchCase(
            "near-aliasing", "about half a cell spacing per frame", replace(BASE, speed_bins_px=((6.0, 9.0),)), 104
        ),
        BenchCase("past-aliasing", "15 to 28 px per frame", replace(BASE, speed_bins_px=((15.0, 28.0),)), 105),
        BenchCase(
            "thin", "capillaries of 5 to 8 px", replace(BASE, diameter_px=(5.0, 8.0), diameter_um=(3.0, 5.0)), 106
        ),
        BenchCase(
            "venule",
            "two vessels of 40 to 60 px that cross",
            replace(BASE, plan=("single", "single"), diameter_px=(40.0, 60.0), speed_bins_px=((0.5, 8.0),)),
            107,
        ),
        BenchCase("low-contrast", "cells of 3 to 5 %", replace(BASE, cell_contrast=(0.03, 0.05)), 108),
        BenchCase("defocus", "blur of 1.5 to 2 um", replace(BASE, blur_um=(1.5, 2.0)), 109),
        BenchCase("motion", "drift, breathing, heartbeat and jumps", MOVING, 110),
        BenchCase("dropouts", "one frame in six lost or repeated", BASE, 111, faulty=1 / 6),
        BenchCase(
            "stops",
            "stops and reversals, 60 frames/s",
            replace(
                BASE, frame_rate_hz=(60.0, 60.0), duration_s=1.0, event_rate_hz=2.0, plan=("single", "single", "single")
            ),
            131,
        ),
        BenchCase("crossings", "four vessels that cross", replace(BASE, plan=("single",) * 4), 113),
        BenchCase("network", "a branch, a loop and a hairpin", replace(BASE, plan=("branch", "loop", "hairpin")), 114),
        BenchCase(
            "absorption",
            "absorption contrast",
            replace(BASE, contrasts=(("absorption", 1.0),), speed_bins_px=((0.5, 10.0),)),
            115,
        ),
        BenchCase(
            "dark-cells",
            "plasma labelled, few photons",
            replace(BASE, contrasts=(("dark_cells", 1.0),), electrons=(1500.0, 3000.0), speed_bins_px=((0.5, 6.0),)),
            116,
        ),
        BenchCase(
            "bright-cells",
            "some cells labelled",
            replace(BASE, contrasts=(("bright_cells", 1.0),), electrons=(3000.0, 6000.0), speed_bins_px=((0.5, 10.0),)),
            117,
        ),
        BenchCase(
            "long",
            "600 frames with heartbeat, motion, stops and lost frames",
            replace(MOVING, plan=("pair",), duration_s=6.0, event_rate_hz=0.4, jump_rate_hz=0.3, drift_um_s=(0.0, 3.0)),
            118,
            size=(128, 128),
            length=600,
            faulty=0.02,
        ),
    )


TEN_SECONDS = replace(BASE, frame_rate_hz=(60.0, 60.0), duration_s=11.0)


def vitals_v1() -> tuple[BenchCase, ...]:
    """Return recordings of ten seconds on which heartbeat and cells are counted; they belong to bench-v1."""
    return (
        BenchCase(
            "heartbeat",
            "10 s of two pairs of neighbours, 60 frames/s",
            replace(TEN_SECONDS, plan=("pair", "pair"), diameter_px=(8.0, 16.0)),
            201,
            size=(128, 128),
            length=600,
        ),
        BenchCase(
            "single-file",
            "10 s of capillaries whose cells pass one by one, 60 frames/s",
            replace(
                TEN_SECONDS,
                plan=("single",) * 4,
                diameter_px=(6.0, 9.0),
                diameter_um=(3.0, 6.0),
                haematocrit=(0.08, 0.18),
                gaps=0.0,
                pulsatility=(0.2, 0.4),
            ),
            202,
            size=(128, 128),
            length=600,
        ),
    )


OBM = replace(
    BASE,
    pixel_size_um=(0.2, 0.3),
    frame_rate_hz=(100.0, 240.0),
    plan=("single", "branch"),
    diameter_px=(30.0, 130.0),
    diameter_um=(5.0, 40.0),
    widest=0.5,
    speed_bins_px=((5.0, 15.0),),
)
"""Scenes as oblique back-illumination microscopes see them: cells of 25 to 40 px in relief."""


def bench_obm() -> tuple[BenchCase, ...]:
    """Return the recordings of bench-obm, at the magnification of oblique back-illumination microscopes."""
    large, length = (384, 384), 40
    moving = replace(
        OBM,
        motion_probability=1.0,
        drift_um_s=(5.0, 20.0),
        breathing_um=(2.0, 6.0),
        heartbeat_um=(0.2, 1.0),
        duration_s=8.0,
    )
    return (
        BenchCase(
            "obm-slow", "1 to 5 px per frame", replace(OBM, speed_bins_px=((1.0, 5.0),)), 301, size=large, length=length
        ),
        BenchCase("obm-medium", "5 to 15 px per frame", OBM, 302, size=large, length=length),
        BenchCase(
            "obm-fast",
            "15 to 28 px per frame",
            replace(OBM, speed_bins_px=((15.0, 28.0),)),
            303,
            size=large,
            length=length,
        ),
        BenchCase(
            "obm-fastest",
            "28 to 40 px per frame",
            replace(OBM, speed_bins_px=((28.0, 40.0),)),
            304,
            size=large,
            length=length,
        ),
        BenchCase(
            "obm-wide",
            "a vessel of 120 to 200 px",
            replace(OBM, plan=("single",), diameter_px=(120.0, 200.0), widest=0.6, speed_bins_px=((2.0, 20.0),)),
            305,
            size=large,
            length=length,
        ),
        BenchCase(
            "obm-thin",
            "capillaries of 20 to 40 px",
            replace(
                OBM,
                plan=("single",) * 3,
                diameter_px=(20.0, 40.0),
                diameter_um=(4.0, 9.0),
                speed_bins_px=((2.0, 20.0),),
            ),
            306,
            size=large,
            length=length,
        ),
        BenchCase(
            "obm-low-contrast",
            "cells of 3 to 5 %",
            replace(OBM, cell_contrast=(0.03, 0.05)),
            307,
            size=large,
            length=length,
        ),
        BenchCase("obm-motion", "drift, breathing and heartbeat", moving, 308, size=large, length=length),
        BenchCase(
            "obm-long",
            "600 frames with heartbeat, motion and lost frames",
            replace(moving, plan=("pair",), diameter_px=(25.0, 60.0), drift_um_s=(0.0, 3.0)),
            309,
            size=(256, 256),
            length=600,
            faulty=0.02,
        ),
    )


SAMPLE_SIZE = (256, 256)
SAMPLE_FRAMES = 180
SAMPLE_SEED = 39
_SAMPLE_SETTINGS = SceneSettings(
    pixel_size_um=(0.6, 0.6),
    frame_rate_hz=(160.0, 160.0),
    plan=("pair", "single", "branch"),
    diameter_px=(12.0, 24.0),
    speed_bins_px=((1.0, 3.0), (2.0, 6.0)),
    heart_rate_hz=(1.6, 1.7),
    pulsatility=(0.6, 0.9),
    event_rate_hz=0.0,
    haematocrit=(0.3, 0.45),
    gaps=0.15,
    cell_scale=(1.0, 1.0),
    contrasts=(("relief", 1.0),),
    cell_contrast=(0.2, 0.25),
    texture=(0.03, 0.05),
    electrons=(12000.0, 12000.0),
    read_noise=(3.0, 3.0),
    blur_um=(0.6, 0.7),
    exposure=(0.2, 0.3),
    drift_um_s=(0.0, 3.0),
    breathing_um=(2.0, 3.0),
    heartbeat_um=(0.2, 0.6),
    jump_rate_hz=0.0,
    motion_probability=1.0,
)


def sample_recording() -> Scene:
    """Return the scene of the bundled sample."""
    return sample_scene(stream(SAMPLE, SAMPLE_SEED), SAMPLE_SIZE, _SAMPLE_SETTINGS)
