"""What enters the encoder: exact ends, a slate in between, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from runner.media import picture
from runner.media.write import to_planes
from runner.providers.animatic import slate
from runner.providers.animatic.draw import Planes, draw, frames

from .orders import MARKET, order, still


def same(ours: Planes, theirs: Planes) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def luma_apart(ours: Planes, theirs: Planes) -> float:
    return float(np.abs(ours[0].astype(int) - theirs[0].astype(int)).mean())


def test_a_clip_begins_exactly_on_the_frame_it_was_given(tmp_path: Path) -> None:
    first = still(tmp_path / "first.png")
    drawn = list(frames(order(first=first)))
    assert same(to_planes(picture.read(first)), drawn[0])
    assert not same(drawn[0], drawn[-1])


def test_a_clip_ends_exactly_on_the_frame_it_must_reach(tmp_path: Path) -> None:
    first, last = still(tmp_path / "first.png"), still(tmp_path / "last.png", seed=2)
    drawn = list(frames(order(first=first, last=last)))
    assert same(to_planes(picture.read(first)), drawn[0])
    assert same(to_planes(picture.read(last)), drawn[-1])


def test_a_picture_of_another_shape_is_cropped_to_the_clip(tmp_path: Path) -> None:
    first = still(tmp_path / "first.png", width=160, height=120)
    drawn = next(iter(frames(order(first=first))))
    assert same(to_planes(picture.fit(picture.read(first), 160, 90, "crop")), drawn)


def test_a_clip_leaves_the_given_frame_without_a_jump(tmp_path: Path) -> None:
    drawn = list(frames(order("A harbour at dusk.", first=_drawn_still(tmp_path), duration=3)))
    steps = [luma_apart(a, b) for a, b in pairwise(drawn)]
    assert max(steps) < 10  # a cut between these two is 50
    assert steps[0] < 0.6
    assert steps[-1] < 1.5


def test_the_given_frame_is_gone_by_the_middle_of_the_clip(tmp_path: Path) -> None:
    with_first = list(frames(order(first=still(tmp_path / "first.png"))))
    without = list(frames(order()))
    assert same(without[-1], with_first[-1])
    assert same(without[24], with_first[24])


@pytest.mark.parametrize(("duration", "count"), [(5, 120), (0.04, 1), (0.5, 12), (1.27, 30)])
def test_a_clip_has_the_frames_its_seconds_ask_for(duration: float, count: int) -> None:
    assert count == sum(1 for _ in frames(order("A quiet desert at noon.", width=64, height=36, duration=duration)))


def test_the_slate_is_there_in_between_and_gone_from_both_half_seconds() -> None:
    with_slate, bare = order(), order()
    bare["slate"] = {"scene": "999", "shot": "9999", "line": "Other words stand here altogether."}
    differs = [not same(a, b) for a, b in zip(frames(with_slate), frames(bare), strict=True)]
    assert [False] * 12 == differs[:12]
    assert [False] * 12 == differs[-12:]
    assert all(differs[14:-14])


def _slated(clear: list[float], *, duration: float = 5.0) -> list[bool]:
    """For each frame of a small clip, whether the slate shows in it."""
    with_slate, bare = (order("A quiet desert at noon.", width=96, height=96, duration=duration) for _ in range(2))
    with_slate["slate"]["clear"] = clear
    bare["slate"] = {"clear": [second / 24 for second in range(120)]}
    return [not same(a, b) for a, b in zip(frames(with_slate), frames(bare), strict=True)]


@pytest.mark.parametrize(("second", "index"), [(2.5, 60), (2.54, 60), (59 / 24, 59), (1.0, 24)])
def test_a_frame_handed_on_from_inside_a_clip_has_no_slate(second: float, index: int) -> None:
    slated = _slated([second])
    assert [False] * 3 == slated[index - 1 : index + 2]
    assert [True] * 2 == [slated[index - 6], slated[index + 6]]
    assert slated.count(True) < _slated([]).count(True)


def test_frames_handed_on_close_together_are_all_without_a_slate() -> None:
    slated = _slated([2.0, 2.25, 3.0])
    for index in (48, 54, 72):
        assert [False] * 3 == slated[index - 1 : index + 2]
    assert slated[63]


def test_a_frame_handed_on_past_the_end_is_the_last_one() -> None:
    assert _slated([]) == _slated([99.0])


def test_the_slate_fades_out_and_in_around_a_frame_handed_on() -> None:
    board = slate.make(
        {"line": "Mira spins.", "clear": [2.5]},
        take=1,
        seconds=5.0,
        width=640,
        height=360,
        rate=24.0,
        accent=(255, 0, 0),
    )
    assert board is not None
    shown = [board.opacity(index, 120) for index in range(120)]
    assert [0, 0, 0] == shown[59:62]
    assert sorted(shown[60:75]) == shown[60:75]
    assert sorted(shown[45:61], reverse=True) == shown[45:61]
    assert 256 == shown[48] == shown[72]
    assert max(abs(a - b) for a, b in pairwise(shown)) < 64


def test_the_slate_stays_in_the_lower_third() -> None:
    with_slate, bare = order(width=320, height=180), order(width=320, height=180)
    bare["slate"] = {}
    for ours, theirs in zip(list(frames(with_slate))[20:28], list(frames(bare))[20:28], strict=True):
        assert np.array_equal(ours[0][:120], theirs[0][:120])
        assert not np.array_equal(ours[0][120:], theirs[0][120:])


def test_a_clip_too_short_to_read_has_no_slate() -> None:
    with_slate, bare = order(duration=1.4), order(duration=1.4)
    bare["slate"] = {}
    assert all(same(a, b) for a, b in zip(frames(with_slate), frames(bare), strict=True))


@pytest.mark.parametrize(("width", "height"), [(720, 1280), (720, 720), (64, 64)])
def test_a_slate_of_endless_words_fits_every_shape(width: int, height: int) -> None:
    wordy = order("Fog.", width=width, height=height, duration=2)
    wordy["slate"] = {
        "scene": "010",
        "scene_title": "A title that no slate could hold " * 9,
        "shot": "0020",
        "line": "andthisword" * 40 + " and more " * 80,
    }
    middle = list(frames(wordy))[24]
    assert (height, width) == middle[0].shape
    # The band keeps off the upper half whatever it has to say.
    bare = dict(wordy, slate={})
    assert np.array_equal(list(frames(bare))[24][0][: height // 2], middle[0][: height // 2])


def test_takes_of_a_shot_are_different_pictures() -> None:
    ends = [list(frames(order(duration=0.5, take=take)))[-1] for take in (1, 2, 3, 4)]
    for at, one in enumerate(ends):
        for other in ends[at + 1 :]:
            assert luma_apart(one, other) > 3


def test_what_must_not_be_seen_changes_nothing() -> None:
    plain = list(frames(order(duration=0.5)))
    warned = list(frames(order(duration=0.5, negativePrompt="snow, desert at noon, crimson, pan left")))
    assert all(same(a, b) for a, b in zip(plain, warned, strict=True))


@pytest.mark.parametrize("container", ["MP4", "WEBM", "MOV"])
def test_a_clip_is_written_in_every_container(container: str, tmp_path: Path) -> None:
    out = tmp_path / f"clip.{container.lower()}"
    told = draw(order(out=out, outputFormat=container, outputQuality=80))
    assert {"frames": 48, "width": 160, "height": 90} == told
    with av.open(str(out)) as clip:
        assert 48 == sum(1 for _ in clip.decode(video=0))


def test_the_same_order_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    first = still(tmp_path / "first.png")
    digests = set()
    for at, hash_seed in enumerate(("0", "4711")):
        asked = order(MARKET, first=first, duration=1.6, out=tmp_path / f"{at}.mp4")
        script = "import json, sys; from runner.providers.animatic.draw import draw; draw(json.load(sys.stdin))"
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": str(at + 1)}
        subprocess.run([sys.executable, "-c", script], input=json.dumps(asked), text=True, env=env, check=True)
        digests.add(hashlib.sha256((tmp_path / f"{at}.mp4").read_bytes()).hexdigest())
    draw(order(MARKET, first=first, duration=1.6, out=tmp_path / "here.mp4"))
    digests.add(hashlib.sha256((tmp_path / "here.mp4").read_bytes()).hexdigest())
    assert 1 == len(digests)


def test_twenty_chained_shots_stay_as_lively_as_the_first(tmp_path: Path) -> None:
    first: Path | None = None
    contrast = []
    for at in range(20):
        key = hashlib.sha256(f"shot {at}".encode()).hexdigest()
        end = list(frames(order(duration=0.6, key=key, first=first)))[-1]
        first = tmp_path / f"{at}.png"
        first.write_bytes(picture.png(_rgb(end)))
        contrast.append(float(end[0].std()))
    assert min(contrast[1:]) > 0.6 * contrast[0]
    assert 20 == len({(tmp_path / f"{at}.png").read_bytes() for at in range(20)})


def _drawn_still(folder: Path) -> Path:
    path = folder / "drawn.png"
    head = next(iter(frames(order("A forest at dawn, mist."))))
    path.write_bytes(picture.png(_rgb(head)))
    return path


def _rgb(planes: Planes) -> picture.Rgb:
    y, u, v = (plane.astype(np.float32) for plane in planes)
    u, v = (np.repeat(np.repeat(plane - 128, 2, axis=0), 2, axis=1) for plane in (u, v))
    light = (y - 16) * 1.164384
    rgb = np.stack([light + 1.792741 * v, light - 0.213249 * u - 0.532909 * v, light + 2.112402 * u], axis=-1)
    whole: picture.Rgb = np.clip(rgb + 0.5, 0, 255).astype(np.uint8)
    return whole
