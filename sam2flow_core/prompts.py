"""Prompts: the clicks that say which vessels to measure, and the CSV that keeps them.

Points are ``(frame, y, x)``: pixels of the recorded frame, the centre of the
top-left pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sam2flow_core.errors import PromptError
from sam2flow_core.files import write_text
from sam2flow_core.regions import Region, check_regions

COLUMNS = ("vessel_id", "frame", "y", "x", "label")


@dataclass(frozen=True, order=True)
class Prompt:
    """One click.

    Attributes
    ----------
    vessel_id : int
        The vessel the click speaks of, 1 or more.
    frame : int
        Frame index, from 0.
    y, x : float
        Position in pixels of the recorded frame.
    label : int
        1 = this vessel, 0 = not this vessel.
    """

    vessel_id: int
    frame: int
    y: float
    x: float
    label: int = 1


def read_prompts(path: str | Path) -> tuple[Prompt, ...]:
    """Read ``prompts.csv``.

    Raises
    ------
    PromptError
        If the file is missing, empty, has unknown or missing columns, or a
        value that is not a number.
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except FileNotFoundError:
        raise PromptError(f"{path}: no such prompts file") from None
    except PermissionError:
        raise PromptError(f"{path}: no permission to read this file") from None
    except pd.errors.EmptyDataError:
        raise PromptError(f"{path}: the file is empty; expected the columns {', '.join(COLUMNS)}") from None
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, ValueError):
        raise PromptError(f"{path}: not a CSV table; expected the columns {', '.join(COLUMNS)}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas shifts the columns where rows are longer than the header
        raise PromptError(f"{path}: rows hold more values than there are columns ({', '.join(COLUMNS)})")
    table.columns = table.columns.str.strip()
    _check_columns(path, table)
    if table.empty:
        raise PromptError(f"{path}: no prompts in it; add at least one row with label 1")
    numbers = table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().any(axis=None):
        row = int(numbers.isna().any(axis=1).idxmax()) + 2
        raise PromptError(f"{path}, line {row}: a value is missing or not a number")
    whole = numbers[["vessel_id", "frame", "label"]]
    if (whole % 1 != 0).any(axis=None):
        row = int((whole % 1 != 0).any(axis=1).idxmax()) + 2
        raise PromptError(f"{path}, line {row}: vessel_id, frame and label must be whole numbers")
    return tuple(Prompt(int(r[0]), int(r[1]), float(r[2]), float(r[3]), int(r[4])) for r in numbers.to_numpy())


def _check_columns(path: Path, table: pd.DataFrame) -> None:
    if len(table.columns) == 1 and ";" in table.columns[0]:
        raise PromptError(f"{path}: values are separated by ';'; save the table with commas")
    unknown = [c for c in table.columns if c not in COLUMNS]
    missing = [c for c in COLUMNS if c not in table.columns]
    if unknown:
        raise PromptError(f"{path}: unknown column '{unknown[0]}'; the columns are {', '.join(COLUMNS)}")
    if missing:
        raise PromptError(f"{path}: column '{missing[0]}' is missing; the columns are {', '.join(COLUMNS)}")


def write_prompts(path: str | Path, prompts: tuple[Prompt, ...]) -> None:
    """Write ``prompts.csv``, one row per click.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    rows = [(p.vessel_id, p.frame, p.y, p.x, p.label) for p in prompts]
    write_text(path, pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False))


def check_prompts(prompts: tuple[Prompt, ...], shape: tuple[int, int, int], regions: tuple[Region, ...] = ()) -> None:
    """Raise `PromptError` unless all lies in a stack of ``shape`` (T, Y, X) and says where each vessel is."""
    check_regions(regions, shape)
    if not prompts and not regions:
        raise PromptError("no prompts: click at least one vessel")
    for prompt in prompts:
        check_point(prompt, shape)
    for vessel in sorted({p.vessel_id for p in prompts} - {r.vessel_id for r in regions}):
        if not any(p.label == 1 for p in prompts if p.vessel_id == vessel):
            raise PromptError(f"vessel {vessel} has negative clicks only; add a click with label 1 on the vessel")


def check_point(prompt: Prompt, shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless a click lies in a stack of ``shape`` (T, Y, X)."""
    frames, height, width = shape
    vessel = f"vessel {prompt.vessel_id}"
    if prompt.vessel_id < 1 or prompt.vessel_id > 65535:
        raise PromptError(f"{vessel}: ids run from 1 to 65535")
    if prompt.label not in (0, 1):
        raise PromptError(f"{vessel}: label {prompt.label} is neither 1 (vessel) nor 0 (not this vessel)")
    if not 0 <= prompt.frame < frames:
        raise PromptError(f"{vessel}: frame {prompt.frame} is outside the recording (0 to {frames - 1})")
    if not (-0.5 <= prompt.y <= height - 0.5 and -0.5 <= prompt.x <= width - 0.5):
        place = f"y={prompt.y:g}, x={prompt.x:g}"
        raise PromptError(f"{vessel}: point {place} is outside the image ({height} x {width} px)")
