"""The weights in the box on the recording in the box."""

import torch

from sam2flow_core import SAM2FlowPredictor, open_stack
from sam2flow_core.engine.demo import sample_files
from sam2flow_core.engine.prompting import give_prompts
from sam2flow_core.inference.masks import look_again
from sam2flow_core.prompts import read_prompts


def test_vessels_that_are_there_do_not_count_as_lost():
    """Each look writes to the memory that the next one reads: one bad mask must not stay."""
    stack, prompts = sample_files()
    predictor = SAM2FlowPredictor.from_pretrained("tiny", device="cpu")
    state = predictor.init_state(open_stack(stack))
    give_prompts(predictor, state, read_prompts(prompts), ())
    for frame in (64, 128, 170):
        with torch.inference_mode():
            look_again(predictor.model, state, frame, 2)
        assert all(vessel.object_score > 0.5 for vessel in state.vessels.values()), frame
