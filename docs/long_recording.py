"""Measure a long recording end to end: ``python docs/long_recording.py`` (20 000 frames, some 20 minutes).

Films five seconds of a synthetic scene, shows them again and again in one BigTIFF in a temporary folder, runs
``sam2flow run`` on it as a user would, and watches that process from outside: frames per second, and its memory as
the frames go by and while the vessels are measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import tifffile

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.prompts import write_prompts
from sam2flow_core.results import SUMMARY, read_marker
from sam2flow_core.spreadsheets import read_csv
from sam2flow_core.synthetic import Scene, film_long, sample_scene

RATE_HZ = 160.0
FILMED = 800
CLICKS = 3
EVERY_S = 0.5
MEGABYTE = 1e6


@dataclass
class Watch:
    """What was seen of a run from outside.

    Attributes
    ----------
    marks : list of (int, float, float)
        Frames done, seconds since the start, and resident memory in MB, as time goes by.
    peak_mb : float
        Largest memory of the whole run.
    """

    marks: list[tuple[int, float, float]] = field(default_factory=list)
    peak_mb: float = 0.0

    def largest_until(self, frames: int) -> float:
        """Return the largest memory in MB while up to a number of frames were answered."""
        return max(mb for done, _, mb in self.marks if done <= frames)

    def frames_per_second(self) -> float:
        """Return the pace from the first written frames to the last ones."""
        first, last = next(m for m in self.marks if m[0] > 0), self.marks[-1]
        return (last[0] - first[0]) / (last[1] - first[1])


def scene_of(size: int) -> Scene:
    """Two neighbours with a heartbeat, in tissue that feels it."""
    settings = SceneSettings(
        pixel_size_um=(0.6, 0.6),
        frame_rate_hz=(RATE_HZ, RATE_HZ),
        duration_s=FILMED / RATE_HZ + 1,
        plan=("pair",),
        diameter_px=(8.0, 14.0),
        speed_bins_px=((1.0, 5.0),),
        event_rate_hz=0.0,
        contrasts=(("relief", 1.0),),
        cell_contrast=(0.15, 0.25),
        electrons=(10_000.0, 10_000.0),
        blur_um=(0.6, 0.7),
        drift_um_s=(0.0, 0.0),
        breathing_um=(0.0, 0.0),
        heartbeat_um=(0.2, 0.6),
        jump_rate_hz=0.0,
        motion_probability=1.0,
    )
    return sample_scene(np.random.default_rng([2024, size]), (size, size), settings)


def write_recording(path: Path, scene: Scene, frames: int) -> None:
    """Write 8-bit frames as a BigTIFF."""
    film = np.rint(255 * np.concatenate(list(film_long(scene, np.arange(min(FILMED, frames)))))).astype(np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for first in range(0, frames, FILMED):
            writer.write(film[: frames - first], contiguous=True, photometric="minisblack")


def watch(process: subprocess.Popen[bytes], out: Path) -> Watch:
    """Sample a run's memory until it ends."""
    seen, began = Watch(), time.monotonic()
    outside = psutil.Process(process.pid)
    done = 0
    while process.poll() is None:
        megabytes = outside.memory_info().rss / MEGABYTE
        marker = read_marker(out)
        done = marker.frames_done if marker else done
        seen.peak_mb = max(seen.peak_mb, megabytes)
        seen.marks.append((done, time.monotonic() - began, megabytes))
        time.sleep(EVERY_S)
    if process.returncode:
        raise SystemExit(f"the run ended with status {process.returncode}")
    return seen


def report(size: int, seen: Watch, vessels: int, stored: int) -> None:
    """Print what was seen."""
    frames, minutes = seen.marks[-1][0], seen.marks[-1][1] / 60
    early, late = seen.largest_until(1000), seen.largest_until(frames - 1)
    print(f"{frames} frames of {size} x {size} px, {vessels} vessels: {minutes:.0f} min, ", end="")
    print(f"{seen.frames_per_second():.1f} frames/s, results of {stored / MEGABYTE:.0f} MB")
    print(
        f"memory: {early:.0f} MB after 1000 frames, {late:.0f} MB after all, grown by {late - early:.0f} MB; ", end=""
    )
    print(f"{seen.peak_mb:.0f} MB at most, while the vessels are measured")


def main() -> None:
    """Film, run, watch, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=64, help="side of the frames, px")
    parser.add_argument("--folder", type=Path, help="keep recording and results here")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        stack, prompts, out = (folder / name for name in ("long.tif", "prompts.csv", "out"))
        scene = scene_of(options.size)
        write_recording(stack, scene, options.frames)
        write_prompts(prompts, scene.sample_prompts(np.random.default_rng(1), CLICKS, 0))
        command = [sys.executable, "-m", "sam2flow_core", "run", str(stack), "--prompts", str(prompts)]
        calibration = ["--pixel-size-um", str(scene.pixel_size_um), "--frame-rate-hz", str(scene.frame_rate_hz)]
        seen = watch(subprocess.Popen([*command, "--out", str(out), *calibration]), out)
        summary = read_csv(out / SUMMARY)
        report(options.size, seen, len(summary), sum(f.stat().st_size for f in out.rglob("*")))


if __name__ == "__main__":
    main()
