"""A predictor without a network whose every answer depends on all frames before it, so that a wrong resume shows."""

from dataclasses import dataclass, field

import numpy as np
import torch

from sam2flow_core.inference.steps import FrameFlow, VesselFlow
from sam2flow_core.prompts import Prompt
from sam2flow_core.stack import FramePlan

CROP = (24, 48)
PROMPTS = (Prompt(1, 3, 20.0, 40.0, 1), Prompt(2, 5, 44.0, 40.0, 1))


@dataclass
class FakeState:
    stack: object
    plan: FramePlan
    start: int
    stop: int
    next_frame: int
    prompts: tuple = ()
    memory: dict = field(default_factory=dict)

    @property
    def crops(self):
        return {p.vessel_id: CROP for p in self.prompts}


class FakePredictor:
    def __init__(self, fail_at=None, error=None):
        self.description = {"preset": "fake", "sha256": "f" * 64, "device": "cpu"}
        self.fail_at, self.error = fail_at, error
        self.answered = []

    def init_state(self, stack, stabilise=True, start=0, stop=None, *, working_resolution=None, plan=None):
        plan = plan or FramePlan.whole(start, stack.shape[0] if stop is None else stop)
        return FakeState(stack, plan, plan.start, plan.stop, plan.start)

    def add_new_points_or_box(
        self, state, frame_idx, obj_id, points, labels, clear_old_points=True, box=None, need_output=True
    ):
        (x, y), *_ = points or [box[:2]]
        state.prompts += (Prompt(obj_id, frame_idx, y, x, 1),)
        state.memory[obj_id] = torch.zeros(4)

    def stream(self, state):
        for t in [t for t in state.plan.frames.tolist() if t >= state.next_frame]:
            if t == self.fail_at:
                raise self.error
            state.next_frame = t + 1
            self.answered.append(t)
            vessels = tuple(self._answer(state, p, t) for p in state.prompts)
            asked = state.plan.asks(t) or state.plan.ends(t)
            yield FrameFlow(t, (0.1 * (t - state.start), 0.0), vessels, asked)

    def _answer(self, state, prompt, t):
        mean = float(state.stack.frame(t).mean())
        memory = state.memory[prompt.vessel_id].mul(0.9).add(mean * 1e-2)
        state.memory[prompt.vessel_id] = memory
        mask = np.zeros(CROP, bool)
        mask[8:16, 2:-2] = True
        offset = (int(prompt.y) - 12, int(prompt.x) - 24)
        last = state.plan.ends(t) or not state.plan.asks(t)
        flow = np.zeros((2, *CROP), np.float32)
        flow[0][mask] = 2 + float(memory[0])
        scale = np.full(CROP, 0.25, np.float32)
        return VesselFlow.of(prompt.vessel_id, offset, mask, None if last else flow, None if last else scale)

    def snapshot(self, state):
        return {"next": state.next_frame} | {f"memory{v}": m for v, m in state.memory.items()}

    def restore(self, state, snapshot):
        state.next_frame = snapshot["next"]
        state.memory = {v: snapshot[f"memory{v}"] for v in state.memory}
