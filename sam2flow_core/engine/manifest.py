"""``MANIFEST.csv``: the recordings of a batch."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import DataError
from sam2flow_core.prompts import read_prompts

REQUIRED = ("stack", "prompts")
OPTIONAL = ("pixel_size_um", "frame_rate_hz", "video_id", "group")


@dataclass(frozen=True)
class Manifest:
    """What a batch is asked to do.

    Attributes
    ----------
    requests : tuple of RunRequest
        In the order of the rows.
    groups : dict of str to str
        Group by ``video_id``, such as before and after; recordings without one are not in it.
    """

    requests: tuple[RunRequest, ...]
    groups: Mapping[str, str]


def read_manifest(path: Path, out: Path, model: str = "tiny", device: str = "auto") -> Manifest:
    """Return a request for each row; every recording gets its own folder in `out`, named after its ``video_id``.

    Paths in the manifest are relative to it.

    Raises
    ------
    DataError
        If the manifest cannot be read, or two rows have the same ``video_id``.
    PromptError
        If a row's prompts cannot be read.
    """
    table = _read(path)
    rows = table.to_dict("records")
    requests = tuple(_request(row, path.parent, out, model, device) for row in rows)
    folders = [request.out for request in requests]
    for request in requests:
        if folders.count(request.out) > 1:
            raise DataError(f"{path}: '{request.video_id}' stands twice; give each row a video_id of its own")
    groups = {
        str(request.video_id): str(row["group"])
        for request, row in zip(requests, rows, strict=True)
        if not pd.isna(row.get("group"))
    }
    return Manifest(requests, groups)


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, skipinitialspace=True, dtype={"video_id": str, "group": str})
    except FileNotFoundError:
        raise DataError(f"{path}: no such manifest") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: not a table ({error}); expected columns {', '.join(REQUIRED)}") from None
    for column in table.columns:
        if column not in REQUIRED + OPTIONAL:
            raise DataError(f"{path}: unknown column '{column}'; known are {', '.join(REQUIRED + OPTIONAL)}")
    for column in REQUIRED:
        if column not in table.columns:
            raise DataError(f"{path}: column '{column}' is missing")
        if table[column].isna().any():
            raise DataError(f"{path}, line {int(np.argmax(table[column].isna())) + 2}: no {column}")
    for column in OPTIONAL[:2]:
        if column in table.columns and not pd.api.types.is_numeric_dtype(table[column]):
            raise DataError(f"{path}: column '{column}' holds a value that is not a number")
    if table.empty:
        raise DataError(f"{path}: no recordings in it")
    return table


def _request(row: Mapping[Hashable, Any], folder: Path, out: Path, model: str, device: str) -> RunRequest:
    stack = folder / str(row["stack"])
    given = row.get("video_id")
    video_id = stack.name.split(".")[0] if given is None or pd.isna(given) else str(given)
    return RunRequest(
        stack=stack,
        prompts=read_prompts(folder / str(row["prompts"])),
        # A video_id may hold what no file system takes.
        out=out / re.sub(r"[^\w.-]+", "_", video_id),
        model=model,
        device=device,
        pixel_size_um=_number(row.get("pixel_size_um")),
        frame_rate_hz=_number(row.get("frame_rate_hz")),
        resume=True,
        video_id=video_id,
    )


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
