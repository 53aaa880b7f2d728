"""Everything in the package that reads a file somebody else may have written, each with good files to damage."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from damage import Files, damaged_bytes, damaged_json, damaged_table
from hypothesis import strategies as st

from sam2flow_core.config.model import ModelConfig
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
    whole : dict of str to bytes
        The files undamaged, which must be read.
    """

    files: st.SearchStrategy[Files]
    read: Callable[[Path], object]
    whole: Files


def one_of_many(
    files: Files, damage: Callable[[bytes], st.SearchStrategy[bytes]], *names: str
) -> st.SearchStrategy[Files]:
    """Damage one of the named files and leave the others as they are."""
    return st.one_of([damage(files[name]).map(lambda data, name=name: {**files, name: data}) for name in names])


# -- recordings --------------------------------------------------------------------------------------------------------
def tiffs() -> Parser:
    """TIFF as plain chains of pages, ImageJ, OME and BigTIFF files, compressed and tiled."""
    return Parser(
        st.one_of([_damaged_tiff(data) for data in _tiff_files()]),
        lambda folder: _open(folder / "r.tif"),
        {"r.tif": _tiff_files()[0]},
    )


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
    return Parser(st.one_of(strategies), _open, files)


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
        {"p.csv": PROMPTS},
    )


def manifests() -> Parser:
    """``MANIFEST.csv``."""
    from sam2flow_core.engine.requests import read_manifest

    seed = b"stack,prompts,pixel_size_um,frame_rate_hz,video_id,group\n" + (
        b"a.tif,p.csv,0.5,100,one,before\nb.tif,p.csv,,,two,after\n"
    )
    return Parser(
        damaged_table(seed).map(lambda data: {"m.csv": data, "p.csv": PROMPTS}),
        lambda folder: read_manifest(folder / "m.csv", folder / "out"),
        {"m.csv": seed, "p.csv": PROMPTS},
    )


# -- what is written in JSON -------------------------------------------------------------------------------------------
def projects() -> Parser:
    """The window's project folder, run by the command line."""
    from sam2flow_core.engine import request_in_folder

    files, damage = _projects()
    return Parser(damage, lambda folder: request_in_folder(folder / "r.tif.sam2flow"), files)


def windows() -> Parser:
    """A recording with a project beside it, opened in the window: the recording comes up whatever the project says."""
    from sam2flow_core.prompts import Prompt
    from sam2flow_napari.session import Session, open_recording

    def read(folder: Path) -> None:
        session = Session()
        notice = session.open(open_recording(folder / "r.tif"))
        assert session.recording is not None and session.recording.spacing.scale
        session.set_clicks((*session.state.clicks, Prompt(1, 0, 1.0, 1.0)))
        session.close()
        if notice:  # refused, and the recording opened nevertheless
            raise Sam2FlowError(notice)

    files, damage = _projects()
    return Parser(damage, read, files)


def _projects() -> tuple[Files, st.SearchStrategy[Files]]:
    recording = _tiff_files()[0]
    files = {"r.tif": recording, "r.tif.sam2flow/project.json": _project(recording)}
    return files, one_of_many(files, damaged_json, "r.tif.sam2flow/project.json")


