"""``MANIFEST.csv``: the recordings of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sam2flow_core.config.run import EVERY
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.folder_names import folder_name, same_folder
from sam2flow_core.errors import DataError
from sam2flow_core.prompts import read_labels, read_prompts
from sam2flow_core.spreadsheets import Sheet, read_sheet
from sam2flow_core.untrusted import on_network

REQUIRED = ("stack", "prompts")
NUMERIC = ("pixel_size_um", "frame_rate_hz")
OPTIONAL = (*NUMERIC, "video_id", "group")


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


def read_manifest(path: Path, out: Path, model: str = "tiny", device: str = "auto", detail: str = EVERY) -> Manifest:
    """Return a request for each row; every recording gets its own folder in `out`, named after its ``video_id``.

    Paths in the manifest are relative to it.

    Raises
    ------
    DataError
        If the manifest cannot be read, a ``video_id`` cannot be a folder's name, or two rows have the same one.
    PromptError
        If a row's prompts cannot be read.
    """
    sheet = _read(path)
    requests = tuple(_request(sheet, row, out, model, device, detail) for row in range(len(sheet.rows)))
    _refuse_shared_folders(path, requests)
    groups = {
        str(request.video_id): row["group"]
        for request, row in zip(requests, sheet.rows, strict=True)
        if row.get("group")
    }
    return Manifest(requests, groups)


def _read(path: Path) -> Sheet:
    sheet = read_sheet(path, REQUIRED, OPTIONAL, NUMERIC, DataError)
    if not sheet.rows:
        raise DataError(f"{path}: no recordings in it")
    for line, row in zip(sheet.lines, sheet.rows, strict=True):
        for column in REQUIRED:
            if not row.get(column):
                raise DataError(f"{path}, line {line}: no {column}")
            if "\0" in row[column] or on_network(row[column], path.absolute()):
                raise DataError(f"{path}, line {line}: the {column} lies on another computer; copy it here")
    return sheet


def _refuse_shared_folders(path: Path, requests: Sequence[RunRequest]) -> None:
    first: dict[str, RunRequest] = {}
    for request in requests:
        other = first.setdefault(same_folder(request.out.name), request)
        if other.video_id == request.video_id and other is not request:
            raise DataError(f"{path}: '{request.video_id}' stands twice; give each row a video_id of its own")
        if other is not request:
            raise DataError(
                f"{path}: '{other.video_id}' and '{request.video_id}' would share the folder {request.out.name}; "
                "give them video_ids that differ in letters or digits"
            )


def _request(sheet: Sheet, number: int, out: Path, model: str, device: str, detail: str) -> RunRequest:
    row, folder = sheet.rows[number], sheet.path.parent
    stack = folder / row["stack"]
    video_id = row.get("video_id") or stack.name.split(".")[0]
    try:
        name = folder_name(video_id)
    except DataError as error:
        raise DataError(f"{sheet.path}, line {sheet.lines[number]}: {error}") from None
    names, groups = read_labels(folder / row["prompts"])
    return RunRequest(
        stack=stack,
        prompts=read_prompts(folder / row["prompts"]),
        out=out / name,
        model=model,
        device=device,
        pixel_size_um=sheet.number(number, "pixel_size_um"),
        frame_rate_hz=sheet.number(number, "frame_rate_hz"),
        resume=True,
        video_id=video_id,
        names=names,
        groups=groups,
        detail=detail,
    )
