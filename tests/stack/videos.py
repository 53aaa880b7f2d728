"""Video files of known frames."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def moving(frames: int = 40, shape: tuple[int, int] = (48, 64), seed: int = 0) -> NDArray[np.uint8]:
    """Frames (T, Y, X) of smooth blobs that move, each unlike the others even after compression."""
    rng = np.random.default_rng(seed)
    texture = rng.integers(20, 230, (shape[0] // 8, (shape[1] + 4 * frames) // 8 + 1)).astype(np.uint8)
    wide = np.kron(texture, np.ones((8, 8), np.uint8))
    return np.stack([wide[:, 3 * t : 3 * t + shape[1]] for t in range(frames)])


def write_video(
    path: Path,
    frames: NDArray,
    codec: str = "mjpeg",
    pixels: str = "yuvj420p",
    rate: int = 100,
    reordered: int = 0,
    ticks: list[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames (T, Y, X) or (T, Y, X, 3); `ticks` are time stamps in ms in place of a constant rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], pixels
        stream.options = options or {}
        stream.codec_context.gop_size = 10
        if reordered:
            stream.codec_context.max_b_frames = reordered
        if ticks is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for t, frame in enumerate(frames):
            given = "rgb24" if frame.ndim == 3 else {1: "gray", 2: "gray16le"}[frame.itemsize]
            picture = av.VideoFrame.from_ndarray(frame, format=given).reformat(format=pixels)
            picture.pts = t if ticks is None else ticks[t]
            if ticks is not None:
                picture.time_base = Fraction(1, 1000)
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def write_dib_avi(path: Path, frames: NDArray, rate: int = 100, palette: NDArray | None = None) -> Path:
    """An uncompressed AVI as ImageJ and cameras write it: rows from the bottom up, grey by a palette, or BGR."""
    count, height, width = frames.shape[:3]
    bits = 24 if frames.ndim == 4 else 8
    stride = (width * bits // 8 + 3) // 4 * 4
    table = b""
    if bits == 8:
        greys = np.arange(256) if palette is None else palette
        table = b"".join(struct.pack("BBBB", g, g, g, 0) for g in greys.tolist())
    data = b""
    for frame in frames:
        rows = np.zeros((height, stride), np.uint8)
        rows[:, : width * bits // 8] = (frame[..., ::-1] if bits == 24 else frame).reshape(height, -1)
        data += _chunk(b"00db", rows[::-1].tobytes())
    main = struct.pack("<14I", 1_000_000 // rate, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0)
    head = (
        b"vidsDIB " + struct.pack("<10I", 0, 0, 0, 1, rate, 0, count, 0, 0, 0) + struct.pack("<4h", 0, 0, width, height)
    )
    bitmap = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, stride * height, 0, 0, 256 if table else 0, 0)
    lists = _list(b"strl", _chunk(b"strh", head) + _chunk(b"strf", bitmap + table))
    body = b"AVI " + _list(b"hdrl", _chunk(b"avih", main) + lists) + _list(b"movi", data)
    index = b"".join(
        struct.pack("<4sIII", b"00db", 0x10, 4 + i * (8 + stride * height), stride * height) for i in range(count)
    )
    path.write_bytes(_chunk(b"RIFF", body + _chunk(b"idx1", index)))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
