"""Killed at random moments and at named ones: the command line, the shipped weights, from starting up to the end."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

CLI = [sys.executable, "-m", "sam2flow_core"]
KILLS = 20


def start(recording, prompts, out):
    command = [*CLI, "run", str(recording), "--prompts", str(prompts), "--out", str(out), "--device", "cpu", "--resume"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, err = process.communicate()
    assert process.returncode == 0, err


def contents(out):
    """Every file of a run; of the provenance what does not change with the time of day."""
    files = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    record = json.loads(files.pop("provenance.json"))
    del record["created"], files["report.html"]
    assert "results.zarr/vessels/1/flow/c/0/0/0" in files and "summary.csv" in files
    return files | {"provenance.json": record}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_twenty_random_moments_every_run_ends_as_an_undisturbed_one(long_recording, prompts, tmp_path):
    began = time.monotonic()
    finish(start(long_recording, prompts, tmp_path / "undisturbed"))
    takes = time.monotonic() - began
    wanted = contents(tmp_path / "undisturbed")
    rng = np.random.default_rng(5)
    ended = 0
    for killed in range(KILLS + 1):
        process = start(long_recording, prompts, tmp_path / str(ended))
        if killed < KILLS:
            time.sleep(rng.uniform(0, takes))
            process.kill()
        _, err = process.communicate()
        assert process.returncode in (0, -9), err
        if process.returncode == 0:
            assert contents(tmp_path / str(ended)) == wanted
            ended += 1
    assert ended > 1


KILLED_AT = """
import os, sys
import sam2flow_core.engine.finishing as finishing
from sam2flow_core.cli.main import main

place, number, sent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
real, calls = getattr(finishing, place), []

def killing(*arguments):
    calls.append(arguments)
    if len(calls) == number:
        os.kill(os.getpid(), sent)
    return real(*arguments)

setattr(finishing, place, killing)
main(sys.argv[4:])
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_killed_while_it_measures_or_writes_tables_a_run_ends_as_an_undisturbed_one(recording, prompts, tmp_path, sent):
    """A summary without PARTIAL that is left in between is that of the whole run."""
    finish(start(recording, prompts, tmp_path / "undisturbed"))
    wanted = contents(tmp_path / "undisturbed")
    options = ["--prompts", str(prompts), "--out", str(tmp_path / "out"), "--device", "cpu", "--resume"]
    # Each goes on from the one before, so that the flow is made once.
    for place, number in (("measure_run", 1), ("_write_table", 2), ("write_report", 1), ("write_json", 1)):
        command = [sys.executable, "-c", KILLED_AT, place, str(number), str(int(sent)), "run", str(recording)]
        assert subprocess.run([*command, *options], capture_output=True, check=False).returncode == -sent
        left = tmp_path / "out" / "summary.csv"
        assert not left.exists() or "PARTIAL" in left.read_text() or left.read_bytes() == wanted["summary.csv"]
    finish(start(recording, prompts, tmp_path / "out"))
    assert contents(tmp_path / "out") == wanted
