"""Random draws shared by the parts of a scene."""

from __future__ import annotations

import numpy as np

from sam2flow_core.config.synthetic import Range, Weights


def uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw uniformly between the two bounds."""
    return float(rng.uniform(bounds[0], bounds[1]))


def log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw log-uniformly between two positive bounds."""
    low, high = np.log(bounds)
    return float(np.exp(rng.uniform(low, high)))


def pick(rng: np.random.Generator, weights: Weights) -> str:
    """Draw one name with probability proportional to its weight."""
    share = np.array([weight for _, weight in weights], float)
    return weights[int(rng.choice(len(weights), p=share / share.sum()))][0]
