"""Whatever a file says, the program answers in one line, soon, and within bounded memory."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from parsers import PARSERS, Parser

from sam2flow_core.errors import Sam2FlowError

LONGEST_S = 60


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a case."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def attack(parser: Parser, files: dict[str, bytes]) -> bool:
    """Read a damaged file; return whether it was refused. Anything but one clear line is raised."""
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), files)
        began = time.process_time()
        try:
            parser.read(Path(folder))
        except Sam2FlowError as error:
            assert str(error).strip() and "\n" not in str(error), repr(str(error))
            return True
        finally:
            # Of processor time: by the clock a busy machine makes any of them too slow.
            assert time.process_time() - began < LONGEST_S, "it takes too long to read or to refuse"
    return False


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_files_are_refused_in_one_line(name: str, request: pytest.FixtureRequest) -> None:
    """Run with `--inputs 2000` for many more; `scripts/fuzz.py` does."""
    parser = PARSERS[name]()
    assert not attack(parser, parser.whole), "whole files are refused: what follows would show nothing"
    refused: list[bool] = []
    inputs = request.config.getoption("--inputs", default=60)
    checks = list(HealthCheck)

    # Not shrunk: an input that takes a minute would be tried for hours.
    phases = (Phase.explicit, Phase.generate)

    @settings(
        max_examples=inputs, deadline=None, database=None, derandomize=True, suppress_health_check=checks,
        phases=phases,
    )  # fmt: skip
    @given(parser.files)
    def check(files: dict[str, bytes]) -> None:
        refused.append(attack(parser, files))

    check()
    assert any(refused), "no damage was noticed: the files are not read"
