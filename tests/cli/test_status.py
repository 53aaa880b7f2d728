"""Exit statuses and the one line on stderr."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from sam2flow_core.cli.main import cli, status_of
from sam2flow_core.engine.demo import sample_files
from sam2flow_core.errors import OutputError
from sam2flow_core.prompts import Prompt, write_prompts


def lines(capsys):
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ["walk"],
        ["run"],
        ["run", "stack.tif", "--out", "out"],
        ["run", "stack.tif", "--prompts", "p.csv", "--out", "out", "--device", "tpu"],
        ["run", "stack.tif", "--prompts", "p.csv", "--out", "out", "--start", "one"],
        ["run", "--from", "provenance.json", "--prompts", "p.csv", "--out", "out"],
        ["info"],
        ["info", "--colour", "x"],
        ["find", "s.tif", "--out", "a.csv", "--table", "a.csv"],
        ["find", "s.tif", "--out", "a.csv", "--table", "there/../a.csv"],
        ["evaluate", "--csv", "a.md", "--document", "./a.md"],
        ["evaluate", "--memory-designs", "--ablations"],
        ["weights", "w.safetensors", "--out", "o", "--strip", "o/model.safetensors"],
        ["weights", "w.safetensors", "--out", "o", "--strip", "o/config.json"],
        ["find", "s.tif", "--out", "a.csv", "--least-confidence", "nan"],
        ["finetune", "data", "--start", "w", "--out", "o", "--minutes", "inf"],
        ["finetune", "data", "--start", "w", "--out", "o", "--seed", "-1"],
        ["train", "--out", "o", "--minutes", "nan"],
        ["train", "--out", "o", "--seed", "99999999999999999999"],
        ["synth", "folder", "--seed", "-1"],
        ["synth", "folder", "--size", "10000000"],
        ["evaluate", "--steps", "3"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, capsys):
    assert status_of(arguments) == 2
    out, err = lines(capsys)
    assert not out and len(err) == 1
    assert err[0].startswith("sam2flow: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "s.tif", "--prompts", "p.csv", "--out", "o", "--pixel-size-um", "0,5"],
        ["run", "s.tif", "--prompts", "p.csv", "--out", "o", "--frame-rate-hz", "0,5"],
        ["run", "s.tif", "--prompts", "p.csv", "--out", "o", "--working-resolution", "0,5"],
        ["find", "s.tif", "--out", "o.csv", "--least-confidence", "0,5"],
        ["linescan", "s.tif", "--out", "o", "--line-rate-hz", "0,5"],
        ["finetune", "data", "--start", "w", "--out", "o", "--minutes", "0,5"],
    ],
)
def test_a_decimal_comma_is_told_how_to_write_it(arguments, capsys):
    assert status_of(arguments) == 2
    _, (line,) = lines(capsys)
    assert "'0,5': write the number with a point, 0.5" in line


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OutputError("out: the disk\nis full"), 2, "sam2flow: out: the disk is full"),
        (ZeroDivisionError("division by zero"), 1, "fault of the program: ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_a_failure_is_one_line_and_its_status(monkeypatch, capsys, error, status, words):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(cli.commands["info"], "callback", fail)
    assert status_of(["info", "x.tif"]) == status
    out, err = lines(capsys)
    (line,) = filter(None, err)  # click ends the line that ^C was typed on
    assert not out and words in line


def test_debug_shows_where(monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(cli.commands["info"], "callback", fail)
    assert status_of(["--debug", "info", "x.tif"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys):
    assert status_of([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_every_command_has_help(capsys):
    for name in cli.commands:
        assert status_of([name, "--help"]) == 0
        assert "Usage: sam2flow" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    code = "import sys; from sam2flow_core.cli.main import status_of; status_of(['--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(loaded.stdout.splitlines()[-1].split())
    assert "sam2flow_core.cli.main" in loaded
    assert not {"torch", "numpy", "pandas", "zarr", "matplotlib", "dask", "napari"} & loaded


def test_the_module_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "sam2flow_core", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and "sam2flow" in done.stdout


def test_what_the_system_refuses_is_for_a_person_to_mend(capsys):
    assert status_of(["info", "a" * 300 + ".tif"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_name_cannot_write_on_the_terminal(capsys):
    assert status_of(["info", "\x1b[31mred\x07\n.tif"]) == 2
    assert capsys.readouterr().err.rstrip("\n").isprintable()


def test_results_never_take_the_place_of_the_recording(tmp_path, capsys):
    stack = tmp_path / "stack.tif"
    stack.write_bytes(sample_files()[0].read_bytes()[:5000])
    before = stack.read_bytes()
    for more in (["--out", str(stack)], ["--out", str(tmp_path / "c.csv"), "--table", str(stack)]):
        assert status_of(["find", str(stack), *more]) == 2
        assert "what the result would be made from" in capsys.readouterr().err and stack.read_bytes() == before


@pytest.mark.parametrize("model", ["none.safetensors", "none.pt", "./none"])
@pytest.mark.parametrize(
    "command",
    [
        ["run", "stack.tif", "--prompts", "p.csv", "--out", "new/run", "--model"],
        ["batch", "all.csv", "--out", "new/batch", "--model"],
        ["find", "stack.tif", "--out", "new/found/p.csv", "--table", "new/tables/t.csv", "--model"],
        ["propagate", "stack.tif", "--mask", "m.tif", "--frame", "0", "--out", "new/masks/m.tif", "--model"],
        ["propagate", ".", "--mask-prompts", "p.json", "--out", "new/volumes", "--model"],
        ["evaluate", "--csv", "new/e/a.csv", "--document", "new/e/a.md", "--model"],
        ["finetune", ".", "--out", "new/f/w.safetensors", "--start"],
        ["train", "--out", "new/t/w.safetensors", "--start"],
        ["weights", "--out", "new/w", "--strip", "new/s/w.safetensors"],
    ],
    ids=lambda command: command[0],
)
def test_a_model_that_is_not_there_leaves_no_folder_behind(command, model, recording, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack.tif").write_bytes(recording.read_bytes())
    write_prompts("p.csv", (Prompt(1, 0, 32.0, 48.0),))
    (tmp_path / "all.csv").write_text("stack,prompts\nstack.tif,p.csv\n")
    tifffile.imwrite("m.tif", np.eye(64, 96, dtype=np.uint8))
    for kind in ("images", "masks"):
        (tmp_path / kind / "a").mkdir(parents=True)
        for t in range(3):
            Image.new("L", (96, 64), t).save(tmp_path / kind / "a" / f"0000{t}.png")
    (tmp_path / "p.json").write_text('{"a": 1}')
    (tmp_path / "train.txt").write_text("a\n")
    before = sorted(tmp_path.rglob("*"))
    assert status_of([*command, model]) == 2
    assert "no such weights file" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_threads_that_would_spin_beside_the_network_are_told_not_to_before_numpy_is_loaded():
    program = (
        "import os, sys; import sam2flow_core.cli; assert 'numpy' not in sys.modules and 'torch' not in sys.modules\n"
        "from sam2flow_core.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['OPENBLAS_NUM_THREADS'])"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS")}
    for given, expected in ({}, "PASSIVE 1"), ({"OPENBLAS_NUM_THREADS": "3"}, "PASSIVE 3"):
        said = subprocess.run(
            [sys.executable, "-c", program], env=bare | given, capture_output=True, text=True, check=True
        )
        assert said.stdout.splitlines()[-1] == expected
