"""Motion: optical flow of frames and of files, in pixels per frame."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from a2v_core.errors import MediaError
from a2v_core.media import read_video
from a2v_core.metrics import detect_motion

GOLDEN = Path(__file__).parents[2] / "golden" / "av_align"
CLIP = GOLDEN / "clip0_sync_12fps.mp4"


def texture(size: int = 96) -> torch.Tensor:
    """A smooth random picture [H, W, 3] in 0..1 that wraps round."""
    noise = np.random.default_rng(0).random((3 * size, 3 * size)).astype(np.float32)
    tiled = np.tile(noise[:size, :size], (3, 3))
    smooth = cv2.GaussianBlur(tiled, (0, 0), 3)[size : 2 * size, size : 2 * size]
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return torch.from_numpy(smooth)[..., None].expand(size, size, 3)


def moved(steps: list[int]) -> torch.Tensor:
    """Frames [F, H, W, 3]: the texture moves right by that many pixels before each frame after the first."""
    offsets = np.cumsum([0, *steps])
    return torch.stack([texture().roll(int(offset), dims=1) for offset in offsets])


def test_flow_is_the_motion_in_pixels_and_its_first_value_repeats() -> None:
    motion = detect_motion(moved([2, 2, 0, 4, 1]), 12)
    assert motion.flow == pytest.approx([2, 2, 2, 0, 4, 1], abs=0.25)
    assert motion.flow[0] == motion.flow[1]
    assert (motion.fps, motion.num_frames, motion.width, motion.height) == (12.0, 6, 96, 96)


def test_flow_follows_the_published_recipe_on_opencv_frames() -> None:
    capture, images = cv2.VideoCapture(str(CLIP)), []
    while (read := capture.read())[0]:
        images.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY))
    expected = []
    for before, after in pairwise(images):
        field = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]
        expected.append(float(np.hypot(field[..., 0], field[..., 1]).mean(dtype=np.float64)))
    assert detect_motion(CLIP).flow == pytest.approx([expected[0], *expected], abs=1e-6)


def test_frames_of_a_file_and_the_file_itself_agree_exactly() -> None:
    clip = read_video(CLIP)
    from_file = detect_motion(CLIP)
    assert detect_motion(clip.frames, clip.fps) == from_file
    assert detect_motion(clip.frames.numpy(), 12) == from_file
    assert detect_motion(clip.frames.half(), 12) == from_file  # half floats hold every 8-bit step
    assert detect_motion(str(CLIP), 6.0).fps == 6.0


def test_threads_of_opencv_stay_as_they_are() -> None:
    before = cv2.getNumThreads()
    detect_motion(moved([1]), 12)
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (17, 5)])
def test_tiny_pictures_have_motion_zero_when_still(height: int, width: int) -> None:
    assert detect_motion(torch.full((3, height, width, 3), 0.5), 8).flow == (0.0, 0.0, 0.0)


def test_one_frame_has_no_flow() -> None:
    motion = detect_motion(torch.zeros(1, 8, 8, 3), 12)
    assert (motion.flow, motion.num_frames) == ((), 1)


@pytest.mark.parametrize("fps", [0, -12, float("nan"), float("inf"), None])
def test_fps_must_be_above_zero(fps: float | None) -> None:
    with pytest.raises(MediaError, match="expected the frames per second"):
        detect_motion(torch.zeros(2, 8, 8, 3), fps)


def test_bad_frames_are_refused() -> None:
    with pytest.raises(MediaError, match="no frames"):
        detect_motion(torch.zeros(0, 8, 8, 3), 12)
    with pytest.raises(MediaError, match=r"shape \(8, 8, 3\)"):
        detect_motion(torch.zeros(8, 8, 3), 12)
    with pytest.raises(MediaError, match="NaN"):
        detect_motion(torch.full((2, 8, 8, 3), float("nan")), 12)
    with pytest.raises(MediaError, match="no such file"):
        detect_motion("missing.mp4")
    with pytest.raises(MediaError, match="no video stream"):
        detect_motion(CLIP.with_suffix(".wav"))
