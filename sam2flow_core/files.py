"""Files and folders that appear whole or not at all: the one place of the package that writes whole files.

Each is written under a name that nobody can guess, made by this process alone, and renamed when it is complete
and on the disk. So a reader never sees half a file, whatever kills the program, and a symbolic link that lies
about a name beforehand is replaced, never followed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sam2flow_core.errors import OutputError, Sam2FlowError
from sam2flow_core.messages import Message

_PREFIX, _MIDDLE = ".sam2flow-", ".part"
_LONGEST_ENDING = 16
# Absent on Windows, where making a symbolic link takes an administrator.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OLD_FILE = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)

_REASONS = {
    errno.ENOSPC: Message("the disk is full; free some space"),
    errno.EDQUOT: Message("the disk quota is used up; free some space"),
    errno.EFBIG: Message("the file grew larger than the disk or the system allows; choose another disk"),
    errno.EACCES: Message("no permission to write there; choose another folder"),
    errno.EPERM: Message("no permission to write there; choose another folder"),
    errno.EROFS: Message("the disk is read-only; choose another folder"),
    errno.ENOTDIR: Message("a file stands where a folder is needed; choose another folder"),
    errno.EEXIST: Message("a file stands where a folder is needed; choose another folder"),
    errno.EISDIR: Message("a folder stands where a file is needed; choose another name"),
    errno.ENAMETOOLONG: Message("the name is too long for this disk; choose a shorter one"),
    errno.ELOOP: Message("symbolic links lead in a circle there; choose another folder"),
    errno.ENOENT: Message("the folder has vanished; is the drive still connected?"),
    errno.EIO: Message("the disk failed; is the drive still connected?"),
    errno.ESTALE: Message("the file share has vanished; connect it again"),
}
_HIDDEN_REASON = re.compile(r"\(os error (\d+)\)")
"""How what is written in Rust (safetensors) tells the system's own number."""
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written|PytorchStreamWriter|inline_container")
"""What NumPy (TIFF files too) and torch say of a disk that took a part only."""
_NO_UTF8 = re.compile("[\ud800-\udfff]")
# What file systems say that cannot flush a folder; the file itself is on the disk then.
_FOLDER_NOT_FLUSHED = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EBADF, errno.ENOSYS)


@contextmanager
def output_errors(path: Path, after: str = "") -> Iterator[None]:
    """Turn an `OSError` of the block into an `OutputError` that says what to mend.

    Parameters
    ----------
    path : Path
        What was being written; named in the message.
    after : str
        Added to the message, such as how to go on once it is mended.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, str(error))
        # Where the folder has gone, what was finished has gone with it.
        then = "" if error.errno == errno.ENOENT else after
        raise OutputError("{path}: {reason}{then}", path=path, reason=reason, then=then) from error


@contextmanager
def _system_errors() -> Iterator[None]:
    """Say as an `OSError` with its number what the system refused, where the library that writes hides it."""
    try:
        yield
    except Exception as error:
        hidden, text = _HIDDEN_REASON.search(str(error)), str(error)
        number = int(hidden[1]) if hidden else errno.ENOSPC if _CUT_SHORT.search(text) else None
        if number is None or isinstance(error, Sam2FlowError):
            raise
        raise OSError(number, os.strerror(number)) from error


def write_text(path: str | Path, text: str, after: str = "") -> None:
    """Write a text file (UTF-8, line ends as they are in `text`), whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written; an older file at `path` is as it was.
    """
    write_bytes(path, told_in_utf8(text).encode("utf-8"), after)


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON values, whole or not at all; raises `OutputError` as `write_text` does."""
    write_text(path, json.dumps(_told(content), indent=1))


def told_in_utf8(text: str) -> str:
    r"""Text with the codes of bytes in place of what UTF-8 does not have.

    Names of files that are no UTF-8, from another system or in a C locale, come with such characters, which no reader
    of JSON or CSV takes.

    Examples
    --------
    >>> told_in_utf8("Gr\udcf6\udcdfe")
    'Gr%F6%DFe'
    """
    return _NO_UTF8.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", text)


def _told(content: Any) -> Any:
    if isinstance(content, str):
        return told_in_utf8(content)
    if isinstance(content, Mapping):
        return {_told(key): _told(value) for key, value in content.items()}
    return [_told(value) for value in content] if isinstance(content, list | tuple) else content


