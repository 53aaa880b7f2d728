"""AVI, MP4 and their relatives: every frame by its number, whatever way it is come to."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import moving, write_dib_avi, write_video

from sam2flow_core.config.stack import VideoSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack import Stack, describe_stack, open_stack
from sam2flow_core.stack.video import VideoSource

FRAMES = moving()
KINDS = {
    "mjpeg.avi": ("mjpeg", "yuvj420p", 0),
    "mpeg4.avi": ("mpeg4", "yuv420p", 0),
    "mpeg4 reordered.avi": ("mpeg4", "yuv420p", 2),
    "h264 reordered.avi": ("libx264", "yuv420p", 3),
    "ffv1.avi": ("ffv1", "gray", 0),
    "png.avi": ("png", "gray", 0),
    "h264.mp4": ("libx264", "yuv420p", 3),
    "hevc.mp4": ("libx265", "yuv420p10le", 3),
    "h264.mov": ("libx264", "yuv420p", 0),
    "h264.mkv": ("libx264", "yuv420p", 3),
    "vp9.webm": ("libvpx-vp9", "yuv420p", 0),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", 2),
    "h264.ts": ("libx264", "yuv420p", 3),
    "wmv.wmv": ("wmv2", "yuv420p", 0),
}
LOSSLESS = ("ffv1.avi", "png.avi")


def made(folder: Path, name: str, frames: NDArray = FRAMES, **options: object) -> Path:
    codec, pixels, reordered = KINDS[name]
    rate = 25 if codec == "mpeg2video" else 100
    try:
        return write_video(folder / name, frames, codec, pixels, rate, reordered, **options)  # type: ignore[arg-type]
    except (av.error.FFmpegError, ValueError):
        pytest.skip(f"this build of FFmpeg has no encoder {codec}")


def decoded_in_order(path: Path) -> list[NDArray]:
    """All frames one after the other: brightness as it is stored."""
    with av.open(str(path)) as container:
        return [f.to_ndarray()[: f.height, : f.width] for f in container.decode(video=0)]


def said(stack: Stack, *words: str) -> bool:
    return any(all(w in p for w in words) for p in stack.problems)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kept_bytes", [1, 64_000_000])
def test_the_frame_of_a_number_is_the_same_by_every_way(tmp_path: Path, name: str, kept_bytes: int) -> None:
    path = made(tmp_path, name)
    truth = decoded_in_order(path)
    source = VideoSource(path, settings=VideoSettings(kept_bytes=kept_bytes))
    assert source.shape == (40, 48, 64) and len(truth) == 40
    ways = [*range(40), *range(39, -1, -1), *np.random.default_rng(0).permutation(40).tolist(), 5, 6, 5, 6, 39, 0]
    wrong = [t for t in ways if not np.array_equal(source.read(t), truth[t])]
    source.close()
    assert wrong == []


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_those_that_were_recorded(tmp_path: Path, name: str) -> None:
    with open_stack(made(tmp_path, name)) as stack:
        frames = stack.as_array()[:].astype(float)
    frames = frames / 4 if "hevc" in name else frames
    errors = np.abs(frames[:, None] - FRAMES[None].astype(float)).mean(axis=(2, 3))
    np.testing.assert_array_equal(errors.argmin(axis=1), np.arange(40))
    if name in LOSSLESS:
        np.testing.assert_array_equal(frames, FRAMES)


@pytest.mark.parametrize("name", KINDS)
def test_the_frame_rate_has_its_source_and_a_warning(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, name)
    with open_stack(path) as stack:
        rate = stack.calibration.frame_rate_hz
        assert rate.source == "video" and rate.plausible
        assert rate.value == pytest.approx(25 if "mpeg2" in name else 100, rel=2e-3)
        assert said(stack, "at which the video plays")
        assert said(stack, "compressed by") == (name not in LOSSLESS)
        assert "(video file)" in describe_stack(stack)
        given = stack.calibration.with_user(pixel_size_um=0.5, frame_rate_hz=200)
        assert not any("plays" in p for p in stack.problems_left(given))
        assert stack.name == path.stem


@pytest.mark.parametrize("shape", [(48, 64), (47, 61)])
def test_uncompressed_avi_as_imagej_writes_it(tmp_path: Path, shape: tuple[int, int]) -> None:
    frames = moving(shape=(48, 64))[:, : shape[0], : shape[1]]
    order = np.random.default_rng(0).permutation(256)
    greys = write_dib_avi(tmp_path / "greys.avi", frames)
    sorted_anew = write_dib_avi(tmp_path / "palette.avi", np.argsort(order)[frames].astype(np.uint8), palette=order)
    colours = write_dib_avi(tmp_path / "colours.avi", np.stack([frames] * 3, -1))
    for path in (greys, sorted_anew, colours):
        with open_stack(path) as stack:
            np.testing.assert_array_equal(stack.as_array()[:], frames)
            assert stack.calibration.usable_frame_rate_hz == 100
            assert not said(stack, "colour")


def test_a_colour_camera_is_converted_and_said(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (6, 48, 64, 3), dtype=np.uint8)
    with open_stack(write_dib_avi(tmp_path / "a.avi", colours)) as stack:
        np.testing.assert_allclose(stack.frame(3), colours[3] @ np.array([0.299, 0.587, 0.114]), atol=0.51)
        assert said(stack, "colour", "converted to grey")
    tinted = FRAMES[..., None] * np.array([1, 0.6, 0.5])
    with open_stack(write_video(tmp_path / "a.mp4", tinted.astype(np.uint8), "libx264", "yuv420p")) as stack:
        assert said(stack, "colour", "converted to grey")


def test_deep_pixels_keep_their_depth(tmp_path: Path) -> None:
    frames = FRAMES.astype(np.uint16) * 200
    with open_stack(write_video(tmp_path / "a.mkv", frames, "ffv1", "gray16le")) as stack:
        np.testing.assert_array_equal(stack.as_array()[:], frames)
        assert stack.bit_depth == 16


def test_a_variable_frame_rate_is_said_and_not_used(tmp_path: Path) -> None:
    ticks = np.cumsum(np.random.default_rng(0).choice([10, 25, 40], 40)).tolist()
    path = write_video(tmp_path / "a.mkv", FRAMES, "libx264", "yuv420p", ticks=ticks)
    with open_stack(path) as stack:
        assert stack.calibration.frame_rate_hz.value is not None and stack.calibration.usable_frame_rate_hz is None
        assert said(stack, "variable frame rate", "10 to 40 ms")
        assert stack.times_s == pytest.approx((np.array(ticks) - ticks[0]) / 1000)


def test_dropped_frames_are_said_and_leave_the_rate_alone(tmp_path: Path) -> None:
    ticks = [10 * t + (70 if t >= 25 else 0) for t in range(40)]
    with open_stack(write_video(tmp_path / "a.mkv", FRAMES, "libx264", "yuv420p", ticks=ticks)) as stack:
        assert stack.calibration.usable_frame_rate_hz == pytest.approx(100, rel=2e-3)
        assert said(stack, "jump 1 times, first after frame 24")
        assert stack.times_s is not None and np.diff(stack.times_s)[24] == pytest.approx(0.08)


@pytest.mark.parametrize("rate", [60, 160, 400])
def test_time_stamps_rounded_to_ms_are_no_gaps(tmp_path: Path, rate: int) -> None:
    ticks = [round(1000 * t / rate) for t in range(40)]
    with open_stack(write_video(tmp_path / "a.mkv", FRAMES, "libx264", "yuv420p", ticks=ticks)) as stack:
        assert stack.calibration.usable_frame_rate_hz == pytest.approx(rate, rel=0.02)
        assert stack.times_s is None and not said(stack, "jump") and not said(stack, "variable")


@pytest.mark.parametrize("name", ["mjpeg.avi", "mpeg4.avi", "h264.mp4", "h264.mkv", "h264.ts", "mpeg2.mpg"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.7, 0.95])
def test_a_cut_video_gives_whole_frames_or_one_line(tmp_path: Path, name: str, share: float) -> None:
    path = made(tmp_path, name)
    data = path.read_bytes()
    truth = decoded_in_order(path)
    path.write_bytes(data[: int(share * len(data))])
    try:
        stack = open_stack(path)
    except StackError as error:
        assert "\n" not in str(error) and path.name in str(error) and len(str(error)) < 300
        return
    with stack:
        assert 2 <= len(stack) <= 40
        for t in range(len(stack) - 1):
            np.testing.assert_array_equal(stack.frame(t), truth[t])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"RIFF\x10\0\0\0AVI LIST",
        b"\0\0\0\x18ftypmp42" + bytes(40),
        b"#EXTM3U\nhttp://localhost:1/a.ts\n",
    ],
)
@pytest.mark.parametrize("ending", ["avi", "mp4"])
def test_what_is_no_video_gives_one_line(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    with pytest.raises(StackError, match=rf"^a\.{ending}: ") as caught:
        open_stack(path)
    assert "\n" not in str(caught.value)


def test_a_video_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no such file"):
        open_stack(tmp_path / "a.mp4")


def test_one_picture_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="single frame"):
        open_stack(made(tmp_path, "h264.mp4", FRAMES[:1]))


def test_sound_alone_is_no_recording(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(StackError, match="no pictures"):
        open_stack(tmp_path / "a.mp4")


def test_a_damaged_frame_is_never_shown(tmp_path: Path) -> None:
    path = made(tmp_path, "png.avi")
    data = bytearray(path.read_bytes())
    middle = data.find(b"IDAT", len(data) // 2)
    data[middle + 20 : middle + 60] = bytes(40)
    path.write_bytes(data)
    truth = [*FRAMES]
    with open_stack(path) as stack:
        wrong = 0
        for t in range(40):
            try:
                frame = stack.frame(t)
            except StackError as error:
                wrong += 1
                assert f"frame {t}" in str(error)
                continue
            np.testing.assert_array_equal(frame, truth[t])
    assert wrong == 1


def test_a_folder_with_one_video(tmp_path: Path) -> None:
    made(tmp_path, "h264.mp4")
    (tmp_path / "notes.txt").write_text("bedside 3")
    with open_stack(tmp_path) as stack:
        assert len(stack) == 40
    made(tmp_path, "mjpeg.avi")
    with pytest.raises(StackError, match="2 videos in this folder"):
        open_stack(tmp_path)


def test_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = made(tmp_path, "h264.mp4")
    capfd.readouterr()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        try:
            with open_stack(path) as stack:
                stack.as_array()[:]
        except StackError:
            pass
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""
