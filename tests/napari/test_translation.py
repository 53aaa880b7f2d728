"""The window in other languages: no text is forgotten, none loses a value, and nothing is cut off in any of them."""

import ast
import errno
import importlib.util
import re
from itertools import product
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
import tifffile
from clicks import click
from conftest import PATIENCE, write_recording
from napari.components import ViewerModel
from qtpy.QtCore import QCoreApplication, Qt
from qtpy.QtWidgets import QAbstractSpinBox, QLabel, QLineEdit, QPushButton

import sam2flow_core
import sam2flow_napari
from sam2flow_core.engine.propagation import read_labels
from sam2flow_core.errors import OutputError, PromptError, Sam2FlowError, StackError
from sam2flow_core.files import output_errors
from sam2flow_core.messages import Message
from sam2flow_core.project import read_project
from sam2flow_core.results import GO_ON
from sam2flow_core.stack import open_stack
from sam2flow_napari import translation
from sam2flow_napari.preferences import Preferences
from sam2flow_napari.translation import FileTranslator, languages, read_texts, told, tr
from sam2flow_napari.widgets.dock import SAM2FlowDock

SCRIPT = Path(__file__).parents[2] / "scripts" / "update_translations.py"
CORE = Path(sam2flow_core.__file__).parent
LANGUAGES = ("de", "fr")
SHOWN = {
    "button": (0, 1), "QLabel": (0,), "QCheckBox": (0,), "QGroupBox": (0,), "setToolTip": (0,), "setText": (0,),
    "setWindowTitle": (0,), "addTab": (1,), "addRow": (0,), "show_info": (0,), "show_warning": (0,), "tell": (1,),
    "_offer": (1,), "addMenu": (0,),
}  # fmt: skip
"""Where a text reaches the screen: argument of each call."""


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("update_translations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def speak(monkeypatch, qtbot):
    """Let what is made from now on speak a language; English again afterwards."""

    def choose(language):
        monkeypatch.setattr(translation, "read_preferences", lambda: Preferences(language=language))
        translation.choose_language()

    yield choose
    choose("en")


def values(text):
    return sorted((name, spec) for _, name, spec, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_translation_is_left_over(script, language):
    known = read_texts(translation.FOLDER / f"{language}.ts")
    assert set(known) == set(script.texts())
    assert (translation.FOLDER / f"{language}.ts").read_text() == script.written(language, known), (
        "as the script has it"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_loses_a_value_a_key_or_its_edges(language):
    for text, other in read_texts(translation.FOLDER / f"{language}.ts").items():
        assert values(text) == values(other), text
        assert text.count("\n") == other.count("\n") and text[-1:].isspace() == other[-1:].isspace(), text
        keys = re.findall(r"\((?:key )?(?:Alt\+)?([A-Z])\)", text)
        assert all(re.search(rf"\b{key}\)", other) for key in keys), text


def test_no_plain_text_reaches_the_screen():
    plain = []
    for path in Path(sam2flow_napari.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            for place in SHOWN.get(name, ()):
                said = node.args[place] if place < len(node.args) else None
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                words = "".join(p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))
                if re.search(r"[A-Za-z]{3}", words.replace("SAM2Flow", "").replace("Alt+", "")):
                    plain.append((path.name, node.lineno, words))
    assert plain == []


@pytest.mark.window
@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_button_is_cut_off_on_a_small_screen(speak, make_napari_viewer, qtbot, engine, recording_path, language):
    speak(language)
    viewer = make_napari_viewer(show=True)
    dock = SAM2FlowDock(viewer, engine)
    viewer.window.add_dock_widget(dock, name="SAM2Flow")
    dock.bench.open(write_recording(recording_path, frames=12000, height=16, width=16, calibrated=False))
    tight = []
    # In the lower window, that of a screen with a task bar, the page scrolls and its bar takes room.
    for height, page, squeezed in product((800, 740), range(2), (False, True)):
        viewer.window.resize(1280, height)
        dock.pages.setCurrentIndex(page)
        dock.bench.session.set_sign(int(squeezed))
        if squeezed:  # as when the window is made smaller, or somebody drags its edge
            viewer.window._qt_window.resizeDocks([dock.parent()], [10], Qt.Orientation.Horizontal)
        qtbot.wait(100)
        for each in dock.findChildren(QPushButton):
            if each.isVisible() and each.fontMetrics().horizontalAdvance(each.text()) > each.width() - 4:
                tight.append((each.text(), each.width()))
        for box in dock.findChildren(QAbstractSpinBox):
            line = box.findChild(QLineEdit)
            if box.isVisible() and box.fontMetrics().horizontalAdvance(line.text()) > line.width() - 4:
                tight.append((line.text(), line.width()))
        assert dock.pages.widget(page).horizontalScrollBar().maximum() == 0
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)
    assert tight == []


def test_the_dock_speaks_german_where_that_is_chosen(speak, qtbot, engine):
    speak("de")
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    assert dock.run.start.text() == "Messen" and dock.vessels.find_all.text() == "Gefäße suchen"
    assert dock.vessels.guide.text().startswith("Öffnen Sie eine Aufnahme")
    assert tr("a text that no file has") == "a text that no file has"
    dock.shut()


def test_what_the_core_says_is_german_too(speak, qtbot, engine, recording_path, tmp_path):
    speak("de")
    assert told(StackError("{path}: no such file", path="a.tif")) == "a.tif: Diese Datei gibt es nicht"
    assert told(StackError("what nobody has translated")) == "what nobody has translated"
    assert told(Message("flow and space-time diagram agree within {apart:.0%}", apart=0.04)).endswith("auf 4% überein")
    with pytest.raises(OutputError) as full, output_errors(tmp_path, GO_ON):
        raise OSError(errno.ENOSPC, "no space")
    words = told(full.value)
    assert "Die Festplatte ist voll" in words and words.endswith(
        "; was fertig ist, bleibt: Fortsetzen macht dort weiter"
    )
    with pytest.raises(OutputError) as gone:
        read_project(tmp_path / "gone")
    assert "kein Projekt von SAM2Flow" in told(gone.value)
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(recording_path)
    assert [layer.name for layer in dock.bench.viewer.layers][-1] == "Markierungen"
    session, names = dock.bench.session, dock.vessels.model
    for name in ("", "Vene"):
        session.add_vessel(name)
    assert [names.data(names.index(row, 1)) for row in range(2)] == ["Gefäß 1", "Vene"]
    names.setData(names.index(0, 1), "Gefäß 1")  # the cell was opened and left as it was
    assert session.state.vessels[0].name == "Vessel 1"
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def test_legend_and_table_name_the_unit_that_the_plot_names(speak, qtbot, engine, tmp_path):
    speak("de")
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.bench.open(write_recording(tmp_path / "cells.tif", calibrated=False))
    click(dock.bench.session, 0, 20.0, 40.0)
    dock.run.start.click()
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert "(px/Bild)" in dock.results.plot.getAxis("left").labelText
    assert dock.results.model.headerData(1, Qt.Orientation.Horizontal) == "px/Bild"
    assert any(label.text().endswith("px/Bild") for label in dock.results.findChildren(QLabel))
    assert any(layer.name == "Tempo (px/Bild)" for layer in dock.bench.viewer.layers)
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def test_words_of_qt_come_along_where_qt_has_them(speak, qtbot):
    speak("de")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    speak("en")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"


def test_english_comes_back_and_one_translator_at_most_is_installed(speak, qtbot):
    for language in ("de", "fr", "de"):
        speak(language)
    app = QCoreApplication.instance()
    qtbot.waitUntil(lambda: len(app.findChildren(FileTranslator)) == 1, timeout=PATIENCE)
    assert tr("Run") == "Messen"
    speak("en")
    assert tr("Run") == "Run"


@pytest.mark.parametrize("content", [b"", b"<TS><context>", b"\xff\xfe", b"<TS/>"])
def test_a_damaged_file_leaves_the_window_english(monkeypatch, tmp_path, speak, content):
    (tmp_path / "de.ts").write_bytes(content)
    monkeypatch.setattr(translation, "FOLDER", tmp_path)
    assert languages() == ("de",)
    speak("de")
    assert tr("Run") == "Run"


SAID_IN_THE_WINDOW = (
    "files.py", "project", "results", "engine/lock.py", "inference/weights.py", "spreadsheets.py", "stack",
    "inference/pickled.py", "inference/official.py", "inference/flow_groups.py",
)  # fmt: skip
NOT_THERE = ("volumes.py",)
"""Of the command line alone."""


@pytest.mark.parametrize("part", SAID_IN_THE_WINDOW)
def test_what_the_window_may_have_to_say_is_made_of_a_template(part):
    there = CORE / part
    files = [p for p in ([there] if there.is_file() else sorted(there.rglob("*.py"))) if p.name not in NOT_THERE]
    kinds = {kind.__name__ for kind in Sam2FlowError.__subclasses__()}
    plain = [
        f"{path.name}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds
        if node.args and isinstance(node.args[0], ast.JoinedStr)
    ]
    assert files and plain == []
    notices = [f"{path.name}:{line}" for path in files for line in _plain_notices(ast.parse(path.read_text("utf-8")))]
    assert notices == []


def _plain_notices(tree):
    """Lines where words with values go into what a recording or a run has to say of itself."""
    for node in ast.walk(tree):
        given = []
        if isinstance(node, ast.Tuple):
            given = node.elts[:1]  # the second of a pair is a row of `sam2flow info`
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("append", "insert"):
            given = node.args
        elif isinstance(node, ast.Assign | ast.AugAssign) and getattr(node.value, "values", None):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            given = [node.value] if getattr(target, "id", "") in ("text", "note", "said", "problems") else []
        for each in given:
            words = "".join(v.value for v in getattr(each, "values", ()) if isinstance(v, ast.Constant) and v.value)
            if isinstance(each, ast.JoinedStr) and len(re.findall(r"[a-z]{2,}", words)) > 3:
                yield each.lineno


def test_what_is_said_of_a_recording_is_german_too(speak, tmp_path):
    speak("de")
    video = np.random.default_rng(0).integers(0, 255, (12, 96, 96), dtype=np.uint8)
    video[:, :16] = 0
    for number in (1, 2):
        tifffile.imwrite(tmp_path / f"scan-file00{number}.tif", video, imagej=True, metadata={"axes": "TYX"})
    with open_stack(tmp_path / "scan-file002.tif") as stack:
        words = [told(problem) for problem in stack.problems]
        tifffile.imwrite(tmp_path / "mask.tif", np.zeros((96, 96), np.uint8))
        with pytest.raises(PromptError) as refused:
            read_labels(tmp_path / "mask.tif", stack)
    assert any(w.startswith("Ränder, die nichts zeigen, bleiben weg: oben 16 px") for w in words), words
    assert any("späterer Teil einer geteilten Aufnahme: öffnen Sie scan-file001.tif" in w for w in words), words
    assert "Nichts ist markiert, alles ist 0" in told(refused.value)
