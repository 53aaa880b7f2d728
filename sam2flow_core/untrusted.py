"""What files that somebody else may have written are allowed to say.

A project, a provenance or a marker arrives by mail as easily as it is written by this program. So its values are held
to their types before any is used, it cannot name a place on the network, and it costs bounded memory to find out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

Content = TypeVar("Content")

STRICT: Any = {"strict": True, "allow_inf_nan": False}
"""Rules of `read_json`: no number in place of a text or the other way round, and finite ones only."""

_LARGEST_BYTES = 256_000_000
_LARGEST_LIST = 16_000_000
_LONGEST_NAME = 200
_NETWORK = re.compile(r"[\\/]{2,}([^\\/]*)|[A-Za-z][\w+.-]+:[\\/]{2}")  # \\server, //server, http://, file://


def read_regular(path: Path, largest: int = _LARGEST_BYTES) -> bytes:
    """Content of a file that is one: reading a pipe or a device may never end.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no ordinary file, or too large to be what it should be.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise ValueError("it is no ordinary file")
    if size > largest:
        raise ValueError(f"it is too large ({size / 1e6:.0f} MB)")
    return path.read_bytes()


def read_names(path: Path) -> list[str]:
    """Names of files or folders from a text file, one a line, each once, in the order of the file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no text, or a line is no plain name.
    """
    data = read_regular(path, _LARGEST_LIST)
    try:
        # Windows Notepad's "Unicode" begins with a mark of its own.
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8; save it as that") from None
    names = list(dict.fromkeys(line for line in map(str.strip, text.splitlines()) if line))
    for name in names:
        if not plain_name(name):
            raise ValueError(f"'{one_line(name)}' is no name of one")
    return names


def read_json(kind: type[Content], text: bytes | str) -> Content:
    """Read JSON into a dataclass or typed dictionary, each value of the type that its field declares.

    Parameters
    ----------
    kind : type
        With `STRICT` as its ``__pydantic_config__``, which holds for the records inside it too.
    text : bytes or str

    Raises
    ------
    ValueError
        One line that says which field is wrong, and how.
    """
    # Imported only here: a fifth of a second that a run without such files need not wait for.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(" ".join(f"{place}: {first['msg']}".lstrip(": ").split())) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_object(text: bytes | str) -> dict[str, Any]:
    """Read a JSON object of any content; raises `ValueError` for anything else."""
    from pydantic_core import from_json

    mark = b"\xef\xbb\xbf" if isinstance(text, bytes) else "\ufeff"
    content = from_json(text.removeprefix(mark))  # type: ignore[arg-type]
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content


def plain_name(name: str) -> bool:
    """Whether a name is that of a file or folder right here: no way up, none to elsewhere.

    Examples
    --------
    >>> plain_name("prompts.csv"), plain_name("../prompts.csv")
    (True, False)
    """
    return bool(name) and name not in (".", "..") and not re.search(r'[\\/:*?"<>|\x00-\x1f]', name)


def on_network(path: str, beside: Path) -> bool:
    r"""Whether a path that stands in a file leads to another computer.

    Opening ``\\server\share`` logs on to that server. The server on which the file itself lies is none to be asked.
    """
    found = _NETWORK.match(path.strip())
    if not found:
        return False
    own = _NETWORK.match(str(beside))
    return not (own and found[1] and own[1] == found[1])


def why(error: Exception) -> str:
    """What an error says on one line, without the path that the message around it names already."""
    said = error.strerror if isinstance(error, OSError) else None
    return one_line(said or str(error)) or type(error).__name__


def visible(text: str) -> str:
    """Text with a blank for each letter that moves a terminal's cursor or colours it."""
    return "".join(c if c.isprintable() else " " for c in text)


def printable(text: str) -> str:
    """Text on one line, without what moves a terminal's cursor or colours it."""
    return " ".join(visible(text).split())


def one_line(text: str) -> str:
    """Text without what moves a terminal's cursor or starts a line, and of bounded length."""
    return printable(text)[:_LONGEST_NAME]
