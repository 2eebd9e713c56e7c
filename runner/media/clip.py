"""A clip as it lies in its file: which moments have a picture, and whether the file is whole.

Any clip from anywhere is taken: the truth about its frames is its packets and what decoding them gives, never the
counts and durations that its header claims.
"""

from __future__ import annotations

import errno
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from ..errors import StoryError

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,ogg,mxf,nut,gif,asf"
)
_SHORT_S = 0.25
"""How far a clip may end before its declared duration and still count as whole, in seconds."""
_SEGMENT = b"\x18\x53\x80\x67"

_NOT_THE_CLIP = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM}

DAMAGED = "fetch or export the clip again"


_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Texts in a file's header that are not UTF-8 are no reason to refuse it. From 19 on PyAV takes them as they are."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When each picture of a clip is shown: presentation times in ticks of ``time_base``, first to last.

    ``keys`` are the times at which decoding may start. ``end`` is when the last picture stops being shown. ``counted``
    is true where a full decode gave the list; otherwise the packets did, and a decode must agree with it.
    """

    ticks: tuple[int, ...]
    keys: tuple[int, ...]
    end: int
    time_base: Fraction
    counted: bool = False

    def seconds(self, tick: int) -> float:
        """Seconds from the first picture, rounded to four places."""
        return round(float((tick - self.ticks[0]) * self.time_base), 4)

    @property
    def duration(self) -> float:
        """Seconds from the first picture to the end of the last; without rounding to ticks where the rate is steady."""
        rate, steady = _rate(self)
        return round(len(self.ticks) / float(rate), 4) if steady else self.seconds(self.end)

    def index(self, tick: int) -> int:
        """The number of the picture shown at this tick, from 0."""
        return bisect_left(self.ticks, tick)

    def at(self, seconds: Fraction) -> int:
        """The number of the last picture that begins at most this long after the first."""
        return bisect_right(self.ticks, self.ticks[0] + seconds / self.time_base) - 1

    @property
    def rate(self) -> Fraction:
        """Pictures a second: the rate their steps have in common, or the mean where they have none."""
        return _rate(self)[0]

    @property
    def steady(self) -> bool:
        """Whether all pictures keep to the grid of the rate."""
        return _rate(self)[1]


@contextmanager
def opened(path: str, *, unlooked: bool = False) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and the first real video stream (no cover picture) of a clip. StoryError where there is none.

    Only files are opened, and only by readers of clips: a play list would lead elsewhere. ``unlooked`` opens without
    decoding a picture to see what it is like (80 times as fast): enough to copy packets of a clip that is known.
    """
    if not Path(path).is_file():
        raise StoryError.of(f"{path} does not exist or is not a file", "check the path of the clip")
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    looks = {"skip_frame": "all", "probesize": "32"} if unlooked else {}
    try:
        with av.open(f"file:{path}", "r", options=looks, container_options=options, **_LENIENT) as container:
            yield container, _video(container, path)
    except av.error.PermissionError:
        raise StoryError.of(f"{path} may not be read", "check the permissions of the file") from None
    except av.FFmpegError as error:
        if error.errno in _NOT_THE_CLIP:
            raise
        whole = f": {cut}" if (cut := missing_bytes(path)) else ""
        reason = whole or f" ({error.strerror})"
        raise StoryError.of(f"{path} can't be read as a clip{reason}", DAMAGED) from None


def moments(path: str) -> Moments:
    """Every presentation time of the clip, from its packets (3 to 8 % of a decode) where they tell, else by decoding.

    Raises StoryError for a file that was cut short, whatever a decoder would still get out of it.
    """
    with opened(path) as (container, stream):
        found = promised(container, stream, path)
    return found if found is not None else decoded_moments(path)


def promised(container: InputContainer, stream: VideoStream, path: str) -> Moments | None:
    """Every presentation time as the packets tell it, or None where they don't. Leaves the container at its start.

    The pictures that are then decoded must be compared with it: a packet may hold none. StoryError as ``moments``.
    """
    if cut := missing_bytes(path):
        raise StoryError.of(f"{path} is cut short: {cut}", DAMAGED)
    found = from_packets(container, stream, path)
    if found is not None:
        try:
            container.seek(found.ticks[0], stream=stream)
        except av.FFmpegError:
            return None
    return found


def from_packets(
    container: InputContainer, stream: VideoStream, path: str, into: list[Packet[VideoStream]] | None = None
) -> Moments | None:
    """As ``promised``, but the container is left at its end; all packets of the stream are put ``into`` the list."""
    shown: list[int] = []
    keys: list[int] = []
    last = length = 0
    untimed = False
    latest = Fraction(0)
    for packet in container.demux():
        if packet.size == 0 or packet.time_base is None:
            continue
        if packet.is_corrupt and packet.stream.index == stream.index:
            raise StoryError.of(f"{path} is cut short: its last picture is incomplete", DAMAGED)
        if packet.pts is not None:
            latest = max(latest, (packet.pts + (packet.duration or 0)) * packet.time_base)
        if packet.stream.index != stream.index:
            continue
        if into is not None:
            into.append(cast("Packet[VideoStream]", packet))
        if packet.is_discard:
            continue
        if packet.pts is None:
            untimed = True
            continue
        shown.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
        if len(shown) == 1 or packet.pts > last:
            last, length = packet.pts, packet.duration or 0
    _refuse_short(container, latest, path)
    shown.sort()
    if untimed or not shown or any(b == a for a, b in pairwise(shown)):
        return None
    base = stream.time_base or Fraction(1, 1000)
    return Moments(tuple(shown), tuple(sorted(keys)), last + (length or _step(shown, base)), base)


