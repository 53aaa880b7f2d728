"""Files as microscope programs write them: Micro-Manager stacks, NDTiff, OME sets, ScanImage."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tifffile
from numpy.typing import NDArray

_TAGS = ((256, 4), (257, 4), (258, 3), (259, 3), (262, 3), (273, 4), (277, 3), (278, 4), (279, 4))


def write_mm_stack(
    path: Path,
    frames: NDArray,
    coordinates: Sequence[tuple[int, int, int, int]] | None = None,
    summary: dict[str, Any] | None = None,
    notes: Sequence[dict[str, Any]] | None = None,
    description: str = "",
) -> Path:
    """A Micro-Manager image stack: an index of (channel, slice, time point, position), and notes on each page."""
    coordinates = coordinates or [(0, 0, t, 0) for t in range(len(frames))]
    summary = {"MicroManagerVersion": "2.0.1", "Prefix": path.name.split("_MMStack")[0], "Frames": 1000} | (
        summary or {}
    )
    head = json.dumps(summary).encode()
    out = bytearray(b"II" + struct.pack("<HI", 42, 0) + bytes(32) + head)
    struct.pack_into("<II", out, 32, 2355492, len(head))
    index, link = b"", 4
    for i, frame in enumerate(frames):
        note = (notes[i] if notes else {}) | {"Camera": "Camera-1"}
        link, offset, _, _ = _append_page(out, link, frame, note, description if i == 0 else "")
        index += struct.pack("<IIIII", *coordinates[i], offset)
    struct.pack_into("<II", out, 8, 54773648, len(out))
    out += struct.pack("<II", 3453623, len(frames)) + index
    path.write_bytes(out)
    return path


def write_ndtiff(
    folder: Path, parts: dict[str, NDArray], axes: Sequence[dict[str, Any]], interval_ms: float = 0
) -> None:
    """An NDTiff dataset: files without an index of their own, and ``NDTiff.index`` beside them."""
    index, t = b"", 0
    for name, frames in parts.items():
        head = json.dumps({"Prefix": "v"}).encode()
        out = bytearray(
            b"II" + struct.pack("<HI", 42, 0) + struct.pack("<IIIII", 483729, 3, 3, 2355492, len(head)) + head
        )
        link = 4
        for frame in frames:
            note = {"Axes": axes[t], "ElapsedTime-ms": t * interval_ms}
            link, _, data, meta = _append_page(out, link, frame, note, "")
            key, file, text = json.dumps(axes[t]).encode(), name.encode(), json.dumps(note).encode()
            index += struct.pack("<I", len(key)) + key + struct.pack("<I", len(file)) + file
            index += struct.pack("<IiiiiIii", data, frame.shape[1], frame.shape[0], 0, 0, meta, len(text), 0)
            t += 1
        (folder / name).write_bytes(out)
    (folder / "NDTiff.index").write_bytes(index)


def _append_page(
    out: bytearray, link: int, frame: NDArray, note: dict[str, Any], description: str
) -> tuple[int, int, int, int]:
    """Append a page; return where to link the next one, and where this page, its pixels and its note begin."""
    text, meta = description.encode() + b"\0", json.dumps(note).encode() + b"\0"
    out += b" " * (len(out) % 2)
    offset = len(out)
    struct.pack_into("<I", out, link, offset)
    height, width = frame.shape
    count = len(_TAGS) + 1 + bool(description)
    data = offset + 2 + 12 * count + 4
    note_at = data + frame.nbytes
    values = (width, height, 8 * frame.itemsize, 1, 1, data, 1, height, frame.nbytes)
    tags = [(tag, kind, 1, value) for (tag, kind), value in zip(_TAGS, values, strict=True)]
    tags.append((51123, 2, len(meta), note_at))
    if description:
        tags.append((270, 2, len(text), note_at + len(meta)))
    out += struct.pack("<H", count) + b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    following = len(out)
    out += struct.pack("<I", 0) + frame.tobytes() + meta + (text if description else b"")
    return following, offset, data, note_at


def ome_xml(
    shape: tuple[int, int, int],
    planes: Sequence[tuple[int, str, str]],
    uuid: str | None = None,
    sizes: tuple[int, int] = (1, 1),
    images: int = 1,
) -> str:
    """OME-XML of frames (T, Y, X) that lie as ``(IFD, file name, UUID)`` say; `sizes` are channels and slices."""
    frames = shape[0] * sizes[0] * sizes[1]
    parts = []
    for i in range(images):
        data = ""
        for n in range(frames):
            ifd, name, text = planes[i * frames + n]
            c, z, t = n % sizes[0], n // sizes[0] % sizes[1], n // (sizes[0] * sizes[1])
            inner = f'<UUID FileName="{name}">{text}</UUID>' if name else ""
            data += f'<TiffData FirstC="{c}" FirstZ="{z}" FirstT="{t}" IFD="{ifd}" PlaneCount="1">{inner}</TiffData>'
        channels = "".join(f'<Channel ID="Channel:{i}:{c}" SamplesPerPixel="1"/>' for c in range(sizes[0]))
        parts.append(
            f'<Image ID="Image:{i}"><Pixels ID="Pixels:{i}" DimensionOrder="XYCZT" Type="uint8" SizeX="{shape[2]}"'
            f' SizeY="{shape[1]}" SizeC="{sizes[0]}" SizeZ="{sizes[1]}" SizeT="{shape[0]}" PhysicalSizeX="0.5"'
            f' PhysicalSizeY="0.5" TimeIncrement="{0.01 * (i + 1)}">{channels}{data}</Pixels></Image>'
        )
    own = f' UUID="{uuid}"' if uuid else ""
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    return f'<?xml version="1.0"?><OME xmlns="{space}"{own}>{"".join(parts)}</OME>'


def write_ome(path: Path, frames: NDArray, xml: str) -> Path:
    """A TIFF file of chained pages whose first page carries `xml`."""
    with tifffile.TiffWriter(path) as writer:
        for t, frame in enumerate(frames):
            writer.write(frame, description=xml.encode() if t == 0 else None, metadata=None, contiguous=False)
    return path


def write_scanimage(path: Path, frames: NDArray, header: str, in_description: bool = False) -> Path:
    """A ScanImage file with its settings in the Software tag, or (before 2016) in the description."""
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for t, frame in enumerate(frames):
            text = header if in_description else f"frameNumbers = {t + 1}\n"
            software = header if t == 0 and not in_description else None
            writer.write(frame, software=software, description=text, metadata=None, contiguous=False)
    return path
