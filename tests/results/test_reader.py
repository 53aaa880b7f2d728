"""Frames on disk, read chunk by chunk."""

import numpy as np
import pytest
import zarr

from sam2flow_core.results.reader import StoredFrames, take_pixels

START, STOP = 3, 95


@pytest.fixture
def both(tmp_path):
    whole = np.random.default_rng(0).normal(size=(100, 2, 6, 5)).astype(np.float16)
    array = zarr.create_array(tmp_path / "flow", shape=whole.shape, chunks=(16, 2, 6, 5), dtype="float16")
    array[:] = whole
    return StoredFrames(array, np.arange(START, STOP), np.float32), whole[START:STOP].astype(np.float32)


@pytest.mark.parametrize(
    "steps", [slice(None), slice(10, 40), slice(0, 92, 7), np.array([0, 5, 6, 70, 3, 2, 91]), slice(4, 4)]
)
def test_frames_of_any_steps_are_those_of_the_array(both, steps):
    stored, whole = both
    assert np.array_equal(stored[steps], whole[steps])
    assert stored[steps].dtype == np.float32


def test_pixels_are_the_same_from_disk_and_from_memory(both):
    stored, whole = both
    index, steps = np.array([0, 7, 29]), np.array([1, 2, 50])
    found = take_pixels(stored, steps, index)
    assert found.shape == (3, 2, 3)
    assert np.array_equal(found, take_pixels(whole, steps, index))
    assert np.array_equal(found[2, 1], whole[50, 1].ravel()[index])


def test_chunks_that_follow_each_other_are_asked_for_together_as_far_as_they_are_small(both, monkeypatch):
    stored, whole = both
    asked = []
    read = stored._stored
    monkeypatch.setattr(stored, "_stored", lambda key: asked.append(key) or read(key))
    assert np.array_equal(stored[slice(0, 92, 7)], whole[slice(0, 92, 7)])
    assert len(asked) == 1
    monkeypatch.setattr("sam2flow_core.results.reader._BYTES_AT_ONCE", 2 * 16 * 2 * 6 * 5 * 2)
    assert np.array_equal(stored[slice(0, 92, 7)], whole[slice(0, 92, 7)])
    assert [key.stop - key.start <= 32 for key in asked[1:]] == [True] * 3
