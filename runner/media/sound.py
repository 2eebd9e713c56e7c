"""The sound of a film: decoded, cut to each picture's length to the sample, and encoded once.

Copying sound instead would let every clip's padding pile up: 50 to 155 ms late after five joins.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from . import clip

RATE = 48_000
"""Samples a second of every film that has sound; two channels."""

Samples = NDArray[np.float32]


def has_sound(path: str) -> bool:
    """Whether the clip has a sound track."""
    with clip.opened(path) as (container, _):
        return bool(container.streams.audio)


def cut(path: str, start: Fraction, count: int) -> Samples:
    """``count`` samples of a clip's sound from ``start`` seconds of its own time: shape (2, count), else silence."""
    heard = np.zeros((2, count), np.float32)
    with clip.opened(path) as (container, _):
        if not container.streams.audio:
            return heard
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        at: int | None = None
        for packet in container.demux(stream):
            for frame in packet.decode():
                if at is None:
                    begin = Fraction(frame.pts or 0) * (frame.time_base or Fraction(1, RATE))
                    at = round((begin - start) * RATE)
                for part in resampler.resample(frame):
                    at = _lay(heard, part, at)
        for part in resampler.resample(None) if at is not None else []:
            at = _lay(heard, part, at or 0)
    return heard


class Track:
    """The sound track of a film that is being written: takes samples, gives packets to the muxer."""

    def __init__(self, out: OutputContainer) -> None:
        self._out = out
        opus = out.format.name == "webm"
        self._stream: AudioStream = out.add_stream("libopus" if opus else "aac", RATE, layout="stereo")
        self._stream.codec_context.bit_rate = 160_000
        self._stream.codec_context.time_base = Fraction(1, RATE)
        self._stream.codec_context.format = "flt" if opus else "fltp"
        self._fifo = av.AudioFifo()
        self._size = 960 if opus else 1024
        self._written = 0

    @property
    def written(self) -> int:
        """Samples taken so far."""
        return self._written

    def add(self, samples: Samples) -> None:
        """The next samples, shape (2, count)."""
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._written
        self._written += samples.shape[1]
        self._fifo.write(frame)
        while (whole := self._fifo.read(self._size)) is not None:
            self._encode(whole)

    def close(self) -> None:
        """The rest, and what the encoder holds back."""
        rest = self._fifo.read(0, partial=True)
        if rest is not None:
            self._encode(rest)
        self._out.mux(self._stream.encode(None))

    def _encode(self, frame: av.AudioFrame) -> None:
        self._out.mux(self._stream.encode(frame))


def _lay(heard: Samples, part: av.AudioFrame, at: int) -> int:
    """Puts a frame at its place; what lies before the start or after the end is left out."""
    samples = part.to_ndarray()
    low, high = max(0, at), min(heard.shape[1], at + samples.shape[1])
    if low < high:
        heard[:, low:high] = samples[:, low - at : high - at]
    return at + int(samples.shape[1])
