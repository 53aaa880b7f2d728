from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from sam2_models import build_official, fill_ours

from sam2flow_core.model.sam2flow import SAM2Flow

pytest.importorskip("sam2", reason="SAM 2's package, by which this one is checked, is not installed")

# The slow ones differ from the others in depth and width only.
PRESETS = [
    "small",
    "base",
    pytest.param("medium", marks=pytest.mark.slow),
    pytest.param("large", marks=pytest.mark.slow),
]


class Pair(NamedTuple):
    official: torch.nn.Module
    ours: SAM2Flow
    checkpoint: Path


@pytest.fixture(scope="module", params=PRESETS)
def pair(request, tmp_path_factory) -> Pair:
    official = build_official(request.param, apply_postprocessing=False)
    path = tmp_path_factory.mktemp("official") / "sam2.1.pt"
    torch.save({"model": official.state_dict()}, path)
    ours = fill_ours(path)
    assert ours.config.preset == request.param
    return Pair(official, ours, path)
