"""Grades a clip: deeper shadows that lean to blue, highlights that lean to amber.

    python grade.py IN OUT

Frames, times and colour tags stay as they are; sound is passed on untouched. The same clip gives the same bytes.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

X264 = {"crf": "13", "preset": "veryfast", "x264-params": "stitchable=1:mbtree=0"}
"""One setting for all clips, so that the film is joined without encoding it again."""


def tables() -> tuple[Bytes, Bytes, Bytes]:
    """For every luma (16 to 235): the new luma, and what is added to blue and to red chroma (128 means nothing)."""
    light = np.clip((np.arange(256) - 16) / 219, 0, 1)
    curve = light + 0.18 * (light * light * (3 - 2 * light) - light)
    warm = np.sin(np.pi * (light - 0.42) / 1.2)
    levels = (16 + 219 * curve, 128 - 11 * warm, 128 + 9 * warm)
    luma, blue, red = (np.rint(level).astype(np.uint8) for level in levels)
    return luma, blue, red


def graded(frame: av.VideoFrame, luts: tuple[Bytes, Bytes, Bytes]) -> av.VideoFrame:
    """A frame (4:2:0, 8 bits) with its planes looked up in the tables."""
    height, width = frame.height, frame.width
    planes = frame.to_ndarray(format="yuv420p")
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    under = luma[::2, ::2]
    tint = np.stack([luts[1][under], luts[2][under]]).astype(np.int16) - 128
    moved = np.clip(chroma.astype(np.int16) + tint, 16, 240).astype(np.uint8)
    made = av.VideoFrame.from_ndarray(np.vstack([luts[0][luma], moved.reshape(-1, width)]), format="yuv420p")
    made.pts, made.time_base = frame.pts, frame.time_base
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    return made


def like(out: av.container.OutputContainer, video: VideoStream) -> VideoStream:
    """A stream for pictures of the same size, rate and colour tags. One thread: the bytes must not vary."""
    rate = video.guessed_rate or video.average_rate or Fraction(24)
    stream: VideoStream = out.add_stream("libx264", rate, options={**X264, "chroma_sample_location": "left"})
    new, old = stream.codec_context, video.codec_context
    new.width, new.height, new.pix_fmt = old.width, old.height, "yuv420p"
    new.time_base, new.thread_count = video.time_base or 1 / rate, 1
    new.colorspace, new.color_range = old.colorspace, old.color_range
    new.color_primaries, new.color_trc = old.color_primaries, old.color_trc
    return stream


def grade(source: Path, target: Path) -> None:
    luts = tables()
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(source)) as clip, av.open(str(target), "w", container_options=options) as out:
        video = clip.streams.video[0]
        pictures = like(out, video)
        sounds = {stream.index: out.add_stream_from_template(stream) for stream in clip.streams.audio}
        for packet in clip.demux(video, *clip.streams.audio):
            if packet.stream.index in sounds:
                if packet.dts is not None:
                    packet.stream = sounds[packet.stream.index]
                    out.mux(packet)
                continue
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    out.mux(pictures.encode(graded(frame, luts)))
        out.mux(pictures.encode(None))


if __name__ == "__main__":
    grade(Path(sys.argv[1]), Path(sys.argv[2]))
