"""What is frozen stays as it was made: records hold tuples and mappings, nothing that can be appended to."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
_MUTABLE = re.compile(r"\b(list|dict|set|bytearray|deque|defaultdict|Counter)\b")
_AS_IN_SAM2 = {"TrackingStep.obj_ids"}
"""Scripts for SAM 2 unpack a step and are given a list there."""


def frozen_fields(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name and annotation of each field of a frozen dataclass or named tuple."""
    for record in ast.walk(tree):
        if isinstance(record, ast.ClassDef) and (_is_frozen(record) or _is_named_tuple(record)):
            for field in record.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield f"{record.name}.{field.target.id}", ast.unparse(field.annotation)


def _is_frozen(record: ast.ClassDef) -> bool:
    calls = [call for call in record.decorator_list if isinstance(call, ast.Call)]
    return any(word.arg == "frozen" and ast.literal_eval(word.value) for call in calls for word in call.keywords)


def _is_named_tuple(record: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in record.bases)


def _held(annotation: str) -> str:
    """An annotation without those of functions: what a function takes and gives is not held."""
    return re.sub(r"Callable\[\[.*?\], [^|]*\]", "Callable", annotation)


def test_frozen_records_hold_nothing_that_can_be_changed():
    found, seen = set(), 0
    for path in sorted([*ROOT.glob("sam2flow_core/**/*.py"), *ROOT.glob("sam2flow_napari/**/*.py")]):
        for name, annotation in frozen_fields(ast.parse(path.read_text(encoding="utf-8"))):
            seen += 1
            if _MUTABLE.search(_held(annotation)):
                found.add(name)
    assert seen > 500
    assert found == _AS_IN_SAM2
