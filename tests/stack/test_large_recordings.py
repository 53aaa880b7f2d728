"""Recordings larger than memory: opened at once, read in little memory."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from sam2flow_core.stack import open_stack

resource = pytest.importorskip("resource", reason="memory is measured on Unix only")
FRAMES, SIDE = 16400, 512  # 8 bit: just over 4 GiB
PROBE = """
import resource, sys, time
from pathlib import Path
from sam2flow_core.stack import open_stack
start = time.perf_counter()
stack = open_stack(sys.argv[1])
opened = time.perf_counter() - start
# Of this program alone: what `getrusage` tells begins with the size of the process that started it.
status = Path("/proc/self/status")
def peak():
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(row.split()[1]) for row in status.read_text().splitlines() if row.startswith("VmHWM")) / 1024
for t in range(0, 200):
    stack.frame(t)
before = peak()
for t in range(0, len(stack), 5):
    stack.frame(t)
print(opened, before, peak())
"""


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["contiguous", "own headers"])
def test_four_gigabytes(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "large.tif"
    block = np.random.default_rng(0).integers(0, 255, (41, SIDE, SIDE), dtype=np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for _ in range(FRAMES // len(block)):
            if layout == "contiguous":
                writer.write(block, contiguous=True, photometric="minisblack")
            else:
                for frame in block:
                    writer.write(frame, contiguous=False, metadata=None)
    assert path.stat().st_size > 2**32
    done = subprocess.run([sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, check=True)
    opened, before, after = map(float, done.stdout.split())
    print(f"{layout}: opened in {opened:.2f} s; {before:.0f} MB after 200 frames, {after:.0f} MB after all")
    assert opened < 1
    assert after - before < 30
    assert after < 400
    with open_stack(path) as stack:
        np.testing.assert_array_equal(stack.frame(FRAMES - 1), block[-1])


def test_reading_frames_keeps_memory_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    block = np.random.default_rng(0).integers(0, 255, (50, 256, 256), dtype=np.uint16)
    with tifffile.TiffWriter(path) as writer:
        for _ in range(12):
            writer.write(block, contiguous=True, photometric="minisblack")
    with open_stack(path) as stack:
        for t in range(100):
            stack.frame(t)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for t in range(len(stack)):
            stack.frame(t)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB, of 79 MB in the file


def test_many_pages_open_quickly(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    frames = np.random.default_rng(0).integers(0, 255, (100, 32, 32), dtype=np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for t in range(5000):
            writer.write(frames[t % 100], contiguous=False, metadata=None)
    start = time.perf_counter()
    with open_stack(path) as stack:
        assert len(stack) == 5000
    assert time.perf_counter() - start < 2
