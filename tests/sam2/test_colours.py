"""Videos in colour stay so for weights of SAM 2, whatever they are stored as, and are stretched as SAM 2 does it."""

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from sam2flow_core.errors import StackError
from sam2flow_core.inference.frames import SquareFrames
from sam2flow_core.stack import open_stack

FRAMES, HEIGHT, WIDTH, SIDE = 3, 90, 140, 128


@pytest.fixture(scope="module")
def colours():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (FRAMES, 9, 14, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((WIDTH, HEIGHT))) for c in coarse])


def _jpeg(colours, folder):
    for t, frame in enumerate(colours):
        Image.fromarray(frame).save(folder / f"{t:05d}.jpg", quality=95)
    return folder


def _png(colours, folder):
    for t, frame in enumerate(colours):
        (folder / f"{t}.png").write_bytes(imagecodecs.png_encode(frame))
    return folder


def _tiff(colours, folder):
    tifffile.imwrite(folder / "video.tif", colours, photometric="rgb")
    return folder / "video.tif"


def _deep_tiff(colours, folder):
    tifffile.imwrite(folder / "video.tif", colours.astype(np.uint16) * 100, photometric="rgb", byteorder=">")
    return folder / "video.tif"


def _video(colours, folder):
    import av

    with av.open(str(folder / "video.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "bgr0"
        for frame in colours:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())
    return folder / "video.mkv"


WAYS = {"jpeg": _jpeg, "png": _png, "tiff": _tiff, "video": _video, "array": lambda colours, folder: colours}


def test_jpeg_frames_are_those_that_sam2_loads(colours, tmp_path):
    from sam2.utils.misc import load_video_frames

    folder = _jpeg(colours, tmp_path)
    theirs, height, width = load_video_frames(str(folder), SIDE, False, compute_device=torch.device("cpu"))
    assert (height, width) == (HEIGHT, WIDTH)
    with open_stack(folder) as stack:
        ours = torch.cat([SquareFrames(stack, SIDE, torch.device("cpu")).inputs(t) for t in range(FRAMES)])
    assert (ours - theirs).abs().max() < 1e-4
    assert (ours[:, 0] - ours[:, 2]).abs().mean() > 0.1, "the frames are grey"


@pytest.mark.parametrize("way", WAYS)
def test_colours_come_whole_from_every_kind_of_file(way, colours, tmp_path):
    with open_stack(WAYS[way](colours, tmp_path), colour=True) as stack:
        assert stack.shape == (FRAMES, HEIGHT, WIDTH) and stack.dtype == np.uint8
        for t in (2, 0, 1):
            off = np.abs(stack.colours(t).astype(int) - colours[t])
            assert off.mean() < (2 if way == "jpeg" else 0.01)
            assert np.abs(stack.frame(t) - colours[t] @ [0.299, 0.587, 0.114]).mean() < 2
        seen = SquareFrames(stack, SIDE, torch.device("cpu")).inputs(0)
        assert (seen[:, 0] - seen[:, 1]).abs().mean() > 0.1
        with pytest.raises(IndexError):
            stack.colours(FRAMES)


def test_colours_of_16_bits_are_scaled_together(colours, tmp_path):
    with open_stack(_deep_tiff(colours, tmp_path), colour=True) as stack:
        assert stack.dtype == np.uint16 and np.array_equal(stack.colours(1), colours[1].astype(np.uint16) * 100)
        deep = SquareFrames(stack, SIDE, torch.device("cpu")).inputs(1)
    with open_stack(colours, colour=True) as stack:
        flat = SquareFrames(stack, SIDE, torch.device("cpu")).inputs(1)
    parts = [torch.corrcoef(torch.stack([deep[0, c].flatten(), flat[0, c].flatten()]))[0, 1] for c in range(3)]
    assert min(parts) > 0.98


def test_grey_stays_grey_and_measuring_takes_no_colour(colours, tmp_path):
    with open_stack(colours[..., 0], colour=True) as stack:
        assert stack.colours(0) is None
    for way in (_png, _tiff):
        folder = tmp_path / way.__name__
        folder.mkdir()
        with pytest.raises(StackError, match="convert to greyscale"):
            open_stack(way(colours, folder))


@pytest.mark.parametrize("way", ["jpeg", "png"])
def test_pictures_beside_the_frames_are_none(colours, tmp_path, way):
    """Two pictures in colour beside JPEG frames were the video; an average was the first frame of PNG files."""
    folder = WAYS[way](np.concatenate([colours] * 3), tmp_path)
    frames = sorted(folder.iterdir())
    for name in ("a mean.png", "overlay.png") if way == "jpeg" else ("a mean.png",):
        (folder / name).write_bytes(imagecodecs.png_encode(colours[0]))
    with open_stack(folder, colour=True) as stack:
        assert list(stack.paths) == frames
        assert any("not read" in said or "left out" in said for said in stack.problems)


def test_frames_of_a_folder_must_be_alike(colours, tmp_path):
    folder = _png(colours, tmp_path)
    (folder / "1.png").write_bytes(imagecodecs.png_encode(colours[1, ..., 0].copy()))
    with pytest.raises(StackError, match="must be alike"), open_stack(folder, colour=True) as stack:
        stack.frame(1)
    (folder / "1.png").write_bytes(imagecodecs.png_encode(colours[1, :50]))
    with pytest.raises(StackError, match="must be alike"), open_stack(folder, colour=True) as stack:
        stack.frame(1)
    (folder / "0.png").write_bytes(b"\x89PNG" + bytes(40))
    with pytest.raises(StackError):
        open_stack(folder, colour=True)
