"""Why a frame could not be read, in words."""

from __future__ import annotations

import errno

_GONE = (errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ETIMEDOUT)


def read_fault(error: Exception) -> str:
    """Say what to mend: a drive or share that was there when the recording was opened and is gone, or the file."""
    if isinstance(error, OSError) and error.errno in _GONE:
        return "the drive or file share has vanished; connect it again"
    return f"{error}; the file may be damaged"
