"""SAM before SAM 2: its checkpoints, and single pictures beside its own package (Kirillov et al., 2023)."""

from functools import partial

import numpy as np
import pytest
import torch
from i2v_models import drawn, published_shapes
from PIL import Image

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.inference import Sam2Settings
from sam2flow_core.config.model import IMAGE_SAMS
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.automatic_masks import SAM2AutomaticMaskGenerator
from sam2flow_core.inference.build import build_i2v_video_predictor, build_sam2_video_predictor
from sam2flow_core.inference.image_predictor import SAM2ImagePredictor
from sam2flow_core.inference.official import fill, matching_config, read_official
from sam2flow_core.inference.weights import load_model
from sam2flow_core.model.sam2flow import SAM2Flow

package = pytest.importorskip("segment_anything", reason="SAM's package, by which this one is checked, is missing")

SIZE = 128
PROMPTS = {
    "click": {"point_coords": np.array([[60.5, 31.0]]), "point_labels": np.array([1])},
    "clicks": {"point_coords": np.array([[60.5, 31.0], [10, 90]]), "point_labels": np.array([1, 0])},
    "box": {"box": np.array([20, 10, 140, 80])},
    "box and click": {
        "point_coords": np.array([[60.5, 31.0]]), "point_labels": np.array([0]), "box": np.array([20, 10, 140, 80]),
    },
}  # fmt: skip


def picture(height, width):
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def build_official():
    """SAM's ViT-B with random weights, for pictures of 128 px."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    cells = SIZE // 16
    model = Sam(
        image_encoder=ImageEncoderViT(
            img_size=SIZE, embed_dim=768, depth=12, num_heads=12, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True, window_size=14, global_attn_indexes=(2, 5, 8, 11),
        ),
        prompt_encoder=PromptEncoder(256, (cells, cells), (SIZE, SIZE), 16),
        mask_decoder=MaskDecoder(transformer_dim=256, transformer=TwoWayTransformer(2, 256, 8, 2048)),
    )  # fmt: skip
    model.load_state_dict({name: drawn(name, tuple(t.shape)) for name, t in model.state_dict().items()})
    return model.eval()


@pytest.fixture(scope="module")
def official():
    return build_official()


@pytest.fixture(scope="module")
def checkpoint(official, tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "sam_vit_b_01ec64.pth"
    torch.save(official.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def predictors(official, checkpoint):
    ours = SAM2ImagePredictor.from_pretrained(str(checkpoint), device="cpu", settings=Sam2Settings(image_size=SIZE))
    return ours, package.SamPredictor(official)


def test_every_tensor_is_loaded(official, checkpoint, capsys):
    assert status_of(["weights", str(checkpoint)]) == 0
    said = capsys.readouterr().out
    assert f"SAM vit_b in preset sam-vit-b: {len(official.state_dict())} tensors" in said and "left out" not in said
    assert "masks only" in said


@pytest.mark.parametrize("shape", [(97, 161), (150, 60)], ids=["wide", "high"])
def test_pictures_and_prompts_of_every_kind(predictors, shape):
    ours, theirs = predictors
    for predictor in predictors:
        predictor.set_image(picture(*shape))
    assert (ours.get_image_embedding() - theirs.get_image_embedding()).abs().max() < 1e-4
    for name, prompt in PROMPTS.items():
        for several in (True, False):
            answers = [p.predict(**prompt, multimask_output=several, return_logits=True) for p in (ours, theirs)]
            for mine, other in zip(*answers, strict=True):
                assert mine.shape == other.shape and np.abs(mine - other).max() < 1e-4, (name, several)
            assert answers[1][0].std() > 1e-3, "nothing to compare"
    best = answers[1][2][:1]
    again = [p.predict(**PROMPTS["click"], mask_input=best, return_logits=True)[0] for p in (ours, theirs)]
    assert np.abs(again[0] - again[1]).max() < 1e-4


def test_automatic_masks(checkpoint):
    generator = SAM2AutomaticMaskGenerator(
        load_model(str(checkpoint))[0], points_per_side=3, pred_iou_thresh=-10.0, stability_score_thresh=0.0,
        settings=Sam2Settings(image_size=SIZE),
    )  # fmt: skip
    records = generator.generate(picture(80, 120))
    assert records and all(r["segmentation"].shape == (80, 120) for r in records)


def test_what_knows_single_pictures_follows_nothing(checkpoint):
    with pytest.raises(ModelError, match="--memory associated"):
        build_sam2_video_predictor("", checkpoint, device="cpu")
    with pytest.raises(ModelError, match="it has no memory"):
        build_i2v_video_predictor("", checkpoint, device="cpu")
    with pytest.raises(ModelError, match="do not see pictures of 1024 px"):
        SAM2ImagePredictor.from_pretrained(str(checkpoint), device="cpu")


def test_checkpoints_of_mobilesam(tmp_path):
    """MobileSAM's and TinySAM's names are those that SAM-I2V's image half keeps."""
    whole = "image_encoder.trunk_image."
    names = {n.replace(whole, "image_encoder."): s for n, s in published_shapes().items() if n.startswith(whole)}
    for name, shape in published_shapes().items():
        part = name.removeprefix("sam_")
        if part != name and "obj_score" not in name:
            part = part.replace(".mlp.layers.0.", ".mlp.lin1.").replace(".mlp.layers.1.", ".mlp.lin2.")
            names[part] = shape
    tensors = {name: drawn(name, shape) for name, shape in names.items()}
    torch.save(tensors, tmp_path / "mobile_sam.pt")
    model = SAM2Flow(matching_config(read_official(tmp_path / "mobile_sam.pt")))
    fates = fill(model, tensors)
    assert {f.ours for f in fates if f.ours} == set(model.state_dict()) and model.config == IMAGE_SAMS["mobile-sam"]
    assert {f.name.split(".")[1] for f in fates if not f.ours} == {"norm_head", "head"}
    predictor = SAM2ImagePredictor(model, settings=Sam2Settings(image_size=SIZE))
    predictor.set_image(picture(60, 100))
    masks, quality, logits = predictor.predict(**PROMPTS["click"])
    assert masks.shape == (3, 60, 100) and quality.shape == (3,) and logits.shape == (3, 32, 32)