def decoded_moments(path: str) -> Moments:
    """Every presentation time of the clip by decoding all of it: slower, and the last word."""
    with opened(path) as (container, stream):
        times: list[int | None] = []
        last = 0
        for frame in frames(container, stream):
            times.append(frame.pts)
            last = frame.duration
        base = stream.time_base or Fraction(1, 1000)
        rate = stream.guessed_rate or stream.average_rate or Fraction(24)
    if not times:
        raise StoryError.of(f"{path} has no pictures", DAMAGED)
    told = [t for t in times if t is not None]
    if len(told) < len(times) or any(b <= a for a, b in pairwise(told)):
        # No usable times (a raw stream): pictures follow each other at the stream's rate, in the order they come out.
        return Moments(tuple(range(len(times))), (), len(times), 1 / rate, counted=True)
    return Moments(tuple(told), (), told[-1] + (last or _step(told, base)), base, counted=True)


def frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Every picture of the stream in the order of presentation, to the very last one that the decoder holds back."""
    for packet in container.demux(stream):
        yield from packet.decode()


def missing_bytes(path: str) -> str | None:
    """What the file's own structure says is missing at its end, or None. Readers of clips often hide this."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        head = file.read(64)
        if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"styp"}:
            at = 0
            while at + 8 <= size:
                file.seek(at)
                length, kind = struct.unpack(">I4s", file.read(8))
                if length == 1:
                    large = file.read(8)
                    length = int.from_bytes(large, "big") if len(large) == 8 else size + 1
                if length == 0 or (length < 8 and at) or not kind.isascii():
                    return None
                at += max(length, 8)
            return _missing(at, size) if at > size else None
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return _missing_of_webm(head, size)
    return None


def _missing(wanted: int, size: int) -> str:
    return f"{size} of at least {wanted} bytes are there"


def _missing_of_webm(head: bytes, size: int) -> str | None:
    at = head.find(_SEGMENT)
    if at < 0 or at + 5 > len(head):
        return None
    at += len(_SEGMENT)
    width = 9 - head[at].bit_length()
    length = int.from_bytes(head[at : at + width], "big") & ((1 << (7 * width)) - 1)
    unknown = length == (1 << (7 * width)) - 1
    wanted = at + width + length
    return _missing(wanted, size) if wanted > size and not unknown else None


def _video(container: InputContainer, path: str) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and not stream.disposition & Disposition.timed_thumbnails:
            if getattr(stream, "codec_context", None) is None:
                raise StoryError.of(f"{path} has video in a codec that can't be read here", "convert it to H.264")
            return stream
    raise StoryError.of(f"{path} has no video", "choose a file that holds a clip")


def _refuse_short(container: InputContainer, latest: Fraction, path: str) -> None:
    # Matroska marks nothing when it stops early, but its header says how long all of it was.
    if "matroska" not in container.format.name or not container.duration:
        return
    declared = container.duration / 1_000_000
    if declared - float(latest) > _SHORT_S:
        fact = f"{path} is cut short: {float(latest):.2f} of {declared:.2f} s are there"
        raise StoryError.of(fact, DAMAGED)


def _step(ticks: list[int], base: Fraction) -> int:
    return ticks[-1] - ticks[-2] if len(ticks) > 1 else max(1, round(Fraction(1, 24) / base))


def _rate(found: Moments) -> tuple[Fraction, bool]:
    ticks, base = found.ticks, found.time_base
    span = (found.end - ticks[0]) * base
    if span <= 0:
        return Fraction(24), False
    mean = len(ticks) / span
    for known in _RATES:
        # Containers round each time to a tick; a constant rate stays within one tick of its grid all along.
        if abs(mean / known - 1) < Fraction(1, 20) and _on_grid(ticks, base, known):
            return known, True
    whole = mean.limit_denominator(1001)
    return (whole if whole > 0 else Fraction(24)), False


_RATES = tuple(Fraction(r) for r in (24, 25, 30, 12, 15, 48, 50, 60, 8, 10, 16, 20, 120)) + tuple(
    Fraction(r * 1000, 1001) for r in (24, 30, 60)
)


def _on_grid(ticks: tuple[int, ...], base: Fraction, rate: Fraction) -> bool:
    # In whole numbers: this is asked of every picture of every clip, and fractions take a hundred times as long.
    step = 1 / (rate * base)
    over, under, first = step.numerator, step.denominator, ticks[0]
    return all(abs((tick - first) * under - number * over) <= under for number, tick in enumerate(ticks))
