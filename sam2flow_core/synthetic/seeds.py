"""Seed namespaces: what is tested on is never trained on.

Every use of the generator draws from ``[namespace, ...]``; the first word keeps the streams apart.
"""

from __future__ import annotations

import numpy as np

BENCHMARK = 0x62656E63
CASES = 0x63617365
SAMPLE = 0x73616D70


def stream(namespace: int, *numbers: int) -> np.random.Generator:
    """Return the random stream of a namespace and the numbers in it."""
    return np.random.default_rng([namespace, *numbers])
