"""What a clip is: its size, rate, frames, length, colour and sound, as they are and not as its header claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from ..errors import StoryError
from . import clip, colour
from .clip import Moments
from .colour import Colour
from .picture import Rgb


@dataclass(frozen=True, slots=True)
class Audio:
    """The clip's first sound track: codec, samples a second, channels, seconds."""

    codec: str
    rate: int
    channels: int
    duration: float


@dataclass(frozen=True, slots=True)
class Probe:
    """A clip's facts. ``width`` and ``height`` are as shown (after rotation, in degrees clockwise), ``rate`` is written
    like ``24/1``, ``frames`` are counted, ``duration`` is in seconds from the first picture to the end of the last.
    """

    container: str
    codec: str
    width: int
    height: int
    rate: str
    frames: int
    duration: float
    pixel_format: str
    rotation: int
    colour: Colour
    audio: Audio | None
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """Plain data, as it stands in a takes file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Probe:
        """The probe that ``as_json`` wrote."""
        plain = dict(data)
        plain["colour"] = Colour(**plain["colour"])
        plain["audio"] = Audio(**plain["audio"]) if plain["audio"] else None
        return cls(**plain)


def probe(path: str, *, sent: Rgb | None = None) -> Probe:
    """The facts of a clip. ``sent`` is the picture it was asked to begin on: it settles an untagged clip's colours.

    Raises StoryError for what is not a whole clip.
    """
    times = clip.moments(path)
    with clip.opened(path) as (container, stream):
        head = next(clip.frames(container, stream), None)
        if head is None:
            raise StoryError.of(f"{path} has no pictures", clip.DAMAGED)
        return describe(container, stream, head, times, colour.matrix_of(head, sent))


def ordinary(path: str) -> Probe:
    """As ``probe``, for a clip whose frames are to be handed on. Raises StoryError for one that is HDR, too."""
    with clip.opened(path) as (container, stream):
        head = next(clip.frames(container, stream), None)
        if head is not None:
            colour.refuse_hdr(head, path)
    return probe(path)


def describe(container: InputContainer, stream: VideoStream, head: av.VideoFrame, times: Moments, matrix: int) -> Probe:
    """The facts of an opened clip, from its first picture, its presentation times and the matrix it is read with."""
    width, height = colour.shown_size(head)
    rate = times.rate
    return Probe(
        container=_container(container),
        codec=stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        rate=f"{rate.numerator}/{rate.denominator}",
        frames=len(times.ticks),
        duration=times.duration,
        pixel_format=head.format.name,
        rotation=colour.rotation(head),
        colour=colour.tags(head, matrix),
        audio=_audio(container),
        bytes=Path(container.name.removeprefix("file:")).stat().st_size,
    )


def _container(container: InputContainer) -> str:
    names = container.format.name.split(",")
    if "mp4" in names:
        return "MOV" if container.metadata.get("major_brand", "").startswith("qt") else "MP4"
    if "webm" in names:
        webm = {s.codec_context.codec.canonical_name for s in container.streams if s.type in {"video", "audio"}}
        return "WEBM" if webm <= {"vp8", "vp9", "av1", "opus", "vorbis"} else "MKV"
    return names[0].upper()


def _audio(container: InputContainer) -> Audio | None:
    for stream in container.streams.audio:
        length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if not length and container.duration:
            length = container.duration / 1_000_000
        codec = stream.codec_context
        return Audio(codec.codec.canonical_name, codec.sample_rate, codec.channels, round(length, 4))
    return None
