"""Tables are safe to open in a spreadsheet program, and read back as what they were."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sam2flow_core.errors import OutputError
from sam2flow_core.spreadsheets import csv_text, guarded, quoted, read_csv, unguarded, write_csv

ROOT = Path(__file__).parent.parent
FORMULAS = [
    "=1+1",
    "@SUM(A1)",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "\t=1",
    "\r=1",
    " =1+1",
    "＝1+1",
    "'=1",
    "''@x",
    "-5 um",
]
PLAIN = ["-1", "-1.5", "+2", "-1e-07", "-.5", "a=b", "vessel 3", "O'Hara", "'quoted'", "a-b", ""]
NUMBERS = r"[+-]?[\d.]+(e[+-]?\d+)?(,\d+)*"  # with semicolons between cells, a row of plain numbers is one cell


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(tmp_path: Path, text: str) -> None:
    write_csv(tmp_path / "t.csv", pd.DataFrame({"name": [text, "plain"], "v": [-1.5, 2.0]}))
    cells = list(csv.reader((tmp_path / "t.csv").open(encoding="utf-8", newline="")))
    assert cells[1][0].startswith("'") and cells[1][1] == "-1.5"
    assert read_csv(tmp_path / "t.csv")["name"].tolist() == [text, "plain"]


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text and unguarded(text) == text


@given(st.text())
def test_what_is_guarded_reads_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), min_size=1, max_size=4))
def test_no_cell_of_any_country_starts_a_formula(texts: list[str]) -> None:
    """Opened where semicolons stand between cells, a name with one in it must not break into two."""
    text = csv_text(pd.DataFrame({"name": texts, "n": range(len(texts))}))
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            for cell in row:
                assert not re.match(r"\s*[=+\-@\t]", cell) or re.fullmatch(NUMBERS, cell, re.IGNORECASE | re.ASCII)


def test_clipboard_cells_hold_no_tab_and_no_formula() -> None:
    assert quoted("a\tb") == '"a\tb"' and quoted("=1") == "'=1" and quoted("12.5 [11 to 14]") == "12.5 [11 to 14]"


def test_tables_are_what_pandas_wrote(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {
        "video_id": ["rec"] * 50, "vessel_id": range(50),
        "v": rng.normal(size=50) * 1e5, "f": rng.normal(size=50) * 1e-9,
        "n": np.where(rng.random(50) < 0.3, np.nan, 1.0), "b": rng.random(50) < 0.5, "flags": ["", "LOW FAST"] * 25,
        "single": rng.normal(size=50).astype(np.float32),
    }  # fmt: skip
    table = pd.DataFrame(columns)
    for digits in (None, "%.7g"):
        assert csv_text(table, digits) == table.to_csv(index=False, float_format=digits)


@pytest.mark.parametrize("values", [[True, False], [True, True], [False], [True, None, False], [None, False]])
def test_true_and_false_stay_what_they_are(tmp_path: Path, values: list) -> None:
    table = pd.DataFrame({"crossing": values})
    write_csv(tmp_path / "t.csv", table)
    back = read_csv(tmp_path / "t.csv").crossing
    assert [None if pd.isna(v) else bool(v) for v in back] == values
    assert (back.dtype == bool) == (None not in values), "picks rows, as before it was written"
    assert read_csv(tmp_path / "t.csv", numbers=False).crossing.dropna().isin(["True", "False"]).all()


def test_texts_stay_texts(tmp_path: Path) -> None:
    table = pd.DataFrame({"video_id": ["007", "NA", "nan", "1e5"], "v": [1.0, np.nan, -3.25, 1e-7]})
    write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), table)
    assert read_csv(tmp_path / "t.csv", numbers=False)["v"].tolist()[2] == "-3.25"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"', b"a,b\n1,2,3,4\n5\n6,7,8,9,10\n", b"a\0b\n"])
def test_a_damaged_table_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    try:
        read_csv(tmp_path / "t.csv")
    except OutputError as error:
        assert "\n" not in str(error)


def test_tables_are_written_and_read_in_one_place() -> None:
    """Whoever writes a table elsewhere writes formulas."""
    for path in (*ROOT.glob("sam2flow_core/**/*.py"), *ROOT.glob("sam2flow_napari/**/*.py")):
        if path.name != "spreadsheets.py":
            assert not re.search(r"\.to_csv\(|csv\.writer|DictWriter|\.read_csv\(|DictReader", path.read_text()), path
