"""The plugin with the real engine in its real process, on the bundled sample."""

from dataclasses import replace

import pytest
from clicks import click
from conftest import PATIENCE

from sam2flow_core.prompts import read_prompts
from sam2flow_napari.file_menu import sample_path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sample_to_tables_with_the_real_engine(make_bench, tmp_path, qtbot):
    stack = tmp_path / "sample.tif"
    stack.write_bytes(sample_path().read_bytes())
    bench = make_bench(engine=None)
    bench.open(stack)
    first = {p.vessel_id: p for p in reversed(read_prompts(sample_path().with_name("sample_prompts.csv")))}
    for vessel in (1, 2):
        bench.session.add_vessel()
        click(bench.session, first[vessel].frame, first[vessel].y, first[vessel].x)
    qtbot.waitUntil(lambda: len(bench.scene.frames.vessel_ids) == 2, timeout=5 * PATIENCE)
    for vessel in (1, 2):
        assert bench.scene.frames.labels(0)[round(first[vessel].y), round(first[vessel].x)] == vessel
    bench.choose_run(replace(bench.session.run_choices, start=0, stop=24))
    bench.runs.start()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=10 * PATIENCE)
    assert list(bench.runs.tables.summary["vessel_id"]) == [1, 2]
    assert bench.scene.frames.flow(10).any()
