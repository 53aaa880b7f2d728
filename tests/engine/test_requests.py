import pytest

from sam2flow_core.engine.requests import read_manifest
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
        ("stack,prompts,video_id\na.tif,p.csv,1/2\nb.tif,p.csv,1 2\n", "'1/2' and '1 2' would share the folder 1_2"),
        ("stack,prompts,video_id\na.tif,p.csv,Left\nb.tif,p.csv,left\n", "would share the folder left"),
    ],
)
def test_a_bad_manifest_is_one_line(manifest, tmp_path, text, words):
    with pytest.raises(DataError, match=words) as caught:
        read_manifest(manifest(text), tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_missing_prompts_are_told_before_anything_starts(manifest, tmp_path):
    with pytest.raises(PromptError, match="no such file"):
        read_manifest(manifest("stack,prompts\na.tif,none.csv\n"), tmp_path / "out")


@pytest.mark.parametrize(
    "video_id",
    ["..", ".", "...", "..\\up", "/", "../..", "///", "_", ".hidden", "-rf", "ends.", "summary.csv", "SUMMARY.CSV",
     "per_frame.csv", "batch.csv", "comparison.html", "run.lock", "CON", "nul", "Aux.tif", "com1", "LPT9.left",
     "x" * 201, "ä" * 101,
     ".sam2flow-0123456789abcdef.part"],
)  # fmt: skip
def test_a_video_id_that_cannot_be_a_folder_is_told_before_anything_starts(manifest, tmp_path, video_id):
    path = manifest(f"stack,prompts,video_id\na.tif,p.csv,one\nb.tif,p.csv,{video_id}\n")
    with pytest.raises(DataError, match="line 3: video_id") as caught:
        read_manifest(path, tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("video_id", ["a/../../b", "C:\\temp", "a\tb", "p 1", "x" * 200, "console", "äöü", "1"])
def test_other_names_become_one_folder_inside_that_of_the_batch(manifest, tmp_path, video_id):
    (request,) = read_manifest(manifest(f"stack,prompts,video_id\na.tif,p.csv,{video_id}\n"), tmp_path / "out").requests
    assert request.out.parent == tmp_path / "out" and request.out.name not in ("..", ".")
    request.out.mkdir(parents=True)


def test_a_recording_without_a_name_needs_a_video_id(manifest, tmp_path):
    with pytest.raises(DataError, match="line 2: video_id"):
        read_manifest(manifest("stack,prompts\n..,p.csv\n"), tmp_path / "out")
