"""`sam2flow batch` over real worker processes."""

import pandas as pd
import pytest
import tifffile
from pandas.testing import assert_frame_equal

from sam2flow_core.cli.main import status_of


def play_backwards(recording, path):
    tifffile.imwrite(path, tifffile.imread(recording)[::-1], imagej=True, metadata={"axes": "TYX"})


@pytest.fixture(scope="module")
def batch(recording, model, tmp_path_factory):
    """Three recordings: a good one, one that is not there, one played backwards; asked for once."""
    folder = tmp_path_factory.mktemp("batch")
    play_backwards(recording, folder / "back.tif")
    (folder / "p.csv").write_text("vessel_id,frame,y,x,label\n1,0,32,48,1\n")
    (folder / "manifest.csv").write_text(
        "stack,prompts,pixel_size_um,frame_rate_hz,video_id,group\n"
        f"{recording},p.csv,,,forth,before\nmissing.tif,p.csv,,,missing,\nback.tif,p.csv,0.5,100,back,after\n"
    )
    arguments = ["batch", str(folder / "manifest.csv"), "--out", str(folder / "out"), "--workers", "1", *model]
    return folder, arguments, status_of(arguments)


def test_one_failure_is_reported_and_the_others_go_on(batch):
    folder, _, status = batch
    assert status == 2
    outcomes = pd.read_csv(folder / "out" / "batch.csv").set_index("video_id")
    assert outcomes["outcome"].to_dict() == {"forth": "done", "missing": "failed", "back": "done"}
    assert "missing.tif" in outcomes.loc["missing", "failure"]


def test_files_are_those_of_a_single_run(batch, model, agree):
    folder, _, _ = batch
    alone = folder / "alone"
    arguments = ["run", str(folder / "back.tif"), "--prompts", str(folder / "p.csv"), "--out", str(alone)]
    assert status_of([*arguments, "--pixel-size-um", "0.5", "--frame-rate-hz", "100", *model]) == 0
    agree(alone, folder / "out" / "back")


def test_all_tables_are_gathered_in_the_order_of_the_manifest(batch):
    folder, _, _ = batch
    gathered = pd.read_csv(folder / "out" / "summary.csv")
    each = [pd.read_csv(folder / "out" / name / "summary.csv") for name in ("forth", "back")]
    assert_frame_equal(gathered, pd.concat(each, ignore_index=True))


def test_the_recordings_are_compared_on_one_page(batch):
    folder, _, _ = batch
    page = (folder / "out" / "comparison.html").read_text()
    assert "Comparison of 2 recordings" in page and "before" in page and "after" in page
    assert "missing" not in page


def test_asked_again_it_leaves_what_is_done_and_tries_what_failed(batch):
    folder, arguments, _ = batch
    before = {p: p.stat().st_mtime_ns for p in (folder / "out" / "forth").rglob("*") if p.is_file()}
    play_backwards(folder / "back.tif", folder / "missing.tif")
    assert status_of(arguments) == 0
    assert {p: p.stat().st_mtime_ns for p in (folder / "out" / "forth").rglob("*") if p.is_file()} == before
    assert (folder / "out" / "missing" / "report.html").is_file()


def test_a_scheduler_that_does_not_answer_is_one_line(batch, capsys):
    _, arguments, _ = batch
    assert status_of([*arguments, "--scheduler", "nonsense"]) == 2
    assert "no Dask scheduler" in capsys.readouterr().err
