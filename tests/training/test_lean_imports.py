"""Training runs where only torch, numpy, scipy, scikit-image, timm, safetensors, lightning and tensorboard are."""

import subprocess
import sys

PROGRAM = """
import sys
from dataclasses import replace
from sam2flow_core.config.synthetic import BankConfig
from sam2flow_core.config.training import TRAINING, StageConfig
from sam2flow_core.training.clips import ClipStream
from sam2flow_core.training.filming import SyntheticScenes
bank = BankConfig(side=64, run=4, moments=2, moment=2, first=4, workers=0)
config = replace(TRAINING["tiny"], bank=bank)
stage = StageConfig(1.0, ((64, 1.0),), 1, False, 0.0, ("flow",), frames=3, scattered_pairs=2)
clips = next(ClipStream(SyntheticScenes(config), config, stage, seed=1).batches(4))
# tifffile may be: scikit-image brings it.
absent = {"pandas", "zarr", "dask", "matplotlib", "distributed"}
print(len(clips), *sorted(absent & set(sys.modules)))
"""


def test_scenes_are_drawn_and_filmed_without_other_packages():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["4"], "imported what is not there"
