"""``<recording>.sam2flow/``: prompts, names, calibration and run settings, as files that outlive the program.

It holds ``project.json``, ``prompts.csv`` (the clicks alone) and one folder per
run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from sam2flow_core.errors import OutputError
from sam2flow_core.files import write_text
from sam2flow_core.project.records import CalibrationEdit, Project, RunChoices
from sam2flow_core.project.state import SessionState, Vessel
from sam2flow_core.prompts import Prompt, write_prompts
from sam2flow_core.regions import regions_from_json, regions_to_json

SCHEMA_VERSION = 2
SUFFIX = ".sam2flow"
PROJECT_FILE = "project.json"


def write_project(folder: Path, project: Project) -> None:
    """Write ``project.json`` and ``prompts.csv``, each whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot create the project folder ({error.strerror})") from error
    write_text(folder / PROJECT_FILE, json.dumps(_to_json(folder, project), indent=1))
    write_prompts(folder / "prompts.csv", project.state.prompts)


def read_project(folder: Path) -> Project:
    """Read a project folder.

    Raises
    ------
    OutputError
        If ``project.json`` is missing, damaged or from a newer version.
    """
    file = folder / PROJECT_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OutputError(f"{folder}: not a SAM2Flow project (no {PROJECT_FILE} in it)") from None
    except (OSError, ValueError) as error:
        raise OutputError(f"{file}: cannot be read ({error}); prompts.csv beside it can be opened instead") from None
    if content.get("schema_version", 0) > SCHEMA_VERSION:
        raise OutputError(f"{file}: written by a newer SAM2Flow; update the plugin to open it")
    try:
        return _from_json(folder, content)
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(f"{file}: damaged ({error!r}); prompts.csv beside it can be opened instead") from None


def _to_json(folder: Path, project: Project) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        # Both, so that a project moved together with its recording and one left behind are found again.
        "recording": str(project.recording),
        "recording_beside": _relative(project.recording, folder),
        "fingerprint": project.fingerprint,
        "vessels": [asdict(v) for v in project.state.vessels],
        "prompts": [asdict(p) for p in project.state.prompts],
        "regions": regions_to_json(project.state.regions),
        "calibration": asdict(project.edit),
        "run": asdict(project.run),
        "results": project.results,
    }


def _relative(recording: Path, folder: Path) -> str:
    try:
        return os.path.relpath(recording, folder)
    except ValueError:  # another drive on Windows
        return ""


def _from_json(folder: Path, content: Mapping[str, Any]) -> Project:
    recording = Path(content["recording"])
    beside = content.get("recording_beside", "")
    if beside and (folder / beside).exists():
        recording = (folder / beside).resolve()
    known = {f.name for f in fields(RunChoices)}
    return Project(
        recording=recording,
        fingerprint=content["fingerprint"],
        state=SessionState(
            tuple(Vessel(**v) for v in content["vessels"]),
            tuple(Prompt(**p) for p in content["prompts"]),
            regions_from_json(content.get("regions", ())),  # schema 1 has none
        ),
        edit=CalibrationEdit(**content["calibration"]),
        run=RunChoices(**{k: v for k, v in content["run"].items() if k in known}),
        results=content.get("results", ""),
    )
