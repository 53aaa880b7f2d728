import pytest

from sam2flow_core.engine.manifest import read_manifest
from sam2flow_core.errors import DataError, PromptError

PROMPTS = "vessel_id,frame,y,x,label\n1,0,3,4,1\n"


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "p.csv").write_text(PROMPTS)

    def write(text):
        (tmp_path / "manifest.csv").write_text(text)
        return tmp_path / "manifest.csv"

    return write


def test_rows_become_requests_with_a_folder_each(manifest, tmp_path):
    path = manifest(
        "stack,prompts,pixel_size_um,frame_rate_hz,video_id,group\n"
        "a/one.tif,p.csv,0.5,,patient 7/left,1\ntwo.ome.tif,p.csv,,120,,\n"
    )
    wanted = read_manifest(path, tmp_path / "out")
    first, second = wanted.requests
    assert wanted.groups == {"patient 7/left": "1"}
    assert first.stack == tmp_path / "a" / "one.tif" and first.prompts[0].x == 4
    assert (first.pixel_size_um, first.frame_rate_hz, first.video_id) == (0.5, None, "patient 7/left")
    assert first.out == tmp_path / "out" / "patient_7_left"
    assert (second.pixel_size_um, second.frame_rate_hz, second.video_id) == (None, 120.0, "two")
    assert second.resume


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("stack,prompts\n", "no recordings"),
        ("stack\na.tif\n", "column 'prompts' is missing"),
        ("stack,prompts,colour\na.tif,p.csv,red\n", "unknown column 'colour'"),
        ("stack,prompts\na.tif,p.csv\n,p.csv\n", "line 3: no stack"),
        ("stack,prompts,frame_rate_hz\na.tif,p.csv,fast\n", "not a number"),
        ("stack,prompts\nx/a.tif,p.csv\ny/a.tif,p.csv\n", "'a' stands twice"),
        ("stack,prompts,video_id\na.tif,p.csv,1/2\nb.tif,p.csv,1 2\n", "'1/2' stands twice"),
    ],
)
def test_a_bad_manifest_is_one_line(manifest, tmp_path, text, words):
    with pytest.raises(DataError, match=words) as caught:
        read_manifest(manifest(text), tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_missing_prompts_are_told_before_anything_starts(manifest, tmp_path):
    with pytest.raises(PromptError, match="no such file"):
        read_manifest(manifest("stack,prompts\na.tif,none.csv\n"), tmp_path / "out")
