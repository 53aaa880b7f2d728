"""What is left out to see what it was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """

    name: str
    model: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)


# The context memory speaks on key frames only, and not at all where masks are given: it is no row here.
ABLATIONS = (
    Ablation("as shipped"),
    Ablation("causal: past frames only", inference={"causal": True}),
    Ablation("without motion memory", {"use_motion_memory": False}),
    Ablation("without evidence pooled over frames", {"use_evidence_pooling": False}),
    Ablation("without either memory of motion", {"use_motion_memory": False, "use_evidence_pooling": False}),
    Ablation("1 iteration", {"update.iterations": 1}),
    Ablation("2 iterations", {"update.iterations": 2}),
    Ablation("6 iterations", {"update.iterations": 6}),
)
