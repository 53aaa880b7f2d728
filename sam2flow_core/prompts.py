"""Prompts: clicks, boxes and painted masks that say which vessels to measure, and the CSV that keeps clicks.

Points are ``(frame, y, x)``: pixels of the recorded frame, the centre of the
top-left pixel at (0, 0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.errors import PromptError
from sam2flow_core.spreadsheets import Sheet, read_sheet, write_csv
from sam2flow_core.untrusted import one_line

COLUMNS = ("vessel_id", "frame", "y", "x", "label")
LABELS = ("name", "group")
"""Columns that may be there too: what a vessel is called, and what it is sorted by, such as its type."""
_LARGEST = 2**31
_MOST_CLICKS = 200
"""Clicks on one vessel in one frame: a way is sought from each to each other, which takes hours for thousands."""


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


@dataclass(frozen=True)
class BoxPrompt:
    """A rectangle about a vessel in one frame.

    Attributes
    ----------
    vessel_id, frame : int
    top, left, bottom, right : float
        Its sides in pixels of the recorded frame.
    """

    vessel_id: int
    frame: int
    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class MaskPrompt:
    """A vessel as it was painted in one frame.

    Attributes
    ----------
    vessel_id, frame : int
    height, width : int
        Of the frame.
    runs : str
        Lengths of the runs of pixels, row by row, beside and inside the vessel in turn, separated by spaces: equal
        masks are equal texts, and files hold a line of each.
    """

    vessel_id: int
    frame: int
    height: int
    width: int
    runs: str

    @classmethod
    def of(cls, vessel_id: int, frame: int, mask: NDArray[np.bool_]) -> MaskPrompt:
        """Return the prompt of a painted mask, shape (Y, X).

        Examples
        --------
        >>> painted = MaskPrompt.of(1, 0, np.array([[False, True], [True, False]]))
        >>> painted.runs
        '1 2 1'
        >>> painted.mask.tolist()
        [[False, True], [True, False]]
        """
        flat = np.concatenate([[False], np.asarray(mask, bool).ravel()])
        ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), mask.size)
        runs = " ".join(str(n) for n in np.diff(ends, prepend=0))
        return cls(vessel_id, frame, mask.shape[0], mask.shape[1], runs)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The mask, shape (Y, X)."""
        lengths = np.array(self.runs.split(), int)
        inside = np.arange(len(lengths)) % 2 == 1
        return np.repeat(inside, lengths).reshape(self.height, self.width)


Region = BoxPrompt | MaskPrompt
AnyPrompt = Prompt | BoxPrompt | MaskPrompt
"""Whatever says where a vessel is, or is not. One tuple of them goes from the window to the model."""


def clicks_of(prompts: Iterable[AnyPrompt]) -> tuple[Prompt, ...]:
    """The clicks among the prompts.

    Examples
    --------
    >>> clicks_of([Prompt(1, 0, 5.0, 6.0), BoxPrompt(1, 0, 2.0, 3.0, 8.0, 9.0)])
    (Prompt(vessel_id=1, frame=0, y=5.0, x=6.0, label=1),)
    """
    return tuple(p for p in prompts if isinstance(p, Prompt))


def regions_of(prompts: Iterable[AnyPrompt]) -> tuple[Region, ...]:
    """The boxes and painted masks among the prompts."""
    return tuple(p for p in prompts if not isinstance(p, Prompt))


def read_prompts(path: str | Path) -> tuple[Prompt, ...]:
    """Read ``prompts.csv``, as the program or a spreadsheet program of any country wrote it.

    Raises
    ------
    PromptError
        If the file is missing, empty, has unknown or missing columns, a value
        that is not a number, or one that can be understood in two ways.

    Examples
    --------
    >>> from sam2flow_core.engine.demo import sample_files
    >>> prompts = read_prompts(sample_files()[1])
    >>> prompts[0]
    Prompt(vessel_id=1, frame=0, y=201.0, x=94.0, label=1)
    >>> sorted({p.vessel_id for p in prompts})
    [1, 2, 3, 4, 5, 6]
    """
    sheet = _read(path)
    return tuple(_prompt(sheet, row) for row in range(len(sheet.rows)))


Labels = tuple[tuple[int, str], ...]
"""A text for each vessel that has one, by vessel id."""


def read_labels(path: str | Path) -> tuple[Labels, Labels]:
    """Read the names and the groups of vessels from ``prompts.csv``.

    The first row of a vessel that says one counts.

    Raises
    ------
    PromptError
        As `read_prompts` does, or if two rows of a vessel say different things.
    """
    sheet = _read(path)
    found: dict[str, dict[int, str]] = {column: {} for column in LABELS}
    for number, row in enumerate(sheet.rows):
        vessel = _prompt(sheet, number).vessel_id
        for column, known in found.items():
            text = one_line(row.get(column, ""))
            if text and known.setdefault(vessel, text) != text:
                place = f"{sheet.path}, line {sheet.lines[number]}"
                raise PromptError(
                    "{place}: vessel {vessel} has two {column}s, '{known}' and '{text}'",
                    place=place,
                    vessel=vessel,
                    column=column,
                    known=known[vessel],
                    text=text,
                )
    return tuple(found["name"].items()), tuple(found["group"].items())


