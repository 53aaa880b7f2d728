import errno

import pytest

from sam2flow_core.errors import OutputError
from sam2flow_core.results import output_errors, whole_file


def test_the_file_appears_whole(tmp_path):
    with whole_file(tmp_path / "table.csv") as part:
        part.write_text("a,b\n")
        assert not (tmp_path / "table.csv").exists()
    assert (tmp_path / "table.csv").read_text() == "a,b\n"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_failure_keeps_the_old_file_and_leaves_no_part(tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "table.csv") as part:
        part.write_text("half")
        raise RuntimeError
    assert (tmp_path / "table.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.ESTALE, "file share"),
        (errno.EMFILE, "too many"),
    ],
)
def test_every_failure_of_the_disk_is_one_line(tmp_path, code, words):
    with pytest.raises(OutputError, match=words) as caught, output_errors(tmp_path, "; go on"):
        raise OSError(code, "too many files")
    assert "\n" not in str(caught.value) and str(caught.value).endswith("; go on")


def test_a_folder_under_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="file stands where a folder"),
        whole_file(tmp_path / "file" / "x.csv") as part,
    ):
        part.write_text("")
