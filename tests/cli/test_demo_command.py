from pathlib import Path

import pytest

from sam2flow_core.cli import demo
from sam2flow_core.cli.main import status_of
from sam2flow_core.engine.demo import sample_files, sample_request


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
    assert kind == "files" and folder.parent == Path("demo-out")


def test_another_installation_writes_to_another_folder(monkeypatch):
    from sam2flow_core.engine import demo as engine_demo

    base = Path("demo-out")
    before = engine_demo.sample_folder(base)
    assert engine_demo.sample_folder(base) == before
    monkeypatch.setattr(engine_demo, "__version__", "99")
    assert engine_demo.sample_folder(base) != before


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
