"""Clips that don't agree, made to: decoded, fitted to one size and rate, and encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ..errors import StoryError
from . import clip, colour, picture, probe, sound, write
from .clip import Moments
from .landing import landing
from .picture import Rgb
from .sound import Track
from .write import Container

CRF = 14
"""x264's rate factor for a film that has to be encoded again."""


@dataclass(frozen=True, slots=True)
class Look:
    """What all clips of a film are brought to: pixels, and frames a second."""

    width: int
    height: int
    rate: Fraction

    @classmethod
    def of(cls, order: Mapping[str, Any], first: str) -> Look:
        """What an order asks for; where it is silent, what the first clip has."""
        own = probe.probe(first)
        width, height = int(order.get("width") or own.width), int(order.get("height") or own.height)
        return cls(width - width % 2, height - height % 2, Fraction(order.get("rate") or own.rate))


def refuse_mixed(clips: Sequence[str], *, always: bool = True) -> None:
    """StoryError that names the clips whose size or rate is not that of the first."""
    shapes = {path: probe.probe(path) for path in dict.fromkeys(clips)}
    first = shapes[clips[0]]
    others = [
        f"{Path(path).name} is {p.width}x{p.height} at {_rate(p.rate)}"
        for path, p in shapes.items()
        if (p.width, p.height, p.rate) != (first.width, first.height, first.rate)
    ]
    if others or always:
        fact = f"{Path(clips[0]).name} is {first.width}x{first.height} at {_rate(first.rate)}, but {', '.join(others)}"
        raise StoryError.of(f"the clips of the film don't fit: {fact}", "assemble: {conform: fit} or {conform: fill}")


def encode(
    spans: Sequence[tuple[str, int, int]], path: Path, container: Container, look: Look, how: Literal["crop", "pad"]
) -> tuple[int, Fraction]:
    """Writes clips (path, first frame, frame after the last) anew as one film; gives its frames and seconds."""
    loud = any(sound.has_sound(p) for p, _, _ in spans)
    frames = 0
    with landing(path) as beside, write.create(beside, container, look.rate) as out:
        video = write.add_video(out, (look.width, look.height), look.rate, CRF)
        track = Track(out) if loud else None
        for source, first, stop in spans:
            times = clip.decoded_moments(source)
            for rgb in _at_rate(source, times, first, stop, look.rate):
                frame = colour.frame_of(*colour.to_planes(picture.fit(rgb, look.width, look.height, how)))
                frame.pts = frames
                frames += 1
                out.mux(video.encode(frame))
            if track:
                count = round(frames / look.rate * sound.RATE) - track.written
                track.add(sound.cut(source, times.ticks[first] * times.time_base, count))
        out.mux(video.encode(None))
        if track:
            track.close()
    return frames, frames / look.rate


def encode_like(path: str, times: Moments, ticks: Sequence[int], factor: int) -> list[Packet[VideoStream]]:
    """H.264 packets (with parameter sets) of these pictures of a clip, to stand after packets copied from it.

    Their ``pts`` is the number of the picture in ``ticks``. The decoded planes go to the encoder as they are.
    """
    wanted = {tick: number for number, tick in enumerate(ticks)}
    packets: list[Packet[VideoStream]] = []
    step = 1 / times.rate
    with clip.opened(path) as (container, stream):
        encoder = _encoder_like(stream, step, factor)
        for frame in clip.frames(container, stream):
            number = wanted.get(frame.pts) if frame.pts is not None else None
            if number is not None:
                frame.pts, frame.time_base, frame.pict_type = number, step, 0
                packets += cast("list[Packet[VideoStream]]", encoder.encode(frame))
        packets += cast("list[Packet[VideoStream]]", encoder.encode(None))
    return packets


def _encoder_like(stream: VideoStream, step: Fraction, factor: int) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    source = stream.codec_context
    encoder.width, encoder.height, encoder.pix_fmt = source.width, source.height, source.pix_fmt
    encoder.time_base, encoder.framerate = step, 1 / step
    encoder.thread_count = 1
    encoder.colorspace, encoder.color_range = source.colorspace, source.color_range
    encoder.color_primaries, encoder.color_trc = source.color_primaries, source.color_trc
    encoder.options = {"crf": str(factor), "preset": "veryfast", "bf": "0", "x264-params": write.X264}
    return encoder


def _at_rate(path: str, times: Moments, first: int, stop: int, rate: Fraction) -> Iterator[Rgb]:
    """The pictures of a span at another rate: at each moment the one that the clip shows then."""
    begin = times.ticks[first]
    end = times.ticks[stop] if stop < len(times.ticks) else times.end
    count = max(1, round((end - begin) * times.time_base * rate))
    shown = [min(stop - 1, max(first, _number(times, begin, k / rate))) for k in range(count)]
    due = 0
    matrix = colour.BT709
    with clip.opened(path) as (container, stream):
        for number, frame in enumerate(clip.frames(container, stream)):
            if number == 0:
                colour.refuse_hdr(frame, path)
                matrix = colour.matrix_of(frame, None)
            if due < count and shown[due] == number:
                rgb = colour.to_rgb(frame, matrix)
                while due < count and shown[due] == number:
                    yield rgb
                    due += 1


def _number(times: Moments, begin: int, seconds: Fraction) -> int:
    # Half a tick of mercy: containers round the times of pictures to whole ticks.
    offset = (begin - times.ticks[0]) * times.time_base
    return times.at(offset + seconds + times.time_base / 2)


def _rate(rate: str) -> str:
    return f"{float(Fraction(rate)):g}"
