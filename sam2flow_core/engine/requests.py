"""Requests that files make: a manifest those of a batch, the window's project that of a run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sam2flow_core.config.run import EVERY
from sam2flow_core.engine.events import RunRequest
from sam2flow_core.errors import DataError, PromptError, StackError
from sam2flow_core.inference.hub import require_here
from sam2flow_core.project import PROJECT_FILE, Project, RunChoices, SessionState, next_run_folder, read_project
from sam2flow_core.prompts import check_prompts, read_labels, read_prompts
from sam2flow_core.results import LOCK_NAME, PER_FRAME, SUMMARY
from sam2flow_core.spreadsheets import Sheet, read_sheet
from sam2flow_core.stack import open_stack
from sam2flow_core.untrusted import on_network

OUTCOMES = "batch.csv"
COMPARISON = "comparison.html"
_OWN = (SUMMARY, PER_FRAME, OUTCOMES, COMPARISON, LOCK_NAME)
# Windows takes them for devices, with any ending; folders travel between systems.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
_LONGEST_BYTES = 200


def folder_name(video_id: str) -> str:
    """Return the name of a recording's folder inside that of its batch; what no file system takes becomes ``_``.

    Raises
    ------
    DataError
        If no folder on every system can be called so, or a file of the batch is.
    """
    name = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", video_id))
    if not name.strip("._"):
        raise DataError("video_id '{video_id}' names no folder; give it letters or digits", video_id=video_id)
    if name[0] in ".-" or name[-1] == ".":
        raise DataError(
            "video_id '{video_id}' begins or ends with a mark that hides or changes a folder's name", video_id=video_id
        )
    if _RESERVED.fullmatch(name):
        raise DataError("video_id '{video_id}' is the name of a device on Windows; choose another", video_id=video_id)
    if name.casefold() in _OWN:
        raise DataError(
            "video_id '{video_id}' is the name of a file that the batch itself writes; choose another",
            video_id=video_id,
        )
    if len(name.encode()) > _LONGEST_BYTES:
        raise DataError(
            "video_id '{begin}...' is too long; give it at most {longest_bytes} letters",
            begin=video_id[:40],
            longest_bytes=_LONGEST_BYTES,
        )
    return name


def same_folder(name: str) -> str:
    """Return what is equal for two names that are one folder on some system: letters of either case."""
    return name.casefold()


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
        raise DataError("{path}: no recordings in it", path=path)
    for line, row in zip(sheet.lines, sheet.rows, strict=True):
        for column in REQUIRED:
            if not row.get(column):
                raise DataError("{path}, line {line}: no {column}", path=path, line=line, column=column)
            if "\0" in row[column] or on_network(row[column], path.absolute()):
                raise DataError(
                    "{path}, line {line}: the {column} lies on another computer; copy it here",
                    path=path,
                    line=line,
                    column=column,
                )
    return sheet


def _refuse_shared_folders(path: Path, requests: Sequence[RunRequest]) -> None:
    first: dict[str, RunRequest] = {}
    for request in requests:
        other = first.setdefault(same_folder(request.out.name), request)
        if other.video_id == request.video_id and other is not request:
            raise DataError(
                "{path}: '{video_id}' stands twice; give each row a video_id of its own",
                path=path,
                video_id=request.video_id,
            )
        if other is not request:
            raise DataError(
                "{path}: '{video_id}' and '{video_id_2}' would share the folder {name}; give them video_ids that "
                "differ in letters or digits",
                path=path,
                video_id=other.video_id,
                video_id_2=request.video_id,
                name=request.out.name,
            )


def _request(sheet: Sheet, number: int, out: Path, model: str, device: str, detail: str) -> RunRequest:
    row, folder = sheet.rows[number], sheet.path.parent
    stack = folder / row["stack"]
    video_id = row.get("video_id") or stack.name.split(".")[0]
    try:
        name = folder_name(video_id)
    except DataError as error:
        raise DataError(
            "{path}, line {line}: {error}", path=sheet.path, line=sheet.lines[number], error=error.message
        ) from None
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


def request_of_project(project: Project, folder: Path) -> RunRequest:
    """Return the run of a project's prompts with its settings, into the next free run folder inside `folder`.

    Raises
    ------
    PromptError
        If no vessel is marked.
    """
    state, choices, edit = project.state, project.run, project.edit
    if not state.prompts:
        raise PromptError("no vessel is marked: click on a vessel in the image first")
    return RunRequest(
        stack=project.recording,
        prompts=state.prompts,
        out=next_run_folder(folder),
        model=choices.model,
        device=choices.device,
        pixel_size_um=edit.pixel_size_um,
        frame_rate_hz=edit.frame_rate_hz,
        start=choices.start,
        stop=choices.stop or None,
        stabilise=choices.stabilise,
        ranges=choices.ranges,
        detail=choices.detail,
        names=tuple((v.vessel_id, v.name) for v in state.vessels if state.is_prompted(v.vessel_id)),
        working_resolution=choices.working_resolution,
        groups=tuple((v.vessel_id, v.group) for v in state.vessels if v.group and state.is_prompted(v.vessel_id)),
    )


def request_in_batch(
    recording: Path, folder: Path, out: Path, choices: RunChoices, otherwise: SessionState, video_id: str
) -> RunRequest:
    """Return the run of one recording of a batch that has the same settings for all.

    Parameters
    ----------
    recording : Path
    folder : Path
        Where its project is, if it has one: its marks, names and calibration are taken.
    out : Path
        Folder of the batch.
    choices : RunChoices
        For all recordings.
    otherwise : SessionState
        Marks for a recording that has none.
    video_id : str

    Raises
    ------
    OutputError
        If its project cannot be read.
    StackError
        If the recording cannot be read, or is another than the one that was clicked on.
    PromptError
        If nothing is marked, or marks lie outside.
    DataError
        If no folder can be called like it.
    """
    project = read_project(folder) if (folder / PROJECT_FILE).is_file() else Project(recording, "")
    with open_stack(recording) as opened:
        if project.state.prompts and not opened.has_fingerprint(project.fingerprint):
            raise StackError(
                "{name}: is not as it was when its vessels were marked; open it and look", name=recording.name
            )
        state = project.state if project.state.prompts else otherwise
        asked = request_of_project(replace(project, recording=recording, state=state, run=choices), folder)
        check_prompts(asked.prompts, opened.shape)
    return replace(asked, out=out / folder_name(video_id), resume=True, video_id=video_id)


def request_in_folder(folder: Path, stack: Path | None = None, download: bool = False) -> RunRequest:
    """Return the run that the project in a folder asks for.

    Parameters
    ----------
    folder : Path
        The project folder, ``<recording>.sam2flow``.
    stack : Path, optional
        Where the recording is now, if it has moved.
    download : bool
        Whether a model that the project names may be fetched from the Hugging Face hub.

    Raises
    ------
    OutputError
        If the folder holds no project that can be read.
    ModelError
        If it names a model of the hub, and `download` is off.
    StackError
        If the recording is gone, or is another than the one that was clicked on.
    PromptError
        If no vessel is marked.
    """
    project = read_project(folder)
    if not download:
        require_here(project.run.model, folder)
    recording = stack or project.recording
    if not recording.exists():
        raise StackError(
            "{recording}: the recording of this project has moved; give its path as STACK", recording=recording
        )
    with open_stack(recording) as opened:
        if not opened.has_fingerprint(project.fingerprint):
            raise StackError(
                "{recording}: is not as it was when its vessels were marked; open it in napari, check the clicks, "
                "and run again",
                recording=recording,
            )
    return request_of_project(replace(project, recording=recording), folder)