def _read(path: str | Path) -> Sheet:
    sheet = read_sheet(Path(path), COLUMNS, LABELS, COLUMNS, PromptError)
    if not sheet.rows:
        raise PromptError("{path}: no prompts in it; add at least one row with label 1", path=path)
    return sheet


def _prompt(sheet: Sheet, row: int) -> Prompt:
    values = {column: sheet.number(row, column) for column in COLUMNS}
    place = f"{sheet.path}, line {sheet.lines[row]}"
    for column, value in values.items():
        if value is None:
            raise PromptError("{place}: a value is missing or not a number ({column})", place=place, column=column)
        if column in ("vessel_id", "frame", "label") and (value % 1 or abs(value) > _LARGEST):
            raise PromptError(
                "{place}: vessel_id, frame and label must be whole numbers, and no huge ones", place=place
            )
    vessel, frame, y, x, label = (float(value or 0) for value in values.values())
    return Prompt(int(vessel), int(frame), y, x, int(label))


def write_prompts(path: str | Path, prompts: tuple[Prompt, ...]) -> None:
    """Write ``prompts.csv``, one row per click.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "prompts.csv"
    ...     write_prompts(path, (Prompt(1, 0, 10.0, 12.0),))
    ...     read_prompts(path)
    (Prompt(vessel_id=1, frame=0, y=10.0, x=12.0, label=1),)
    """
    rows = [(p.vessel_id, p.frame, p.y, p.x, p.label) for p in prompts]
    write_csv(path, pd.DataFrame(rows, columns=list(COLUMNS)))


def check_prompts(prompts: tuple[AnyPrompt, ...], shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless all lies in a stack of ``shape`` (T, Y, X), and says where each vessel is.

    Examples
    --------
    >>> check_prompts((Prompt(1, 0, 10.0, 12.0),), shape=(5, 64, 64))
    >>> check_prompts((Prompt(1, 9, 10.0, 12.0),), shape=(5, 64, 64))
    Traceback (most recent call last):
    sam2flow_core.errors.PromptError: vessel 1: frame 9 is outside the recording (0 to 4)
    """
    clicks, regions = clicks_of(prompts), regions_of(prompts)
    check_regions(regions, shape)
    if not prompts:
        raise PromptError("no prompts: click at least one vessel")
    for click in clicks:
        check_point(click, shape)
    for vessel in sorted({p.vessel_id for p in clicks} - {r.vessel_id for r in regions}):
        if not any(p.label == 1 for p in clicks if p.vessel_id == vessel):
            raise PromptError(
                "vessel {vessel} has negative clicks only; add a click with label 1 on the vessel", vessel=vessel
            )
    _check_together(clicks)


def _check_together(clicks: Sequence[Prompt]) -> None:
    """Raise `PromptError` where clicks on one vessel in one frame are too many, or contradict each other on a pixel."""
    marks: dict[tuple[int, int], list[Prompt]] = {}
    for click in clicks:
        marks.setdefault((click.vessel_id, click.frame), []).append(click)
    for (vessel, frame), here in marks.items():
        if len(here) > _MOST_CLICKS:
            raise PromptError(
                "vessel {vessel} has {count} clicks in frame {frame}; {most} are taken at most, and three along a "
                "vessel are enough",
                vessel=vessel,
                count=len(here),
                frame=frame,
                most=_MOST_CLICKS,
            )
        opposed = opposed_click([(p.y, p.x, p.label) for p in here])
        if opposed is not None:
            raise opposed_error(f"vessel {vessel}", frame, here[opposed].y, here[opposed].x)


def opposed_click(clicks: Sequence[tuple[float, float, int]]) -> int | None:
    """Which click on one vessel in one frame says the opposite of an earlier one on the same pixel; None if none does.

    Parameters
    ----------
    clicks : sequence of (float, float, int)
        Two coordinates in px, and the label, 1 or 0; what has another label is no click.

    Examples
    --------
    >>> opposed_click([(10.0, 12.0, 1), (30.0, 12.0, 0), (10.4, 11.8, 0)])
    2
    """
    said: dict[tuple[int, int], int] = {}
    for number, (one, other, label) in enumerate(clicks):
        if label in (0, 1) and said.setdefault((floor(one + 0.5), floor(other + 0.5)), label) != label:
            return number
    return None


def opposed_error(named: str, frame: int, y: float, x: float) -> PromptError:
    """Say that two clicks on one pixel contradict each other; `named` is the vessel or object."""
    return PromptError(
        "{vessel}: pixel y={y:g}, x={x:g} of frame {frame} is clicked with label 1 (this vessel) and with label 0 (not "
        "this vessel); remove one of the two clicks",
        vessel=named,
        y=y,
        x=x,
        frame=frame,
    )


def check_point(prompt: Prompt, shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless a click lies in a stack of ``shape`` (T, Y, X)."""
    frames, height, width = shape
    vessel = f"vessel {prompt.vessel_id}"
    if prompt.vessel_id < 1 or prompt.vessel_id > 65535:
        raise PromptError("{vessel}: ids run from 1 to 65535", vessel=vessel)
    if prompt.label not in (0, 1):
        raise PromptError(
            "{vessel}: label {label} is neither 1 (vessel) nor 0 (not this vessel)", vessel=vessel, label=prompt.label
        )
    if not 0 <= prompt.frame < frames:
        raise PromptError(
            "{vessel}: frame {frame} is outside the recording (0 to {last})",
            vessel=vessel,
            frame=prompt.frame,
            last=frames - 1,
        )
    if not (-0.5 <= prompt.y <= height - 0.5 and -0.5 <= prompt.x <= width - 0.5):
        place = f"y={prompt.y:g}, x={prompt.x:g}"
        raise PromptError(
            "{vessel}: point {place} is outside the image ({height} x {width} px)",
            vessel=vessel,
            place=place,
            height=height,
            width=width,
        )


_KINDS = {"box": BoxPrompt, "mask": MaskPrompt}
_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}


