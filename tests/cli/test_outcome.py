"""What a run says in the end, row by row of its summary."""

import pandas as pd

from sam2flow_core.cli.show import _outcome
from sam2flow_core.engine.events import Finished


def said(tmp_path, *rows):
    columns = ("vessel_id", "parent_id", "v_mean_um_s", "v_ci_low_um_s", "v_ci_high_um_s", "grade", "flags")
    table = pd.DataFrame(rows, columns=[*columns, "first_frame", "last_frame"])
    table.to_csv(tmp_path / "summary.csv", index=False)
    return _outcome(Finished(tmp_path, tmp_path / "summary.csv", tmp_path, tmp_path)).splitlines()[:-1]


def test_rows_of_several_ranges_are_told_apart_and_no_interval_is_not_nan(tmp_path):
    lines = said(
        tmp_path, (2, None, 180.0, None, None, "fair", "TOO_SHORT", 0, 11), (2, None, 90, 80, 100, "good", None, 50, 99)
    )
    assert lines == [
        "vessel 2, frames 0 to 11: 180 um/s (no interval), fair, TOO_SHORT",
        "vessel 2, frames 50 to 99: 90 um/s (80 to 100), good",
    ]


def test_a_run_of_one_range_does_not_repeat_its_frames(tmp_path):
    assert said(tmp_path, (1, None, 90, 80, 100, "good", None, 0, 99)) == ["vessel 1: 90 um/s (80 to 100), good"]
