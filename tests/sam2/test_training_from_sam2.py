"""Training begins from SAM 2's weights: masks' side as published, adapters without effect, flow new."""

import dataclasses

import pytest
import torch
from sam2_models import build_official, fill_ours

from sam2flow_core.config.model import PRESETS
from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.weights import load_model
from sam2flow_core.training.initial_weights import initial_model
from sam2flow_core.training.trainer import TrainingRequest, train


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("official") / "sam2.1_hiera_tiny.pt"
    torch.save({"model": build_official("small", apply_postprocessing=False).state_dict()}, path)
    return path


def test_the_masks_side_is_sam2s_and_the_rest_is_new(checkpoint):
    model = initial_model("small", str(checkpoint), None)
    assert model.config == PRESETS["small"]
    own, published = model.state_dict(), fill_ours(checkpoint).state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in published.items())
    new = {name.split(".")[0] + "." + name.split(".")[1] for name in own.keys() - published.keys()}
    assert new and all(name.startswith(("flow.", "image_encoder.adapters")) for name in new)
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        pairs = zip(model.eval().encode(images), fill_ours(checkpoint).encode(images), strict=True)
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    with pytest.raises(ModelError, match="not 'base'"):
        initial_model("base", str(checkpoint), None)


def test_a_step_of_training_teaches_adapters_and_flow(checkpoint, tmp_path):
    bank = BankConfig(side=128, run=8, moments=4, moment=2, first=2, workers=0)
    stage = StageConfig(1.0, ((96, 1.0),), 1, True, 0.0, ("masks", "memory", "flow"), frames=5, scattered_pairs=2)
    recipe = dataclasses.replace(TRAINING["small"], stages=(stage,), bank=bank, clips_per_step=1, memory_frames=2)
    out = tmp_path / "small.safetensors"
    list(train(TrainingRequest(out, "small", str(checkpoint), recipe=recipe, steps=1, device="cpu")))
    model, description = load_model(str(out))
    assert model.config.use_flow and description["notes"]["start"] == checkpoint.name
    own, published = model.state_dict(), fill_ours(checkpoint).state_dict()
    # Half precision on disk: what moved, moved by more than its rounding.
    moved = {n for n in published if (own[n] - published[n].half().float()).abs().max() > 0}
    assert any(n.startswith("mask_decoder") for n in moved)
    assert own["image_encoder.adapters.up.0.weight"].abs().max() > 0, "adapters learned nothing"
