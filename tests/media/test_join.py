"""A film shows every frame once, in order, without touching the clips' own pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from runner.errors import StoryError
from runner.media import colour, decode, probe
from runner.media.join import join
from runner.media.write import Container, Writer

from . import clips

LENGTH = 20
FRAMES = clips.moving(60)


def chain(folder: Path, container: Container = "MP4", qualities: tuple[int, ...] = (95, 80, 60)) -> list[Path]:
    """Three clips, each beginning on the frame that the one before it ended on."""
    made = []
    for number, quality in enumerate(qualities):
        start = number * (LENGTH - 1)
        path = folder / f"{number}.{container.lower()}"
        with Writer(path, clips.WIDTH, clips.HEIGHT, 24, container, quality=quality) as out:
            for rgb in FRAMES[start : start + LENGTH]:
                out.write_rgb(rgb)
        made.append(path)
    return made


def foreign(folder: Path) -> list[Path]:
    """The same chain from three strangers: other encoder settings, so other parameter sets."""
    settings = [{"crf": "12", "bf": "3"}, {"crf": "20", "preset": "medium"}, {"crf": "15", "preset": "ultrafast"}]
    return [
        clips.make(folder / f"foreign{n}.mp4", FRAMES[n * 19 : n * 19 + 20], options=o) for n, o in enumerate(settings)
    ]


def entries(paths: list[Path], **more: Any) -> list[dict[str, Any]]:
    return [{"clip": str(p), "in": 0, "out": LENGTH, "repeat": n > 0, **more} for n, p in enumerate(paths)]


def watched(film: Path) -> list[tuple[int, float]]:
    """What a viewer sees: the number of each picture and how many frames it stands, unless it has no time at all."""
    shown = clips.truth(film)
    assert all(f.pts is not None and f.time_base is not None for f in shown)
    times = [float((f.pts or 0) * (f.time_base or 1)) * 24 for f in shown]
    lengths = [*(b - a for a, b in pairwise(times)), 1.0]
    numbers = [clips.number_of(colour.to_rgb(f, colour.BT709)) for f in shown]
    return [(n, round(length, 1)) for n, length in zip(numbers, lengths, strict=True) if length > 0.1]


@pytest.mark.parametrize("method", ["squeeze", "tail"])
@pytest.mark.parametrize("container", ["MP4", "WEBM", "MOV"])
def test_a_repeated_frame_is_shown_once(container: Container, method: str, tmp_path: Path) -> None:
    film = tmp_path / f"film.{container.lower()}"
    told = join({"entries": entries(chain(tmp_path, container)), "out": str(film), "method": method, "conform": None})
    assert [(n, 1.0) for n in range(58)] == watched(film)
    assert (told["frames"], told["duration"], told["copied"]) == (58, 2.4167, True)
    assert told["bytes"] == film.stat().st_size


def test_tail_holds_as_many_pictures_as_it_shows(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    join({"entries": entries(chain(tmp_path)), "out": str(film), "method": "tail"})
    assert len(clips.truth(film)) == 58


def test_keep_shows_both(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    assert join({"entries": entries(chain(tmp_path)), "out": str(film), "method": "keep"})["frames"] == 60
    assert [n for n, _ in watched(film) if n == 19] == [19, 19]


@pytest.mark.parametrize("method", ["squeeze", "tail"])
def test_clips_of_strangers_are_copied_without_a_damaged_picture(method: str, tmp_path: Path) -> None:
    paths = foreign(tmp_path)
    film = tmp_path / "film.mp4"
    told = join({"entries": entries(paths), "out": str(film), "method": method})
    assert told["copied"]
    assert [n for n, _ in watched(film)] == list(range(58))
    pictures = [colour.to_rgb(f, colour.BT709) for p in paths for f in clips.truth(p)]
    copied = {p.tobytes() for p in pictures}
    strange = [f for f in clips.truth(film) if colour.to_rgb(f, colour.BT709).tobytes() not in copied]
    assert len(strange) <= (0 if method == "squeeze" else 8)


def test_a_parent_trimmed_at_its_end_stops_there(tmp_path: Path) -> None:
    paths = chain(tmp_path)
    listed = entries(paths, repeat=False)
    listed[0]["out"] = 13
    listed[2]["in"] = 4
    for method in ("tail", "squeeze"):
        film = tmp_path / f"{method}.mp4"
        told = join({"entries": listed, "out": str(film), "method": method})
        assert [n for n, _ in watched(film)] == [*range(13), *range(19, 39), *range(42, 58)]
        assert told["frames"] == 49
        assert told["notes"]


def test_a_film_of_one_clip_is_that_clip(tmp_path: Path) -> None:
    path = chain(tmp_path)[0]
    film = tmp_path / "film.mp4"
    told = join({"entries": entries([path]), "out": str(film)})
    assert (told["frames"], told["notes"]) == (20, [])
    assert decode.frame(str(path), "last").digest == decode.frame(str(film), "last").digest


def test_sizes_that_differ_are_an_error_that_names_the_clips(tmp_path: Path) -> None:
    other = clips.make(tmp_path / "tall.mp4", [clips.scene(112, 192)] * LENGTH)
    with pytest.raises(StoryError, match=r"0\.mp4 is 192x112 at 24, but tall\.mp4 is 112x192 at 24"):
        join({"entries": entries([*chain(tmp_path), other]), "out": str(tmp_path / "film.mp4")})
    assert not (tmp_path / "film.mp4").exists()


def test_rates_that_differ_are_an_error_that_names_the_clips(tmp_path: Path) -> None:
    other = clips.make(tmp_path / "fast.mp4", FRAMES[:LENGTH], rate=30)
    with pytest.raises(StoryError, match=r"fast\.mp4 is 192x112 at 30"):
        join({"entries": entries([*chain(tmp_path), other]), "out": str(tmp_path / "film.mp4")})


@pytest.mark.parametrize("conform", ["fit", "fill"])
def test_clips_are_conformed_where_it_is_asked_and_it_is_told(conform: str, tmp_path: Path) -> None:
    other = clips.make(tmp_path / "other.mp4", [clips.scene(112, 192)] * 30, rate=30)
    listed = [*entries(chain(tmp_path)[:1]), {"clip": str(other), "in": 0, "out": 30, "repeat": False}]
    film = tmp_path / "film.mp4"
    told = join({"entries": listed, "out": str(film), "conform": conform, "width": 192, "height": 112, "rate": "24/1"})
    assert (told["copied"], told["frames"]) == (False, 20 + 24)
    assert any("encoded again" in note for note in told["notes"])
    made = probe.probe(str(film))
    assert (made.width, made.height, made.rate) == (192, 112, "24/1")
    side = decode.frame(str(film), "last").rgb[:, :20]
    assert (side.max() < 20) == (conform == "fit")


def test_clips_of_two_codecs_are_encoded_again_and_it_is_told(tmp_path: Path) -> None:
    mixed = [chain(tmp_path)[0], chain(tmp_path, "WEBM")[1]]
    film = tmp_path / "film.mp4"
    told = join({"entries": entries(mixed), "out": str(film)})
    assert not told["copied"]
    assert "encoded again: clips are in h264 and vp9" in told["notes"]
    assert [n for n, _ in watched(film)] == list(range(39))


def test_sound_stays_with_its_picture_and_silence_fills_the_rest(tmp_path: Path) -> None:
    loud = clips.make(tmp_path / "loud.mp4", FRAMES[:LENGTH], audio_s=3.0, options={"crf": "15"})
    still = clips.make(tmp_path / "still.mp4", FRAMES[:LENGTH], options={"crf": "15"})
    film = tmp_path / "film.mp4"
    join({"entries": entries([loud, still, loud, still], repeat=False), "out": str(film)})
    with av.open(str(film)) as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    part = round(LENGTH / 24 * 48_000)
    assert abs(len(heard) - 4 * part) <= 1024
    loudness = [float(np.abs(heard[n * part + 3000 : (n + 1) * part - 3000]).mean()) for n in range(4)]
    assert [x > 0.1 for x in loudness] == [True, False, True, False]
    begins = np.flatnonzero(np.abs(heard[2 * part - 3000 : 2 * part + 3000]) > 0.05)[0] - 3000
    assert abs(begins) < 0.005 * 48_000


def test_sound_goes_into_webm_too(tmp_path: Path) -> None:
    options = {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "8"}
    loud = clips.make(tmp_path / "loud.mp4", FRAMES[:LENGTH], codec="libvpx-vp9", options=options, audio_s=1.0)
    film = tmp_path / "film.webm"
    told = join({"entries": entries([loud, loud], repeat=False), "out": str(film)})
    made = probe.probe(str(film))
    assert told["copied"]
    assert made.audio is not None
    assert (made.audio.codec, made.frames) == ("opus", 40)


def test_a_truncated_clip_stops_the_film_and_leaves_the_last_one(tmp_path: Path) -> None:
    paths = chain(tmp_path)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"the last film")
    paths[1].write_bytes(paths[1].read_bytes()[:-2000])
    with pytest.raises(StoryError, match=r"1\.mp4 is cut short"):
        join({"entries": entries(paths), "out": str(film)})
    assert film.read_bytes() == b"the last film"
    assert not list(tmp_path.glob(".*"))


def test_points_outside_the_clip_are_refused(tmp_path: Path) -> None:
    listed = entries(chain(tmp_path))
    listed[1]["out"] = 25
    with pytest.raises(StoryError, match=r"1\.mp4 has 20 frames"):
        join({"entries": listed, "out": str(tmp_path / "film.mp4")})


def test_a_film_never_replaces_one_of_its_clips(tmp_path: Path) -> None:
    paths = chain(tmp_path)
    before = paths[1].read_bytes()
    with pytest.raises(StoryError, match=r"1\.mp4 is a clip of the film itself"):
        join({"entries": entries(paths), "out": str(paths[1])})
    assert before == paths[1].read_bytes()


SCRIPT = "import json, sys; from runner.media.join import join; print(json.dumps(join(json.loads(sys.argv[1]))))"


def test_two_processes_write_the_same_film(tmp_path: Path) -> None:
    chained = entries(chain(tmp_path))
    loud = clips.make(tmp_path / "loud.mp4", FRAMES[:LENGTH], audio_s=1.0)
    results = []
    for threads in ("1", "7"):
        order = {"entries": [*chained, *entries([loud])], "out": str(tmp_path / f"film{threads}.mp4"), "method": "tail"}
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        command = [sys.executable, "-c", SCRIPT, json.dumps(order)]
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        results.append(json.loads(done.stdout))
    assert results[0] == results[1]
