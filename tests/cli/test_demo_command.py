import hashlib
from pathlib import Path

import pytest

from sam2flow_core import __version__
from sam2flow_core.cli import demo_command as demo
from sam2flow_core.cli.main import status_of
from sam2flow_core.engine.demo import sample_files, sample_folder, sample_request
from sam2flow_core.results import Marker, write_marker


@pytest.fixture
def opened(monkeypatch):
    calls = []
    monkeypatch.setattr(demo.sys, "platform", "linux")
    monkeypatch.setattr(demo, "_write_files", lambda out: calls.append(("files", out)) or 0)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    class Offer:
        def load(self):
            return lambda *files: calls.append(("window", *files))

    monkeypatch.setattr(demo, "entry_points", lambda **kind: [Offer()])
    return calls


def test_with_a_screen_the_plugin_opens_its_window(opened, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":5")
    monkeypatch.setattr(demo, "find_spec", lambda name: object())
    assert status_of(["demo"]) == 0
    assert opened == [("window", *sample_files())]


def test_without_a_screen_it_writes_files(opened, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert status_of(["demo", "--out", "there"]) == 0
    assert opened == [("files", Path("there"))]


def test_headless_is_obeyed_where_there_is_a_screen(opened, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":5")
    assert status_of(["demo", "--headless"]) == 0
    ((kind, folder),) = opened
    assert kind == "files" and folder == Path("demo-out") / f"sample-{__version__}"


def test_another_installation_writes_to_another_folder(monkeypatch):
    from sam2flow_core.engine import demo as engine_demo

    base = Path("demo-out")
    before = engine_demo.sample_folder(base)
    assert engine_demo.sample_folder(base) == before
    monkeypatch.setattr(engine_demo, "__version__", "99")
    assert engine_demo.sample_folder(base) != before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    folder = sample_folder(tmp_path)
    folder.mkdir()
    assert sample_folder(tmp_path) == folder
    (folder / "notes.txt").write_text("mine")
    assert sample_folder(tmp_path) == tmp_path / f"sample-{__version__}-2"


def test_the_demo_goes_on_in_its_own_folder_and_not_in_that_of_other_weights(tmp_path):
    folder = sample_folder(tmp_path)
    folder.mkdir()
    recording, _ = sample_files()
    identity = {
        "recording": hashlib.sha256(recording.read_bytes()).hexdigest(),
        "model": hashlib.sha256(recording.with_name("tiny.safetensors").read_bytes()).hexdigest(),
    }
    write_marker(folder, Marker(0, identity), {})
    assert sample_folder(tmp_path) == folder
    write_marker(folder, Marker(0, identity | {"model": "0" * 64}), {})
    assert sample_folder(tmp_path) != folder


def test_without_napari_it_says_how_to_get_the_window(opened, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":5")
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert status_of(["demo"]) == 0
    assert opened[0][0] == "files" and "pip install 'sam2flow[gui]'" in capsys.readouterr().err


def test_the_plugin_offers_the_window():
    from importlib.metadata import entry_points

    offers = entry_points(group="sam2flow.window", name="demo")
    assert [offer.value for offer in offers] == ["sam2flow_napari.demo:open_demo"]


def test_the_sample_has_prompts_for_every_vessel_of_its_truth(tmp_path):
    import pandas as pd

    request = sample_request(tmp_path)
    truth = pd.read_csv(request.stack.with_name("sample_truth.csv"))
    assert {p.vessel_id for p in request.prompts} == set(truth["vessel_id"])
