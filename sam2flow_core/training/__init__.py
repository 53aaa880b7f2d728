"""Training: clips from the generator, losses, and the run."""

from sam2flow_core.training.trainer import Progress, TrainingRequest, profile_run, train

__all__ = ["Progress", "TrainingRequest", "profile_run", "train"]
