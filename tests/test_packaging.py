"""The wheel that is built from the sdist works by itself and carries everything."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("sam2flow_core", "sam2flow_napari", "resources", "pyproject.toml", "setup.py", "README.md", "LICENSE")
MIB = 2**20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # From a copy, so that neither an old build folder nor this build leaves anything behind.
    source = tmp_path_factory.mktemp("source")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, source / part)
    dist = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert len(list(dist.glob("*.tar.gz"))) == 1
    return next(dist.glob("*.whl"))


def test_the_wheel_is_small_and_carries_every_file(wheel):
    assert wheel.stat().st_size < 30 * MIB
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    for folder, name in (("sam2flow_core", None), ("sam2flow_napari", None), ("resources", "sam2flow_resources")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT / folder).as_posix()
                assert f"{name or folder}/{inside}" in packed
    assert not any(name.startswith(("resources/", "tests/")) for name in packed)


def test_the_unpacked_wheel_works_without_the_checkout(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sam2flow_core, sam2flow_napari; from importlib.resources import files; from pathlib import Path;"
        "from sam2flow_core.engine.demo import sample_files; from sam2flow_core.cli.main import status_of;"
        "print(sam2flow_core.__file__, sam2flow_napari.__file__, *sample_files(), sep='\\n');"
        "print(files('sam2flow_napari') / 'napari.yaml');"
        "raise SystemExit(status_of(['info', str(sample_files()[0])]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines()[:5]:
        assert Path(line).is_relative_to(tmp_path) and Path(line).exists()


def test_the_manifest_stands_at_the_top_too():
    assert (ROOT / "napari.yaml").read_text() == (ROOT / "sam2flow_napari" / "napari.yaml").read_text()
