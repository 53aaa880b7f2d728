"""Training the vessel field: what runs where, from how a whole recording moves."""

from __future__ import annotations

from torch import Tensor

from sam2flow_core.model.sam2flow import SAM2Flow
from sam2flow_core.model.vessel_field import VesselField
from sam2flow_core.training.batch import ClipBatch
from sam2flow_core.training.field_truth import field_loss
from sam2flow_core.training.parts import Figures, Lesson


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
