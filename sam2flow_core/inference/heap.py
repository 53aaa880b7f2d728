"""What the C library keeps of memory that was freed."""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from typing import Any


def give_back() -> None:
    """Have freed memory given back to the system, all of it and now; only glibc needs to be told.

    To be called where much was freed and what comes next is of other sizes: glibc keeps the gaps that small tensors
    leave, and takes new memory for large ones.
    """
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
