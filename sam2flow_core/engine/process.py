"""How this process computes: on how many threads, and what becomes of the memory that it is done with."""

from __future__ import annotations

import ctypes
import os
import platform

_ENOUGH = 4
"""More threads hardly speed up the small tensors of a few vessels."""
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""Parameters of glibc's `mallopt`."""
_LARGE_BYTES = 8 * 2**20
"""From here on an array is a large frame's."""
_LARGE_FRAME = 2**22
"""Pixels; of smaller frames arrays are taken up again quickly, and memory is better kept."""


def set_threads(wanted: int | None) -> int:
    """Set the number of threads of this process, `_ENOUGH` at most by default, and return it.

    Sums are split over the threads, so their number decides the last bits of a
    result: a run, its resumption and the same run in a batch have to agree on it.
    """
    import torch

    threads = wanted or min(_ENOUGH, torch.get_num_threads())
    torch.set_num_threads(threads)
    return threads


def give_memory_back(shape: tuple[int, int, int]) -> None:
    """Have arrays of large frames given back to the system once they are done with; only glibc needs to be told.

    Left to itself it keeps what large arrays leave in its heap, and between the stages of a run on a large recording
    that is half a gigabyte. Who has set glibc's own variables for this knows better.
    """
    told = any(name in os.environ for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"))
    if told or shape[1] * shape[2] < _LARGE_FRAME or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    libc.mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)
