"""What is left out to see what it was worth: the same weights, one part put aside at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sam2flow_core.evaluation.records import Case
from sam2flow_core.evaluation.shown import Regions, everywhere, nothing_prompted, true_masks


@dataclass(frozen=True)
class Ablation:
    """One row of the ablation table.

    Attributes
    ----------
    name : str
    model : mapping
        Fields of the model's configuration that are changed (dotted for its parts).
    inference : mapping
        Fields of `InferenceSettings` that are changed.
    regions : callable
        From a case to the masks that are prompted where the flow is judged.
    """

    name: str
    model: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)
    regions: Callable[[Case], Regions] = true_masks


_SHIPPED = Ablation("as shipped")
_NO_ADAPTERS = Ablation("without adapters", {"image.use_adapters": False})
_NO_CONTEXT_MEMORY = Ablation("without context memory", {"use_context_memory": False})

ABLATIONS = (
    _SHIPPED,
    Ablation("causal: past frames only", inference={"causal": True}),
    Ablation("without prompts", regions=nothing_prompted),
    Ablation("without ROI guidance", regions=everywhere),
    _NO_ADAPTERS,
    _NO_CONTEXT_MEMORY,
    Ablation("without motion memory", {"use_motion_memory": False}),
    Ablation("motion memory of 1 frame", {"update.motion_memory_reach": 1}),
    Ablation("motion memory of 3 frames", {"update.motion_memory_reach": 3}),
    Ablation("without evidence pooled over frames", {"use_evidence_pooling": False}),
    Ablation("evidence of 5 pairs at most", {"match.windows": (1, 5, 5)}),
    Ablation("without either memory of motion", {"use_motion_memory": False, "use_evidence_pooling": False}),
    Ablation("1 iteration", {"update.iterations": 1}),
    Ablation("2 iterations", {"update.iterations": 2}),
    Ablation("6 iterations", {"update.iterations": 6}),
)

# What the masks depend on; the flow is judged in true masks, where the context memory has no say.
MASK_ABLATIONS = (_SHIPPED, _NO_ADAPTERS, _NO_CONTEXT_MEMORY)
