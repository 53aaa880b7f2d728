"""The direction of imports (docs/architecture.md) and what each side may not know, kept by import-linter."""

import importlib.util
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent


def test_imports_point_down_and_stay_out_of_forbidden_rooms(monkeypatch):
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert status == EXIT_STATUS_SUCCESS, "see the printed contract"


@pytest.mark.parametrize("package", ["sam2flow_core", "sam2flow_napari"])
def test_no_import_goes_round_in_a_circle(package):
    """Those for types alone count: who must read one file to understand the other must read both."""
    graph = grimp.build_graph(package, cache_dir=None)
    TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in graph.modules}).prepare()


def test_every_package_has_its_layer():
    """A new package that no layer names would be held to nothing."""
    config = (ROOT / "pyproject.toml").read_text()
    layers = re.search(r"layers = \[(.*?)\]", config, re.DOTALL).group(1)
    named = set(re.findall(r"sam2flow_core\.(\w+)", layers))
    there = {p.parent.name for p in ROOT.glob("sam2flow_core/*/__init__.py")}
    modules = {p.stem for p in ROOT.glob("sam2flow_core/*.py")} - {"__init__", "__main__"}
    assert named == there | modules


def test_the_plugin_does_not_load_torch_by_itself():
    """The window must open before the network is loaded."""
    for path in ROOT.glob("sam2flow_napari/**/*.py"):
        assert not re.search(r"^\s*(import|from) torch\b", path.read_text(), re.MULTILINE), path


@pytest.mark.parametrize("name", ["PyQt5", "PyQt6", "PySide6"])
def test_qt_is_reached_through_qtpy_only(name):
    for path in ROOT.glob("sam2flow_napari/**/*.py"):
        assert not re.search(rf"^\s*(import|from) {name}\b", path.read_text(), re.MULTILINE), path


def test_resources_are_a_package():
    assert importlib.util.find_spec("sam2flow_resources") is not None


def test_records_and_results_are_read_without_the_network():
    """The window builds requests and opens results; it must not wait for torch."""
    code = "import sys, sam2flow_core.engine, sam2flow_core.results; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_words_of_the_glossary_are_at_home_where_it_says():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    homes = set(re.findall(r"`(sam2flow_\w+(?:\.\w+)+)`", text))
    missing = [home for home in homes if not importlib.util.find_spec(home)]
    assert len(homes) > 20 and not missing


@pytest.mark.parametrize(("walk", "most"), [("A click, from", 10), ("A frame, from", 4)])
def test_walks_are_short_and_name_what_is_there(walk, most):
    """Each numbered line is a hand-over; a name in them that is no class, function or field has been renamed since."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"## {walk}")[1].split("\n## ")[0] + "\n"
    lines = re.findall(r"^\d+\. (?:.*\n)+?(?=\d+\. |\n)", section, re.MULTILINE)
    assert 0 < len(lines) <= most
    sources = "\n".join(p.read_text(encoding="utf-8") for p in ROOT.glob("sam2flow_*/**/*.py"))
    names = {name for quoted in re.findall(r"`([\w.]+)[`(]", "".join(lines)) for name in quoted.split(".")}
    files = {"child", "results", "zarr", "csv", "summary"}
    gone = [n for n in names - files if not re.search(rf"\b(?:class|def) {n}\b|\b{n}\b *[:=]", sources)]
    assert len(names) > 4 and not gone
