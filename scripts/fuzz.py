"""Read thousands of damaged files with one of the program's parsers, and say how it fared.

    python scripts/fuzz.py --inputs 2000 tiff

Each file must be read, or refused by a `Sam2FlowError` of one line, within a minute and within 2 GB of memory. Ends
with status 1 where one is not. The parsers and the ways of damage are those of `tests/damaged`, where the same is done
with fewer files at each `make test`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

DAMAGED = Path(__file__).parent.parent / "tests" / "damaged"
sys.path.insert(0, str(DAMAGED))

from parsers import PARSERS  # noqa: E402

MOST_BYTES = 2e9


def main() -> int:
    """Fuzz the parsers that are named, all of them by default."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--inputs", type=int, default=2000, help="damaged files for each parser")
    arguments.add_argument("parser", nargs="*", help=f"one or more of {', '.join(PARSERS)}")
    given = arguments.parse_args()
    if unknown := set(given.parser) - set(PARSERS):
        arguments.error(f"no parser '{min(unknown)}'; there are {', '.join(PARSERS)}")
    return max(_fuzz(name, given.inputs) for name in given.parser or PARSERS)


def _fuzz(name: str, inputs: int) -> int:
    test = f"{DAMAGED / 'test_damaged_input.py'}::test_damaged_files_are_refused_in_one_line[{name}]"
    # In a process of its own, so that its peak of memory is that of this parser alone.
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=0", "--show-capture=no", f"--inputs={inputs}", test]
    began = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    fault = ended.returncode != 0 or peak > MOST_BYTES
    seconds = time.monotonic() - began
    verdict = "FAULT" if fault else "ok"
    print(f"{name}: {inputs} inputs, {seconds:.0f} s, peak {peak / 1e9:.2f} GB: {verdict}", flush=True)
    if ended.returncode:
        print(ended.stdout[-6000:])
    return int(fault)


if __name__ == "__main__":
    sys.exit(main())
