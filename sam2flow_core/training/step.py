"""One step: a batch of clips through the parts that a stage names, and the loss of them all."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from sam2flow_core.config.training import StageConfig, TrainingConfig
from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.batch import ClipBatch, Figures, Lesson, Part
from sam2flow_core.training.field_truth import field_loss
from sam2flow_core.training.flow_part import FlowPart
from sam2flow_core.training.mask_part import MaskPart
from sam2flow_core.training.matching_part import MatchingPart
from sam2flow_core.training.memory_part import MemoryPart
from sam2flow_core.training.strip_part import StripPart


class FieldPart:
    """The network of the vessel field.

    Parameters
    ----------
    model : SAM2Flow
    """

    def __init__(self, model: SAM2Flow) -> None:
        self.model = model

    def prepare(self, lesson: Lesson) -> ClipBatch:
        """See `Part`; nothing is drawn."""
        return lesson.batch

    def loss(self, prepared: ClipBatch) -> tuple[Tensor, Figures]:
        """See `Part`."""
        field = VesselField(*(x.float() for x in self.model.map_vessels(prepared.statistics)))
        return field_loss(field, prepared.field)


class TrainingStep(nn.Module):
    """The network with its losses, as one module, so that an engine can distribute it.

    Parameters
    ----------
    model : SAM2Flow
    config : TrainingConfig
    """

    def __init__(self, model: SAM2Flow, config: TrainingConfig) -> None:
        super().__init__()
        self.model, self.config = model, config
        if config.bf16 and model.config.use_flow:
            model.flow.cost_volume_net.low_precision = torch.bfloat16
        self.parts: dict[str, Part] = {
            "field": FieldPart(model),
            "strips": StripPart(model, config),
            "matching": MatchingPart(model, config),
            "masks": MaskPart(model, config),
            "memory": MemoryPart(model, config),
            "flow": FlowPart(model, config),
        }

    def forward(self, batch: ClipBatch, stage: StageConfig, rng: np.random.Generator) -> tuple[Tensor, Figures]:
        """Loss of a batch, a mean over its clips, and figures to log.

        Parameters
        ----------
        batch : ClipBatch
        stage : StageConfig
        rng : numpy.random.Generator
            All that is drawn follows from it.
        """
        device = batch.inputs.device
        draws = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
        total, figures = batch.inputs.new_zeros(()), Figures()
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.bf16):
            lesson = Lesson(batch, stage, rng, draws, self._look(batch, stage))
            # In the order above, whatever the order in the stage: the flow may be given the masks that were found.
            for name in [name for name in self.parts if name in stage.parts]:
                part = self.parts[name]
                loss, more = part.loss(part.prepare(lesson))
                total, figures = total + loss, {**figures, **more}
        return total, {**figures, "loss": total.detach()}

    def _look(self, batch: ClipBatch, stage: StageConfig) -> list[Tensor]:
        """Pyramid of the first answered frames, learned from where masks are."""
        if "masks" not in stage.parts and not ("flow" in stage.parts and stage.context):
            return []
        frames = batch.inputs[torch.arange(len(batch)), batch.pairs[:, 0] if batch.pairs.numel() else 0]
        with torch.set_grad_enabled("masks" in stage.parts and torch.is_grad_enabled()):
            return self.model.encode(frames)
