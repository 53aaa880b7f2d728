"""Kill -9 at random moments: the command line, the shipped weights, every stage from starting up to the last file."""

import json
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