def write_bytes(path: str | Path, content: bytes, after: str = "") -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written; an older file at `path` is as it was.
    """
    path = Path(path)
    with output_errors(path, after), _part_file(path) as (part, descriptor):
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        os.fsync(descriptor)
        _put_in_place(part, path)


@contextmanager
def whole_file(path: str | Path, after: str = "") -> Iterator[Path]:
    """Give an empty file beside `path` to a writer that needs a path, and rename it when the block ends well.

    Parameters
    ----------
    path : str or Path
        Where the file is to appear, with the ending that the writer goes by.
    after : str
        Added to an error's message, such as how to go on.

    Raises
    ------
    OutputError
        If it cannot be written; an older file at `path` is as it was.
    """
    path = Path(path)
    with output_errors(path, after), _part_file(path) as (part, _):
        with _system_errors():
            yield part
        # Opened anew: the writer may have put another file in place of the empty one. Not through a link.
        descriptor = os.open(part, _OLD_FILE)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _put_in_place(part, path)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Give a new folder beside `path`, and rename it to `path` when the block ends well.

    Raises
    ------
    OutputError
        If it cannot be written, or something other than an empty folder is at `path`.
    """
    path = Path(path)
    part = _part_name(path)
    with output_errors(path), _system_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        try:
            yield part
            part.rename(path)
            _flush_folder(path.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_writable(path: str | Path, *sources: str | Path | None) -> None:
    """Raise `OutputError` if no file can be written at `path`, before any time is spent on what goes into it.

    Nothing is left there, no folder either: `make_parent` makes that for the result.

    Parameters
    ----------
    path : str or Path
    *sources : str, Path or None
        What the content is made from: a file at `path` that is one of these, or lies in one, is not replaced.
    """
    path = Path(path)
    for source in (Path(s) for s in sources if s is not None):
        if path.is_file() and source.exists() and (path.samefile(source) or source.resolve() in path.resolve().parents):
            raise OutputError("{path}: is what the result would be made from; choose another name", path=path)
    with output_errors(path), folders_while_needed(path.parent), _part_file(path):
        pass


def make_parent(path: Path) -> None:
    """Make the folder that a result is written into, and those above it.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def folders_while_needed(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; of those made, the ones that are empty after the block are removed again."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # the first that holds something ends it
            for place in made:
                place.rmdir()


def check_document(path: str | Path) -> None:
    """Raise `OutputError` unless a text can be put into the file at `path`, or into a new one."""
    check_writable(path)
    try:
        if Path(path).exists():
            Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise OutputError("{path}: holds no text, and tables are written into a Markdown file", path=path) from None


def remove_parts(folder: Path, seconds_old: float = 0.0) -> None:
    """Remove what a killed process had not finished; only what is at least so old, where others may be writing too."""
    for part in folder.glob(f"{_PREFIX}*{_MIDDLE}*"):
        try:
            if time.time() - part.lstat().st_mtime < seconds_old:
                continue
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink()
        except OSError:
            # Its writer has finished it, or it is another user's.
            continue


def is_part(path: Path) -> bool:
    """Whether a file or folder is one that was never finished."""
    return path.name.startswith(_PREFIX) and _MIDDLE in path.name


@contextmanager
def _part_file(path: Path) -> Iterator[tuple[Path, int]]:
    """Give a new empty file beside `path`, open for writing; what is left of it is removed in the end."""
    _refuse_no_file(path)
    part = _part_name(path)
    descriptor = os.open(part, _NEW_FILE, 0o666)
    try:
        yield part, descriptor
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def _part_name(path: Path) -> Path:
    # The file's own name is left out: with more letters it could be longer than the disk allows.
    ending = path.suffix if len(path.suffix) <= _LONGEST_ENDING else ""
    return path.with_name(f"{_PREFIX}{secrets.token_hex(8)}{_MIDDLE}{ending}")


def _refuse_no_file(path: Path) -> None:
    """Raise unless there is a file or nothing at `path`: a rename would put a file in place of a device or pipe."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OutputError("{path}: is a device or pipe; give the name of a file", path=path)


def _put_in_place(part: Path, path: Path) -> None:
    part.replace(path)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Have the new name on the disk too: without this a power cut can take it back."""
    if os.name == "nt":  # Windows has no such thing
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _FOLDER_NOT_FLUSHED:
            raise
    finally:
        os.close(descriptor)
