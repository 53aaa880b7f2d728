"""Recordings and folders that change under a run: it stops at once, says so in one line, and nothing wrong is kept."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from fake_predictor import PROMPTS, FakePredictor
from test_streaming import SETTINGS, assert_same

from sam2flow_core.engine import FrameDone, RunRequest, Stage, request_again, run
from sam2flow_core.errors import OutputError, Sam2FlowError, StackError
from sam2flow_core.results import read_marker


@pytest.fixture
def recording(moving_cells, tmp_path):
    return shutil.copy(moving_cells, tmp_path / "cells.tif")


@pytest.fixture
def frames_in_a_folder(moving_cells, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, frame in enumerate(tifffile.imread(moving_cells)):
        tifffile.imwrite(folder / f"{t:03}.tif", frame)
    return folder


def change_byte(path, hidden=False):
    """Change a byte in the middle; hidden: with size and time of writing as before."""
    before = path.stat()
    with path.open("rb+") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)[0]
        file.seek(before.st_size // 2)
        file.write(bytes([byte ^ 1]))
    if hidden:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_file(path):
    other = path.with_name("other")
    shutil.copy2(path, other)
    change_byte(other, hidden=True)
    other.replace(path)


def go(request, predictor=None, at=None, do=None):
    """Run; after so many frames do something. Return the predictor, which knows what it was asked for."""
    predictor = predictor or FakePredictor()
    for event in run(request, predictor, SETTINGS):
        if isinstance(event, FrameDone) and event.frames_done == at:
            do()
    return predictor


def stopped(request, at, do, error):
    """Run, do something after so many frames, and return the error and how many frames were answered after it."""
    predictor = FakePredictor()
    with pytest.raises(error) as caught:
        go(request, predictor, at, do)
    assert "\n" not in str(caught.value)
    return str(caught.value), len(predictor.answered) - at


CHANGES = {
    "a byte": change_byte,
    "appended to": lambda path: path.open("ab").write(b"x"),
    "cut short": lambda path: os.truncate(path, path.stat().st_size // 2),
    "removed": lambda path: path.unlink(),
    "renamed": lambda path: path.rename(path.with_name("elsewhere.tif")),
    "copied over": lambda path: path.write_bytes(path.read_bytes()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_changes_during_a_run_stops_it_at_once(recording, tmp_path, change):
    request = RunRequest(recording, PROMPTS, tmp_path / "out")
    message, in_vain = stopped(request, 10, lambda: change(recording), StackError)
    assert "cells.tif" in message and in_vain <= 1
    assert not (tmp_path / "out" / "provenance.json").exists()


@pytest.mark.parametrize(
    "change", [lambda path: change_byte(path, hidden=True), replace_file], ids=["in place", "file"]
)
def test_a_change_that_is_hidden_is_found_at_the_end(recording, tmp_path, change):
    with pytest.raises(StackError, match="changed or replaced"):
        go(RunRequest(recording, PROMPTS, tmp_path / "out"), None, 10, lambda: change(recording))
    assert not (tmp_path / "out" / "provenance.json").exists()


def test_rights_and_names_beside_it_may_change(recording, tmp_path):
    def touch():
        recording.chmod(0o444)
        os.link(recording, recording.with_name("a-backup.tif"))

    go(RunRequest(recording, PROMPTS, tmp_path / "out"), None, 10, touch)
    go(RunRequest(recording, PROMPTS, tmp_path / "undisturbed"))
    assert_same(tmp_path / "undisturbed", tmp_path / "out")


@pytest.mark.parametrize("number", [0, 5, 20, 39])
def test_a_frame_of_a_folder_that_changes_is_found(frames_in_a_folder, tmp_path, number):
    path = frames_in_a_folder / f"{number:03}.tif"
    with pytest.raises(StackError, match=rf"{path.name}.*changed or replaced"):
        go(RunRequest(frames_in_a_folder, PROMPTS, tmp_path / "out"), None, 10, lambda: change_byte(path))
    assert not (tmp_path / "out" / "provenance.json").exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("place", [0.02, 0.31, 0.5, 0.77, 0.99])
def test_any_byte_that_changes_before_a_run_goes_on(moving_cells, tmp_path, place, kind):
    frames = np.repeat(tifffile.imread(moving_cells), 6, axis=1)  # more than the blocks of a fingerprint cover
    if kind == "file":
        recording = tmp_path / "long.tif"
        tifffile.imwrite(recording, np.repeat(frames, 8, axis=0), photometric="minisblack", metadata={"axes": "TYX"})
        file = recording
    else:
        recording = tmp_path / "frames"
        recording.mkdir()
        for t, frame in enumerate(frames):
            tifffile.imwrite(recording / f"{t:03}.tif", frame)
        file = recording / f"{int(place * 40):03}.tif"
    request = RunRequest(recording, PROMPTS, tmp_path / "out", stop=12)
    events = run(request, FakePredictor(), SETTINGS)
    while not (isinstance(event := next(events), FrameDone) and event.frames_done == 9):
        pass
    events.close()
    before = file.stat()
    with file.open("rb+") as opened:
        opened.seek(int(place * before.st_size))
        byte = opened.read(1)
        opened.seek(int(place * before.st_size))
        opened.write(bytes([byte[0] ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Sam2FlowError, match=r"differs in its recording|cannot be read|damaged|TIFF"):
        go(replace(request, resume=True))
    assert read_marker(request.out).frames_done == 9


def test_a_recording_that_changed_since_its_provenance_was_written_is_refused_before_anything_is_computed(
    recording, tmp_path
):
    go(RunRequest(recording, PROMPTS, tmp_path / "out"))
    provenance = tmp_path / "out" / "provenance.json"
    go(request_again(provenance, tmp_path / "again"))
    assert_same(tmp_path / "out", tmp_path / "again")
    change_byte(recording, hidden=True)
    predictor = FakePredictor()
    with pytest.raises(StackError, match="another recording"):
        go(request_again(provenance, tmp_path / "third"), predictor)
    assert predictor.answered == []
    # The identity of older files held a hash of some blocks; the SHA-256 beside it is what counts.
    record = json.loads(provenance.read_text())
    record["identity"]["recording"] = "0" * 64
    provenance.write_text(json.dumps(record))
    change_byte(recording)
    go(request_again(provenance, tmp_path / "fourth"))


def test_the_sha256_is_that_of_the_bytes_that_were_read(recording, tmp_path):
    import hashlib

    content = hashlib.sha256(recording.read_bytes()).hexdigest()
    go(RunRequest(recording, PROMPTS, tmp_path / "out"))
    record = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert record["recording"]["sha256"] == record["identity"]["recording"] == content
    assert record["recording"]["files"][0]["written_ns"] == recording.stat().st_mtime_ns


def test_a_finished_run_is_known_again_without_reading_the_recording_through(recording, tmp_path, monkeypatch):
    request = RunRequest(recording, PROMPTS, tmp_path / "out")
    go(request)
    with monkeypatch.context() as patched:
        patched.setattr("sam2flow_core.stack.stack.content_sha256", lambda source: pytest.fail("read through"))
        go(replace(request, resume=True))
    change_byte(recording)
    with pytest.raises(OutputError, match="differs in its recording"):
        go(replace(request, resume=True))


def test_the_settings_of_the_store_are_those_of_the_run(recording, tmp_path):
    go(RunRequest(recording, PROMPTS, tmp_path / "out"))
    record = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert record["settings"]["store"] == {"chunk_frames": 4, "tile": 32, "index_frames": 8, "zstd_level": 1}


def remove(folder):
    while folder.exists():  # a chunk may be on its way into it
        shutil.rmtree(folder, ignore_errors=True)


FOLDERS = {
    "removed": remove,
    "moved": lambda out: out.rename(out.with_name("moved")),
    "replaced": lambda out: (remove(out), out.mkdir(exist_ok=True)),
    "emptied": lambda out: [remove(p) if p.is_dir() else p.unlink() for p in out.iterdir()],
    "without its store": lambda out: remove(out / "results.zarr"),
}


@pytest.mark.parametrize("change", FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("at", [1, 10, 39])
def test_an_output_folder_that_goes_stops_the_run_at_once(recording, tmp_path, change, at):
    out = tmp_path / "out"
    message, in_vain = stopped(RunRequest(recording, PROMPTS, out), at, lambda: change(out), OutputError)
    assert str(out) in message and in_vain <= 1
    assert not (out / "summary.csv").exists() and not (out / "run.lock").exists()


def test_a_folder_that_was_moved_goes_on_where_it_is(recording, tmp_path):
    out, moved = tmp_path / "out", tmp_path / "moved"
    request = RunRequest(recording, PROMPTS, out)
    stopped(request, 10, lambda: out.rename(moved), OutputError)
    go(replace(request, out=moved, resume=True))
    go(replace(request, out=tmp_path / "undisturbed"))
    assert_same(tmp_path / "undisturbed", moved)


def test_a_folder_that_goes_while_vessels_are_measured(recording, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="removed"):
        for event in run(RunRequest(recording, PROMPTS, out), FakePredictor(), SETTINGS):
            if isinstance(event, Stage) and event.name.startswith("measuring"):
                shutil.rmtree(out)
    assert not out.exists()


def test_a_full_disk_is_noticed_with_the_next_frame(recording, tmp_path, monkeypatch):
    predictor = FakePredictor()

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        events = run(RunRequest(recording, PROMPTS, tmp_path / "out"), predictor, SETTINGS)
        for event in events:
            if isinstance(event, FrameDone):
                monkeypatch.setattr("sam2flow_core.results.writer.ResultsWriter._write_overview", full)
                if event.frames_done == 4:  # a chunk: handed to the writing thread
                    import time

                    time.sleep(0.3)
    assert len(predictor.answered) <= 5


def test_killed_before_the_first_marker_a_run_begins_again(recording, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".sam2flow-0123456789abcdef.part.safetensors").write_bytes(b"half a marker")
    go(RunRequest(recording, PROMPTS, out, resume=True))
    go(RunRequest(recording, PROMPTS, tmp_path / "undisturbed"))
    assert_same(tmp_path / "undisturbed", out)
    assert {p.name for p in out.iterdir()} == {p.name for p in (tmp_path / "undisturbed").iterdir()}


def test_a_store_that_is_a_link_is_not_emptied(recording, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.zarr").symlink_to(precious)
    for resume in (False, True):
        with pytest.raises(OutputError):
            go(RunRequest(recording, PROMPTS, out, resume=resume))
    assert (precious / "data").read_text() == "mine"


@pytest.mark.parametrize("name", ["x" * 256, "file", "file/out", "x" * 200 + "/" + "y" * 300])
def test_a_folder_that_cannot_be_is_told_before_anything_is_computed(recording, tmp_path, name):
    (tmp_path / "file").write_text("")
    predictor = FakePredictor()
    with pytest.raises(OutputError) as caught:
        go(RunRequest(recording, PROMPTS, tmp_path / name), predictor)
    assert predictor.answered == [] and "Errno" not in str(caught.value)


def test_a_path_too_long_for_what_goes_into_the_folder(recording, tmp_path):
    out = tmp_path
    while len(str(out)) < 3900:
        out = out / ("d" * 90)
    out = out / ("e" * (4095 - len(str(out)) - 60))
    predictor = FakePredictor()
    with pytest.raises(OutputError, match="too long"):
        go(RunRequest(recording, PROMPTS, out), predictor)
    assert predictor.answered == []
