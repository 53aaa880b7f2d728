"""The streaming loop and its resume, with a predictor whose answers depend on all frames before."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import zarr
from fake_predictor import FakePredictor

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine.events import FrameDone, Started
from sam2flow_core.engine.lock import lock_folder
from sam2flow_core.engine.provenance import identify
from sam2flow_core.engine.source import open_source
from sam2flow_core.engine.streaming import stream_frames
from sam2flow_core.errors import OutputError, StackError
from sam2flow_core.results import open_results, read_marker

SETTINGS = StoreSettings(chunk_frames=4, tile=32, index_frames=8)


def stream(request, predictor, settings=SETTINGS):
    request.out.mkdir(exist_ok=True)
    with open_source(request) as source, lock_folder(request.out) as lock:
        identity = identify(request, source, source.stack.sha256(), predictor.description, threads=1)
        yield from stream_frames(request, source, lock, predictor, identity, settings)


def contents(folder: Path) -> dict[str, np.ndarray]:
    root = zarr.open_group(folder / "results.zarr", mode="r")
    arrays = {
        name: np.asarray(array[:]) for name, array in root.members(max_depth=None) if isinstance(array, zarr.Array)
    }
    assert "flow" in arrays and "vessels/1/flow" in arrays
    return arrays


def assert_same(folder: Path, other: Path) -> None:
    ours, theirs = contents(folder), contents(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@pytest.fixture
def undisturbed(request_for, tmp_path):
    request = request_for(out=tmp_path / "undisturbed", start=3, stop=33)
    list(stream(request, FakePredictor()))
    return request


def test_events_count_the_frames(request_for):
    events = list(stream(request_for(start=3, stop=13), FakePredictor()))
    assert events[0] == Started(10, 0, events[0].notices)
    assert [e.result.frame for e in events[1:]] == list(range(3, 13))
    assert [e.frames_done for e in events[1:]] == list(range(1, 11))
    assert all(isinstance(e, FrameDone) and e.frames_total == 10 for e in events[1:])
    assert events[-1].seconds_left == 0


@pytest.mark.parametrize("stopped_after", [0, 1, 17, 30])
def test_a_run_that_was_cancelled_goes_on_where_it_stood(undisturbed, tmp_path, stopped_after):
    request = replace(undisturbed, out=tmp_path / "cancelled")
    running = stream(request, FakePredictor())
    list(islice(running, 1 + stopped_after))
    running.close()
    assert open_results(request.out).frames_done == stopped_after
    predictor = FakePredictor()
    events = list(stream(replace(request, resume=True), predictor))
    assert events[0].frames_done == stopped_after
    assert predictor.answered == list(range(3 + stopped_after, 33))
    assert_same(undisturbed.out, request.out)


def test_cancelled_three_times_and_resumed(undisturbed, tmp_path):
    request = replace(undisturbed, out=tmp_path / "cancelled")
    for frames in (7, 2, 9):
        running = stream(request, FakePredictor())
        list(islice(running, 1 + frames))
        running.close()
    list(stream(request, FakePredictor()))
    assert_same(undisturbed.out, request.out)


@pytest.mark.parametrize("written", [1, 23, 57])
@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk is full; free some space"), (errno.ESTALE, "share has vanished")]
)
def test_a_disk_that_fills_up_or_goes_away_keeps_what_is_finished(
    undisturbed, tmp_path, monkeypatch, written, code, words
):
    request = replace(undisturbed, out=tmp_path / "full")
    with monkeypatch.context() as patch:
        lose_disk_after(written, code, patch)
        with pytest.raises(OutputError, match=f"{words}.*; what is finished is kept, go on with --resume") as caught:
            list(stream(request, FakePredictor()))
        assert "\n" not in str(caught.value)
    list(stream(request, FakePredictor()))
    assert_same(undisturbed.out, request.out)


def lose_disk_after(files: int, code: int, patch: pytest.MonkeyPatch) -> None:
    import zarr.storage._local as local

    real, left = local._put, iter(range(files))

    def put(path, value, exclusive=False):
        if "c" in path.parts and next(left, None) is None:
            raise OSError(code, os.strerror(code))
        return real(path, value, exclusive)

    patch.setattr(local, "_put", put)


def test_a_recording_that_breaks_keeps_the_frames_before(undisturbed, tmp_path):
    request = replace(undisturbed, out=tmp_path / "broken")
    with pytest.raises(StackError):
        list(stream(request, FakePredictor(fail_at=14, error=StackError("frame 14 cannot be read"))))
    assert open_results(request.out).frames_done == 11
    list(stream(request, FakePredictor()))
    assert_same(undisturbed.out, request.out)


def test_the_marker_speaks_only_of_what_is_written(request_for):
    request = request_for()
    for event in stream(request, FakePredictor()):
        marker = read_marker(request.out)
        assert marker.frames_done <= open_results(request.out).frames_done
        assert event.frames_done - marker.frames_done < 2 * SETTINGS.chunk_frames


KILLED = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, {here!r})
    from fake_predictor import PROMPTS, FakePredictor
    from test_streaming import stream
    from sam2flow_core.engine.events import RunRequest
    request = RunRequest(stack=Path({stack!r}), prompts=PROMPTS, out=Path({out!r}), start=3, stop=33)
    print("ready", flush=True)
    for event in stream(request, FakePredictor()):
        pass
    print("done", flush=True)
""")


@pytest.mark.parametrize("kills", [pytest.param(3, id="a few"), pytest.param(20, id="twenty", marks=pytest.mark.slow)])
def test_killed_at_random_moments_a_resumed_run_equals_an_undisturbed_one(undisturbed, tmp_path, kills):
    rng = np.random.default_rng(kills)
    code = KILLED.format(here=str(Path(__file__).parent), stack=str(undisturbed.stack), out=str(tmp_path / "killed"))
    interrupted = 0
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.25))
        os.kill(process.pid, signal.SIGKILL)
        interrupted += "done" not in process.communicate()[0]
    assert interrupted > 0
    list(stream(replace(undisturbed, out=tmp_path / "killed"), FakePredictor()))
    assert_same(undisturbed.out, tmp_path / "killed")
