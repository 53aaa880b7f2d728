"""The one call for whoever has a GPU for ten minutes, tried on a processor where hardly anything is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sam2flow_core.inference.weights import load_model
from sam2flow_core.training.initial_weights import initial_model
from sam2flow_core.training.on_gpu import MOST_BYTES

ROOT = Path(__file__).parents[2]
HIDE = """
import importlib.machinery, sys
HIDDEN = {"tifffile", "zarr", "pandas", "click", "numcodecs", "imageio", "matplotlib", "napari", "qtpy", "av"}
class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in HIDDEN else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Finder
"""


def run(tmp_path: Path, *arguments: str) -> dict:
    """Run the script as a user would; the packages that a bare machine lacks cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    out = tmp_path / "out"
    done = subprocess.run(
        ["sh", str(ROOT / "scripts" / "train_on_gpu.sh"), str(out), "--device", "cpu", "--small", *arguments],
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((out / "figures.json").read_text())


def check(tmp_path: Path, figures: dict) -> None:
    out = tmp_path / "out"
    assert figures["training"]["steps"] >= 1 and figures["training"]["clips_per_s"] > 0
    assert {"epe", "iou_1", "iou_memory", "presence_auroc"} <= figures["development_before"].keys()
    # The weights in the box have no decoder; training gives them one.
    assert figures["development_before"].keys() == figures["development_after"].keys() - {"iou_decoder"}
    assert {"pairs_per_s", "click_ms", "memory_mb"} <= figures["speed"]["tiny"].keys()
    assert all(p.stat().st_size < 16 << 20 for p in out.rglob("*"))
    after, before = load_model(str(out / "better.safetensors"))[0], initial_model("tiny", "tiny", None)
    moved = [n for n, p in after.named_parameters() if not torch.equal(p, before.get_parameter(n).half().float())]
    trained = {n.split(".")[0] for n in moved}
    assert trained == {
        "image_encoder", "prompt_encoder", "mask_decoder", "context_memory", "matched_memory", "vessel_field", "flow",
        "strip_decoder",
    }, "all parts learn in one run"  # fmt: skip
    pieces = sorted(out.glob("better.safetensors.resume.*"))
    assert len(pieces) > 1 and pieces[0].stat().st_size == MOST_BYTES
    joined = tmp_path / "joined.resume"
    joined.write_bytes(b"".join(p.read_bytes() for p in pieces))
    assert torch.load(joined, weights_only=True)["done"] == figures["training"]["steps"]


def test_a_few_seconds_give_weights_figures_and_a_state_to_go_on_from(tmp_path):
    check(tmp_path, run(tmp_path, "--minutes", "0.4", "--side", "64", "--presets", "tiny", "--clips", "1"))


@pytest.mark.slow
def test_a_minute_as_on_a_gpu(tmp_path):
    figures = run(tmp_path, "--minutes", "1", "--side", "128")
    check(tmp_path, figures)
    assert figures["speed"]["large"]["pairs_per_s"] > 0
