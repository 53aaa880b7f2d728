"""Names of folders made from names that people give."""

from __future__ import annotations

import re
import unicodedata

from sam2flow_core.errors import DataError
from sam2flow_core.results import LOCK_NAME, PER_FRAME, SUMMARY

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
        raise DataError(f"video_id '{video_id}' names no folder; give it letters or digits")
    if name[0] in ".-" or name[-1] == ".":
        raise DataError(f"video_id '{video_id}' begins or ends with a mark that hides or changes a folder's name")
    if _RESERVED.fullmatch(name):
        raise DataError(f"video_id '{video_id}' is the name of a device on Windows; choose another")
    if name.casefold() in _OWN:
        raise DataError(f"video_id '{video_id}' is the name of a file that the batch itself writes; choose another")
    if len(name.encode()) > _LONGEST_BYTES:
        raise DataError(f"video_id '{video_id[:40]}...' is too long; give it at most {_LONGEST_BYTES} letters")
    return name


def same_folder(name: str) -> str:
    """Return what is equal for two names that are one folder on some system: letters of either case."""
    return name.casefold()
