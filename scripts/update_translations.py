"""Bring the translations of the window up to date: ``python scripts/update_translations.py [LANGUAGE ...]``.

Writes ``sam2flow_napari/translations/LANGUAGE.ts`` of the languages named, and of all that are there. What is
translated stays, new texts are added unfinished, texts that are gone are dropped. Translate with Qt Linguist or any
editor.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from xml.sax.saxutils import escape

import sam2flow_core
from sam2flow_core.config.flags import FLAG_MEANINGS, FLAG_NAMES, GRADES
from sam2flow_core.engine.export import KINDS
from sam2flow_napari.translation import CONTEXT, FOLDER, read_texts

MARKS = ("tr", "tr_later", "Message")
CORE = Path(sam2flow_core.__file__).parent


def texts() -> tuple[str, ...]:
    """Return the texts of the window, in the order of the code; then those that the core names."""
    found = dict[str, None]()
    for path in chain(sorted(FOLDER.parent.rglob("*.py")), sorted(CORE.rglob("*.py"))):
        found |= dict.fromkeys(_marked(ast.parse(path.read_text(encoding="utf-8"))))
    kinds = (kind[:1].upper() + kind[1:] for kind in KINDS)
    return tuple(found | dict.fromkeys((*GRADES, *FLAG_NAMES.values(), *FLAG_MEANINGS.values(), *kinds)))


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        # An error with values is a message as well; of those without, the window shows the English line.
        if name in MARKS or (name.lower().endswith("error") and node.keywords):
            for each in node.args:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def written(language: str, known: dict[str, str]) -> str:
    """Return the file of a language."""
    messages = []
    for text in texts():
        there = text in known
        kind = "" if there else ' type="unfinished"'
        messages.append(
            f"    <message>\n        <source>{escape(text)}</source>\n"
            f"        <translation{kind}>{escape(known.get(text, ''))}</translation>\n    </message>\n"
        )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n<TS version="2.1" language="{language}" '
        f'sourcelanguage="en">\n<context>\n    <name>{CONTEXT}</name>\n{"".join(messages)}</context>\n</TS>\n'
    )


def main() -> None:
    """Write the files, and say how much is left to translate."""
    for language in sorted({*sys.argv[1:], *(path.stem for path in FOLDER.glob("*.ts"))}):
        path = FOLDER / f"{language}.ts"
        known = read_texts(path)
        path.write_text(written(language, known), encoding="utf-8")
        print(f"{path}: {len(set(texts()) - set(known))} of {len(texts())} texts to translate")


if __name__ == "__main__":
    main()
