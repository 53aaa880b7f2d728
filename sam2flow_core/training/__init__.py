"""Training: clips from the generator, losses, and the run."""

from sam2flow_core.training.trainer import Progress, TrainingRequest, train

__all__ = ["Progress", "TrainingRequest", "train"]
