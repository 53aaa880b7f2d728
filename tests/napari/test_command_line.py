"""The command line makes of a project what the window makes of it."""

import subprocess
import sys
from dataclasses import replace

import pytest
from conftest import PATIENCE, write_recording

_UNTRAINED = """
import sys, pathlib, torch
from sam2flow_core.config.model import preset
from sam2flow_core.inference import save_weights
from sam2flow_core.model.sam2flow import SAM2Flow
torch.manual_seed(0)
save_weights(pathlib.Path(sys.argv[1]), SAM2Flow(preset("tiny")), {})
"""


@pytest.fixture
def weights(tmp_path):
    """Weights of an untrained network, made elsewhere: torch and Qt do not share a process well."""
    path = tmp_path / "untrained.safetensors"
    subprocess.run([sys.executable, "-c", _UNTRAINED, str(path)], check=True)
    return path


def test_the_tables_of_the_command_line_are_the_window_s_export(make_bench, weights, tmp_path, qtbot):
    from sam2flow_napari.widgets.results_section import ResultsSection

    bench = make_bench(engine=None)
    bench.open(write_recording(tmp_path / "cells.tif", frames=8))
    bench.choose_run(replace(bench.session.run_choices, model=str(weights), device="cpu", start=1))
    bench.session.add_prompt(2, 30.0, 40.0)
    bench.session.rename_vessel(1, "arteriole")
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=5 * PATIENCE)
    section = ResultsSection(bench)
    qtbot.addWidget(section)
    section.export_to(tmp_path)
    section.disconnect_session()
    project = bench.session.folder
    bench.close()
    command = [sys.executable, "-m", "sam2flow_core", "run", "--project", str(project), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True)
    for name in ("summary.csv", "per_frame.csv"):
        assert (tmp_path / f"cells_{name}").read_bytes() == (tmp_path / "out" / name).read_bytes()
