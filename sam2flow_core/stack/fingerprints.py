"""Which recording is this, and are its files still what they were when it was opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sam2flow_core.config.stack import SamplingSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.sources import FrameSource

_READ_BYTES = 1 << 20
# Fingerprints that do not begin with a number are of so many.
_BLOCKS_ONCE = 16
_MOST_BLOCKS = 65536
_FEW = 4


def fingerprint(source: FrameSource, settings: SamplingSettings | None = None) -> str:
    """Hash shape, dtype, file sizes and blocks spread over every file (over frames, for an array).

    File names and times are left out, so that a copy has the same fingerprint. It begins with the number of blocks,
    so that it can still be compared when another number is taken.
    """
    settings = settings or SamplingSettings()
    blocks = settings.fingerprint_blocks if source.paths else settings.fingerprint_frames
    return f"{blocks}:{_hash(source, blocks, settings.fingerprint_block_bytes)}"


def has_fingerprint(source: FrameSource, earlier: str, settings: SamplingSettings | None = None) -> bool:
    """Whether a recording has the fingerprint that was taken earlier, perhaps of fewer blocks."""
    settings = settings or SamplingSettings()
    blocks, _, digest = earlier.rpartition(":")
    if blocks and not (blocks.isascii() and blocks.isdigit() and 0 < int(blocks) <= _MOST_BLOCKS):
        return False
    return digest == _hash(source, int(blocks or _BLOCKS_ONCE), settings.fingerprint_block_bytes)


def _hash(source: FrameSource, blocks: int, block_bytes: int) -> str:
    digest = hashlib.sha256(f"{source.shape} {source.dtype.str}".encode())
    if source.paths:
        for path in source.paths:
            _hash_blocks(digest, path, max(2, blocks // len(source.paths)), block_bytes)
    else:
        for t in np.unique(np.linspace(0, source.shape[0] - 1, blocks).astype(int)):
            digest.update(source.read(int(t)).tobytes())
    return digest.hexdigest()


def _hash_blocks(digest: hashlib._Hash, path: Path, blocks: int, block_bytes: int) -> None:
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for start in np.unique(np.linspace(0, max(size - block_bytes, 0), blocks).astype(np.int64)):
            file.seek(int(start))
            digest.update(file.read(block_bytes))


def content_sha256(source: FrameSource) -> str:
    """SHA-256 over all bytes of the files end to end, or over all frames of an array."""
    digest = hashlib.sha256()
    if not source.paths:
        for t in range(source.shape[0]):
            digest.update(source.read(t).tobytes())
    for path in source.paths:
        with path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Mark:
    """What the disk says of a file.

    A change of its content shows in `size` or `written_ns` unless somebody hides it, and then in `inode` or
    `changed_ns`; in these two other things show as well, and some file shares number their files anew at any time.
    """

    size: int
    written_ns: int
    inode: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> _Mark:
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)

    def looks_like(self, other: _Mark) -> bool:
        """Whether it is the file that it was, unless somebody hides a change."""
        return (self.size, self.written_ns) == (other.size, other.written_ns)


class Witness:
    """Remembers the files of a recording as they were, and says so when they are no longer.

    Parameters
    ----------
    paths : sequence of Path
        In the order of time.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._marks = {path.absolute(): _mark(path) for path in paths}
        self._paths = tuple(self._marks)

    @property
    def files(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size in bytes and time of writing (ns) of each file, as they were."""
        return tuple((path.name, mark.size, mark.written_ns) for path, mark in self._marks.items())

    def same_as(self, other: Witness) -> bool:
        """Whether another one saw the same files, and none was touched in between."""
        return self._marks == other._marks

    def check_frame(self, t: int, frames: int) -> None:
        """Raise `StackError` if the file that frame ``t`` of so many comes from has changed; costs microseconds."""
        if len(self._paths) <= _FEW:
            self._check(self._paths)
        else:
            place = t * len(self._paths) // frames
            self._check(self._paths[max(place - 1, 0) : place + 2])

    def check_all(self, content: str, sha256: Callable[[], str]) -> None:
        """Raise `StackError` if a file has changed.

        Parameters
        ----------
        content : str
            SHA-256 of the recording when it was opened.
        sha256 : callable
            Takes it anew. Called only where a file was touched in a way that may leave its content alone, such as a
            change of its rights, or a time of writing that was set back.
        """
        self._check(self._paths)
        if any(_mark(path) != mark for path, mark in self._marks.items()) and sha256() != content:
            raise _changed(self._paths[0])

    def _check(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not _mark(path).looks_like(self._marks[path]):
                raise _changed(path)


def _changed(path: Path) -> StackError:
    return StackError(
        "{name}: the recording was changed or replaced while it was open; leave it as it is until the run has ended, "
        "and start anew",
        name=path.name,
    )


def _mark(path: Path) -> _Mark:
    try:
        return _Mark.of(path)
    except FileNotFoundError:
        raise StackError(
            "{name}: the recording was removed or renamed, or its drive or share has vanished; connect it again",
            name=path.name,
        ) from None
    except OSError as error:
        raise StackError(
            "{name}: the recording can no longer be read ({strerror}); is its drive still connected?",
            name=path.name,
            strerror=error.strerror,
        ) from None
