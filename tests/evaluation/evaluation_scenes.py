"""Small cases with a truth known in closed form."""

import numpy as np

from sam2flow_core.evaluation.cases import Answer, Case, VesselTruth
from sam2flow_core.prompts import Prompt

SIZE = (48, 64)


def rigid_case(velocity: float = 2.0, frames: int = 12, shift: tuple[float, float] = (0.0, 0.0)) -> Case:
    """Two horizontal vessels, the upper one flowing right at `velocity`, the lower one left at half of it."""
    masks = [np.zeros(SIZE, bool), np.zeros(SIZE, bool)]
    masks[0][8:20], masks[1][18:30] = True, True
    speeds = (velocity, -velocity / 2)
    rows = (14.0, 24.0)

    def flow(pair: int) -> tuple[np.ndarray, np.ndarray]:
        field = np.zeros((2, 2, *SIZE), np.float32)
        leaves = np.zeros((2, *SIZE), bool)
        for v, (mask, speed) in enumerate(zip(masks, speeds, strict=True)):
            field[v, 0][mask] = speed
        leaves[0, :, SIZE[1] - int(np.ceil(abs(velocity))) :] = True
        return field, leaves

    lines = [np.stack([np.full(64, row), np.arange(64.0)], 1) for row in rows]
    steady = [np.full(frames - 1, speed) for speed in speeds]
    vessels = tuple(VesselTruth(v + 1, masks[v], 12.0, lines[v], steady[v], steady[v]) for v in range(2))
    clicks = {n: tuple(Prompt(v + 1, 0, rows[v], 10.0 + k) for v in range(2) for k in range(n)) for n in (1, 3, 5)}
    video = np.random.default_rng(0).uniform(size=(frames, *SIZE)).astype(np.float32)
    shifts = np.tile(np.array(shift), (frames, 1)) * (np.arange(frames) > 0)[:, None]
    return Case("rigid", video, shifts, vessels, masks[0] & masks[1], flow, clicks, 0.5, 100.0)


class Biased:
    """Answers the truth plus a fixed error; the error alternates its sign from pair to pair where asked to."""

    name = "biased"
    fingerprint = "biased"

    def __init__(self, bias: tuple[float, float], alternate: bool = False, scale: float | None = None) -> None:
        self.bias, self.alternate, self.scale = bias, alternate, scale

    def answers(self, case: Case, pairs):
        for pair in pairs:
            sign = -1 if self.alternate and pair % 2 else 1
            flow = case.flow(pair)[0] + sign * np.array(self.bias, np.float32)[None, :, None, None]
            scale = None if self.scale is None else np.full((2, *SIZE), self.scale, np.float32)
            yield Answer(pair, flow.astype(np.float32), scale, 0.25)
