"""Masks of everything: equal sets beside SAM 2's generator."""

import numpy as np
import pytest
import torch
from sam2_models import OneSize
from test_image_predictor import SIZE, picture

from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.errors import PromptError
from sam2flow_core.inference.automatic_masks import SAM2AutomaticMaskGenerator

EVERYTHING = {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "stability_score_offset": 0.02}
FEW = {"points_per_side": 4, "points_per_batch": 7}
TINY_PICTURE = (30, 36)
"""So small that no box counts as cut off by a crop: masks of random weights reach from side to side."""

# The sizes differ in the image encoder only, which `test_image_predictor` compares.
pytestmark = pytest.mark.parametrize(
    "pair", ["small", *(pytest.param(p, marks=pytest.mark.slow) for p in ("medium", "base", "large"))],
    indirect=True, scope="module",
)  # fmt: skip


def both(pair, size=(97, 161), **options):
    """Records of the official generator and of ours, made with the same options."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator as Official

    theirs = Official(pair.official, **options)
    theirs.predictor = OneSize.official(pair.official, SIZE)
    ours = SAM2AutomaticMaskGenerator(pair.ours, settings=Sam2Settings(image_size=SIZE, steady_masks=False), **options)
    shown = picture(*size).copy()
    return theirs.generate(shown), ours.generate(shown)


def same(theirs, ours):
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        assert a.keys() == b.keys()
        if isinstance(a["segmentation"], np.ndarray):
            assert (a["segmentation"] == b["segmentation"]).all()
            assert a["area"] == b["area"] == b["segmentation"].sum()
        else:
            assert a["segmentation"] == b["segmentation"]
        for name in ("bbox", "crop_box", "area"):
            assert a[name] == b[name]
        assert np.allclose(a["point_coords"], b["point_coords"], atol=1e-4)
        assert abs(a["predicted_iou"] - b["predicted_iou"]) < 1e-4
        assert abs(a["stability_score"] - b["stability_score"]) < 1e-4


@pytest.fixture(scope="module")
def thresholds(pair):
    """Numbers by which some of the masks of random weights stay and some go."""
    found, _ = both(pair, **FEW, **EVERYTHING, box_nms_thresh=1.1)
    assert len(found) == 48
    iou, steady = (np.array([r[name] for r in found]) for name in ("predicted_iou", "stability_score"))
    # In a gap between two values, so that rounding decides nothing.
    return {
        "pred_iou_thresh": _gap(iou, 0.3),
        "stability_score_thresh": _gap(steady[np.isfinite(steady)], 0.2),
        "stability_score_offset": 0.02,
    }


def _gap(values, share):
    ordered = np.sort(values)
    places = np.arange(int(len(ordered) * share), int(len(ordered) * (share + 0.3)))
    widest = places[np.argmax(np.diff(ordered)[places])]
    return float(ordered[widest : widest + 2].mean())


@pytest.mark.parametrize("thresh", [0.7, 0.95])
def test_the_same_masks_stay(pair, thresholds, thresh):
    theirs, ours = both(pair, **FEW, **thresholds, box_nms_thresh=thresh)
    assert 0 < len(theirs) < 48
    same(theirs, ours)


def test_crops_and_thinner_grids(pair, thresholds):
    more = {"crop_n_layers": 1, "crop_n_points_downscale_factor": 2, "crop_nms_thresh": 0.9, "box_nms_thresh": 0.9}
    theirs, ours = both(pair, TINY_PICTURE, **FEW, **{**thresholds, "stability_score_thresh": 0.3}, **more)
    assert len({tuple(r["crop_box"]) for r in theirs}) > 1, "no crop has a mask of its own"
    same(theirs, ours)


def test_other_options(pair, thresholds):
    grids = {"points_per_side": None, "point_grids": [np.array([[0.2, 0.3], [0.7, 0.6]])]}
    for options in (
        {**grids, **EVERYTHING, "output_mode": "uncompressed_rle"},
        {**grids, **EVERYTHING, "output_mode": "coco_rle"},
        {**FEW, **EVERYTHING, "use_m2m": True, "box_nms_thresh": 0.95},
        {**FEW, **EVERYTHING, "multimask_output": False, "mask_threshold": 0.05},
    ):
        theirs, ours = both(pair, **options)
        assert theirs
        same(theirs, ours)


def test_no_mask_is_good_enough(pair):
    ours = SAM2AutomaticMaskGenerator(pair.ours, **FEW, pred_iou_thresh=1.0, settings=Sam2Settings(image_size=SIZE))
    assert ours.generate(picture()) == []


def test_options_that_contradict_each_other(pair):
    for wrong in ({"points_per_side": None}, {"point_grids": [np.zeros((1, 2))]}, {"output_mode": "png"}):
        with pytest.raises(PromptError):
            SAM2AutomaticMaskGenerator(pair.ours, **wrong)


@pytest.mark.slow
def test_at_the_size_that_weights_are_trained_for(pair, monkeypatch):
    """1024 px, a larger grid; random weights of each size."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator as Official

    # The pair was built for pictures of another size, which is written down in three places.
    encoder = pair.official.sam_prompt_encoder
    monkeypatch.setattr(pair.official, "image_size", 1024)
    monkeypatch.setattr(encoder, "input_image_size", (1024, 1024))
    monkeypatch.setattr(encoder, "image_embedding_size", (64, 64))
    options = {"points_per_side": 4, **EVERYTHING, "box_nms_thresh": 1.1}
    shown = picture(150, 200).copy()
    with torch.no_grad():
        theirs = Official(pair.official, **options).generate(shown)
    assert len(theirs) > 3
    ours = SAM2AutomaticMaskGenerator(pair.ours, settings=Sam2Settings(steady_masks=False), **options)
    same(theirs, ours.generate(shown))