def _project(recording: bytes) -> bytes:
    import tempfile

    from sam2flow_core.project import CalibrationEdit, Project, RunChoices, SessionState, Vessel, write_project
    from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt
    from sam2flow_core.stack import open_stack

    mask = MaskPrompt.of(2, 1, FRAMES[0] > 100)
    state = SessionState(
        (Vessel(1, "left"), Vessel(2, "right", False)),
        (Prompt(1, 0, 12.5, 16.0, 1), BoxPrompt(1, 2, 1.0, 2.0, 9.0, 8.0), mask),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.tif"
        path.write_bytes(recording)
        with open_stack(path) as stack:
            fingerprint = stack.fingerprint()
        beside = Path(f"{path}.sam2flow")
        write_project(beside, Project(path, fingerprint, state, CalibrationEdit(0.5, None), RunChoices(0, 4), ""))
        return (beside / "project.json").read_bytes()


# -- runs --------------------------------------------------------------------------------------------------------------
@cache
def _finished_run() -> Files:
    """A run's folder as the program leaves it, with frames that a predictor of nothing answered."""
    import tempfile

    import pandas as pd

    from sam2flow_core.config.run import StoreSettings
    from sam2flow_core.inference.steps import FrameFlow, VesselFlow
    from sam2flow_core.results import Marker, ResultsWriter, StoreHeader, write_line, write_marker
    from sam2flow_core.spreadsheets import csv_text
    from sam2flow_core.velocity.tables import PER_FRAME_COLUMNS, SUMMARY_COLUMNS

    header = StoreHeader((5, 24, 32), 0, 5, {1: (8, 8)}, {1: "left"}, {}, "video")
    mask = np.ones((8, 8), bool)
    flow, scale = np.ones((2, 8, 8), np.float32), np.ones((8, 8), np.float32)
    frames = [FrameFlow(t, (0.0, 0.0), (VesselFlow.of(1, (3, 4), mask, flow, scale, 0.5, 0.5, 0.1),)) for t in range(5)]
    row = dict.fromkeys((*SUMMARY_COLUMNS, *PER_FRAME_COLUMNS), 1.5) | {"vessel_id": 1, "frame": 0, "grade": "good"}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ResultsWriter.create(folder / "results.zarr", header, StoreSettings(index_frames=5)).write(frames)
        write_line(folder / "results.zarr", 1, np.zeros((6, 2)), np.zeros((5, 6)))
        write_marker(folder, Marker(3, {"recording": "abc", "number of threads": "1"}), _snapshot())
        for name, columns in (("summary.csv", SUMMARY_COLUMNS), ("per_frame.csv", PER_FRAME_COLUMNS)):
            (folder / name).write_text(csv_text(pd.DataFrame([row], columns=list(columns))))
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {**files, "provenance.json": json.dumps(_provenance()).encode()}


def _snapshot() -> dict[str, object]:
    import torch

    return {"next_frame": 3, "shifts": torch.zeros(3, 4, dtype=torch.float64), "1/mask_iou": 0.5}


def _provenance() -> dict[str, object]:
    nothing = {"value": None, "source": "none", "plausible": False}
    given = {"value": 0.5, "source": "user", "plausible": True}
    return {
        "format": 1,
        "recording": {
            "path": "/data/r.tif", "sha256": "abc", "axes": None,
            "files": [{"name": "r.tif", "bytes": 9, "written_ns": 1}],
        },
        "video_id": "video",
        "calibration": {"pixel_size_um": given, "frame_rate_hz": nothing},
        "frames": {"start": 0, "stop": 5},
        "prompts": [{"vessel_id": 1, "frame": 0, "y": 2.5, "x": 3.0, "label": 1}],
        "regions": [{"kind": "box", "vessel_id": 1, "frame": 0, "top": 1.0, "left": 1.0, "bottom": 5.0, "right": 6.0}],
        "names": {"1": "left"},
        "stabilisation": {"on": True, "shifts_dy_dx_px": [[0.0, 0.0]]},
        "model": {"asked": "tiny", "sha256": "def"},
        "device": {"asked": "auto", "used": "cpu", "threads": 2},
        "identity": {"recording": "abc", "axes": "None", "number of threads": "2"},
    }  # fmt: skip


def provenances() -> Parser:
    """``provenance.json``, repeated."""
    from sam2flow_core.engine import request_again

    files = {"provenance.json": json.dumps(_provenance()).encode()}
    return Parser(
        one_of_many(files, damaged_json, "provenance.json"),
        lambda folder: request_again(folder / "provenance.json", folder / "out"),
        files,
    )


def markers() -> Parser:
    """``resume.safetensors`` of an unfinished run."""
    from sam2flow_core.results import read_marker, read_snapshot

    files = {"resume.safetensors": _finished_run()["resume.safetensors"]}

    def read(folder: Path) -> None:
        read_marker(folder)
        read_snapshot(folder)

    return Parser(one_of_many(files, damaged_safetensors, "resume.safetensors"), read, files)


def runs() -> Parser:
    """The folder of a finished run, as the window opens it."""
    from sam2flow_napari.worker.run_tables import read_tables

    def read(folder: Path) -> None:
        tables = read_tables(folder)
        for vessel in tables.results.vessel_ids:
            track = tables.results.track(vessel)
            np.asarray(track.mask), np.asarray(track.flow)

    files = _finished_run()
    jsons = [name for name in files if name.endswith(".json")]
    chunks = [name for name in files if "/c/" in name]
    damage = (
        one_of_many(files, damaged_json, *jsons),
        one_of_many(files, damaged_bytes, *chunks),
        one_of_many(files, damaged_table, "summary.csv", "per_frame.csv"),
    )
    return Parser(st.one_of(damage), read, files)


# -- weights -----------------------------------------------------------------------------------------------------------
def weights() -> Parser:
    """Weights of this program, in a file and in a folder as the hub keeps them."""
    from sam2flow_core.inference.weights import load_model

    shipped = _small_weights()
    folder = {"m/model.safetensors": shipped["w.safetensors"], "m/config.json": shipped["config.json"]}
    return Parser(
        st.one_of(
            one_of_many({"w.safetensors": shipped["w.safetensors"]}, damaged_safetensors, "w.safetensors"),
            one_of_many(folder, damaged_json, "m/config.json"),
        ),
        lambda place: load_model(str(place / "w.safetensors" if (place / "w.safetensors").exists() else place / "m")),
        folder,
    )


def pickles() -> Parser:
    """Official checkpoints of SAM 2, and what a training run goes on from."""
    from sam2flow_core.inference.official import matching_preset, read_official

    blocks = {f"image_encoder.trunk.blocks.{n}.norm1.weight": _tensor(4) for n in range(12)}
    seed = _pickled({"model": {**blocks, "image_encoder.trunk.patch_embed.proj.bias": _tensor(96)}})
    damage = st.one_of(damaged_bytes(seed, range(0, len(seed), 97)), st.sampled_from(_odd_pickles()))
    return Parser(
        damage.map(lambda data: {"w.pt": data}),
        lambda folder: matching_preset(read_official(folder / "w.pt")),
        {"w.pt": seed},
    )


def _tensor(*shape: int, value: float = 0.0) -> object:
    import torch

    return torch.full(shape, value)


def _pickled(content: object) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _odd_pickles() -> list[bytes]:
    """Checkpoints that are whole, and no checkpoints: other content, NaN, packed to burst."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(200_000_000))
    odd = ([], {}, {"model": []}, {"model": {"a": 3}}, {"model": {"a": _tensor(2, value=float("nan"))}}, 3, None)
    return [_pickled(content) for content in odd] + [bomb.getvalue()]


@cache
def _small_weights() -> Files:
    import tempfile

    import torch

    from sam2flow_core.config.model import preset
    from sam2flow_core.inference.weights import save_folder, save_weights
    from sam2flow_core.model.sam2flow import SAM2Flow

    torch.manual_seed(0)
    model = SAM2Flow(_narrow(preset("tiny")))
    with tempfile.TemporaryDirectory() as place:
        save_weights(Path(place) / "w.safetensors", model, {"steps": 3})
        save_folder(Path(place), model, {"steps": 3})
        return {name: (Path(place) / name).read_bytes() for name in ("w.safetensors", "config.json")}


def _narrow(config: ModelConfig) -> ModelConfig:
    """Return every part of the network, but narrow: drawing thousands of damaged files keeps them in memory."""
    image = replace(config.image, embed_dim=4, stages=(1, 1, 1, 1), adapter_dim=2)
    mask = replace(
        config.mask, d_model=8, heads=2, mlp_dim=8, mask_in_chans=4, memory_dim=8, memory_layers=1, memory_mlp_dim=16,
        field_widths=(8, 8), strip_widths=(8, 8), matching_widths=(4, 4, 4, 4), growth_dim=8,
    )  # fmt: skip
    update = replace(config.update, hidden=16, context=16, motion_memory_dim=16, cost_volume_hidden=8)
    return replace(config, image=image, mask=mask, update=update)


def damaged_safetensors(seed: bytes) -> st.SearchStrategy[bytes]:
    """Draw from the ways weights go wrong: the file, its header, its configuration, values that are no numbers."""
    length = int.from_bytes(seed[:8], "little")
    header = json.loads(seed[8 : 8 + length])
    texts = {key: value for key, value in header.get("__metadata__", {}).items() if value[:1] == "{"}

    def packed(head: bytes) -> bytes:
        return len(head).to_bytes(8, "little") + head + seed[8 + length :]

    def with_text(key: str, text: bytes) -> bytes:
        meta = header["__metadata__"] | {key: text.decode("utf-8", "replace")}
        return packed(json.dumps({**header, "__metadata__": meta}).encode())

    broken = damaged_bytes(seed[: 8 + length], range(0, 8 + length, 61)).map(lambda data: data + seed[8 + length :])
    odd = [damaged_json(value.encode()).map(lambda text, key=key: with_text(key, text)) for key, value in texts.items()]
    no_numbers = st.integers(8 + length, len(seed) - 64).map(lambda at: seed[:at] + b"\xff" * 64 + seed[at + 64 :])
    cut = st.integers(0, len(seed)).map(lambda at: seed[:at])
    return st.one_of(broken, *odd, no_numbers, cut, damaged_json(seed[8 : 8 + length]).map(packed))


PARSERS: dict[str, Callable[[], Parser]] = {
    "tiff": tiffs,
    "folder": folders,
    "prompts": prompts,
    "manifest": manifests,
    "project": projects,
    "window": windows,
    "provenance": provenances,
    "marker": markers,
    "run": runs,
    "weights": weights,
    "pickle": pickles,
}
