"""One pass over a clip tells all: digest, facts, the frames handed on, and what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runner.errors import StoryError
from runner.media import decode, likeness, picture, probe
from runner.media.receive import receive

from . import clips
from .test_decode import AWKWARD, Maker

FRAMES = clips.moving(36)
BLACK = np.zeros_like(FRAMES[0])


def order(tmp_path: Path, clip: Path, **more: Any) -> dict[str, Any]:
    return {"clip": str(clip), "into": str(tmp_path / "frames"), **more}


def save(path: Path, rgb: clips.Rgb) -> str:
    path.write_bytes(picture.png(rgb))
    return str(path)


def facts(result: dict[str, Any]) -> str:
    return "\n".join(f"{f['level']}: {f['fact']}" for f in result["inspect"]["findings"])


def test_a_good_clip_is_told_whole_in_plain_json(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "good.mp4", FRAMES)
    sent, aimed = save(tmp_path / "sent.png", FRAMES[0]), save(tmp_path / "aimed.png", FRAMES[-1])
    asked = {"width": clips.WIDTH, "height": clips.HEIGHT, "seconds": 1.5, "fps": 24}
    strips = tmp_path / "strips"
    full = order(tmp_path, clip, frames=["0.5s", "sharpest"], first=sent, last=aimed, asked=asked, contacts=str(strips))
    told = receive(full)
    contact = strips / f"{told['digest']}.jpg"
    assert told == json.loads(json.dumps(told))
    assert told["digest"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert told["bytes"] == clip.stat().st_size
    assert told["probe"] == probe.probe(str(clip)).as_json()
    assert set(told["frames"]) == {"first", "last", "0.5s", "sharpest"}
    for selector, frame in told["frames"].items():
        exact = decode.frame(str(clip), selector)
        assert frame == {"index": exact.index, "time": exact.time, "digest": exact.digest}
        assert np.array_equal(exact.rgb, picture.read(tmp_path / "frames" / f"{frame['digest']}.png"))
    seen = told["inspect"]
    assert set(seen) == {"asked", "black", "frozen", "cuts", "head", "foot", "means", "luma", "findings"}
    assert (seen["asked"], seen["black"], seen["cuts"], seen["findings"]) == ([], [], [], [])
    assert (seen["head"]["likeness"], seen["foot"]["likeness"]) == ("repeat", "repeat")
    assert set(seen["head"]) == {"psnr", "ssim", "luma", "colour", "likeness"}
    assert seen["means"]["first"] == pytest.approx(FRAMES[0].mean(axis=(0, 1)).tolist(), abs=1)
    with Image.open(contact) as strip:
        width = min(320, clips.WIDTH)
        assert (strip.format, strip.size) == ("JPEG", (7 * width, round(width * clips.HEIGHT / clips.WIDTH)))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "frames").iterdir()}
    drawn = contact.read_bytes()
    assert told == receive(full)
    assert drawn == contact.read_bytes()
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "frames").iterdir()}


@pytest.mark.parametrize("maker", AWKWARD, ids=lambda m: m.__name__)
def test_the_one_pass_gives_the_frames_of_a_full_decode(maker: Maker, tmp_path: Path) -> None:
    clip = maker(tmp_path)
    told = receive(order(tmp_path, clip, frames=["sharpest"]))
    assert len(clips.truth(clip)) == told["probe"]["frames"]
    for selector in ("first", "last", "sharpest"):
        exact = decode.frame(str(clip), selector)
        assert (told["frames"][selector]["index"], told["frames"][selector]["digest"]) == (exact.index, exact.digest)


def test_what_was_asked_and_not_given_is_found(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "other.mp4", FRAMES)
    told = receive(order(tmp_path, clip, asked={"width": 1280, "height": 720, "seconds": 5, "fps": 30}))
    assert told["inspect"]["asked"] == told["inspect"]["findings"]
    assert facts(told).splitlines() == [
        "error: the clip is 192x112, asked was 1280x720",
        "warning: the clip has 24 frames a second, asked was 30",
        "warning: the clip is 1.5 s long, asked was 5 s",
        "warning: the clip has 36 frames, asked was 150",
    ]


def test_black_is_found_where_it_is(tmp_path: Path) -> None:
    dark = np.full_like(BLACK, 20)  # a night scene is dark too, and is not black
    dark[40:60, 40:60] = 60
    clip = clips.make(tmp_path / "black.mp4", [*FRAMES[:12], *[BLACK] * 6, *FRAMES[12:18], *[dark] * 6])
    told = receive(order(tmp_path, clip))
    assert told["inspect"]["black"] == [[0.5, 0.75]]
    assert "black from 0.5 s to 0.75 s" in facts(told)


def test_a_clip_that_is_all_black_is_an_error(tmp_path: Path) -> None:
    told = receive(order(tmp_path, clips.make(tmp_path / "night.mp4", [BLACK] * 8)))
    assert "error: the whole clip is black" in facts(told)


def test_a_clip_that_stands_still_is_found(tmp_path: Path) -> None:
    told = receive(order(tmp_path, clips.make(tmp_path / "still.mp4", [FRAMES[0]] * 24)))
    assert told["inspect"]["frozen"] >= 0.95
    assert "stands still" in facts(told)


def test_a_cut_inside_is_found_and_a_flash_is_not_a_cut(tmp_path: Path) -> None:
    other = [255 - f for f in FRAMES]
    cut = receive(order(tmp_path, clips.make(tmp_path / "cut.mp4", [*FRAMES[:18], *other[18:]])))
    assert cut["inspect"]["cuts"] == [0.75]
    assert "warning: jumps at 0.75 s, as a cut does" in facts(cut)
    white = np.full_like(BLACK, 250)
    flash = receive(order(tmp_path, clips.make(tmp_path / "flash.mp4", [*FRAMES[:12], white, *FRAMES[13:]])))
    assert flash["inspect"]["cuts"] == []
    assert "warning: flashes at 0.5 s" in facts(flash)


@pytest.mark.parametrize(("shift", "level"), [(5, "warning"), (14, "error")])
def test_a_shift_of_colour_is_found(shift: int, level: str, tmp_path: Path) -> None:
    redder = [np.clip(f + np.array([shift, 0, -shift]), 0, 255).astype(np.uint8) for f in FRAMES[:12]]
    clip = clips.make(tmp_path / "red.mp4", redder)
    told = receive(order(tmp_path, clip, first=save(tmp_path / "sent.png", FRAMES[0])))
    red, green, blue = told["inspect"]["head"]["colour"]
    assert red == pytest.approx(shift, abs=1.5)
    assert blue == pytest.approx(-shift, abs=1.5)
    assert abs(green) < 1
    assert f"{level}: the colours of the first frame moved by R +" in facts(told)


def test_a_head_that_is_another_picture_is_broken(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "lost.mp4", FRAMES[:6])
    told = receive(order(tmp_path, clip, first=save(tmp_path / "sent.png", 255 - FRAMES[0])))
    assert told["inspect"]["head"]["likeness"] == "broken"
    assert "error: the first frame is not the picture that was sent" in facts(told)


def test_likeness_has_the_words_of_its_bounds() -> None:
    words = [likeness.verdict(*m) for m in ((34, 0.95), (33.9, 0.99), (50, 0.94), (20, 0.8), (20, 0.79), (20, 0.49))]
    assert words == ["repeat", "continuous", "continuous", "continuous", "suspect", "broken"]
    assert likeness.compare(FRAMES[0], FRAMES[0]).psnr == likeness.PSNR_MAX_DB


def test_a_clip_of_one_frame_has_all_its_fields(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "one.mp4", FRAMES[:1])
    told = receive(order(tmp_path, clip, frames=["sharpest", "0s"], contacts=str(tmp_path)))
    assert {0} == {f["index"] for f in told["frames"].values()}
    assert told["inspect"]["frozen"] == 0.0


def test_a_truncated_clip_leaves_no_picture(tmp_path: Path) -> None:
    whole = clips.make(tmp_path / "whole.mp4", FRAMES, muxer={"movflags": "+faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoryError, match="cut short"):
        receive(order(tmp_path, tmp_path / "cut.mp4"))
    assert not (tmp_path / "frames").exists()
