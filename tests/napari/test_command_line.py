"""The command line makes of a project what the window makes of it."""

import subprocess
import sys
from dataclasses import replace

import pandas as pd
import tifffile
from clicks import click
from conftest import PATIENCE

from sam2flow_core.engine.demo import sample_files


def write_vessel(path):
    """A vessel of the bundled recording, so that the shipped weights find one and the tables are not blank."""
    frames = tifffile.imread(sample_files()[0])[:8, 38:102, 143:239]
    metadata = {"axes": "TYX", "unit": "um", "finterval": 0.01}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2.0, 2.0), metadata=metadata)
    return path


def test_the_tables_of_the_command_line_are_the_window_s_export(make_bench, tmp_path, qtbot):
    from sam2flow_core.engine.export import CSV, ExportRequest, export

    bench = make_bench(engine=None)
    bench.open(write_vessel(tmp_path / "cells.tif"))
    bench.choose_run(replace(bench.session.run_choices, model="tiny", device="cpu", start=1))
    click(bench.session, 2, 33.0, 48.0)
    bench.session.rename_vessel(1, "arteriole")
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=5 * PATIENCE)
    list(export(ExportRequest(bench.runs.tables.folder, bench.session.recording.path, tmp_path, "cells", (CSV,))))
    project = bench.session.folder
    bench.close()
    command = [sys.executable, "-m", "sam2flow_core", "run", "--project", str(project), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True)
    assert pd.read_csv(tmp_path / "out" / "summary.csv")["v_mean_um_s"].notna().all()
    for name in ("summary.csv", "per_frame.csv"):
        assert (tmp_path / f"cells_{name}").read_bytes() == (tmp_path / "out" / name).read_bytes()
