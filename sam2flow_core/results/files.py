"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sam2flow_core.errors import OutputError

GO_ON = "; what is finished is kept, go on with --resume"

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
    errno.ENOENT: "the folder has vanished; is the drive still connected?",
    errno.EIO: "the disk failed; is the drive still connected?",
    errno.ESTALE: "the file share has vanished; connect it again",
}


@contextmanager
def output_errors(path: Path, after: str = "") -> Iterator[None]:
    """Turn an `OSError` of the block into an `OutputError` that says what to mend.

    Parameters
    ----------
    path : Path
        What was being written; named in the message.
    after : str
        Added to the message, such as how to go on once it is mended.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, str(error))
        raise OutputError(f"{path}: {reason}{after}") from error


@contextmanager
def whole_file(path: Path, after: str = "") -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it to `path` when the block ends well.

    Added to an error's message is `after`, such as how to go on.
    A reader never sees half a file, whatever kills the program. On failure the
    part is removed and an older file at `path` stays as it was.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part{path.suffix}")
    with output_errors(path, after):
        try:
            yield part
            _flush_to_disk(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    # Without this a power cut can leave the new name on an empty file.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
