import pickle

import pytest
import torch

from sam2flow_core.config.model import PRESETS, preset
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.weights import choose_device, load_model, read_header, save_weights
from sam2flow_core.model.sam2flow import SAM2Flow, count_weights


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
