"""Who may write into a folder: one process, and whoever comes second is told who it is."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from fake_predictor import FakePredictor
from test_streaming import SETTINGS, assert_same

from sam2flow_core.engine import FrameDone, run
from sam2flow_core.engine.batch import run_batch
from sam2flow_core.engine.lock import Holder, lock_folder
from sam2flow_core.errors import OutputError
from sam2flow_core.results import LOCK_NAME

HOLD = """
import sys, time
from pathlib import Path
from sam2flow_core.engine.lock import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_process(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def edit(folder, **changes):
    path = folder / LOCK_NAME
    content = json.loads(path.read_text()) | changes
    path.write_text("\n" + json.dumps(content))


def test_the_second_is_told_who_is_there(tmp_path, other_process):
    with pytest.raises(OutputError, match=f"process {other_process.pid} on ") as caught, lock_folder(tmp_path):
        pass
    assert os.uname().nodename in str(caught.value) and "\n" not in str(caught.value)
    assert other_process.poll() is None and json.loads((tmp_path / LOCK_NAME).read_text())["process"] > 0


def test_two_in_one_process_are_two(tmp_path):
    with lock_folder(tmp_path), pytest.raises(OutputError, match=str(os.getpid())), lock_folder(tmp_path):
        pass


def test_the_lock_of_a_process_that_was_killed_is_taken_over_and_that_is_said(tmp_path, other_process):
    kill(other_process)
    with lock_folder(tmp_path) as lock:
        (notice,) = lock.notices
        assert f"process {other_process.pid} on " in notice
        assert json.loads((tmp_path / LOCK_NAME).read_text())["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []
    with lock_folder(tmp_path) as lock:
        assert lock.notices == ()


def test_a_process_that_has_the_number_of_the_dead_one_keeps_nobody_out(tmp_path, other_process):
    kill(other_process)
    edit(tmp_path, process=os.getpid(), started="2001-01-01T00:00:00+00:00")
    assert not Holder("here", "me", os.getpid(), "2001-01-01T00:00:00+00:00").is_running()
    assert Holder.here().is_running() and not Holder("here", "me", 2**22 + 7, Holder.here().started).is_running()
    with lock_folder(tmp_path):
        pass


def test_a_lock_of_another_computer_is_left_to_a_person(tmp_path, other_process):
    kill(other_process)
    edit(tmp_path, host="microscope-pc")
    for _ in range(2):
        with pytest.raises(OutputError, match=r"microscope-pc.*remove run\.lock"), lock_folder(tmp_path):
            pass
    (tmp_path / LOCK_NAME).unlink()
    with lock_folder(tmp_path):
        pass


@pytest.mark.parametrize("content", ["\nmy own notes", "\n[]", '\n{"host": 1}', "\n" + "[" * 4000])
def test_a_file_of_that_name_that_is_none_of_ours_stays_as_it_is(tmp_path, content):
    (tmp_path / LOCK_NAME).write_text(content)
    with pytest.raises(OutputError, match="is not a lock file"), lock_folder(tmp_path):
        pass
    assert (tmp_path / LOCK_NAME).read_text() == content


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_at_the_lock_are_not_written_through(tmp_path, link):
    (tmp_path / "precious").write_text("")
    link(tmp_path / "precious", tmp_path / LOCK_NAME)
    with pytest.raises(OutputError), lock_folder(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == ""


def test_where_the_disk_knows_no_locks_the_file_has_to_do(tmp_path, other_process, monkeypatch):
    def unsupported(*_, **__):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("sam2flow_core.engine.lock.lock_descriptor", unsupported)
    with pytest.raises(OutputError, match=f"process {other_process.pid}"), lock_folder(tmp_path):
        pass
    kill(other_process)
    with lock_folder(tmp_path) as lock:
        assert lock.notices


def test_many_at_once_never_meet(tmp_path):
    program = (
        "import sys, os\nfrom pathlib import Path\nfrom sam2flow_core.engine.lock import lock_folder\n"
        "from sam2flow_core.errors import OutputError\n"
        "folder = Path(sys.argv[1])\n"
        "for _ in range(300):\n"
        "    try:\n"
        "        with lock_folder(folder):\n"
        "            os.close(os.open(folder / 'inside', os.O_CREAT | os.O_EXCL))\n"
        "            os.unlink(folder / 'inside')\n"
        "    except OutputError:\n"
        "        pass\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [p.wait() for p in processes] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_two_runs_into_one_folder(request_for):
    request = request_for()
    first = run(request, FakePredictor(), SETTINGS)
    while not isinstance(next(first), FrameDone):
        pass
    for resume in (False, True):
        with pytest.raises(OutputError, match="another run is writing there"):
            list(run(replace(request, resume=resume), FakePredictor(), SETTINGS))
    list(first)
    assert not (request.out / LOCK_NAME).exists()
    undisturbed = replace(request, out=request.out.parent / "undisturbed")
    list(run(undisturbed, FakePredictor(), SETTINGS))
    assert_same(undisturbed.out, request.out)


def test_a_batch_keeps_its_folder_too(tmp_path, other_process):
    with pytest.raises(OutputError, match=f"process {other_process.pid}"):
        list(run_batch([], tmp_path))


def test_the_lock_goes_with_a_run_that_failed(request_for):
    request = request_for()
    error = OutputError("no")
    with pytest.raises(OutputError, match="no"):
        list(run(request, FakePredictor(fail_at=2, error=error), SETTINGS))
    assert not (request.out / LOCK_NAME).exists()


def test_looking_after_the_folder_costs_next_to_nothing(tmp_path):
    with lock_folder(tmp_path) as lock:
        began = time.perf_counter()
        for _ in range(100):
            lock.check()
        assert time.perf_counter() - began < 0.1
