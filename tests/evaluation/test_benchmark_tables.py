from pathlib import Path

import pandas as pd

from sam2flow_core.evaluation.benchmark_tables import markdown_table, write_section


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "benchmark.md"
    write_section(path, "Speed", "fast\n\n### Part\n\nslow")
    write_section(path, "Accuracy", "first")
    write_section(path, "Accuracy", "second")
    text = path.read_text()
    assert text.index("## Accuracy\n\nsecond") < text.index("## Speed\n\nfast\n\n### Part\n\nslow")
    assert "first" not in text
    assert text.count("# Benchmark") == 1


def test_numbers_are_rounded_and_gaps_are_dashes_never_zero() -> None:
    table = pd.DataFrame({"method": ["a|b", None], "EPE": [1.234, float("nan")], "n": [3, 4]})
    lines = markdown_table(table, {"EPE": 1}).splitlines()
    assert lines[2:] == ["| a\\|b | 1.2 | 3 |", "| – | – | 4 |"]
