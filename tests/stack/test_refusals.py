"""Sizes that a header claims are judged before anything is decoded."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from recordings import textured

from sam2flow_core.errors import StackError
from sam2flow_core.stack import open_stack

SHAPES = [(60_000, 60_000), (30_000, 10_000), (2**31 - 1, 16), (16, 2**31 - 1)]


def refusal(path: Path) -> str:
    with pytest.raises(StackError) as caught:
        open_stack(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def claim(path: Path, height: int, width: int, **way: object) -> Path:
    """A small TIFF of two pages whose headers say they are larger."""
    with tifffile.TiffWriter(path) as writer:
        for frame in textured(2):
            writer.write(frame, contiguous=False, metadata=None, **way)
    with tifffile.TiffFile(path) as tif:
        places = [
            (page.aspage().tags[name].offset, n)
            for page in tif.pages
            for name, n in (("ImageLength", height), ("ImageWidth", width), ("RowsPerStrip", height))
            if name in page.aspage().tags
        ]
    data = bytearray(path.read_bytes())
    for place, number in places:  # a tag: code, type, count, value; 4 is a whole number of 32 bits
        data[place + 2 : place + 12] = struct.pack("<HII", 4, 1, number)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", [{}, {"compression": "deflate"}, {"compression": "zstd"}, {"tile": (16, 16)}])
def test_tiff_that_claims_more_than_it_holds(tmp_path: Path, shape: tuple[int, int], way: dict) -> None:
    assert "claims" in (message := refusal(claim(tmp_path / "r.tif", *shape, **way))) or "truncated" in message


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_pictures_that_claim_more_than_they_hold(tmp_path: Path, shape: tuple[int, int]) -> None:
    for t, frame in enumerate(textured(3)):
        data = bytearray(imagecodecs.png_encode(frame))
        if t != 1:
            data[16:24] = struct.pack(">II", shape[1], shape[0])
            data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        (tmp_path / f"{t}.png").write_bytes(data)
    assert "claims frames" in refusal(tmp_path)


def test_a_folder_of_jpeg_files_that_claim_too_much(tmp_path: Path) -> None:
    for t, frame in enumerate(textured(3)):
        data = bytearray(imagecodecs.jpeg8_encode(frame))
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", 60_000, 60_000)
        (tmp_path / f"{t}.jpg").write_bytes(data)
    assert "exceeds limit" in refusal(tmp_path)  # Pillow's own limit, below ours


@pytest.mark.parametrize(
    "old, new", [('SizeT="2"', 'SizeT="2000000000000"'), ('PlaneCount="2"', 'PlaneCount="99999999999"'),
                 ('SizeT="2"', 'SizeT="-2"'), ('SizeT="2"', 'SizeT="nan"'), ('SizeC="1"', 'SizeC="1e99"')],
)  # fmt: skip
def test_metadata_that_count_more_planes_than_a_file_can_hold(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "r.ome.tif"
    tifffile.imwrite(path, textured(2), ome=True, metadata={"axes": "TYX"})
    with tifffile.TiffFile(path) as tif:
        text = tif.ome_metadata
    assert old in text
    tifffile.imwrite(path, textured(2), description=text.replace(old, new).encode(), metadata=None)
    refusal(path)


@pytest.mark.parametrize("other", ["/etc/r.tif", "../r.tif", "//evil/share/r.tif", "\\\\evil\\share\\r.tif"])
def test_metadata_that_name_files_elsewhere(tmp_path: Path, other: str) -> None:
    path = tmp_path / "r.ome.tif"
    tifffile.imwrite(path, textured(2), ome=True, metadata={"axes": "TYX"})
    with tifffile.TiffFile(path) as tif:
        text = tif.ome_metadata
    uuid = f'<UUID FileName="{other}">urn:uuid:0</UUID></TiffData>'
    text = text.replace("></TiffData>", ">" + uuid).replace("/></Pixels>", ">" + uuid + "</Pixels>")
    assert "FileName" in text
    tifffile.imwrite(path, textured(2), description=text.encode(), metadata=None)
    assert "another folder" in refusal(path)


def test_pages_that_lead_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "r.tif"
    tifffile.imwrite(path, textured(1)[0], metadata=None)
    with tifffile.TiffFile(path) as tif:
        page = tif.pages.first
        following = page.offset + 2 + 12 * len(page.tags)
    data = bytearray(path.read_bytes())
    data[following : following + 4] = struct.pack("<I", page.offset)
    path.write_bytes(data)
    refusal(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes by name")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.tif")
    assert "no ordinary file" in refusal(tmp_path / "r.tif")


def test_a_black_frame_that_compresses_to_nothing_is_read(tmp_path: Path) -> None:
    frames = np.zeros((3, 2048, 2048), np.uint16)
    frames[1:, ::64] = 100
    tifffile.imwrite(tmp_path / "r.tif", frames, compression="zstd", photometric="minisblack", metadata=None)
    with open_stack(tmp_path / "r.tif") as stack:
        assert not stack.frame(0).any() and stack.frame(1).any()


def test_a_claim_costs_no_memory(tmp_path: Path) -> None:
    path = claim(tmp_path / "r.tif", 60_000, 60_000, compression="deflate")
    code = (
        "import resource, sys, sam2flow_core.stack as s\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: s.open_stack(sys.argv[1])\n"
        "except Exception: pass\n"
        "sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 100_000)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 0
