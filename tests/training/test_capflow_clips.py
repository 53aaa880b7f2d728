"""Learning from a folder in the CapFlow layout."""

import dataclasses

import numpy as np
import pytest
from lumens import lumen_points
from skimage.io import imsave

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.errors import DataError
from sam2flow_core.synthetic import render_clip, sample_scene, write_capflow
from sam2flow_core.training.capflow_clips import CapFlowFolder, trace_lumens
from sam2flow_core.training.clips import ClipStream

STAGE = StageConfig(1.0, ((64, 1.0),), 1, False, 0.0, ("flow",), frames=4, scattered_pairs=3)


def still_scene(seed, **changes):
    settings = SceneSettings(plan=("single",), motion_probability=0.0, **changes)
    return sample_scene(np.random.default_rng([31, seed]), (64, 96), settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("capflow")
    for seed in (0, 1):
        scene = still_scene(seed, diameter_px=(14.0, 18.0), event_rate_hz=0.0)
        write_capflow(root, root / "raw", "train", f"video{seed}", scene, np.arange(12))
    return root


def test_clips_carry_the_stored_flow_into_the_window(folder):
    source = CapFlowFolder(folder, TRAINING["tiny"])
    clip = next(c for seed in range(20) if (c := source.cut(STAGE, 64, np.random.default_rng(seed))) is not None)
    assert clip.video.shape[1:] == (64, 64)
    assert clip.flow.shape == (4, len(clip.masks), 2, 64, 64)
    first = clip.flow[0].sum(0).numpy()
    picture = clip.video[clip.rows[0]].numpy()
    windows = (
        (video.frame(t)[:, left : left + 64], np.where(video.mask(), video.flow(t), 0)[:, :, left : left + 64])
        for video in (opened.video for opened in source.videos)
        for t in range(11)
        for left in range(33)
    )
    assert any(np.array_equal(picture, seen) and np.allclose(first, flow, atol=1e-6) for seen, flow in windows)
    inside = clip.masks.any(0)
    assert clip.flow[:, :, :, ~inside].abs().max() == 0
    assert clip.flow.abs().max() > 0
    assert clip.rows == tuple(range(clip.rows[0], clip.rows[0] + 4))


def test_the_stream_turns_and_alters_them(folder):
    clip = next(ClipStream(CapFlowFolder(folder, TRAINING["tiny"]), TRAINING["tiny"], STAGE, seed=1).batches(1))[0]
    assert clip.inputs.shape == (4, 3, 64, 64)
    assert clip.field.runs.shape == (16, 32, 32)
    assert clip.field.runs.max() > 0.5


def test_training_from_a_folder_by_command(folder, tmp_path, monkeypatch, capsys):
    config = dataclasses.replace(TRAINING["tiny"], stages=(STAGE,), clips_per_step=1, reuse=1)
    monkeypatch.setitem(TRAINING, "tiny", config)
    out = tmp_path / "better.safetensors"
    asked = ["train", "--data", str(folder), "--out", str(out), "--minutes", "0.02", "--device", "cpu"]
    assert status_of(asked) == 0
    assert status_of(["weights", str(out)]) == 0
    assert folder.name in capsys.readouterr().out


def test_a_folder_without_videos_is_refused(tmp_path):
    with pytest.raises(DataError, match="no CapFlow videos"):
        CapFlowFolder(tmp_path, TRAINING["tiny"])


def test_an_empty_mask_is_refused(tmp_path):
    scene = still_scene(0)
    write_capflow(tmp_path, tmp_path, "train", "v", scene, np.arange(4))
    mask = tmp_path / "train" / "mask" / "v.png"
    imsave(mask, np.zeros((64, 96), np.uint8), check_contrast=False)
    with pytest.raises(DataError, match="no vessel"):
        CapFlowFolder(tmp_path, TRAINING["tiny"])


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_lumens_are_traced_from_mask_and_flow(seed):
    """As the generator knows them: direction within a few degrees, radius within a px, sides not swapped."""
    settings = SceneSettings(plan=("single",), diameter_px=(14.0, 24.0), event_rate_hz=0.0)
    scene = sample_scene(np.random.default_rng([32, seed]), (96, 96), settings)
    clip = render_clip(scene, [0, 1], motion=False)
    found = trace_lumens(clip.masks[0].numpy(), clip.flow[0, 0].numpy())
    true = lumen_points(scene)
    known = {(r, c): k for k, (r, c) in enumerate(zip(true.row, true.column, strict=True))}
    both = [(k, known[at]) for k, at in enumerate(zip(found.row, found.column, strict=True)) if at in known]
    assert len(both) > 0.8 * len(true.row)
    mine, theirs = (list(rows) for rows in zip(*both, strict=True))
    apart = np.angle(np.exp(1j * (found.angle[mine] - true.angle[theirs])))
    assert np.median(np.abs(apart)) < 0.1
    assert np.median(np.abs(found.radius[mine] - true.radius[theirs])) < 1.0
    assert np.corrcoef(found.offset[mine], true.offset[theirs])[0, 1] > 0.9
