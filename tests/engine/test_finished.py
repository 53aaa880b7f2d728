"""Finished runs whose files were lost or damaged: `--resume` says so, and `report` makes anew what can be made."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from fake_predictor import PROMPTS, FakePredictor

from sam2flow_core.config.run import StoreSettings
from sam2flow_core.engine import RunRequest, run
from sam2flow_core.engine.finishing import remeasure
from sam2flow_core.errors import OutputError

SETTINGS = StoreSettings(chunk_frames=8)


@pytest.fixture(scope="module")
def whole(moving_cells, tmp_path_factory):
    request = RunRequest(moving_cells, PROMPTS, tmp_path_factory.mktemp("whole") / "out", frame_rate_hz=120, stop=10)
    list(run(request, FakePredictor(), SETTINGS))
    return request


@pytest.fixture
def finished(whole, tmp_path):
    """A copy of the run, to be asked for once more."""
    return replace(whole, out=shutil.copytree(whole.out, tmp_path / "out"), resume=True)


def again(request):
    list(run(request, FakePredictor(), SETTINGS))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": cut,
    "garbage": lambda path: path.write_bytes(b"garbage\x00\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["summary.csv", "per_frame.csv", "report.html"])
def test_a_lost_or_damaged_table_or_report_is_told_and_made_anew(finished, whole, name, damage):
    DAMAGES[damage](finished.out / name)
    with pytest.raises(OutputError, match=f"{name}: is missing or damaged.*sam2flow report"):
        again(finished)
    remeasure(finished.out)
    again(finished)
    if name.endswith(".csv"):
        assert (finished.out / name).read_bytes() == (whole.out / name).read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["zarr.json", "flow/zarr.json", "vessels/1/pixels/zarr.json"])
def test_damaged_results_are_told(finished, name, damage):
    DAMAGES[damage](finished.out / "results.zarr" / name)
    with pytest.raises(OutputError, match=r"damaged|missing"):
        again(finished)


@pytest.mark.parametrize(
    "name", ["shifts/c/0/0", "asked/c/0"] + [f"vessels/1/{a}" for a in ("mask/c/0/0", "flow/c/0/0/0", "pixels/c/0")]
)
def test_a_part_of_the_results_that_was_not_copied_is_no_blood_at_rest(finished, name):
    """Arrays without a file read as zeros; the report was made anew from them without a word."""
    (finished.out / "results.zarr" / name).unlink()
    for ask in (again, lambda request: remeasure(request.out)):
        with pytest.raises(OutputError, match="is missing from these results"):
            ask(finished)


def test_a_finished_run_without_provenance_is_not_called_cut_short(finished):
    (finished.out / "provenance.json").unlink()
    with pytest.raises(OutputError, match=r"provenance\.json is missing"):
        remeasure(finished.out)


def test_a_table_that_people_worked_with_is_no_damage(finished):
    path = finished.out / "summary.csv"
    table = pd.read_csv(path)[::-1]
    table["my_note"] = "looked at"
    table.to_csv(path, index=False)
    again(finished)


def test_a_table_without_one_of_its_vessels_is_damaged(finished):
    path = finished.out / "summary.csv"
    pd.read_csv(path)[:-1].to_csv(path, index=False)
    with pytest.raises(OutputError, match="is missing or damaged"):
        again(finished)
