"""Ways in which a file goes wrong: cut, flipped, spliced, or written by somebody who means harm."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

Files = dict[str, bytes]
"""Contents by relative path: a recording, a run's folder, a project."""

_WORDS = (0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 32767, 32768, 65535, 60000, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1)
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 65536, 2**31, 2**63, 10**30, -(10**30), 1e308, -1e308, 0.5, float("nan"),
    float("inf"), float("-inf"), "", "0", "-1", "nan", "tiny", "evil/model", "\\\\evil\\share\\x", "//evil/share/x",
    "../../..", "..", "/", "/dev/zero", "a\nb", "a\0b", "\x1b[31m", "=cmd|' /C calc'!A0", "é" * 300, "9" * 400,
    "\ud800", [], {}, [None], [[]], {"": {}}, [1, 2, 3], [0] * 1000, {"kind": "box"},
    {"kind": "mask", "runs": "9 " * 9},
)  # fmt: skip
_CELLS = (
    "", " ", "-1", "0", "1e999", "nan", "inf", "-inf", "1,5", "1.5", "1.234,5", "1,234.5", "1 234", "'1", '"', '""',
    "=1+1", "9" * 400, "a\0b", "\r", ";;;", ",,,,,,", "\t", "../../etc", "evil/model", "http://evil/x.csv", "/dev/zero",
    "é", "\ufeff", "sep=;\n",
)  # fmt: skip


def damaged_bytes(seed: bytes, hot: Sequence[int] = ()) -> st.SearchStrategy[bytes]:
    """Draw from the ways one to six places of a file go wrong, more often near the bytes at `hot`."""
    last = len(seed) - 1
    anywhere = st.integers(0, last)
    near = st.tuples(st.sampled_from(sorted({*hot, 0})), st.integers(0, 12)).map(lambda p: min(p[0] + p[1], last))
    place = st.one_of(near, anywhere, near)
    word = st.tuples(st.sampled_from(_WORDS), st.sampled_from((1, 2, 4, 8)), st.sampled_from(("little", "big")))
    edit: st.SearchStrategy[Callable[[bytearray], Any]] = st.one_of(
        st.tuples(place, st.integers(0, 7)).map(_flip),
        st.tuples(place, word).map(_overwrite),
        st.tuples(place, near).map(_point),
        st.tuples(place, place, st.integers(1, 64)).map(_splice),
        st.tuples(place, st.integers(1, 64)).map(_drop),
        anywhere.map(_cut),
        st.tuples(place, st.binary(max_size=16)).map(_insert),
    )
    return st.lists(edit, min_size=1, max_size=6).map(lambda edits: _applied(seed, edits))


def damaged_json(seed: bytes) -> st.SearchStrategy[bytes]:
    """Draw from the ways a JSON file goes wrong: other values, missing and unknown keys, deep nesting, broken text."""
    content = json.loads(seed)
    paths = list(_paths(content))
    edit = st.tuples(st.sampled_from(paths), st.one_of(st.sampled_from(_VALUES), st.just(_Missing), _odd_values()))
    changed = st.lists(edit, min_size=1, max_size=3).map(lambda edits: _encoded(_edited(content, edits)))
    deep = st.tuples(st.sampled_from((50, 5000, 200_000)), st.sampled_from(("[", '{"a":'))).map(
        lambda d: (d[1] * d[0]).encode()
    )
    return st.one_of(
        changed, changed, changed, damaged_bytes(seed), deep, st.sampled_from((b"", b"null", b"[]", b"3", b"{}"))
    )


def damaged_table(seed: bytes) -> st.SearchStrategy[bytes]:
    """Draw from the ways a table goes wrong: odd cells, other separators and encodings, rows too short or too long."""
    rows = [line.split(",") for line in seed.decode().splitlines()]
    cell = st.tuples(
        st.integers(0, len(rows) - 1),
        st.integers(0, len(rows[0]) - 1),
        st.one_of(st.sampled_from(_CELLS), st.text(max_size=8)),
    )
    odd = st.tuples(
        st.lists(cell, max_size=4),
        st.sampled_from((",", ";", "\t", "|", ", ", ",,", " ")),
        st.sampled_from(("\n", "\r\n", "\r", "\n\n", ",\n")),
        st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1", "utf-32")),
    ).map(lambda odd: _table(rows, *odd))
    return st.one_of(odd, odd, damaged_bytes(seed))


class _Missing:
    """Stands for a key that is left out."""


def _flip(edit: tuple[int, int]) -> Callable[[bytearray], Any]:
    def apply(data: bytearray) -> None:
        if edit[0] < len(data):
            data[edit[0]] ^= 1 << edit[1]

    return apply


def _overwrite(edit: tuple[int, tuple[int, int, Any]]) -> Callable[[bytearray], Any]:
    place, (word, size, order) = edit
    content = (word % 256**size).to_bytes(size, order)
    return lambda data: data.__setitem__(slice(place, place + size), content)


def _point(edit: tuple[int, int]) -> Callable[[bytearray], Any]:
    """Make an offset that leads to another place of the file, or in a circle."""
    place, target = edit
    return lambda data: data.__setitem__(slice(place, place + 4), target.to_bytes(4, "little"))


def _splice(edit: tuple[int, int, int]) -> Callable[[bytearray], Any]:
    place, origin, length = edit
    return lambda data: data.__setitem__(slice(place, place + length), data[origin : origin + length])


def _drop(edit: tuple[int, int]) -> Callable[[bytearray], Any]:
    return lambda data: data.__delitem__(slice(edit[0], edit[0] + edit[1]))


def _cut(place: int) -> Callable[[bytearray], Any]:
    return lambda data: data.__delitem__(slice(place, None))


def _insert(edit: tuple[int, bytes]) -> Callable[[bytearray], Any]:
    return lambda data: data.__setitem__(slice(edit[0], edit[0]), edit[1])


def _applied(seed: bytes, edits: Sequence[Callable[[bytearray], Any]]) -> bytes:
    data = bytearray(seed)
    for edit in edits:
        edit(data)
    return bytes(data)


def _paths(content: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value; of long lists only the first two."""
    items = (
        content.items() if isinstance(content, dict) else enumerate(content[:2]) if isinstance(content, list) else ()
    )
    return [prefix] + [path for key, value in items for path in _paths(value, (*prefix, key))]


def _odd_values() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
        max_leaves=4,
    )


def _edited(content: Any, edits: Sequence[tuple[tuple[Any, ...], Any]]) -> Any:
    content = copy.deepcopy(content)
    for path, value in edits:
        if not path:
            return None if value is _Missing else value
        place = content
        try:
            for key in path[:-1]:
                place = place[key]
            if value is _Missing:
                del place[path[-1]]
            else:
                place[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier edit took that place away
    return content


def _encoded(content: Any) -> bytes:
    return json.dumps(content).encode("utf-8", "surrogatepass")


def _table(
    rows: list[list[str]], cells: list[tuple[int, int, str]], separator: str, ending: str, encoding: str
) -> bytes:
    rows = copy.deepcopy(rows)
    for row, column, text in cells:
        if column < len(rows[row]):
            rows[row][column] = text
    return ending.join(separator.join(row) for row in rows).encode(encoding, "replace")
