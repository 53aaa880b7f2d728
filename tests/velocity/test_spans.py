"""Recordings longer than what is held in memory at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from sam2flow_core.config.velocity import KymographSettings, SeriesSettings
from sam2flow_core.velocity import measure_vessel
from sam2flow_core.velocity.pulse import spectrum
from sam2flow_core.velocity.spans import spans

from .vessels import Calibrated, make_scene

FRAMES = 5000
SETTINGS = KymographSettings()
LENGTH, OVERLAP = SETTINGS.span_frames, SETTINGS.span_overlap


class OnDisk:
    """An array that remembers how many frames were asked of it at once."""

    def __init__(self, array):
        self.array, self.shape, self.most = array, array.shape, 0

    def __getitem__(self, key):
        found = self.array[key]
        self.most = max(self.most, len(found))
        return found


@pytest.mark.parametrize("frames", [2, 60, LENGTH, LENGTH + 1, 3 * LENGTH, 20_000])
def test_spans_answer_for_every_step_once_and_never_at_their_edge(frames):
    parts = spans(frames, SETTINGS)
    answered = np.concatenate([np.arange(p.own_first, p.own_last) for p in parts])
    np.testing.assert_array_equal(answered, np.arange(frames))
    assert all(p.last - p.first <= LENGTH for p in parts)
    assert len(parts) == 1 or min(p.own_first - p.first for p in parts[1:]) == OVERLAP // 2
    assert (len(parts) == 1) == (frames <= LENGTH)


@pytest.fixture(scope="module")
def measured():
    truth = 3 * (1 + 0.3 * np.sin(2 * np.pi * 1.2 * np.arange(FRAMES - 1) / 100))
    scene = make_scene(truth, shape=(28, 80), radius=6)
    on_disk = {name: OnDisk(getattr(scene.track, name)) for name in ("mask", "flow", "scale")}
    return truth, on_disk, measure_vessel(replace(scene.track, **on_disk), scene.images, Calibrated())


def test_masks_and_flow_are_read_a_few_frames_at_a_time(measured):
    _, on_disk, _ = measured
    assert all(0 < array.most <= 192 for array in on_disk.values())


def test_the_diagram_has_no_seams(measured):
    truth, _, vessel = measured
    read = vessel.kymograph_velocity
    assert vessel.kymograph.shape[0] == FRAMES and np.isnan(read[-1]) and np.isfinite(read[:-1]).all()
    # As good where two spans meet as anywhere else.
    error = np.abs(read[:-1] - truth)
    seams = [part.own_first for part in spans(FRAMES, SETTINGS)[1:]]
    assert len(seams) == 2
    assert max(error[seam - 20 : seam + 20].mean() for seam in seams) < 1.5 * error.mean() + 0.05
    assert np.corrcoef(read[:-1], truth)[0, 1] > 0.95
    assert vessel.grade == "good" and vessel.spectrum.pulse_hz == pytest.approx(1.2, abs=0.02)


def test_focus_is_judged_against_the_whole_recording(measured):
    from scipy.ndimage import gaussian_filter

    truth, _, _ = measured
    scene = make_scene(truth, shape=(28, 80), radius=6)
    blurred = lambda t: gaussian_filter(scene.video[t], 5) if t > 3400 else scene.video[t]  # noqa: E731
    vessel = measure_vessel(scene.track, blurred, Calibrated())
    late = ["OUT_OF_FOCUS" in flags for flags in vessel.per_frame.flags]
    # The last span lies in the blur as a whole; against itself alone it would pass.
    assert np.mean(late[3500:]) > 0.9 and np.mean(late[:3300]) < 0.05


def test_the_pulse_of_a_long_recording_is_found_in_bounded_memory():
    time = np.arange(6000) / 160
    velocity = 3 + np.sin(2 * np.pi * 1.3 * time)
    tracemalloc.start()
    found = spectrum(velocity, 160.0, SeriesSettings())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.pulse_hz == pytest.approx(1.3, abs=0.01)
    assert peak < 2e8
