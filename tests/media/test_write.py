"""What is written is what was drawn: the same bytes everywhere, and colours that stay through twenty links."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from runner.errors import StoryError
from runner.media import decode, probe, write
from runner.media.write import Container, Writer

from . import clips

PATCHES = [
    (115, 82, 68),
    (194, 150, 130),
    (98, 122, 157),
    (87, 108, 67),
    (133, 128, 177),
    (103, 189, 170),
    (214, 126, 44),
    (80, 91, 166),
    (193, 90, 99),
    (94, 60, 108),
    (157, 188, 64),
    (224, 163, 46),
    (56, 61, 150),
    (70, 148, 73),
    (175, 54, 60),
    (231, 199, 31),
    (187, 86, 149),
    (8, 133, 161),
    (243, 243, 242),
    (200, 200, 200),
    (160, 160, 160),
    (122, 122, 121),
    (85, 85, 85),
    (52, 52, 52),
]
SIDE = 96


def chart() -> clips.Rgb:
    """A colour chart: 6 by 4 patches side by side."""
    rows = np.array(PATCHES, np.uint8).reshape(4, 6, 3)
    return np.ascontiguousarray(rows.repeat(SIDE, axis=0).repeat(SIDE, axis=1))


def patch_means(rgb: clips.Rgb) -> list[list[float]]:
    """The mean of each patch, away from its edges, where chroma at half size must blend."""
    edge = SIDE // 4
    cells = [(y * SIDE, x * SIDE) for y in range(4) for x in range(6)]
    return [rgb[y + edge : y + SIDE - edge, x + edge : x + SIDE - edge].mean(axis=(0, 1)).tolist() for y, x in cells]


def write_clip(path: Path, frames: list[clips.Rgb], container: Container = "MP4", quality: int = 95) -> Path:
    height, width = frames[0].shape[:2]
    with Writer(path, width, height, 24, container, quality=quality) as out:
        for rgb in frames:
            out.write_rgb(rgb)
    return path


@pytest.mark.parametrize("container", ["MP4", "WEBM", "MOV"])
def test_patches_of_a_chart_stay_within_one_code_value_through_twenty_links(
    container: Container, tmp_path: Path
) -> None:
    rgb = chart()
    for link in range(20):
        path = write_clip(tmp_path / f"{link}.{container.lower()}", [rgb] * 2, container)
        rgb = decode.frame(str(path), "last").rgb
    drift = np.abs(np.array(patch_means(rgb)) - np.array(PATCHES))
    assert drift.max() <= 1.0


def test_a_chain_does_not_slide_or_blur(tmp_path: Path) -> None:
    first = rgb = clips.scene(320, 180, seed=4)
    for link in range(20):
        rgb = decode.frame(str(write_clip(tmp_path / f"{link}.mp4", [rgb], quality=99)), "last").rgb
    assert psnr(first, rgb) > 36


@pytest.mark.parametrize("container", ["MP4", "WEBM", "MOV"])
def test_a_natural_picture_comes_back_at_38_db_or_more(container: Container, tmp_path: Path) -> None:
    natural = clips.scene(640, 360, seed=7)
    path = write_clip(tmp_path / f"natural.{container.lower()}", [natural] * 2, container)
    assert psnr(natural, decode.frame(str(path), "first").rgb) >= 38


@pytest.mark.parametrize(("container", "codec"), [("MP4", "h264"), ("WEBM", "vp9"), ("MOV", "h264")])
def test_a_clip_of_ours_says_what_its_colours_are(container: Container, codec: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"own.{container.lower()}", clips.moving(12), container)
    told = probe.probe(str(path))
    assert (told.container, told.codec, told.rate, told.frames, told.duration) == (container, codec, "24/1", 12, 0.5)
    assert (told.colour.matrix, told.colour.range, told.colour.chroma) == ("bt709", "tv", "4:2:0")
    assert not told.colour.guessed


def test_the_index_of_an_mp4_stands_in_front(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "own.mp4", clips.moving(4)).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from media import clips
from runner.media.write import Writer
for container in ("MP4", "WEBM", "MOV"):
    with Writer(sys.argv[2] + "." + container, clips.WIDTH, clips.HEIGHT, 24, container, quality=95) as out:
        for rgb in clips.moving(20):
            out.write_rgb(rgb)
"""


def test_two_processes_with_other_thread_counts_write_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name, threads in (("one", "1"), ("two", "7")):
        settings = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parents[1]), str(tmp_path / name)]
        subprocess.run(command, check=True, env={**os.environ, **settings})
        digests.append(
            [hashlib.sha256((tmp_path / f"{name}.{kind}").read_bytes()).hexdigest() for kind in ("MP4", "WEBM", "MOV")]
        )
    assert digests[0] == digests[1]


def test_all_our_qualities_share_one_parameter_set(tmp_path: Path) -> None:
    sets = set()
    for quality in (20, 60, 95, 99):
        with av.open(str(write_clip(tmp_path / f"{quality}.mp4", clips.moving(3), quality=quality))) as container:
            sets.add(container.streams.video[0].codec_context.extradata)
    assert len(sets) == 1


def test_a_failed_clip_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with Writer(tmp_path / "half.mp4", clips.WIDTH, clips.HEIGHT, 24) as out:
            out.write_rgb(clips.numbered(1))
            raise RuntimeError("the story ends here")

    with pytest.raises(RuntimeError, match="the story ends here"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_t_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoryError, match="a part of the path is a file"):
        write_clip(tmp_path / "file" / "clip.mp4", clips.moving(1))


def test_odd_sizes_and_qualities_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match="even numbers"):
        Writer(tmp_path / "odd.mp4", 191, 112, 24)
    with pytest.raises(StoryError, match="not between 20 and 99"):
        Writer(tmp_path / "low.mp4", 192, 112, 24, quality=10)


def test_quality_is_a_rate_factor() -> None:
    assert [write.crf(q) for q in (99, 95, 20)] == [10, 13, 36]


def psnr(one: clips.Rgb, two: clips.Rgb) -> float:
    return 10 * math.log10(65025 / float(np.mean((one.astype(float) - two) ** 2)))
