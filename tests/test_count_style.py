"""The script that counts how the repository is cut, on a small one whose figures are known."""

import importlib.util
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "count_style.py"
FIRST = """\"\"\"A file.\"\"\"


def told(x):
    \"\"\"Say it.

    References
    ----------
    .. [1] Somebody.

    Examples
    --------
    >>> told(1)
    \"\"\"
    y = x

    return y


def silent(): return 1


def _own():
    def inner():
        return 2
    return inner


class Shown:
    \"\"\"A class.\"\"\"

    def method(self):
        \"\"\"Only this.\"\"\"


class _Hidden:
    def method(self):
        return 3
"""


def load_script():
    spec = importlib.util.spec_from_file_location("count_style", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_figures_of_a_small_repository(tmp_path: Path) -> None:
    for name, text in (
        ("sam2flow_core/__init__.py", ""),
        ("sam2flow_core/a/__init__.py", ""),
        ("sam2flow_core/a/same.py", FIRST),
        ("sam2flow_napari/same.py", "x = 1\n"),
        ("tests/test_a.py", "1\n" * 13),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    script = load_script()
    (first,) = [s for s in map(script.read_source, sorted(tmp_path.rglob("same.py"))) if s.lines > 1]
    assert first.lines == len(FIRST.splitlines()) == 38
    assert sorted(first.bodies) == [0, 1, 1, 1, 3, 3]
    assert [bool(text) for text in first.docstrings] == [True, False, True]
    ran = subprocess.run([sys.executable, SCRIPT, tmp_path, "--names"], capture_output=True, text=True, check=True)
    head, _, row, *names = ran.stdout.splitlines()
    assert head.count("|") == row.count("|")
    assert row == "| 4 | 0 / 38 / 38 | 1.5 | 1 / 3 / 3 | 1 | 2 of 3 (67%) | 1 | 1 | 0.33 |"
    assert names == ["same.py: 2"]


def test_a_folder_without_sources_is_said(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True)
    assert ran.returncode == 2 and "holds neither" in ran.stderr and "Traceback" not in ran.stderr
