"""Where the program prints to: streams that are closed, cut off, or cannot say every letter end nothing."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

_STREAMS = ("stdin", "stdout", "stderr")


def mend_streams() -> None:
    """Make printing something that cannot fail a run; to be called before any file is opened.

    A program may be started without one of the three streams. Then the next file that is opened would take its number,
    and what a library prints would land in the results: the numbers are taken here. A reader that goes, such as
    ``head``, ends printing but not the work; letters that a screen does not know are written as their codes.
    """
    while (taken := os.open(os.devnull, os.O_RDWR)) < len(_STREAMS):
        pass
    os.close(taken)
    for number, name in enumerate(_STREAMS):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8"))
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _lasting(stream))


def settle_streams() -> None:
    """Write out what was printed; what a full disk refuses, as the user was told, is not tried again at the end."""
    for name in _STREAMS[1:]:
        stream = getattr(sys, name)
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                stream.close()
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _lasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    stream.reconfigure(errors="backslashreplace")
    # Windows' console has another kind of file below, and no readers that go.
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        return stream
    lasting = io.BufferedWriter(_ReaderMayGo(raw.fileno(), "wb", closefd=False))
    return io.TextIOWrapper(
        lasting,
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _ReaderMayGo(io.FileIO):
    """A pipe or file to which writing goes on, into nothing, when nobody reads any more."""

    def write(self, content: object, /) -> int:
        """Write bytes; return how many were taken."""
        try:
            return super().write(content)  # type: ignore[arg-type]
        except BrokenPipeError:
            return len(memoryview(content))  # type: ignore[arg-type]
