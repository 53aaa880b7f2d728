"""What the program prints to may be closed, read in part, or know few letters: the work is done all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sam2flow_core.engine.demo import sample_files

CLI = [sys.executable, "-m", "sam2flow_core"]


def start(arguments, closed=(), **streams):
    def close():
        for number in closed:
            os.close(number)

    return subprocess.Popen([*CLI, *map(str, arguments)], preexec_fn=close, **streams)


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_streams_that_are_closed_cost_nothing(closed, tmp_path):
    """The numbers of closed streams went to the files opened next, and progress asked None for its terminal."""
    assert start(["info", sample_files()[0]], closed).wait() == 0
    assert start(["run", tmp_path / "none.tif", "--prompts", "none.csv", "--out", tmp_path / "out"], closed).wait() == 2


def test_a_reader_that_goes_ends_no_work():
    """As `head` does: it was said to be for the user to mend."""
    reading, writing = os.pipe()
    os.close(reading)
    info = start(["info", "--help"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, said = info.communicate()
    assert (info.returncode, said) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_screen_that_does_not_know_a_letter(encoding, tmp_path):
    """A name in Japanese letters on Windows, or bytes of another system's, ended in a fault of the program."""
    names = ["血流.tif", os.fsdecode(b"caf\xe9.tif")]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    code = f"from sam2flow_core.cli.streams import mend_streams; mend_streams(); print(*{names!r})"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u8840" in done.stdout and ".tif" in done.stdout


def test_what_cannot_be_printed_on_a_full_disk_is_told():
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no such device here")
    with device.open("wb") as full:
        info = start(["info", "--help"], stdout=full, stderr=subprocess.PIPE)
        _, said = info.communicate()
    assert info.returncode == 2
    assert said.splitlines() == [b"sam2flow: No space left on device"]