def regions_to_json(regions: Sequence[Region]) -> list[dict[str, Any]]:
    """Return regions as JSON values.

    Examples
    --------
    >>> regions_from_json(regions_to_json([BoxPrompt(1, 0, 2.0, 3.0, 8.0, 9.0)]))
    (BoxPrompt(vessel_id=1, frame=0, top=2.0, left=3.0, bottom=8.0, right=9.0),)
    """
    names = {kind: name for name, kind in _KINDS.items()}
    return [{"kind": names[type(region)], **asdict(region)} for region in regions]


def regions_from_json(content: Sequence[Mapping[str, Any]]) -> tuple[Region, ...]:
    """Read back what `regions_to_json` gave.

    Raises
    ------
    ValueError
        If a region is none, or its mask is not of the size that it claims.
    """
    return tuple(_region(item) for item in content)


def _region(item: Mapping[str, Any]) -> Region:
    kind = _KINDS.get(str(item.get("kind")))
    if kind is None:
        raise ValueError(f"a region of kind '{item.get('kind')}'")
    values = {f.name: item.get(f.name) for f in fields(kind)}
    for field in fields(kind):
        value = values[field.name]
        if not isinstance(value, _TYPES[str(field.type)]) or isinstance(value, bool):
            raise ValueError(f"a region whose {field.name} is no {field.type}")
    region: Region = kind(**values)
    if isinstance(region, MaskPrompt):
        _check_runs(region)
    return region


def _check_runs(mask: MaskPrompt) -> None:
    """Raise `ValueError` unless the runs of a mask add up to its size, before anything of that size is made."""
    if not re.fullmatch(r"[0-9]{1,18}( [0-9]{1,18})*", mask.runs):
        raise ValueError("a mask whose runs are no whole numbers")
    if min(mask.height, mask.width) < 1 or sum(map(int, mask.runs.split())) != mask.height * mask.width:
        raise ValueError(f"a mask whose runs do not add up to its {mask.height} x {mask.width} px")


def check_regions(regions: Sequence[Region], shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless every region lies in a stack of ``shape`` (T, Y, X)."""
    frames, height, width = shape
    for region in regions:
        vessel = f"vessel {region.vessel_id}"
        if not 1 <= region.vessel_id <= 65535:
            raise PromptError("{vessel}: ids run from 1 to 65535", vessel=vessel)
        if not 0 <= region.frame < frames:
            raise PromptError(
                "{vessel}: frame {frame} is outside the recording (0 to {last})",
                vessel=vessel,
                frame=region.frame,
                last=frames - 1,
            )
        if isinstance(region, BoxPrompt):
            _check_box(vessel, region, height, width)
        else:
            _check_mask(vessel, region, height, width)


def _check_box(vessel: str, box: BoxPrompt, height: int, width: int) -> None:
    rows = -0.5 <= box.top < box.bottom <= height - 0.5
    columns = -0.5 <= box.left < box.right <= width - 0.5
    if not (rows and columns):
        raise PromptError(
            "{vessel}: the box in frame {frame} does not lie in the image ({height} x {width} px)",
            vessel=vessel,
            frame=box.frame,
            height=height,
            width=width,
        )


def _check_mask(vessel: str, painted: MaskPrompt, height: int, width: int) -> None:
    if (painted.height, painted.width) != (height, width):
        raise PromptError(
            "{vessel}: the mask in frame {frame} has {height} x {width} px, the recording {height_2} x "
            "{width_2}; paint it again on this recording",
            vessel=vessel,
            frame=painted.frame,
            height=painted.height,
            width=painted.width,
            height_2=height,
            width_2=width,
        )
    if " " not in painted.runs:
        raise PromptError(
            "{vessel}: the mask in frame {frame} is empty; paint the vessel, or delete the mask",
            vessel=vessel,
            frame=painted.frame,
        )
