"""What the OME-XML of a TIFF file says: pixels, times of frames, and which files belong to its recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from tifffile import TiffFile, TiffFileError

from sam2flow_core.errors import StackError
from sam2flow_core.stack.units import number, seconds_per, um_per

_FAULTS = (TiffFileError, OSError, ValueError, RuntimeError, IndexError, KeyError, TypeError)


def ome_root(tif: TiffFile) -> ElementTree.Element | None:
    """Return the OME-XML of a file; None where there is none, or it cannot be read."""
    if not tif.ome_metadata:
        return None
    try:
        return ElementTree.fromstring(tif.ome_metadata)
    except ElementTree.ParseError:
        return None


def ome_pixels(tif: TiffFile, series: int = 0) -> ElementTree.Element | None:
    """Return the ``Pixels`` element of an image of a file's OME-XML, or of its first image."""
    root = ome_root(tif)
    found = [] if root is None else [e for e in root.iter() if e.tag.endswith("}Pixels")]
    return found[series] if series < len(found) else next(iter(found), None)


def ome_length(pixels: ElementTree.Element, axis: str) -> tuple[float | None, str]:
    """Side of a pixel in um along X or Y, and a unit that is not known."""
    return _quantity(pixels, f"PhysicalSize{axis}", "µm", um_per)


def ome_interval(pixels: ElementTree.Element) -> tuple[float | None, str]:
    """Declared seconds from frame to frame, and a unit that is not known."""
    return _quantity(pixels, "TimeIncrement", "s", seconds_per)


def ome_times(pixels: ElementTree.Element, letter: str, frames: int) -> list[float | None]:
    """Seconds of each frame (``DeltaT`` of its plane) along the axis T, Z or C; None for a frame without."""
    along = f"The{letter}" if letter in "TZC" else "TheT"
    others = [f"The{a}" for a in "TZC" if f"The{a}" != along]
    stamps: list[float | None] = [None] * frames
    for plane in pixels:
        t = number(plane.get(along)) if plane.tag.endswith("}Plane") else None
        if t is not None and 0 <= t < frames and all(plane.get(other, "0") == "0" for other in others):
            stamps[int(t)] = _quantity(plane, "DeltaT", "s", seconds_per)[0]
    return stamps


def _quantity(
    element: ElementTree.Element, name: str, default: str, factor: Callable[[str], float | None]
) -> tuple[float | None, str]:
    value, unit = number(element.get(name)), element.get(f"{name}Unit", default)
    if value is None:
        return None, ""
    per = factor(unit)
    return (None, unit) if per is None else (value * per, "")


def settle_ome(tif: TiffFile, path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Take out of a file's OME-XML what would bring in frames of another recording.

    Files are found by the names they had when they were written. A file that was renamed since would show whatever lies
    under its old name; a set of which one file was replaced would go on in another recording.

    Returns
    -------
    xml : str or None
        What to read instead of the file's own OME-XML; None where that is right as it stands.
    problems : tuple of str

    Raises
    ------
    StackError
        If the file is part of a set that another file describes, or was renamed so that its part is not known.
    """
    root = ome_root(tif)
    if root is None:
        return None, ()
    _refuse_companion(root, path)
    entries = [(data, uuid) for data in _all(root, "TiffData") for uuid in data if uuid.tag.endswith("UUID")]
    others = {uuid.get("FileName", ""): uuid.text or "" for _, uuid in entries if not _is_own(uuid, root, path)}
    if not others or not all(_is_plain(name) for name in others):
        return None, ()  # names in other folders are refused later, with the other claims
    if all(uuid.get("FileName", "") in others for _, uuid in entries):
        return _renamed(root, entries, others, path)
    foreign = {n: reason for n, text in others.items() if (reason := _foreign(path, n, text))}
    if not foreign:
        return None, ()
    for pixels in _all(root, "Pixels"):
        for data in [d for d in pixels if any(u.get("FileName") in foreign for u in d if u.tag.endswith("UUID"))]:
            pixels.remove(data)
    problems = tuple(f"{n} beside it {reason}: its frames are left out" for n, reason in foreign.items())
    return ElementTree.tostring(root, encoding="unicode"), problems


def _renamed(
    root: ElementTree.Element,
    entries: list[tuple[ElementTree.Element, ElementTree.Element]],
    names: dict[str, str],
    path: Path,
) -> tuple[str, tuple[str, ...]]:
    if len(names) > 1:
        some = ", ".join(sorted(names)[:2])
        raise StackError(
            f"{path.name}: renamed since it was written: it belongs to {len(names)} files, {some} and so on;"
            " give all of them their own names and put them into one folder"
        )
    for data, uuid in entries:
        data.remove(uuid)
    old = next(iter(names))
    text = f"this file was called {old} when it was written; a file of that name beside it is not read"
    return ElementTree.tostring(root, encoding="unicode"), (text,) if (path.parent / old).exists() else ()


def _is_own(uuid: ElementTree.Element, root: ElementTree.Element, path: Path) -> bool:
    own = (root.get("UUID") or "").strip()
    return uuid.get("FileName", path.name).lower() == path.name.lower() or bool(
        own and (uuid.text or "").strip() == own
    )


def _foreign(path: Path, name: str, declared: str) -> str:
    """Why a named file is not part of the set; nothing where it is, or is not there."""
    other = path.parent / name
    if not other.is_file():
        return ""
    try:
        with TiffFile(other, is_mmstack=False) as tif:
            root = ome_root(tif)
    except _FAULTS:
        return "cannot be read"
    if root is None or not declared.strip():
        return ""
    named = {u.get("FileName", "").lower(): (u.text or "").strip() for u in _uuids(root)}
    own = (root.get("UUID") or named.get(name.lower(), "")).strip()
    if own and own != declared.strip():
        return "is another recording (its UUID is not the one named)"
    if not own and not any(_all(root, "BinaryOnly")) and path.name.lower() not in named:
        return "is another recording (it does not name this file)"
    return ""


def _refuse_companion(root: ElementTree.Element, path: Path) -> None:
    for binary in _all(root, "BinaryOnly"):
        described = binary.get("MetadataFile", "")
        if _is_plain(described) and described != path.name and described.lower().endswith((".tif", ".tiff", ".btf")):
            raise StackError(f"{path.name}: part of a set that {described} describes; open {described}")


def _uuids(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [uuid for data in _all(root, "TiffData") for uuid in data if uuid.tag.endswith("UUID")]


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if e.tag.rpartition("}")[2] == name]


def _is_plain(name: str) -> bool:
    return bool(name) and Path(name).name == name and "\\" not in name
