"""What ScanImage's header says of the pages of a file."""

from __future__ import annotations

import re

from tifffile import TiffPage

from sam2flow_core.stack.units import number

_TIMESTAMP = re.compile(r"(?:frameTimestamps_sec|Frame Timestamp\(s\))\s*=\s*(\S+)")
# since 2016; 2015; 5; 4; 3: the same fact under the names of each version
_CHANNELS = re.compile(r"(?:hChannels\.channelSave|SI[45]\.channelsSave?|SI\.channelsSave)\s*=\s*(\[[^\]]*\]|\S+)")
_CHANNEL_COUNT = re.compile(r"state\.acq\.numberOfChannelsSave\s*=\s*(\d+)")
_SLICES = re.compile(
    r"(?:hStackManager\.(?:actualNumSlices|numSlices)|SI[45]\.stackNumSlices|state\.acq\.numberOfZSlices)\s*=\s*(\d+)"
)
# the number of slices is kept while the stack is switched off
_NO_STACK = re.compile(r"hStackManager\.enable\s*=\s*(?:false|0)\b", re.IGNORECASE)


def scanimage_header(page: TiffPage) -> str:
    """Return the settings that ScanImage wrote into the first page of a file."""
    return "\n".join(str(page.tags.valueof(tag, default="")) for tag in ("Software", "ImageDescription"))


def page_counts(page: TiffPage, pages: int) -> dict[str, int]:
    """How many time points (T), slices (Z) and channels (C) the pages of a file are, by the first page's header."""
    text = scanimage_header(page)
    channels, slices = _channels(text), _slices(text)
    return {"T": max(1, -(-pages // (channels * slices))), "Z": slices, "C": channels}


def timestamp_s(page: TiffPage) -> float | None:
    """Seconds since the acquisition began, as noted of the picture on a page."""
    found = _TIMESTAMP.search(str(page.tags.valueof("ImageDescription", default="")))
    return number(found[1]) if found else None


def _channels(text: str) -> int:
    found = _CHANNELS.search(text)
    if found:
        return max(1, len(re.findall(r"\d+", found[1])))
    count = _CHANNEL_COUNT.search(text)
    return max(1, int(count[1])) if count else 1


def _slices(text: str) -> int:
    found = None if _NO_STACK.search(text) else _SLICES.search(text)
    return max(1, int(found[1])) if found else 1
