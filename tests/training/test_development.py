import copy
import dataclasses

import pytest
import torch

from sam2flow_core.config.model import preset
from sam2flow_core.config.tracing import TracingSettings
from sam2flow_core.config.training import TRAINING, DevelopmentConfig
from sam2flow_core.inference.clicked_masks import clicked_masks
from sam2flow_core.inference.weights import load_model
from sam2flow_core.model.sam2flow import Prompts, SAM2Flow
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.synthetic import random_draws
from sam2flow_core.tracing.field_map import FieldMap
from sam2flow_core.training.clips import TRAINING_NAMESPACE
from sam2flow_core.training.development import DEVELOPMENT_NAMESPACE, DevelopmentSet, Steering, _auroc, shortfall
from sam2flow_core.training.filming import fresh_scenes
from sam2flow_core.training.losses import mask_iou


@pytest.fixture(scope="module")
def recordings():
    recipe = TRAINING["tiny"]
    config = DevelopmentConfig(clips=6, side=160, frames=20, scattered_pairs=8)
    return DevelopmentSet([fresh_scenes(recipe, "streamlines", DEVELOPMENT_NAMESPACE)], config, recipe)


def test_nothing_else_draws_from_its_seeds():
    others = {TRAINING_NAMESPACE, random_draws.BENCHMARK, random_draws.CASES, random_draws.SAMPLE}
    assert DEVELOPMENT_NAMESPACE not in others


def test_trained_weights_are_told_from_random_ones(recordings):
    torch.manual_seed(0)
    without_path = dataclasses.replace(preset("tiny").match, whole_vessel=False)
    chance = recordings.measure(SAM2Flow(dataclasses.replace(preset("tiny"), match=without_path)))
    trained = recordings.measure(load_model("tiny")[0])
    assert trained["epe"] < 0.9 * chance["epe"]  # random ones follow the plain mean of the correlations
    assert trained["iou_3"] > chance["iou_3"] + 0.2
    assert trained["shortfall"] < chance["shortfall"]


def test_the_strip_decoder_knows_where_vessels_end():
    """Without it a mask is all of a vessel that is in sight; with one at chance it is anything."""
    recipe = TRAINING["tiny"]
    bank = dataclasses.replace(
        recipe.bank,
        streamlines=dataclasses.replace(recipe.bank.streamlines, pixel_size_um=(0.4, 1.0), diameter_px=(4.0, 60.0)),
        discs=dataclasses.replace(recipe.bank.discs, pixel_size_um=(0.4, 1.0), width_px=(4.0, 60.0)),
    )
    recipe = dataclasses.replace(recipe, bank=bank)
    config = DevelopmentConfig(clips=10, side=192, frames=2, scattered_pairs=18)
    sources = [fresh_scenes(recipe, name, DEVELOPMENT_NAMESPACE) for name in ("streamlines", "discs")]
    scenes = DevelopmentSet(sources, config, recipe)
    model = load_model("tiny")[0]
    torch.manual_seed(0)
    overlap = {}
    for name, decoder in {
        "learned": model.strip_decoder, "chance": SAM2Flow(preset("tiny")).strip_decoder, "whole way": None,
    }.items():  # fmt: skip
        model.strip_decoder = decoder
        overlap[name] = mean_overlap(model, scenes)
    assert overlap["learned"] > max(overlap["chance"], overlap["whole way"]) + 0.05


def mean_overlap(model, scenes):
    """Intersection over union of masks from three clicks."""
    found = []
    for case in scenes.cases:
        clip, vessels = case.clip, len(case.clip.masks)
        with torch.inference_mode():
            field = VesselField(*(x[0] for x in model.map_vessels(clip.statistics)))
            maps = [FieldMap(field, TracingSettings(), clip.statistics[0, -2:])]
            prompts = Prompts(case.points[:vessels], torch.ones(vessels, 3, dtype=torch.long))
            logits = clicked_masks(model, maps, torch.zeros(vessels, dtype=torch.long), prompts).logits
        fine = torch.nn.functional.interpolate(logits[:, None], clip.masks.shape[1:], mode="bilinear")[:, 0]
        found.append(mask_iou((fine > 0).float(), clip.masks))
    return torch.cat(found).mean().item()


def test_measuring_changes_nothing(recordings):
    model = load_model("tiny")[0].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    one = copy.copy(recordings)
    one.cases = recordings.cases[:1]
    assert one.measure(model) == one.measure(model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_recordings_are_the_same_each_time(recordings):
    recipe = TRAINING["tiny"]
    sources = [fresh_scenes(recipe, "streamlines", DEVELOPMENT_NAMESPACE)]
    again = DevelopmentSet(sources, dataclasses.replace(recordings.config, clips=2), recipe)
    for one, other in zip(recordings.cases[:2], again.cases, strict=True):
        assert torch.equal(one.clip.inputs, other.clip.inputs)
        assert torch.equal(one.points, other.points)


def test_the_last_click_lies_on_tissue(recordings):
    for case in recordings.cases:
        x, y = case.points[-1].long().unbind(-1)
        assert not case.clip.masks[:, y, x].any()
        for mask, clicks in zip(case.clip.masks, case.points[:-1], strict=True):
            x, y = clicks.long().unbind(-1)
            assert mask[y, x].all()


def test_auroc_of_a_worked_case():
    """Of six pairs (present, absent) three are ordered rightly and one is a tie."""
    scores = [(3.0, True), (1.0, True), (2.0, True), (1.0, False), (2.5, False)]
    assert _auroc(scores) == pytest.approx((2 + 0.5 + 1) / 6)


def test_nothing_is_missing_where_all_is_right():
    perfect = {"epe_0_1": 0.0, "epe_5_15": 0.0, "velocity_error": 0.0, "iou_1": 1.0, "presence_auroc": 1.0}
    assert shortfall(perfect) == 0.0
    assert shortfall({**perfect, "epe_5_15": 9.0}) == pytest.approx(0.2)


def test_weights_are_steered_by_every_generator():
    """Drawn when first asked for, so that a run of a minute does not wait for them."""
    recipe = TRAINING["tiny"]
    recipe = dataclasses.replace(recipe, development=DevelopmentConfig(clips=2, side=96, frames=5, scattered_pairs=3))
    figures = Steering(recipe)(load_model("tiny")[0])
    assert {"epe", "iou_1", "iou_3", "presence_auroc", "shortfall"} <= figures.keys()
