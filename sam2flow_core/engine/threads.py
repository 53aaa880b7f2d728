"""How many CPU threads a run computes with.

Sums are split over the threads, so their number decides the last bits of a
result: a run, its resumption and the same run in a batch have to agree on it.
"""

from __future__ import annotations

_ENOUGH = 4
"""More threads hardly speed up the small tensors of a few vessels."""


def set_threads(wanted: int | None) -> int:
    """Set the number of threads of this process, `_ENOUGH` at most by default, and return it."""
    import torch

    threads = wanted or min(_ENOUGH, torch.get_num_threads())
    torch.set_num_threads(threads)
    return threads
