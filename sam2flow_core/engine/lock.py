"""The output folder of a run: what is there already, and one process at a time in it.

The operating system holds the lock, so that it goes with its process, however that ends. The file says who holds it:
for whoever comes second, and for whoever finds it after a crash.
"""

from __future__ import annotations

import errno
import getpass
import json
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

import psutil
from filelock import lock_descriptor

from sam2flow_core.errors import OutputError
from sam2flow_core.files import folders_while_needed, is_part, output_errors, remove_parts
from sam2flow_core.messages import Message
from sam2flow_core.results import (
    GO_ON,
    LOCK_NAME,
    MARKER_NAME,
    PER_FRAME,
    PROVENANCE,
    REPORT,
    STORE_NAME,
    SUMMARY,
    read_marker,
)

_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# Windows locks the first byte of the file for reading too, so what it says begins at the second.
_FIRST = b"\n"
_LONGEST = 4096
_ATTEMPTS = 20


@dataclass(frozen=True)
class Holder:
    """Who writes into a folder.

    Attributes
    ----------
    host, user : str
    process : int
    started : str
        When it began, ISO 8601.
    """

    host: str
    user: str
    process: int
    started: str

    @classmethod
    def here(cls) -> Holder:
        """Return this process."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container without a list of users
            user = ""
        return cls(platform.node(), user, os.getpid(), datetime.now(UTC).astimezone().isoformat(timespec="seconds"))

    def __str__(self) -> str:
        user = f"{self.user}, " if self.user else ""
        return f"{user}process {self.process} on {self.host}, since {self.started.replace('T', ' ')}"

    def is_running(self) -> bool:
        """Whether the process is there, on this host; a later one with its number does not count."""
        try:
            began = psutil.Process(self.process).create_time()
        except (psutil.Error, ValueError, OverflowError):
            return False
        with suppress(ValueError):
            result: bool = began <= datetime.fromisoformat(self.started).timestamp() + 1
            return result
        return True


class FolderLock:
    """A folder that this process alone writes into; see `lock_folder`.

    Attributes
    ----------
    notices : tuple of str
        Said where the lock of a process that has died was taken over.
    """

    def __init__(self, folder: Path, descriptor: int, notices: tuple[str, ...]) -> None:
        self.folder = folder
        self.notices = notices
        self._descriptor = descriptor

    def check(self) -> None:
        """Raise `OutputError` if the folder was removed, moved or made unwritable since; costs microseconds."""
        with output_errors(self.folder, GO_ON):
            if not _is_the_file_at(self._descriptor, self.folder / LOCK_NAME):
                raise OutputError(
                    "{folder}: the folder was removed, moved or replaced while the run was writing there; stopped",
                    folder=self.folder,
                )
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def release(self) -> None:
        """Let others in."""
        path = self.folder / LOCK_NAME
        # Only ours is removed: the folder may be another by now.
        with suppress(OSError):
            if os.name != "nt" and _is_the_file_at(self._descriptor, path):
                path.unlink()
        os.close(self._descriptor)
        if os.name == "nt":  # an open file cannot be removed there
            with suppress(OSError):
                path.unlink()


@contextmanager
def lock_folder(folder: Path) -> Iterator[FolderLock]:
    """Keep other processes out of a folder, which must exist.

    Raises
    ------
    OutputError
        If another process is writing there, or one on another host was and nobody here can tell whether it still is.
    """
    with output_errors(folder):
        lock = _acquire(folder)
    try:
        yield lock
    finally:
        lock.release()


def _acquire(folder: Path) -> FolderLock:
    path = folder / LOCK_NAME
    for _ in range(_ATTEMPTS):
        descriptor = _open(path)
        try:
            earlier = _read(descriptor, path)
            if not _take(descriptor, earlier):
                raise OutputError(
                    "{folder}: another run is writing there ({earlier}); wait for its end, stop it, or choose another "
                    "folder",
                    folder=folder,
                    earlier=earlier or Message("it began just now"),
                )
            # Between opening and locking, the one before may have removed the file: then it keeps nobody out.
            if _is_the_file_at(descriptor, path):
                notices = _taken_over(path, earlier)
                _write(descriptor, Holder.here())
                return FolderLock(folder, descriptor, notices)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OutputError("{folder}: other runs begin and end there all the time; choose another folder", folder=folder)


def _open(path: Path) -> int:
    if path.is_symlink():
        raise OutputError("{path}: is a symbolic link where a lock file is needed; remove it", path=path)
    descriptor = os.open(path, _OPEN, 0o666)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise OutputError("{path}: is not a lock file of SAM2Flow; choose another folder", path=path)
    return descriptor


def _take(descriptor: int, earlier: Holder | None) -> bool:
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL):
            raise
    # A file share that knows no locks: what the file says has to do.
    return earlier is None or earlier.host != platform.node() or not earlier.is_running()


def _taken_over(path: Path, earlier: Holder | None) -> tuple[str, ...]:
    """Say whose lock this was; raise where its process may be alive on another host, whose locks may not reach here."""
    if earlier is None:
        return ()
    if earlier.host != platform.node():
        raise OutputError(
            "{parent}: a run on another computer is writing there, or was when it was cut off ({earlier}); "
            "if it has ended, remove {name} from the folder and try again",
            parent=path.parent,
            earlier=earlier,
            name=path.name,
        )
    return (Message("took over the folder from a run that had ended without tidying up ({earlier})", earlier=earlier),)


def _read(descriptor: int, path: Path) -> Holder | None:
    """Who the file names; None for a new file, or one whose writer was cut off."""
    os.lseek(descriptor, len(_FIRST), os.SEEK_SET)
    content = os.read(descriptor, _LONGEST)
    if not content:
        return None
    try:
        found = json.loads(content)
        host, user, started = (_printable(found[name]) for name in ("host", "user", "started"))
        return Holder(host, user, int(found["process"]), started)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise OutputError(
            "{path}: is not a lock file of SAM2Flow; remove it, or choose another folder", path=path
        ) from None


def _printable(text: object) -> str:
    # It goes to a terminal, and anybody who may write into the folder may have written it.
    return "".join(letter for letter in str(text)[:64] if letter.isprintable())


def _write(descriptor: int, holder: Holder) -> None:
    content = _FIRST + json.dumps(asdict(holder)).encode()
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _is_the_file_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


# Letters of the longest name that zarr makes inside a store, while it writes a chunk.
_DEEPEST = 120


class FolderState(Enum):
    """What a folder holds."""

    EMPTY = auto()
    UNFINISHED = auto()
    FINISHED = auto()


@contextmanager
def claim_folder(out: Path, resume: bool) -> Iterator[tuple[FolderState, FolderLock]]:
    """Make the output folder ready and keep others out of it, or say why this run must not write there.

    A folder that was made for a run which then wrote nothing is removed again.

    Raises
    ------
    OutputError
        If the folder cannot be written, another run writes there, it holds files that are no run's, or holds
        a run while `resume` is off.
    """
    with ExitStack() as stack:
        with output_errors(out):
            stack.enter_context(folders_while_needed(out))
        lock = stack.enter_context(lock_folder(out))
        with output_errors(out):
            remove_parts(out)
            _check_depth(out)
            state = _look(out)
        _refuse_what_is_there(out, state, resume)
        yield state, lock


def remove_run(folder: Path) -> None:
    """Delete what a run has written into its folder, and the folder if nothing else is in it.

    Raises
    ------
    OutputError
        If a run is going on there, the folder is none of a run, or it cannot be deleted.
    """
    if folder.is_symlink():
        raise OutputError("{folder}: is a link to another folder; delete it there", folder=folder)
    with lock_folder(folder), output_errors(folder):
        remove_parts(folder)
        if not _is_of_a_run(folder):
            raise OutputError("{folder}: holds no run; nothing was deleted", folder=folder)
        for name in (MARKER_NAME, PROVENANCE, SUMMARY, PER_FRAME, REPORT):
            (folder / name).unlink(missing_ok=True)
        if (folder / STORE_NAME).is_symlink():
            (folder / STORE_NAME).unlink()
        elif (folder / STORE_NAME).is_dir():
            shutil.rmtree(folder / STORE_NAME)
    with suppress(OSError):  # the user's own files stay, and their folder with them
        folder.rmdir()


def _is_of_a_run(folder: Path) -> bool:
    mine = {MARKER_NAME, PROVENANCE, SUMMARY, PER_FRAME, REPORT, STORE_NAME}
    names = {path.name for path in folder.iterdir()} - {LOCK_NAME}
    return not names or bool(names & mine)


def _check_depth(out: Path) -> None:
    """Raise `OSError` if paths as deep as those in `STORE_NAME` are too long for the system."""
    Path(tempfile.mkdtemp(prefix=".sam2flow-", suffix=".part" + "x" * _DEEPEST, dir=out)).rmdir()


def _refuse_what_is_there(out: Path, state: FolderState, resume: bool) -> None:
    if state is FolderState.FINISHED and not resume:
        raise OutputError("{out}: holds a finished run, which is not overwritten; choose another folder", out=out)
    if state is FolderState.UNFINISHED and not resume:
        raise OutputError(
            "{out}: holds an unfinished run; add --resume to go on with it, or choose another folder", out=out
        )


def _look(out: Path) -> FolderState:
    if (out / STORE_NAME).is_symlink():
        # Zarr would empty what it leads to.
        raise OutputError("{store}: is a symbolic link; remove it, or choose another folder", store=out / STORE_NAME)
    if read_marker(out) is not None:
        return FolderState.UNFINISHED
    if (out / PROVENANCE).is_file() and (out / STORE_NAME).is_dir():
        return FolderState.FINISHED
    foreign = [p.name for p in out.iterdir() if p.name != LOCK_NAME and not is_part(p)]
    if foreign:
        raise OutputError(
            "{out}: is not empty (holds '{found}'); choose an empty or a new folder", out=out, found=sorted(foreign)[0]
        )
    return FolderState.EMPTY
