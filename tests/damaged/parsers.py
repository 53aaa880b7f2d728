"""Everything in the package that reads a file somebody else may have written, each with good files to damage."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from damage import Files, damaged_bytes, damaged_json, damaged_table
from hypothesis import strategies as st

from sam2flow_core.errors import Sam2FlowError

PROMPTS = b"vessel_id,frame,y,x,label\n1,0,12.5,16,1\n1,0,3,4.25,0\n2,3,20,8,1\n"
FRAMES = np.random.default_rng(0).integers(10, 200, (5, 24, 32)).astype(np.uint8)


@dataclass(frozen=True)
class Parser:
    """A reader under attack.

    Attributes
    ----------
    files : strategy of dict of str to bytes
        Damaged files by relative path.
    read : callable
        Reads what lies in a folder as the program does; may raise `Sam2FlowError` and nothing else.
    """

    files: st.SearchStrategy[Files]
    read: Callable[[Path], object]


def one_of_many(
    files: Files, damage: Callable[[bytes], st.SearchStrategy[bytes]], *names: str
) -> st.SearchStrategy[Files]:
    """Damage one of the named files and leave the others as they are."""
    return st.one_of([damage(files[name]).map(lambda data, name=name: {**files, name: data}) for name in names])


# -- recordings --------------------------------------------------------------------------------------------------------
def tiffs() -> Parser:
    """TIFF as plain chains of pages, ImageJ, OME and BigTIFF files, compressed and tiled."""
    return Parser(st.one_of([_damaged_tiff(data) for data in _tiff_files()]), lambda folder: _open(folder / "r.tif"))


def _damaged_tiff(seed: bytes) -> st.SearchStrategy[Files]:
    return damaged_bytes(seed, _tag_places(seed)).map(lambda data: {"r.tif": data})


@cache
def _tiff_files() -> tuple[bytes, ...]:
    imagej = {"axes": "TYX", "unit": "um", "finterval": 0.01}
    ways: tuple[Mapping[str, object], ...] = (
        {"imagej": True, "metadata": imagej, "resolution": (2.0, 2.0)},
        {"metadata": None, "compression": "deflate"},
        {"metadata": None, "compression": "lzw", "rowsperstrip": 5, "predictor": True},
        {"metadata": {"axes": "TYX"}},
        {"metadata": None, "bigtiff": True, "tile": (16, 16), "compression": "zstd"},
        {"ome": True, "metadata": {"axes": "TYX", "TimeIncrement": 0.01, "PhysicalSizeX": 0.5}, "byteorder": ">"},
    )
    return tuple(_tiff_bytes(**way) for way in ways)


def _tiff_bytes(**way: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(
        buffer, **{k: way.pop(k) for k in ("imagej", "bigtiff", "ome", "byteorder") if k in way}
    ) as tif:
        chained = way.get("metadata") is None
        for frames in FRAMES if chained else [FRAMES]:
            tif.write(frames, contiguous=not chained, photometric="minisblack", **way)
    return buffer.getvalue()


def _tag_places(data: bytes) -> list[int]:
    """Where the headers of the pages, their tags and the texts lie."""
    places = [2, 4, 8]
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        for page in tif.pages:
            page = page.aspage()
            places += [page.offset, *(tag.offset for tag in page.tags), *(tag.valueoffset for tag in page.tags)]
    text = max(data.find(b"ImageJ="), data.find(b"<Pixels"))
    return places + (list(range(text, text + 250, 10)) if text > 0 else [])


def folders() -> Parser:
    """Folders of single frames: PNG, JPEG and TIFF."""
    kinds = {"png": imagecodecs.png_encode, "jpg": imagecodecs.jpeg8_encode, "tif": lambda a: _single_tiff(a)}
    strategies = []
    for ending, encode in kinds.items():
        files = {f"f{t}.{ending}": bytes(encode(np.ascontiguousarray(frame))) for t, frame in enumerate(FRAMES)}
        strategies.append(
            one_of_many(files, lambda d: damaged_bytes(d, (8, 16, 20, 24)), f"f0.{ending}", f"f2.{ending}")
        )
    return Parser(st.one_of(strategies), _open)


def _single_tiff(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, frame)
    return buffer.getvalue()


def _open(path: Path) -> None:
    from sam2flow_core.stack import describe_stack, open_stack

    with open_stack(path) as stack:
        describe_stack(stack)
        stack.fingerprint()
        for t in (0, len(stack) // 2, len(stack) - 1):
            stack.frame(t)


# -- tables ------------------------------------------------------------------------------------------------------------
def prompts() -> Parser:
    """``prompts.csv``."""
    from sam2flow_core.prompts import check_prompts, read_prompts

    return Parser(
        damaged_table(PROMPTS).map(lambda data: {"p.csv": data}),
        lambda folder: check_prompts(read_prompts(folder / "p.csv"), FRAMES.shape),
    )


def manifests() -> Parser:
    """``MANIFEST.csv``."""
    from sam2flow_core.engine.manifest import read_manifest

    seed = b"stack,prompts,pixel_size_um,frame_rate_hz,video_id,group\n" + (
        b"a.tif,p.csv,0.5,100,one,before\nb.tif,p.csv,,,two,after\n"
    )
    return Parser(
        damaged_table(seed).map(lambda data: {"m.csv": data, "p.csv": PROMPTS}),
        lambda folder: read_manifest(folder / "m.csv", folder / "out"),
    )


# -- what is written in JSON -------------------------------------------------------------------------------------------
def projects() -> Parser:
    """The window's project folder, run by the command line."""
    from sam2flow_core.engine import request_in_folder

    return Parser(_damaged_projects(), lambda folder: request_in_folder(folder / "r.tif.sam2flow"))


