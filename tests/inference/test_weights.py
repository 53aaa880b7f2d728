import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from sam2flow_core.cli.main import status_of
from sam2flow_core.config.model import PRESETS, ModelConfig, preset
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.weights import choose_device, load_model, read_header, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow, count_weights, without_decoder


def test_round_trip(tmp_path):
    torch.manual_seed(0)
    model = SAM2Flow(preset("tiny"))
    path = tmp_path / "w.safetensors"
    save_weights(path, model, {"steps": 3})
    again, description = load_model(str(path))
    assert description["notes"] == {"steps": 3} and len(description["sha256"]) == 64
    for (name, a), (_, b) in zip(model.state_dict().items(), again.state_dict().items(), strict=True):
        assert torch.allclose(a, b, rtol=2e-3, atol=1e-4), name
    assert path.stat().st_size < 12e6 and count_weights(model) < 5e6


def test_the_same_weights_have_the_same_bytes(tmp_path):
    model, once, twice = SAM2Flow(preset("tiny")), tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    notes = {"origin": 'a "quoted" word, \u00b5m', "steps": 3}
    for path in (once, twice):
        save_weights(path, model, notes)
    assert once.read_bytes() == twice.read_bytes()
    content = once.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert list(header) == sorted(header) and list(header["__metadata__"]) == sorted(header["__metadata__"])
    assert read_header(once)["notes"] == notes


def test_files_with_the_former_names_are_read(tmp_path):
    """Of settings and of tensors: they are in weights that people have."""
    torch.manual_seed(0)
    model, path, old = SAM2Flow(preset("tiny")), tmp_path / "new.safetensors", tmp_path / "old.safetensors"
    save_weights(path, model, {"steps": 3})
    former = {"tracing_reach": "tube_reach", "cost_volume_hidden": "evidence_hidden", "cost_volume_net": "evidence_net"}
    former["use_cost_volume_pooling"] = "use_evidence_pooling"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].decode()
    for today, name in former.items():
        assert today in header
        header = header.replace(today, name)
    old.write_bytes(len(header).to_bytes(8, "little") + header.encode() + content[8 + length :])
    again, _ = load_model(str(old))
    expected, _ = load_model(str(path))
    assert again.config == expected.config
    assert all(torch.equal(a, expected.state_dict()[name]) for name, a in again.state_dict().items())


def test_without_the_parts_that_only_training_asks_all_answers_are_the_same(tmp_path, predictor, video, vessel):
    """To the last digit: masks and flow, of a click, a box and a mask, and what memory makes of them."""
    path = tmp_path / "smaller.safetensors"
    whole = predictor.model
    save_weights(path, without_decoder(whole), {}, torch.float32)
    smaller, _ = load_model(str(path))
    assert not smaller.config.mask.decodes and count_weights(smaller) < 0.7 * count_weights(whole)
    answers = []
    for model in (whole, smaller):
        asked = SAM2FlowPredictor(model, torch.device("cpu"), {}, predictor.settings)
        state = asked.init_state(video)
        asked.add_new_points_or_box(state, 0, 1, points=[[60, 47]], labels=[1])
        asked.add_new_points_or_box(state, 3, 2, box=[10, 38, 110, 56])
        asked.add_new_mask(state, 0, 3, vessel)
        steps = list(asked.stream(state))
        told = [(v.mask, v.flow, v.scale, v.mask_iou, v.object_score) for step in steps for v in step.vessels]
        answers.append(told)
    for one, other in zip(*answers, strict=True):
        for a, b in zip(one, other, strict=True):
            assert np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b


def test_a_decoder_that_answers_is_not_left_out():
    with pytest.raises(ModelError, match="answers prompts"):
        without_decoder(SAM2Flow(replace(preset("tiny"), mask=replace(preset("tiny").mask, matching_widths=()))))
    header = preset("small").to_dict()
    header["mask"]["decodes"] = False
    with pytest.raises(ModelError, match="needs vessel field and memory by matching"):
        ModelConfig.from_dict(header)


def test_overrides_change_the_configuration(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, SAM2Flow(preset("tiny")), {})
    model, _ = load_model(str(path), {"use_motion_memory": False, "update.iterations": 1})
    assert not model.config.use_motion_memory and model.config.update.iterations == 1
    with pytest.raises(ModelError, match="no setting"):
        load_model(str(path), {"update.nonsense": 1})


def test_a_pickle_is_refused_without_being_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    path = tmp_path / "bomb.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_header(path)
    assert not (tmp_path / "ran").exists()


def test_missing_file_and_foreign_file(tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(ModelError, match="no such weights"):
        load_model(str(tmp_path / "none.safetensors"))
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="not weights of SAM2Flow"):
        load_model(str(tmp_path / "other.safetensors"))


def test_unknown_presets_and_devices_are_named():
    with pytest.raises(ModelError, match="no preset 'huge'"):
        preset("huge")
    with pytest.raises(ModelError, match="not available"):
        choose_device("tpu")
    assert "large" in PRESETS


@pytest.mark.parametrize(
    "tensors",
    [
        {"image_encoder.blocks.0.x": torch.zeros(1)},
        {"image_encoder.blocks.0.x": torch.zeros(1), "image_encoder.pos_embed": torch.zeros(1)},
        {
            "image_encoder.blocks.0.x": torch.zeros(1),
            "image_encoder.pos_embed": torch.zeros(1, 1, 1, 768).expand(1, 10**5, 10**5, 768),
        },
        {"model": {"image_encoder.trunk.patch_embed.proj.bias": torch.zeros(3).to_sparse()}},
    ],
    ids=["no places", "places in a row", "more places than memory", "sparse"],
)
def test_tensors_that_no_sam_has_are_one_line(tensors, tmp_path):
    torch.save(tensors, tmp_path / "odd.PT")  # the ending of Windows, too
    with pytest.raises(ModelError):
        load_model(str(tmp_path / "odd.PT"))


def test_notes_of_a_file_cannot_move_the_cursor(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("sam2flow_core.cli.weights_command.click.echo", lambda text: said.append(text))
    save_weights(tmp_path / "w.safetensors", SAM2Flow(preset("tiny")), {"a\x1b[2J": "b\x1b[1A\n\rc"})
    assert status_of(["weights", str(tmp_path / "w.safetensors")]) == 0
    assert said[-1].startswith("a") and said[-1].isprintable()
