"""`sam2flow run --project`: what the window keeps of a recording is run without a window."""

import pandas as pd
import pytest

from sam2flow_core.cli.main import status_of
from sam2flow_core.project import CalibrationEdit, Project, RunChoices, SessionState, Vessel, write_project
from sam2flow_core.prompts import Prompt, write_prompts
from sam2flow_core.stack import open_stack

PROMPTS = (Prompt(1, 2, 32.0, 48.0, 1), Prompt(1, 2, 5.0, 48.0, 0))


@pytest.fixture
def project(recording, model, tmp_path):
    folder = tmp_path / "vessel.tif.sam2flow"
    with open_stack(recording) as stack:
        fingerprint = stack.fingerprint()
    state = SessionState((Vessel(1, "arteriole"), Vessel(2, "never clicked")), PROMPTS)
    run = RunChoices(start=1, stop=9, model=model[1], device="cpu", stabilise=False)
    write_project(folder, Project(recording, fingerprint, state, CalibrationEdit(0.8, None), run))
    return folder


def one_line(capsys):
    out, err = capsys.readouterr()
    assert not out and len(err.splitlines()) == 1, err
    return err


def test_a_project_gives_what_its_settings_give_by_hand(project, recording, model, agree, tmp_path):
    assert status_of(["run", "--project", str(project)]) == 0
    write_prompts(tmp_path / "p.csv", PROMPTS)
    by_hand = ["run", str(recording), "--prompts", str(tmp_path / "p.csv"), "--out", str(tmp_path / "hand"), *model]
    assert status_of([*by_hand, "--start", "1", "--stop", "9", "--no-stabilise", "--pixel-size-um", "0.8"]) == 0
    agree(project / "run-001", tmp_path / "hand", but=("name",))  # a project has names, a table of clicks has none
    assert pd.read_csv(project / "run-001" / "summary.csv")["name"].tolist() == ["arteriole"]
    assert "arteriole" in (project / "run-001" / "report.html").read_text()


def test_a_second_run_takes_the_next_folder_unless_told(project, tmp_path):
    (project / "run-001").mkdir()
    assert status_of(["run", "--project", str(project)]) == 0
    assert (project / "run-002" / "summary.csv").is_file()
    assert status_of(["run", "--project", str(project), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "summary.csv").is_file() and not (project / "run-003").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--no-stabilise"], "--no-stabilise does not go with --project"),
        (["--from", "provenance.json"], "--from does not go with --project"),
        (["--resume"], "--resume needs --out"),
    ],
)
def test_what_the_project_says_cannot_be_said_again(project, capsys, more, words):
    assert status_of(["run", "--project", str(project), *more]) == 2
    assert words in one_line(capsys)


def test_a_recording_that_changed_or_moved_is_refused(project, long_recording, tmp_path, capsys):
    assert status_of(["run", str(long_recording), "--project", str(project)]) == 2
    assert "not as it was when its vessels were marked" in one_line(capsys)
    assert status_of(["run", str(tmp_path / "gone.tif"), "--project", str(project)]) == 2
    assert "has moved" in one_line(capsys)


def test_a_folder_without_a_project_or_without_clicks(recording, tmp_path, capsys):
    assert status_of(["run", "--project", str(tmp_path)]) == 2
    assert "not a SAM2Flow project" in one_line(capsys)
    with open_stack(recording) as stack:
        write_project(tmp_path, Project(recording, stack.fingerprint()))
    assert status_of(["run", "--project", str(tmp_path)]) == 2
    assert "no vessel is marked" in one_line(capsys)
