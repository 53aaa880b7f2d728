import pytest
import torch

from sam2flow_core.errors import OutputError
from sam2flow_core.results import Marker, read_marker, read_snapshot, remove_marker, write_marker
from sam2flow_core.results.resume import frozen


def test_marker_and_snapshot_come_back_bit_for_bit(tmp_path):
    bank = torch.randn(3, 4)
    snapshot = {
        "bank": bank,
        "view": bank[1:],
        "half": bank.to(torch.bfloat16),
        "next": 17,
        "mean": 0.1 + 0.2,
        "on": True,
    }
    kept = frozen(snapshot)
    before = bank.clone()
    bank += 1  # the predictor goes on meanwhile
    write_marker(tmp_path, Marker(16, {"stack": "a.tif"}), kept)
    bank.copy_(before)
    assert read_marker(tmp_path) == Marker(16, {"stack": "a.tif"})
    back = read_snapshot(tmp_path)
    assert back.keys() == snapshot.keys()
    for name in ("bank", "view", "half"):
        assert back[name].dtype == snapshot[name].dtype and torch.equal(back[name], snapshot[name])
    assert (back["next"], back["mean"], back["on"]) == (17, 0.1 + 0.2, True)


def test_a_new_marker_replaces_the_old_one(tmp_path):
    write_marker(tmp_path, Marker(0, {}), {})
    write_marker(tmp_path, Marker(16, {}), {"n": 1})
    assert read_marker(tmp_path).frames_done == 16
    assert len(list(tmp_path.iterdir())) == 1


def test_no_marker_means_nothing_unfinished(tmp_path):
    assert read_marker(tmp_path) is None
    write_marker(tmp_path, Marker(0, {}), {})
    remove_marker(tmp_path)
    assert read_marker(tmp_path) is None


def test_a_damaged_marker_is_one_clear_line(tmp_path):
    (tmp_path / "resume.safetensors").write_bytes(b"damaged")
    with pytest.raises(OutputError, match="cannot be read"):
        read_marker(tmp_path)
