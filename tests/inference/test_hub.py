"""Folders and names as the Hugging Face hub has them; the network only for a name of the hub."""

import json
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sam2flow_core.config.model import MemoryConfig
from sam2flow_core.errors import ExtraError, ModelError
from sam2flow_core.inference.hub import fetch, is_hub_name
from sam2flow_core.inference.mask_predictor import SAM2MaskPredictor
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.model.sam2flow import SAM2Flow


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_saved_folder_comes_back_the_same(predictor, tmp_path, no_network):
    predictor.save_pretrained(tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    assert json.loads((tmp_path / "model" / "config.json").read_text())["preset"] == "tiny"
    again = SAM2FlowPredictor.from_pretrained(str(tmp_path / "model"), device="cpu")
    assert again.model.config == predictor.model.config
    for (name, a), (_, b) in zip(predictor.model.state_dict().items(), again.model.state_dict().items(), strict=True):
        assert torch.equal(a, b), name


def test_a_mask_predictor_is_saved_and_comes_back_the_same(predictor, tmp_path, no_network):
    config = predictor.model.config
    chosen = replace(config.mask, memory=MemoryConfig("gated", gated_pool=5))
    masks = SAM2MaskPredictor(SAM2Flow(replace(config, use_flow=False, mask=chosen)), torch.device("cpu"), {})
    masks.save_pretrained(tmp_path)
    again = SAM2MaskPredictor.from_pretrained(str(tmp_path), device="cpu")
    assert again.model.config == masks.model.config
    for (name, a), (_, b) in zip(masks.model.state_dict().items(), again.model.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    other = SAM2MaskPredictor.from_pretrained(str(tmp_path), "cpu", overrides={"mask.memory.design": "recent"})
    assert other.model.config.mask.memory.design == "recent"
    with pytest.raises(ModelError, match="know masks only"):
        SAM2FlowPredictor.from_pretrained(str(tmp_path), device="cpu")


def test_the_configuration_of_a_folder_counts(predictor, tmp_path):
    predictor.save_pretrained(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["update"]["iterations"] = 1
    (tmp_path / "config.json").write_text(json.dumps(content))
    assert SAM2FlowPredictor.from_pretrained(str(tmp_path), device="cpu").model.config.update.iterations == 1


def test_folders_that_hold_no_model(tmp_path, no_network):
    with pytest.raises(ModelError, match="no model in this folder"):
        SAM2FlowPredictor.from_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        SAM2FlowPredictor.from_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "sam2"}')
    with pytest.raises(ModelError, match=r"not of SAM2Flow"):
        SAM2FlowPredictor.from_pretrained(str(tmp_path))


@pytest.mark.parametrize("name", ["tiny", "a/b.safetensors", "weights/sam2.pt", "/a/b", "a", "./a", "a/b/c"])
def test_names_that_are_not_of_the_hub(name):
    assert not is_hub_name(name)


def test_what_lies_on_disk_is_not_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_hub_name("owner/model")
    Path("owner/model").mkdir(parents=True)
    assert not is_hub_name("owner/model")


def test_a_hub_name_is_fetched_and_loaded(predictor, tmp_path, monkeypatch):
    predictor.save_pretrained(tmp_path)
    asked = []

    def download(repository, file):
        asked.append((repository, file))
        return str(tmp_path / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    SAM2FlowPredictor.from_pretrained("owner/model", device="cpu")
    assert asked == [("owner/model", "config.json"), ("owner/model", "model.safetensors")]
    assert fetch("facebook/sam2.1-hiera-base-plus") == tmp_path / "sam2.1_hiera_base_plus.pt"


def test_without_network_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"hub cannot be reached.*give its path"):
        SAM2FlowPredictor.from_pretrained("owner/model-that-is-not-here")


def test_without_the_hubs_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ExtraError, match=r"pip install 'sam2flow\[hub\]'"):
        SAM2FlowPredictor.from_pretrained("owner/model")
