"""The shipped network brings no library along that it does not use: each costs seconds, and memory for good."""

import subprocess
import sys

UNUSED = ("timm", "torchvision", "torch._dynamo", "torch._inductor", "huggingface_hub", "lightning")


def test_a_predictor_of_tiny_loads_nothing_that_only_other_networks_use():
    code = (
        "import sys; from sam2flow_core.inference import SAM2FlowPredictor; "
        "SAM2FlowPredictor.from_pretrained('tiny', device='cpu'); "
        f"print([name for name in {UNUSED} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
