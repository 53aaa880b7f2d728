"""Which recording is this: a cheap fingerprint and the full SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from sam2flow_core.config.stack import SamplingSettings
from sam2flow_core.stack.sources import FrameSource

_READ_BYTES = 1 << 20
# Fingerprints that do not begin with a number are of so many.
_BLOCKS_ONCE = 16
_MOST_BLOCKS = 65536


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
