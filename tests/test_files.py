import ast
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from sam2flow_core.errors import OutputError
from sam2flow_core.files import (
    check_document,
    check_writable,
    is_part,
    output_errors,
    remove_parts,
    whole_file,
    whole_folder,
    write_bytes,
    write_text,
)

ROOT = Path(__file__).parents[1]


def _by_path(path, text):
    with whole_file(path) as part:
        part.write_text(text)


WRITERS = [write_text, lambda path, text: write_bytes(path, text.encode()), _by_path]


@pytest.mark.parametrize("write", WRITERS)
def test_the_file_appears_whole_and_alone(tmp_path, write):
    write(tmp_path / "table.csv", "a,b\n")
    write(tmp_path / "table.csv", "c,d\n")
    assert (tmp_path / "table.csv").read_bytes() == b"c,d\n"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_nothing_is_there_before_the_end(tmp_path):
    with whole_file(tmp_path / "table.csv") as part:
        part.write_text("half")
        assert part.suffix == ".csv" and is_part(part) and not (tmp_path / "table.csv").exists()
    assert not is_part(tmp_path / "table.csv")


def test_a_failure_keeps_the_old_file_and_leaves_no_part(tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "table.csv") as part:
        part.write_text("half")
        raise RuntimeError
    assert (tmp_path / "table.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def _safetensors(path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(100_000)}, path)


def _torch(path):
    import torch

    torch.save({"a": torch.ones(100_000)}, path)


def _tiff(path):
    tifffile.imwrite(path, np.ones((2, 250, 200)))


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("write", [_safetensors, _torch, _tiff])
@pytest.mark.parametrize("folder", [False, True])
def test_a_library_that_hides_what_the_system_said_is_no_fault_of_the_program(tmp_path, write, folder):
    """Of a file that grows no further the libraries tell in exceptions of their own, or without the system's number."""
    import resource

    def whole():
        if folder:
            with whole_folder(tmp_path / "case") as part:
                write(part / "a.bin")
        else:
            with whole_file(tmp_path / "a.bin") as part:
                write(part)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"disk is full; free some space|larger than the disk"):
            whole()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", WRITERS)
def test_a_symbolic_link_at_the_name_is_replaced_and_its_target_left_alone(tmp_path, write):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.csv").symlink_to(precious)
    write(tmp_path / "out" / "summary.csv", "new")
    assert precious.read_text() == "mine"
    assert (tmp_path / "out" / "summary.csv").read_text() == "new"
    assert not (tmp_path / "out" / "summary.csv").is_symlink()


def test_a_link_put_in_place_of_the_part_is_refused(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(OutputError), whole_file(tmp_path / "x.csv") as part:
        part.unlink()
        part.symlink_to(tmp_path / "precious.txt")
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_parts_have_names_that_cannot_be_guessed(tmp_path):
    names = set()
    for _ in range(50):
        with whole_file(tmp_path / "x.csv") as part:
            names.add(part.name)
            part.write_text("")
    assert len(names) == 50


def test_the_mode_is_that_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_text(tmp_path / "x.csv", "")
    assert (tmp_path / "x.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("write", WRITERS)
def test_names_of_every_length_the_disk_takes(tmp_path, write):
    write(tmp_path / ("n" * 251 + ".csv"), "")
    write(tmp_path / ("n." + "e" * 253), "")
    with pytest.raises(OutputError, match="too long"):
        write(tmp_path / ("n" * 252 + ".csv"), "")


@pytest.mark.parametrize("write", WRITERS)
def test_devices_pipes_and_folders_are_left_alone(tmp_path, write):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "folder"):
        before = (tmp_path / name).lstat().st_mode
        with pytest.raises(OutputError, match=r"device or pipe|folder stands"):
            write(tmp_path / name, "x")
        assert (tmp_path / name).lstat().st_mode == before


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with whole_folder(tmp_path / "new" / "case") as part:
        (part / "a.txt").write_text("a")
        assert not (tmp_path / "new" / "case").exists()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["case"]
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "new" / "other") as part:
        (part / "a.txt").write_text("a")
        raise RuntimeError
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["case"]
    with pytest.raises(OutputError), whole_folder(tmp_path / "new" / "case"):
        pass
    assert (tmp_path / "new" / "case" / "a.txt").read_text() == "a"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EFBIG, "larger than"),
        (errno.EROFS, "read-only"),
        (errno.ESTALE, "file share"),
        (errno.EMFILE, "too many"),
    ],
)
def test_every_failure_of_the_disk_is_one_line(tmp_path, code, words):
    with pytest.raises(OutputError, match=words) as caught, output_errors(tmp_path, "; go on"):
        raise OSError(code, "too many files")
    assert "\n" not in str(caught.value) and str(caught.value).endswith("; go on")


