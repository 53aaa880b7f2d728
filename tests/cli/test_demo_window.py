"""The demo's window opens with the recording, its prompts, and a run that has been started."""

import pytest

pytest.importorskip("napari", reason="the window needs napari: pip install 'sam2flow[gui]'")

import napari

from sam2flow_core.engine.demo import sample_files

pytestmark = pytest.mark.window


def test_the_window_opens_with_prompts_and_starts_the_run(make_napari_viewer, monkeypatch, tmp_path):
    from sam2flow_napari import demo, session_runs

    monkeypatch.setenv("HOME", str(tmp_path))
    viewer, started = make_napari_viewer(), []
    monkeypatch.setattr(napari, "Viewer", lambda **settings: viewer)
    monkeypatch.setattr(napari, "run", lambda: None)
    monkeypatch.setattr(session_runs.Runs, "start", lambda self: started.append(True))
    demo.open_demo(*sample_files())
    assert started
    assert len(viewer.layers["prompts"].data) == 18
    assert viewer.layers[0].data.shape == (180, 256, 256)
