"""Random draws: seed namespaces, so that what is tested on is never trained on, and how values are drawn.

Every use of the generator draws from ``[namespace, ...]``; the first word keeps the streams apart.
"""

from __future__ import annotations

import numpy as np

from sam2flow_core.config.synthetic import Range, Weights

BENCHMARK = 0x62656E63
CASES = 0x63617365
SAMPLE = 0x73616D70


def stream(namespace: int, *numbers: int) -> np.random.Generator:
    """Return the random stream of a namespace and the numbers in it.

    Examples
    --------
    >>> stream(SAMPLE, 1).random() == stream(SAMPLE, 1).random()
    True
    >>> stream(SAMPLE, 1).random() == stream(CASES, 1).random()
    False
    """
    return np.random.default_rng([namespace, *numbers])


def uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw uniformly between the two bounds."""
    return float(rng.uniform(bounds[0], bounds[1]))


def log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw log-uniformly between two positive bounds.

    Examples
    --------
    >>> 1.0 <= log_uniform(np.random.default_rng(0), (1.0, 10.0)) <= 10.0
    True
    """
    low, high = np.log(bounds)
    return float(np.exp(rng.uniform(low, high)))


def pick(rng: np.random.Generator, weights: Weights) -> str:
    """Draw one name with probability proportional to its weight.

    Examples
    --------
    >>> pick(np.random.default_rng(0), (("pair", 0.0), ("single", 1.0)))
    'single'
    """
    share = np.array([weight for _, weight in weights], float)
    return weights[int(rng.choice(len(weights), p=share / share.sum()))][0]
