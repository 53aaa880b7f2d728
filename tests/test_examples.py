"""What the documentation shows is run: examples in docstrings, and the notebooks."""

import doctest
import importlib
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
SHOWN = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("sam2flow_core", "sam2flow_napari")
    for path in (ROOT / package).rglob("*.py")
    if any(">>>" in line and "+SKIP" not in line for line in path.read_text(encoding="utf-8").splitlines())
)
NOTEBOOKS = sorted(ROOT.glob("examples/*.ipynb"))


@pytest.mark.parametrize("name", SHOWN)
def test_examples_in_docstrings_hold(name):
    """Those of every module that has some."""
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_what_users_call_first_has_an_example():
    first = {
        "sam2flow_core.stack.opening",
        "sam2flow_core.prompts",
        "sam2flow_core.inference.predictor",
        "sam2flow_core.inference.mask_predictor",
        "sam2flow_core.results.reader",
    }
    assert first <= set(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_run(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_kept_without_output(path):
    """Output changes with every run and hides what changed in a review."""
    cells = json.loads(path.read_text())["cells"]
    assert not any(cell.get("outputs") for cell in cells)
