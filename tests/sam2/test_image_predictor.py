"""Single pictures: the same script for SAM 2's image predictor and ours, the same masks, IoU and logits."""

import numpy as np
import pytest
import torch
from PIL import Image
from sam2_models import OneSize

from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.errors import ModelError, PromptError
from sam2flow_core.inference.image_predictor import SAM2ImagePredictor, _small
from sam2flow_core.inference.weights import load_model

SIZE = 128
CLICK = {"point_coords": np.array([[60.5, 31.0]]), "point_labels": np.array([1])}
SEVERAL = {"point_coords": np.array([[[60, 31]], [[20, 70]], [[150, 5]]]), "point_labels": np.ones((3, 1))}
BOX = np.array([20, 10, 140, 80])
PROMPTS = {
    "click": CLICK,
    "clicks": {"point_coords": np.array([[60.5, 31.0], [10, 90]]), "point_labels": np.array([1, 0])},
    "box": {"box": BOX},
    "box and click": {**CLICK, "box": BOX},
    "boxes": {"box": np.array([[20, 10, 140, 80], [0, 0, 30, 30]])},
    "three objects": SEVERAL,
    "three objects with boxes": {**SEVERAL, "box": np.array([[20, 10, 140, 80], [0, 0, 30, 90], [100, 0, 160, 30]])},
    "nothing": {},
    "in shares": {"point_coords": np.array([[0.4, 0.7]]), "point_labels": np.array([1]), "normalize_coords": False},
}


