"""One annotated frame carried to all others."""

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from sam2flow_core.cli.main import status_of
from sam2flow_core.engine.propagation import PropagationRequest, propagate

FRAMES = 12


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    """Tissue that drifts by a px a frame along x, and two labels in frame 5."""
    folder = tmp_path_factory.mktemp("drifting")
    scene = gaussian_filter(np.random.default_rng(0).normal(0, 1, (96, 160)), 2.0)
    scene = 120 + 40 * scene / scene.std()
    frames = np.stack([scene[:, 20 - t : 148 - t] for t in range(FRAMES)])
    tifffile.imwrite(folder / "stack.tif", frames.clip(0, 255).astype(np.uint8), metadata={"axes": "TYX"})
    labels = np.zeros((96, 128), np.uint8)
    labels[30:40, 30:90], labels[60:80, 50:60] = 3, 7
    tifffile.imwrite(folder / "mask.tif", labels)
    return folder, labels


def command(folder, out, *more, mask="mask.tif", frame="5"):
    return [
        "propagate",
        str(folder / "stack.tif"),
        "--mask",
        str(folder / mask),
        "--frame",
        frame,
        "--out",
        str(out),
        *more,
    ]


def test_labels_follow_the_tissue_both_ways(drifting, model, tmp_path, capsys):
    folder, labels = drifting
    out = tmp_path / "masks.tif"
    assert status_of(command(folder, out, *model)) == 0
    assert "2 labels in 12 frames" in capsys.readouterr().out
    found = tifffile.imread(out)
    assert found.shape == (FRAMES, 96, 128) and found.dtype == np.uint16
    assert np.array_equal(found[5], labels)
    for t in range(FRAMES):
        truth = np.roll(labels, t - 5, 1)
        for label in (3, 7):
            both, either = (found[t] == label) & (truth == label), (found[t] == label) | (truth == label)
            assert both.sum() / either.sum() > 0.75, (t, label)
    assert not (found[0] == labels).all(), "nothing moved"


def test_what_cannot_be_carried_is_one_line_and_status_2(drifting, model, tmp_path, capsys):
    folder, labels = drifting
    tifffile.imwrite(folder / "small.tif", labels[:50])
    tifffile.imwrite(folder / "empty.tif", labels * 0)
    tifffile.imwrite(folder / "grey.tif", labels.astype(np.float32) / 2)
    (folder / "text.tif").write_text("no image")
    # All frames in one file: the first was taken for the one that --frame names.
    tifffile.imwrite(folder / "pages.tif", np.stack([labels * (t == 5) + labels * (t == 0) for t in range(FRAMES)]))
    tifffile.imwrite(folder / "imagej.tif", np.stack([labels] * FRAMES), imagej=True)
    out = tmp_path / "masks.tif"
    for given, words in (
        ({"mask": "small.tif"}, "50 x 128 px, a frame of the recording 96 x 128"),
        ({"mask": "empty.tif"}, "nothing is marked"),
        ({"mask": "grey.tif"}, "whole numbers"),
        ({"mask": "text.tif"}, "cannot be read as a TIFF image"),
        ({"mask": "none.tif"}, "no such file"),
        ({"mask": "pages.tif"}, "more than one image"),
        ({"mask": "imagej.tif"}, "more than one image"),
        ({"frame": "12"}, "outside the recording (0 to 11)"),
    ):
        assert status_of(command(folder, out, *model, **given)) == 2
        err = capsys.readouterr().err.splitlines()
        assert len(err) == 1 and words in err[0], err
        assert not list(tmp_path.iterdir())
    out.write_text("precious")
    assert status_of(command(folder, out, *model)) == 2
    assert "is there already" in capsys.readouterr().err and out.read_text() == "precious"


def test_carrying_that_is_stopped_leaves_no_file(drifting, model, tmp_path):
    folder, labels = drifting
    steps = propagate(
        PropagationRequest(folder / "stack.tif", labels.astype(np.uint16), 5, tmp_path / "masks.tif", model[1], "cpu")
    )
    assert next(steps) == 1
    steps.close()
    assert not list(tmp_path.iterdir())