def windows() -> Parser:
    """A recording with a project beside it, opened in the window: the recording comes up whatever the project says."""
    from sam2flow_core.prompts import Prompt
    from sam2flow_napari.session import Session, open_recording

    def read(folder: Path) -> None:
        session = Session()
        notice = session.open(open_recording(folder / "r.tif"))
        assert session.recording is not None and session.recording.spacing.scale
        session.set_prompts((*session.state.prompts, Prompt(1, 0, 1.0, 1.0)))
        session.close()
        if notice:  # refused, and the recording opened nevertheless
            raise Sam2FlowError(notice)

    return Parser(_damaged_projects(), read)


def _damaged_projects() -> st.SearchStrategy[Files]:
    recording = _tiff_files()[0]
    files = {"r.tif": recording, "r.tif.sam2flow/project.json": _project(recording)}
    return one_of_many(files, damaged_json, "r.tif.sam2flow/project.json")


def _project(recording: bytes) -> bytes:
    import tempfile

    from sam2flow_core.project import CalibrationEdit, Project, RunChoices, SessionState, Vessel, write_project
    from sam2flow_core.prompts import Prompt
    from sam2flow_core.regions import BoxPrompt, MaskPrompt
    from sam2flow_core.stack import open_stack

    mask = MaskPrompt.of(2, 1, FRAMES[0] > 100)
    state = SessionState(
        (Vessel(1, "left"), Vessel(2, "right", False)),
        (Prompt(1, 0, 12.5, 16.0, 1),),
        (BoxPrompt(1, 2, 1.0, 2.0, 9.0, 8.0), mask),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.tif"
        path.write_bytes(recording)
        with open_stack(path) as stack:
            fingerprint = stack.fingerprint()
        beside = Path(f"{path}.sam2flow")
        write_project(beside, Project(path, fingerprint, state, CalibrationEdit(0.5, None), RunChoices(0, 4), ""))
        return (beside / "project.json").read_bytes()


PARSERS: dict[str, Callable[[], Parser]] = {
    "tiff": tiffs,
    "folder": folders,
    "prompts": prompts,
    "manifest": manifests,
    "project": projects,
    "window": windows,
}
