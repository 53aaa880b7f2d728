"""Training the flow: all pairs of all vessels of all clips as one list of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.config.training import TrainingConfig
from sam2flow_core.model.flow_net import CellLayout, FirstFlow, FlowAnswer, FlowNet
from sam2flow_core.model.motion_memory import MotionTokens, rows_of_vessels
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.training.batch import ClipBatch, Figures, Lesson
from sam2flow_core.training.clicks import roughen
from sam2flow_core.training.losses import cell_truth, flow_loss, mask_iou


@dataclass(frozen=True)
class FlowTask:
    """Vessels and pairs to answer.

    Attributes
    ----------
    batch : ClipBatch
    seen : Tensor (V, H, W)
        Masks as the flow is given them.
    context : Tensor (I, d_model, H / 4, W / 4)
    earlier : LongTensor (I, E)
        First frames of pairs that are only remembered, on the processor.
    prompted : BoolTensor (V, E)
        Which of those count as prompted.
    learn_features : bool
    """

    batch: ClipBatch
    seen: Tensor
    context: Tensor
    earlier: Tensor
    prompted: Tensor
    learn_features: bool


class FlowPart:
    """The flow half.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        self.model, self.config = model, config

    def prepare(self, lesson: Lesson) -> FlowTask:
        """Choose the masks that the flow sees and the pairs that are remembered; see `Part`."""
        whole, stage = lesson.batch, lesson.stage
        seen = roughen(whole.masks, lesson.draws)
        if lesson.found is not None and lesson.rng.random() < stage.predicted_masks:
            agree = mask_iou(lesson.found, whole.masks)
            seen = torch.where(agree[:, None, None] > 0.5, lesson.found, seen)
        height, width = whole.inputs.shape[-2:]
        if lesson.levels:
            context = lesson.levels[0]
        else:
            context = seen.new_zeros(len(whole), self.model.config.mask.d_model, height // 4, width // 4)
        batch = whole.fewer(max(1, self.config.most_flow_pixels // (height * width)))
        if batch is not whole:
            seen = torch.cat([x[: batch.counts[i]] for i, x in enumerate(seen.split(whole.counts))])
        # Earlier pairs are answered to be remembered only.
        remembered = 0 if self.model.flow.motion_memory is None else stage.remembered_pairs
        earlier = _earlier(batch, remembered, lesson.rng)
        prompted = torch.zeros(len(seen), earlier.shape[1], dtype=torch.bool, device=seen.device)
        if earlier.shape[1]:
            prompted[:, 0] = bool(lesson.rng.random() < self.config.prompted_memory)
        return FlowTask(batch, seen, context, earlier, prompted, stage.learn_features)

    def loss(self, prepared: FlowTask) -> tuple[Tensor, Figures]:
        """Error of the answered pairs; see `Part`."""
        with torch.set_grad_enabled(prepared.learn_features and torch.is_grad_enabled()):
            maps = _features(self.model.flow, prepared.batch.inputs).float()
        # Places, correlations and flow need all their digits; what does not has its own word for it.
        with torch.autocast(maps.device.type, enabled=False):
            return self._error(prepared, maps)

    def _error(self, task: FlowTask, maps: Tensor) -> tuple[Tensor, Figures]:
        batch, net = task.batch, self.model.flow
        layout = net.lay_out(task.seen, batch.owner, (maps.shape[2], maps.shape[3]))
        if not layout.cells.count:
            return maps.new_zeros(()), {}
        pairs = torch.cat([task.earlier, batch.pairs], 1)
        series = maps.permute(0, 2, 3, 1, 4)
        with torch.set_grad_enabled(task.learn_features and torch.is_grad_enabled()):
            cost_volume = net.cost_volumes(series, pairs, batch.frames, layout)
        answer = self._answer(task, maps, cost_volume, layout, pairs)
        truth = cell_truth(batch.flow, batch.weight, batch.pair_share, layout)
        return flow_loss(answer, truth, layout, self.config)

    def _answer(
        self, task: FlowTask, maps: Tensor, cost_volume: Tensor, layout: CellLayout, pairs: Tensor
    ) -> FlowAnswer:
        """The answered pairs one after the other, as rows of one answer."""
        net, earlier, context = self.model.flow, task.earlier.shape[1], task.context.float()
        times = pairs.to(maps.device)
        starts = list[FirstFlow]()
        # Memory of the pairs before is written without a gradient: they are many, and have no truth.
        for part, learned in ((cost_volume[:earlier], False), (cost_volume[earlier:], True)):
            with torch.set_grad_enabled(learned and torch.is_grad_enabled()):
                if len(part):
                    starts += net.first_flow(part.flatten(0, 1), context, layout).split(layout.cells.count)
        known = torch.cat([task.prompted, task.prompted.new_zeros(len(task.seen), len(starts) - earlier)], 1)
        clips, by_vessel = torch.arange(len(times), device=times.device), times[task.batch.owner]
        rows, memories, answers = rows_of_vessels(layout.cells), list[MotionTokens](), list[FlowAnswer]()
        for p, start in enumerate(starts):
            first, second = (maps[clips, times[:, p] + step].permute(0, 3, 1, 2) for step in (0, 1))
            with torch.set_grad_enabled(p >= earlier and torch.is_grad_enabled()):
                hidden = start.hidden
                if memories and net.motion_memory is not None and net.config.use_motion_memory:
                    ages = by_vessel[:, p : p + 1] - by_vessel[:, :p]
                    hidden = hidden + net.motion_memory.read_together(
                        hidden, layout.cells, rows, memories, ages, known[:, :p]
                    )
                answer = net.refine(start, hidden, first, second, layout)
                if net.motion_memory is not None:
                    memories.append(net.motion_memory.write_together(answer.hidden, answer.flows[-1], layout.cells))
            answers.append(answer)
        return _joined(answers[earlier:])


def _features(net: FlowNet, inputs: Tensor) -> Tensor:
    """Matching features (I, T, h, w, D) of frames (I, T, 3, H, W)."""
    images = inputs.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    result: Tensor = net.feature_encoder(images).permute(0, 2, 3, 1).contiguous().unflatten(0, inputs.shape[:2])
    return result


def _earlier(batch: ClipBatch, count: int, rng: np.random.Generator) -> Tensor:
    """First frames (I, E) of pairs before the answered ones, from old to new, with random gaps."""
    first = batch.pairs[:, 0].tolist()
    count = min(count, *first)
    rows = [np.sort(rng.choice(t, count, replace=False)) for t in first]
    return torch.from_numpy(np.stack(rows)).long()


def _joined(answers: list[FlowAnswer]) -> FlowAnswer:
    def every(parts: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return tuple(torch.cat(x) for x in zip(*parts, strict=True))

    return FlowAnswer(
        every([a.flows for a in answers]),
        torch.cat([a.speed for a in answers]),
        torch.cat([a.logits for a in answers]),
        every([a.mixture for a in answers]),
        torch.cat([a.fine for a in answers]),
        torch.cat([a.scale for a in answers]),
        torch.cat([a.hidden for a in answers]),
    )
