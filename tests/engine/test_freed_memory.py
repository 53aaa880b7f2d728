"""Memory that is given back."""

from __future__ import annotations

import ctypes

import pytest

from sam2flow_core.engine import process


@pytest.mark.parametrize(
    ("shape", "libc", "variable", "told"),
    [
        ((8, 4096, 4096), "glibc", None, True),
        ((8, 512, 512), "glibc", None, False),
        ((8, 4096, 4096), "", None, False),
        ((8, 4096, 4096), "glibc", "MALLOC_MMAP_THRESHOLD_", False),
    ],
)
def test_only_glibc_is_told_and_only_of_large_frames_and_not_over_the_user(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], libc: str, variable: str | None, told: bool
) -> None:
    calls: list[tuple[int, int]] = []

    class Library:
        def __init__(self, name: None) -> None:
            self.mallopt = lambda *call: calls.append(call)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(process.platform, "libc_ver", lambda: (libc, ""))
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "1048576")
    process.give_memory_back(shape)
    assert bool(calls) == told