def picture(height=97, width=161, seed=0):
    """A coloured picture of no square shape."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def predictors(pair):
    # The pair was built without the choice by steadiness, which SAM 2 makes by default.
    pair.official.sam_mask_decoder.dynamic_multimask_via_stability = True
    theirs = OneSize.official(pair.official, SIZE)
    yield SAM2ImagePredictor(pair.ours, settings=Sam2Settings(image_size=SIZE)), theirs
    pair.official.sam_mask_decoder.dynamic_multimask_via_stability = False


def agree(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape and mine.dtype == other.dtype
        assert np.abs(mine - other).max() < 1e-4


@pytest.mark.parametrize("several", [True, False], ids=["three masks", "one mask"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompts_of_every_kind(predictors, prompt, several):
    ours, theirs = predictors
    for predictor in predictors:
        predictor.set_image(picture())
    answers = [p.predict(**PROMPTS[prompt], multimask_output=several, return_logits=True) for p in (ours, theirs)]
    assert answers[1][0].std() > 1e-3, "nothing to compare"
    agree(*answers)
    masks = ours.predict(**PROMPTS[prompt], multimask_output=several)[0]
    assert masks.shape[-2:] == (97, 161) and set(np.unique(masks)) <= {0.0, 1.0}
    assert ((answers[0][0] > 0) == masks).all()


def test_logits_are_given_back_as_a_prompt(predictors):
    said = []
    for predictor in predictors:
        predictor.set_image(Image.fromarray(picture()))
        _, scores, logits = predictor.predict(**CLICK)
        best = logits[np.argmax(scores), None]
        again = predictor.predict(**CLICK, mask_input=best, multimask_output=False, return_logits=True)
        alone = predictor.predict(mask_input=best, multimask_output=False, return_logits=True)
        said.append([*again, *alone])
    agree(*said)
    assert np.abs(said[0][0] - said[0][3]).max() > 1e-3, "the click changes nothing"


def test_batch_of_pictures_of_different_sizes(predictors):
    pictures = [picture(), picture(64, 200, 1), picture(130, 50, 2)]
    said = []
    for predictor in predictors:
        predictor.set_image_batch(pictures)
        answers = predictor.predict_batch(
            [PROMPTS["click"]["point_coords"], SEVERAL["point_coords"], None],
            [PROMPTS["click"]["point_labels"], SEVERAL["point_labels"], None],
            [None, None, np.array([[3, 4, 30, 90]])],
            return_logits=True,
        )
        said.append([x for column in answers for x in column])
        assert [m.shape[-2:] for m in answers[0]] == [(97, 161), (64, 200), (130, 50)]
    agree(*said)
    alone = predictors[0]
    alone.set_image(pictures[1])
    again = alone.predict(**SEVERAL, return_logits=True)
    assert np.abs(again[0] - said[0][1]).max() < 1e-4, "another picture of the batch has a say"


def test_colour_reaches_the_network(predictors):
    ours, theirs = predictors
    embedded = []
    for shown in (picture(), picture()[..., ::-1].copy(), picture().mean(-1).astype(np.uint8)):
        ours.set_image(shown)
        embedded.append(ours.get_image_embedding().clone())
    assert (embedded[0] - embedded[1]).abs().max() > 1e-2 and (embedded[0] - embedded[2]).abs().max() > 1e-2
    theirs.set_image(np.repeat(picture().mean(-1).astype(np.uint8)[..., None], 3, -1))
    assert (theirs.get_image_embedding() - embedded[2]).abs().max() < 1e-4


def test_a_picture_of_16_bits_is_scaled(predictors):
    ours, _ = predictors
    deep = picture().astype(np.uint16) * 40 + 3000
    ours.set_image(deep)
    first = ours.get_image_embedding().clone()
    ours.set_image(deep * 2)
    assert torch.allclose(first, ours.get_image_embedding(), atol=1e-3)


def test_small_holes_and_islands():
    mask = torch.zeros(1, 2, 12, 12, dtype=torch.bool)
    mask[0, 0, 1:7, 1:7] = True
    mask[0, 0, 3, 3] = False
    mask[0, 0, 9:11, 9:11] = True
    islands = _small(mask, 4)
    assert islands.sum() == 4 and islands[0, 0, 9:11, 9:11].all()
    assert _small(~mask, 1).nonzero().tolist() == [[0, 0, 3, 3]]
    assert not _small(mask, 3).any()


def test_what_cannot_be_answered_says_so(predictors):
    ours, _ = predictors
    ours.reset_predictor()
    with pytest.raises(PromptError, match="call set_image before"):
        ours.predict(**CLICK)
    ours.set_image(picture())
    with pytest.raises(PromptError, match="call set_image_batch before"):
        ours.predict_batch([None])
    with pytest.raises(PromptError, match="one label a point"):
        ours.predict(np.zeros((2, 2)), np.ones(3))
    with pytest.raises(PromptError, match="labels"):
        ours.predict(np.zeros((2, 2)))
    with pytest.raises(PromptError, match="1 x 32 x 32"):
        ours.predict(mask_input=np.zeros((1, 256, 256)))
    with pytest.raises(PromptError, match="without a place"):
        ours.predict(np.array([[np.nan, 1]]), np.ones(1))
    for shape in ((4,), (3, 20, 20), (0, 5, 3), (2, 20, 20, 3)):
        with pytest.raises(PromptError, match="a picture of shape"):
            ours.set_image(np.zeros(shape, np.uint8))
    with pytest.raises(PromptError, match="no numbers"):
        ours.set_image(np.full((20, 20), np.nan))
    with pytest.raises(ModelError, match="see recordings"):
        SAM2ImagePredictor(load_model("tiny")[0])


@pytest.mark.slow
def test_at_the_size_that_weights_are_trained_for(tmp_path):
    """1024 px and SAM 2's own numbers, tiny size."""
    from sam2_models import build_official, fill_ours

    official = build_official("small", size=1024)
    torch.save({"model": official.state_dict()}, tmp_path / "sam2.1_hiera_tiny.pt")
    theirs = OneSize.official(official, 1024)
    ours = SAM2ImagePredictor(fill_ours(tmp_path / "sam2.1_hiera_tiny.pt"))
    for predictor in (ours, theirs):
        predictor.set_image(picture(300, 400))
    agree(ours.predict(**CLICK, return_logits=True), theirs.predict(**CLICK, return_logits=True))
