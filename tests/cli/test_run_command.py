"""`sam2flow run` and `info` as a user calls them."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from sam2flow_core.cli.main import status_of

CLI = [sys.executable, "-m", "sam2flow_core"]


def one_line(capsys):
    out, err = capsys.readouterr()
    assert not out and len(err.splitlines()) == 1, err
    return err


@pytest.fixture(scope="module")
def done(recording, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    prompts = folder / "prompts.csv"
    prompts.write_text("vessel_id,frame,y,x,label\n1,0,32,48,1\n1,0,5,48,0\n")
    arguments = ["run", str(recording), "--prompts", str(prompts), "--out", str(folder / "out"), *model]
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True), folder / "out"


def test_a_run_ends_with_status_0_and_all_files(done):
    process, out = done
    assert process.returncode == 0, process.stderr
    names = {"summary.csv", "per_frame.csv", "provenance.json", "results.zarr", "report.html"}
    assert {p.name for p in out.iterdir()} == names
    assert re.search(r"^vessel 1: ", process.stdout, re.MULTILINE)


def test_progress_is_for_terminals_only(done):
    process, _ = done
    assert "frames/s" not in process.stderr and "|" not in process.stderr


def test_a_run_is_repeated_from_its_provenance(done, agree, tmp_path):
    _, out = done
    assert status_of(["run", "--from", str(out / "provenance.json"), "--out", str(tmp_path / "again")]) == 0
    agree(out, tmp_path / "again")


def test_calibration_given_by_hand_is_used_and_recorded(recording, prompts, model, tmp_path):
    out = tmp_path / "out"
    arguments = ["run", str(recording), "--prompts", str(prompts), "--out", str(out), *model, "--stop", "6"]
    assert status_of([*arguments, "--pixel-size-um", "2", "--frame-rate-hz", "50"]) == 0
    calibration = json.loads((out / "provenance.json").read_text())["calibration"]
    assert calibration["pixel_size_um"] == {"value": 2.0, "source": "user", "plausible": True}
    assert "UNCALIBRATED" not in (out / "summary.csv").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("vessel_id,frame,y,x,label\n", "no prompts"),
        ("vessel_id,frame,y,x,label,colour\n1,0,3,3,1,red\n", "unknown column 'colour'"),
        ("vessel_id,frame,y,x\n1,0,3,3\n", "column 'label' is missing"),
        ("vessel_id,frame,y,x,label\n1,0,3,3,0\n", "negative clicks only"),
        ("vessel_id,frame,y,x,label\n1,0,64,3,1\n", "outside the image"),
        ("vessel_id,frame,y,x,label\n1,12,3,3,1\n", "outside the recording"),
        ("vessel_id,frame,y,x,label\n1,0,here,3,1\n", "not a number"),
    ],
)
def test_bad_prompts_are_one_line_status_2_and_no_folder(recording, tmp_path, capsys, text, words):
    (tmp_path / "p.csv").write_text(text)
    out = tmp_path / "out"
    assert status_of(["run", str(recording), "--prompts", str(tmp_path / "p.csv"), "--out", str(out)]) == 2
    assert words in one_line(capsys) and not out.exists()


def test_a_finished_run_is_not_overwritten(done, recording, prompts, capsys):
    _, out = done
    assert status_of(["run", str(recording), "--prompts", str(prompts), "--out", str(out)]) == 2
    assert "finished run" in one_line(capsys)


def test_a_model_that_is_not_there(recording, prompts, model, tmp_path, capsys):
    arguments = ["run", str(recording), "--prompts", str(prompts), "--out", str(tmp_path / "out")]
    assert status_of([*arguments, "--model", str(tmp_path / "none.safetensors")]) == 2
    assert "no such weights file" in one_line(capsys)
    # The folder is as good as new: the next try with the right model is not refused.
    assert status_of([*arguments, *model, "--stop", "4"]) == 0


def test_info_of_something_else(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    assert status_of(["info", str(tmp_path / "notes.txt")]) == 2
    assert "not a TIFF" in one_line(capsys)


def test_info_shows_shape_and_calibration_with_sources(recording, capsys):
    assert status_of(["info", str(recording)]) == 0
    out = capsys.readouterr().out
    assert "12 frames of 64 x 96 px" in out and "0.5 um/px  (ImageJ tags)" in out and "100 Hz" in out


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process on Windows")
def test_ctrl_c_keeps_what_is_finished_and_resume_goes_on(long_recording, prompts, model, agree, tmp_path):
    """Stopped in the middle and resumed, the tables are those of an undisturbed run."""
    common = ["run", str(long_recording), "--prompts", str(prompts), *model]
    stopped = tmp_path / "stopped"
    process = subprocess.Popen([*CLI, *common, "--out", str(stopped)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    marker = stopped / "results.zarr" / "labels" / "c"
    deadline = time.monotonic() + 120
    while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.decode().splitlines()[-1].endswith("go on with --resume") and b"Traceback" not in err
    left = stopped / "summary.csv"
    assert not left.exists() or "PARTIAL" in left.read_text(), "tables of a part are marked as such"
    assert status_of([*common, "--out", str(stopped), "--resume"]) == 0
    assert "PARTIAL" not in left.read_text()
    assert status_of([*common, "--out", str(tmp_path / "whole")]) == 0
    agree(stopped, tmp_path / "whole")


def test_a_working_resolution_is_taken_shown_and_one_that_cannot_be_had_refused(
    recording, prompts, model, tmp_path, capsys
):
    assert status_of(["info", str(recording)]) == 0
    assert re.search(
        r"^worked on +frames as recorded: a red cell .* px wide at ", capsys.readouterr().out, re.MULTILINE
    )
    out = tmp_path / "out"
    arguments = ["run", str(recording), "--prompts", str(prompts), "--out", str(out), *model, "--stop", "6"]
    for wrong in ("1.5", "0", "fine", "nan"):
        assert status_of([*arguments, "--working-resolution", wrong]) == 2
        assert "auto" in one_line(capsys)
    assert status_of([*arguments, "--working-resolution", "2"]) == 0
    said = json.loads((out / "provenance.json").read_text())["working_resolution"]
    assert said == {"factor": 2.0, "basis": "user", "reason": "chosen by the user"}
