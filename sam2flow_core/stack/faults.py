"""Why a recording or a frame could not be read, in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sam2flow_core.errors import Sam2FlowError, StackError

_GONE = (errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ETIMEDOUT)
_LONGEST = 200  # characters: some libraries put a whole header into their message


def read_fault(error: Exception) -> str:
    """Say what to mend: a drive or share that was there when the recording was opened and is gone, or the file."""
    if isinstance(error, OSError) and error.errno in _GONE:
        return "the drive or file share has vanished; connect it again"
    return f"{error}; the file may be damaged"


@contextmanager
def refuse_damage(name: str, what: str) -> Iterator[None]:
    """Turn whatever the block raises while it reads a file into a `StackError` that says what could not be read.

    The libraries that read pictures trust what a file says of itself, so a damaged one can make them raise anything.

    Parameters
    ----------
    name : str
        Of the file.
    what : str
        What was being read, such as ``"frame 3 cannot be read"``.
    """
    try:
        yield
    except Sam2FlowError:
        raise
    except Exception as error:
        raise StackError(f"{name}: {what}: {_one_line(read_fault(error))}") from error


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