@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_under_a_file_cannot_be_written(tmp_path, write):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file stands where a folder"):
        write(tmp_path / "file" / "x.csv", "")


def test_whether_a_file_can_be_written_is_known_before(tmp_path):
    check_writable(tmp_path / "new" / "inner" / "weights.safetensors")
    assert not list(tmp_path.iterdir())
    (tmp_path / "new").mkdir()
    check_writable(tmp_path / "new" / "weights.safetensors")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file" / "x.csv", tmp_path / "new", tmp_path / ("n" * 300), Path("/dev/null")):
        with pytest.raises(OutputError):
            check_writable(bad)


def test_nothing_takes_the_place_of_what_it_is_made_from(tmp_path):
    stack, link, folder = tmp_path / "stack.tif", tmp_path / "link.csv", tmp_path / "frames"
    stack.write_text("a recording")
    link.symlink_to(stack)
    folder.mkdir()
    (folder / "0.tif").write_text("a frame")
    for path, source in ((stack, stack), (link, stack), (folder / "0.tif", folder)):
        with pytest.raises(OutputError, match="what the result would be made from"):
            check_writable(path, "tiny", None, source)
    check_writable(folder / "clicks.csv", folder)
    check_writable(tmp_path / "clicks.csv", stack)


def test_tables_go_into_a_text(tmp_path):
    (tmp_path / "page.md").write_text("# Text")
    (tmp_path / "stack.tif").write_bytes(b"II*\0\xb6\xff")
    check_document(tmp_path / "page.md")
    check_document(tmp_path / "new.md")
    with pytest.raises(OutputError, match="holds no text"):
        check_document(tmp_path / "stack.tif")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs signals as POSIX has them")
def test_what_a_killed_writer_leaves_is_known_and_removed(tmp_path):
    program = (
        "import os, signal; from pathlib import Path; from sam2flow_core.files import whole_file\n"
        f"with whole_file(Path({str(tmp_path / 'x.csv')!r})) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert is_part(left)
    remove_parts(tmp_path, seconds_old=3600)
    assert left.exists()
    remove_parts(tmp_path)
    assert not left.exists()


_WRITE_A_FILE = {"write_text", "write_bytes", "savefig", "imwrite", "imsave", "memmap", "savez", "savetxt", "save_file"}


_NO_WHOLE_FILES = {
    "propagation.py: tifffile.memmap": "in a function of its own, which is given the part of a `whole_file`",
    "figures.py: figure.savefig": "into memory",
    "speed.py: tifffile.imwrite": "into a temporary folder",
    "child.py: os.fdopen": "a stream to the window",
    "streams.py: os.fdopen": "the streams that a program is started with",
    "flow_film.py: av.open": "in a function of its own, which is given the part of a `whole_file`",
    "case_files.py: skimage.io.imsave": "no command of a user's writes this layout, which is read only",
}


def _written_by_path(module):
    """Calls that write a file through its path, outside a block that gives one to write to."""

    def visit(node, inside):
        if isinstance(node, ast.With):
            called = {ast.unparse(item.context_expr).split("(")[0] for item in node.items}
            inside = inside or bool(called & {"whole_file", "whole_folder"})
        if isinstance(node, ast.Call) and not inside:
            call = ast.unparse(node.func)
            opened = call.endswith("open") and any(
                isinstance(a, ast.Constant) and isinstance(a.value, str) and set(a.value) & set("wxa")
                for a in node.args[:2]
            )
            # Without arguments by position, `to_csv` returns text.
            table = call.endswith(".to_csv") and node.args
            method = "." in call and (call.split(".")[-1] in _WRITE_A_FILE or call in ("torch.save", "os.replace"))
            # On memory that is read, not written.
            reads = call.endswith("memmap") and any("mode='r'" in ast.unparse(k) for k in node.keywords)
            if (opened or table or method) and not reads:
                yield f"{module.name}: {call}"
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    return list(visit(ast.parse(module.read_text()), False))


def test_there_is_one_place_that_writes_whole_files():
    modules = [p for name in ("sam2flow_core", "sam2flow_napari") for p in (ROOT / name).rglob("*.py")]
    found = [call for p in modules if p != ROOT / "sam2flow_core" / "files.py" for call in _written_by_path(p)]
    assert set(found) <= set(_NO_WHOLE_FILES), found
