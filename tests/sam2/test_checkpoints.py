"""Every tensor of an official checkpoint is accounted for, and nothing in one is run."""

import pickle
import zipfile
from dataclasses import replace

import pytest
import torch
from sam2_models import build_official, fill_ours

from sam2flow_core.cli.main import status_of
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.official import fill, masks_only, matching_preset, read_official
from sam2flow_core.inference.weights import load_model
from sam2flow_core.model.sam2flow import SAM2Flow


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """SAM 2 (not 2.1) tiny with random weights."""
    official = build_official("small", "2", apply_postprocessing=False)
    path = tmp_path_factory.mktemp("official") / "sam2_hiera_tiny.pt"
    torch.save({"model": official.state_dict()}, path)
    return official, path


def test_every_tensor_is_listed_by_name(old, capsys):
    official, path = old
    assert status_of(["weights", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in official.state_dict():
        assert sum(line.split()[1] == name or line.split()[2] == name for line in lines if "[" in line) == 1, name
    left_out = [line for line in lines if line.startswith("left out")]
    assert [line.split()[2] for line in left_out] == ["no_mem_pos_enc"]
    assert any(line.startswith("SAM 2 tiny in preset small: ") for line in lines)


def test_what_only_the_newer_release_has_is_zero(old):
    _, path = old
    tensors = read_official(path)
    model = SAM2Flow(masks_only(matching_preset(tensors)))
    fates = fill(model, tensors)
    assert {f.ours for f in fates if f.kind == "zero"} == {
        "context_memory.no_obj_embed",
        "context_memory.obj_ptr_tpos_proj.weight",
        "context_memory.obj_ptr_tpos_proj.bias",
    }
    assert not model.context_memory.no_obj_embed.any()
    places = [f.ours for f in fates if f.ours]
    assert len(set(places)) == len(places), "two tensors in one place"
    assert set(places) == set(model.state_dict()), "a tensor of ours was left random"


def test_a_preset_with_flow_takes_the_masks_side(old):
    _, path = old
    tensors = read_official(path)
    config = masks_only("small")
    with_adapters = SAM2Flow(replace(config, image=replace(config.image, adapter_dim=8)))
    fill(with_adapters, tensors)
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        plain, adapted = fill_ours(path).eval().encode(images), with_adapters.eval().encode(images)
    # Adapters begin at zero, so training starts from exactly what SAM 2 sees.
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(plain, adapted, strict=True))


def test_weights_without_flow_say_so_and_are_written_in_full(old, tmp_path, capsys):
    _, path = old
    assert status_of(["weights", str(path), "--out", str(tmp_path / "folder")]) == 0
    assert "masks only" in capsys.readouterr().out
    direct, description = load_model(str(path))
    again, _ = load_model(str(tmp_path / "folder"))
    assert description["notes"] == {"origin": "SAM 2 tiny"}
    assert all(
        torch.equal(a, b) for a, b in zip(direct.state_dict().values(), again.state_dict().values(), strict=True)
    )


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("way", ["torch", "plain pickle", "inside the table"])
def test_a_malicious_checkpoint_is_refused_without_being_run(tmp_path, way, capsys):
    path, trace = tmp_path / "evil.pt", tmp_path / "ran"
    if way == "torch":
        torch.save(Bomb(trace), path)
    elif way == "plain pickle":
        path.write_bytes(pickle.dumps(Bomb(trace)))
    else:
        torch.save({"model": {"no_mem_embed": torch.zeros(1), "x": Bomb(trace)}}, path)
    with pytest.raises(ModelError, match="nothing in it was run"):
        load_model(str(path))
    assert status_of(["weights", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not trace.exists()


def test_files_that_are_no_checkpoint(tmp_path, old):
    with pytest.raises(ModelError, match="no such weights file"):
        load_model(str(tmp_path / "none.pt"))
    torch.save({"weights": torch.zeros(1)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="no table of weights called 'model'"):
        load_model(str(tmp_path / "a.pt"))
    torch.save({"model": {"x": torch.zeros(1)}}, tmp_path / "b.pt")
    with pytest.raises(ModelError, match="tiny, small, base plus and large"):
        load_model(str(tmp_path / "b.pt"))
    with zipfile.ZipFile(tmp_path / "c.pt", "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(ModelError):
        load_model(str(tmp_path / "c.pt"))
    tensors = read_official(old[1])
    del tensors["sam_mask_decoder.iou_token.weight"]
    torch.save({"model": tensors}, tmp_path / "d.pt")
    with pytest.raises(ModelError, match=r"lacks 1 tensors .*mask_decoder\.iou_token\.weight"):
        load_model(str(tmp_path / "d.pt"))
