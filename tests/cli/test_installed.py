"""As installed by the README: without the extras every command works, or says in one line which extra it needs."""

import os
import subprocess
import sys

import pytest

from sam2flow_core.cli.main import cli, status_of
from sam2flow_core.engine.demo import sample_files

HIDDEN = ("cv2", "openpiv", "lightning_fabric", "lightning_utilities", "tensorboard")
HIDE = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HIDDEN}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
from sam2flow_core.cli import main
main(sys.argv[1:])
"""


def go(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-c", HIDE, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("train", "--out", "w.safetensors"), "train"),
        (("evaluate", "--data", "CASES", "--peers"), "peers"),
    ],
)
def test_what_needs_an_extra_says_which(arguments, extra, cases, tmp_path):
    status, _, err = go(*(cases if a == "CASES" else a for a in arguments), cwd=tmp_path)
    assert status == 2 and len(err.strip().splitlines()) == 1
    assert f"pip install 'sam2flow[{extra}]'" in err and "not installed" in err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    assert go("synth", folder, "--cases", 1, "--size", 64, "--frames", 6)[0] == 0
    return folder


@pytest.fixture(scope="module")
def stack(cases):
    return cases / "case-0000" / "stack.tif"


def test_the_rest_works(cases, stack, recording, prompts, tmp_path):
    out = tmp_path / "out"
    assert go("info", stack)[0] == 0
    assert go("run", recording, "--prompts", prompts, "--out", out, "--device", "cpu")[0] == 0
    assert go("weights", sample_files()[0].with_name("tiny.safetensors"))[0] == 0
    status, table, err = go("evaluate", "--data", cases, "--device", "cpu", "--csv", tmp_path / "figures.csv")
    assert status == 0 and "EPE" in table, err
    assert (tmp_path / "figures.csv").is_file()


def test_measuring_speed_needs_no_extra(tmp_path):
    (tmp_path / "none.safetensors").write_bytes(b"")
    status, _, err = go("bench", "--model", tmp_path / "none.safetensors")
    assert status == 2 and "none.safetensors" in err


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_works_and_measuring_speed_says_what_it_compares_with(tmp_path):
    assert go("demo", "--headless", cwd=tmp_path)[0] == 0
    status, _, err = go("bench", "--no-large", "--device", "cpu")
    assert status == 2 and "pip install 'sam2flow[peers]'" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--out"),
        ("evaluate", "--csv"),
        ("evaluate", "--document"),
        ("bench", "--document"),
        ("weights", "--out"),
    ],
)
def test_where_nothing_can_be_written_is_said_before_anything_is_computed(arguments, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command, option = arguments
    first = [str(sample_files()[0].with_name("tiny.safetensors"))] if command == "weights" else []
    assert status_of([command, *first, option, str(tmp_path / "file" / "x")]) == 2
    out, err = capsys.readouterr()
    assert "file stands where a folder is needed" in err and len(err.splitlines()) == 1 and not out


def test_no_warning_reaches_the_screen():
    program = "import warnings; from sam2flow_core.cli import main\n" + (
        "from sam2flow_core.cli.main import cli\n"
        "cli.commands['info'].callback = lambda **_: [warnings.warn(k.__name__, k) for k in"
        " (UserWarning, RuntimeWarning, FutureWarning, DeprecationWarning)] and None\n"
        "main(['info', 'x'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    shown = subprocess.run([sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, check=True)
    assert "RuntimeWarning" in shown.stderr


def test_a_home_folder_that_is_not_there_is_nothing_to_tell(tmp_path):
    """Two lines of matplotlib's stood before every report, in containers and on clusters."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL"))}
    environment |= {"HOME": str(tmp_path / "none" / "home"), "TMPDIR": str(tmp_path)}
    (tmp_path / "none").write_text("")
    program = "from sam2flow_core.cli.main import hide_warnings; hide_warnings(); import sam2flow_core.reports.pages"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_every_command_is_tried_here():
    tried = {"train", "evaluate", "synth", "info", "run", "weights", "bench", "demo"}
    elsewhere = {"batch", "propagate"}
    assert set(cli.commands) >= tried | elsewhere
