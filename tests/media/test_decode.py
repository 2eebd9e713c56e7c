"""Awkward clips give the same frames as a full decode, and broken ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from runner.errors import StoryError
from runner.media import clip, colour, decode, picture, probe

from . import clips

FRAMES = clips.moving(40)
Maker = Callable[[Path], Path]


def x264(**options: str) -> dict[str, str]:
    return {"crf": "12", "preset": "veryfast", **options}


def b_frames(at: Path) -> Path:
    return clips.make(at / "b.mp4", FRAMES, options=x264(bf="3", **{"x264-params": "b-adapt=0:b-pyramid=normal"}))


def open_gop(at: Path) -> Path:
    params = "open-gop=1:keyint=12:min-keyint=6:b-adapt=0:scenecut=0"
    return clips.make(at / "open.mp4", FRAMES, options=x264(bf="3", **{"x264-params": params}))


def many_keys(at: Path) -> Path:
    return clips.make(at / "keys.mp4", FRAMES, options=x264(g="8"))


def edit_list(at: Path) -> Path:
    return clips.edited(
        at / "edited.mp4", clips.make(at / "plain.mp4", FRAMES, options=x264(bf="2", g="12")), 0.25, 1.0
    )


def variable_rate(at: Path) -> Path:
    return clips.make(at / "vfr.mp4", FRAMES, times=lambda n: n + n * n // 9)


def long_audio(at: Path) -> Path:
    return clips.make(at / "long.mp4", FRAMES, audio_s=4.0)


def fragmented(at: Path) -> Path:
    return clips.make(at / "frag.mp4", FRAMES, options=x264(g="10"), muxer={"movflags": "frag_keyframe+empty_moov"})


def hidden_frames(at: Path) -> Path:
    options = {"crf": "20", "b": "0", "auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good", "cpu-used": "5"}
    return clips.make(at / "altref.webm", FRAMES, codec="libvpx-vp9", options=options)


def quicktime(at: Path) -> Path:
    return clips.make(at / "clip.mov", FRAMES, codec="prores_ks", options={"profile": "2"}, pixel_format="yuv422p10le")


def one_frame(at: Path) -> Path:
    return clips.make(at / "one.mp4", FRAMES[:1])


def rotated(at: Path) -> Path:
    return clips.make(at / "turned.mp4", FRAMES, rotation=90)


def ten_bit(at: Path) -> Path:
    options = {"crf": "12", "preset": "ultrafast", "x265-params": "log-level=none:pools=1:frame-threads=1"}
    return clips.make(at / "deep.mp4", FRAMES, codec="libx265", options=options, pixel_format="yuv420p10le")


def intra_refresh(at: Path) -> Path:
    params = "intra-refresh=1:keyint=10:bframes=0"
    return clips.make(at / "refresh.mp4", FRAMES, options=x264(**{"x264-params": params}))


def elementary(at: Path) -> Path:
    return clips.make(at / "raw.h264", FRAMES)


def transport(at: Path) -> Path:
    return clips.make(at / "stream.ts", FRAMES)


def live_webm(at: Path) -> Path:
    return clips.make(
        at / "live.webm",
        FRAMES,
        codec="libvpx-vp9",
        options={"crf": "20", "b": "0", "deadline": "realtime", "cpu-used": "8"},
        muxer={"live": "1"},
    )


AWKWARD: list[Maker] = [
    b_frames,
    open_gop,
    many_keys,
    edit_list,
    variable_rate,
    long_audio,
    fragmented,
    hidden_frames,
    quicktime,
    one_frame,
    rotated,
    ten_bit,
    intra_refresh,
    elementary,
    transport,
    live_webm,
]


def upright(frame: av.VideoFrame) -> Any:
    return colour.to_rgb(frame, colour.matrix_of(frame, None))


@pytest.mark.parametrize("maker", AWKWARD, ids=lambda m: m.__name__)
def test_every_selector_gives_the_frame_of_a_full_decode(maker: Maker, tmp_path: Path) -> None:
    path = maker(tmp_path)
    all_ = clips.truth(path)
    last = decode.frame(str(path), "last")
    assert len(all_) - 1 == last.index
    assert np.array_equal(upright(all_[-1]), last.rgb)
    assert picture.digest(last.rgb) == last.digest
    assert np.array_equal(upright(all_[0]), decode.frame(str(path), "first").rgb)
    sharpest = decode.frame(str(path), "sharpest")
    assert np.array_equal(upright(all_[sharpest.index]), sharpest.rgb)
    half = f"{probe.probe(str(path)).duration / 2:.4f}s"
    middle = decode.frame(str(path), half)
    assert np.array_equal(upright(all_[middle.index]), middle.rgb)
    assert middle.time <= float(half[:-1])


@pytest.mark.parametrize("maker", [b_frames, open_gop, long_audio, hidden_frames, fragmented, ten_bit, transport])
def test_the_last_frame_is_the_one_that_was_written_last(maker: Maker, tmp_path: Path) -> None:
    assert len(FRAMES) - 1 == clips.number_of(decode.frame(str(maker(tmp_path)), "last").rgb)


def test_an_edit_list_decides_what_is_first_and_last(tmp_path: Path) -> None:
    path = str(edit_list(tmp_path))
    assert clips.number_of(decode.frame(path, "first").rgb) == 6
    assert clips.number_of(decode.frame(path, "last").rgb) == 29
    assert probe.probe(path).frames == 24


def test_seconds_name_the_last_frame_that_has_begun(tmp_path: Path) -> None:
    path = str(b_frames(tmp_path))
    assert [decode.frame(path, s).index for s in ("0s", "0.4999s", "0.5s", "1.6666s")] == [0, 11, 12, 39]


def test_a_time_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = str(one_frame(tmp_path))
    with pytest.raises(StoryError, match=r"has no frame at 2\.5 s"):
        decode.frame(path, "2.5s")


def test_a_word_that_selects_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match='no frame is called "final"'):
        decode.frame(str(one_frame(tmp_path)), "final")


def test_a_rotated_clip_comes_out_upright(tmp_path: Path) -> None:
    path = str(rotated(tmp_path))
    rgb = decode.frame(path, "last").rgb
    assert rgb.shape == (clips.WIDTH, clips.HEIGHT, 3)
    assert clips.number_of(np.rot90(rgb, -1)) == 39
    told = probe.probe(path)
    assert (told.width, told.height, told.rotation) == (clips.HEIGHT, clips.WIDTH, 270)


@pytest.mark.parametrize("share", [0.35, 0.7, 0.98])
@pytest.mark.parametrize("kind", ["faststart", "fragmented", "webm", "index at the end"])
def test_a_truncated_clip_is_an_error_not_a_guess(kind: str, share: float, tmp_path: Path) -> None:
    if kind == "webm":
        whole = hidden_frames(tmp_path)
    elif kind == "fragmented":
        whole = fragmented(tmp_path)
    else:
        whole = clips.make(tmp_path / "f.mp4", FRAMES, muxer={"movflags": "+faststart"} if kind == "faststart" else {})
    cut = tmp_path / f"cut{whole.suffix}"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    for ask in (lambda: decode.frame(str(cut), "last"), lambda: probe.probe(str(cut)), lambda: clip.moments(str(cut))):
        with pytest.raises(StoryError, match=r"cut short|can't be read as a clip"):
            ask()


def test_what_is_no_clip_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("not a clip at all, only words")
    with av.open(str(tmp_path / "sound.mp4"), "w") as out:
        clips._hum(out, out.add_stream("aac", 48_000, layout="stereo"), 0.2)
    for name in ("words.mp4", "sound.mp4", "absent.mp4"):
        with pytest.raises(StoryError, match=name):
            decode.frame(str(tmp_path / name), "last")


def test_hdr_is_refused(tmp_path: Path) -> None:
    def pq(context: Any) -> None:
        context.color_trc = 16

    path = clips.make(tmp_path / "pq.mp4", FRAMES[:4], setup=pq)
    with pytest.raises(StoryError, match="is HDR video, PQ"):
        decode.frame(str(path), "last")


@pytest.mark.parametrize(("written_as", "name"), [(1, "bt709"), (5, "smpte170m")])
def test_an_untagged_clip_is_read_as_what_is_nearer_to_the_frame_sent(
    written_as: int, name: str, tmp_path: Path
) -> None:
    path = clips.make(tmp_path / "untagged.mp4", FRAMES[:6], matrix=None, written_as=written_as)
    told = probe.probe(str(path), sent=FRAMES[0])
    assert (name, True) == (told.colour.matrix, told.colour.guessed)
    last = decode.frame(str(path), "last", sent=FRAMES[0]).rgb
    assert float(np.abs(last.mean((0, 1)) - FRAMES[5].mean((0, 1))).max()) < 2.0


def test_an_untagged_clip_with_nothing_sent_is_709(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "untagged.mp4", FRAMES[:3], matrix=None, written_as=5)
    assert probe.probe(str(path)).colour.matrix == "bt709"


def test_a_tag_is_believed_whatever_was_sent(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "tagged.mp4", FRAMES[:3], matrix=6, written_as=5)
    told = probe.probe(str(path), sent=FRAMES[0]).colour
    assert (told.matrix, told.range, told.guessed) == ("smpte170m", "tv", False)


def test_a_probe_tells_what_is_there_and_survives_json(tmp_path: Path) -> None:
    told = probe.probe(str(long_audio(tmp_path)))
    assert (
        told.container,
        told.codec,
        told.width,
        told.height,
        told.rate,
        told.frames,
        told.duration,
    ) == ("MP4", "h264", 192, 112, "24/1", 40, 1.6667)
    assert told.audio is not None
    assert (
        told.audio.codec,
        told.audio.rate,
        told.audio.channels,
        round(told.audio.duration, 1),
    ) == ("aac", 48_000, 2, 4.0)
    assert told == probe.Probe.from_json(told.as_json())
