"""SAM2Flow as one row among the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sam2flow_core.engine.prompting import give_prompts
from sam2flow_core.evaluation.records import Answer, Case
from sam2flow_core.evaluation.shown import WHOLE_FRAME, Regions, true_masks
from sam2flow_core.evaluation.tissue import answer_on_grid
from sam2flow_core.inference import FrameFlow, SAM2FlowPredictor
from sam2flow_core.stack import open_stack


@dataclass
class PredictedCase:
    """What the predictor says of a whole case.

    Attributes
    ----------
    steps : list of FrameFlow
    seconds : list of float
        Processor time of each step.
    """

    steps: list[FrameFlow] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass
class OurFlow:
    """The predictor, prompted with clicks or with the true masks.

    Attributes
    ----------
    name : str
    fingerprint : str
        Weights, configuration and way of prompting.
    predictor : SAM2FlowPredictor
    clicks : int or None
        Positive clicks per vessel in the first frame; None gives it masks instead.
    regions : callable
        From a case to those masks.
    """

    name: str
    fingerprint: str
    predictor: SAM2FlowPredictor
    clicks: int | None
    regions: Callable[[Case], Regions] = true_masks
    _last: tuple[str, PredictedCase] | None = field(default=None, init=False)

    def answers(self, case: Case, pairs: Sequence[int]) -> Iterator[Answer]:
        """Answer the given pairs, as part of streaming the case from its first frame to its last."""
        predicted = self.predict(case)
        height, width = case.overlap.shape
        for pair in pairs:
            shown = {vessel.vessel_id for vessel in predicted.steps[pair].vessels}
            ids = tuple(v.vessel_id if v.vessel_id in shown else WHOLE_FRAME for v in case.vessels)
            flow, scale, _ = answer_on_grid(predicted.steps[pair], ids, case.shifts[pair], (height, width))
            yield Answer(pair, flow, scale, predicted.seconds[pair])

    def predict(self, case: Case) -> PredictedCase:
        """Stream a case from its first frame to its last; the last case is remembered."""
        if self._last is None or self._last[0] != case.name:
            self._last = (case.name, self._stream(case))
        return self._last[1]

    def _stream(self, case: Case) -> PredictedCase:
        state = self.predictor.init_state(open_stack(case.video))
        if self.clicks is not None:
            give_prompts(self.predictor, state, case.prompts[self.clicks], ())
        else:
            for number, mask in self.regions(case).items():
                self.predictor.add_new_mask(state, frame_idx=0, obj_id=number, mask=mask)
        predicted = PredictedCase()
        before = time.process_time()
        for step in self.predictor.stream(state):
            predicted.seconds.append(time.process_time() - before)
            predicted.steps.append(step)
            before = time.process_time()
        return predicted
