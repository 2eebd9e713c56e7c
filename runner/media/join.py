"""A film: clips one after the other, copied as they are wherever they agree, each shared frame shown once.

``join`` runs as a job in a process of its own: plain data in, plain data out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ..errors import StoryError
from . import clip, colour, conform, sound, splice, write
from .clip import Moments
from .conform import Look
from .landing import landing
from .sound import Track
from .write import Container

Method = Literal["squeeze", "tail", "keep"]

_CONTAINERS: dict[str, Container] = {".mp4": "MP4", ".m4v": "MP4", ".mov": "MOV", ".webm": "WEBM"}
_IN_BAND = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_MARK = b"\0\0"
"""What parameter sets begin with in streams that were made for sending, such as MPEG-TS."""
_RATE_SLACK = Fraction(1, 1000)
_ANEW_CRF = 12
_INDEX_BYTES, _INDEX_BYTES_FRAME, _INDEX_BYTES_S = 4_096, 64, 2_500


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip in the film: its frames from ``first`` up to, not including, ``stop``.

    ``repeat``: its head is the frame that the entry before ended on. ``turned``: degrees by which a player turns it.
    """

    clip: str
    first: int
    stop: int
    repeat: bool
    turned: int = 0


@dataclass(frozen=True, slots=True)
class _Way:
    """How the film is written. Found out on the way: what a clip needs is known once it is opened."""

    in_band: bool = False
    sound: bool = False
    looked: bool = False
    delay: int = 0


class _AnotherWayError(Exception):
    """A clip needs the film to be written another way, from the start."""

    def __init__(self, way: _Way) -> None:
        self.way = way


class _CannotCopyError(Exception):
    """The clips can't be joined by copying, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    """An opened clip with all its packets in decode order: a clip at a time is held, never the film."""

    entry: Entry
    source: InputContainer
    stream: VideoStream
    packets: list[Packet[VideoStream]]
    times: Moments

    @property
    def name(self) -> str:
        """What messages call it."""
        return Path(self.entry.clip).name

    @property
    def codec(self) -> str:
        """The codec of its pictures."""
        return self.stream.codec_context.codec.canonical_name


@dataclass(slots=True)
class _Film:
    """A film that is being written by copying."""

    out: OutputContainer
    way: _Way
    rate: Fraction
    base: Fraction
    video: VideoStream
    sets: bytes | None
    track: Track | None
    begun: bool = False
    at: Fraction = Fraction(0)
    frames: int = 0
    hidden: int = 0
    anew: list[str] = field(default_factory=list)


def join(order: Mapping[str, Any]) -> dict[str, Any]:
    """Puts clips together into one file and tells how.

    ``order``: ``entries`` (each ``clip``, ``in`` first frame kept, ``out`` frame after the last kept, ``repeat``: the
    head repeats the frame handed on, ``turned``: degrees by which players turn it), ``out`` (.mp4, .mov or .webm),
    ``method`` for shared frames (``squeeze``: the repeat gets no time; ``tail``: the parent's last frame is left out;
    ``keep``: both are shown), ``conform`` (None, ``fit`` with bars, ``fill`` by cropping) with ``width``, ``height``,
    ``rate``.

    The answer has ``digest`` and ``bytes`` of the file, ``frames`` shown, ``duration`` in seconds, ``copied`` (as
    streams; the few pictures that had to be encoded at a trim are told) and ``notes``. Raises StoryError where clips
    are damaged or don't fit together.
    """
    entries = [
        Entry(str(e["clip"]), int(e["in"]), int(e["out"]), bool(e.get("repeat")), int(e.get("turned") or 0))
        for e in order["entries"]
    ]
    if not entries:
        raise StoryError.of("a film of no clips can't be made", "name at least one shot")
    path = Path(order["out"])
    container = _CONTAINERS.get(path.suffix.lower())
    if container is None:
        raise StoryError.of(f"{path.name} is not a film's name", "a name that ends in .mp4, .mov or .webm")
    if any(path.resolve() == Path(e.clip).resolve() for e in entries):
        raise StoryError.of(f"{path.name} is a clip of the film itself", "another name for the film")
    method: Method = order.get("method") or "squeeze"
    entries = _without_repeats(entries, method)
    notes: list[str] = []
    told = _encoded(order, entries, path, container, notes) if order.get("conform") else None
    if told is None:
        try:
            told = _copied(entries, path, container, method == "squeeze", notes)
        except _CannotCopyError as reason:
            notes.append(f"encoded again: {reason}")
            told = _encoded(order, entries, path, container, notes)
    frames, duration, copied = told
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "digest": digest,
        "bytes": path.stat().st_size,
        "frames": frames,
        "duration": round(float(duration), 4),
        "copied": copied,
        "notes": notes,
    }


def _without_repeats(entries: Sequence[Entry], method: Method) -> list[Entry]:
    """The entries with each shared frame kept once: by its child for ``tail``, by its parent otherwise."""
    kept = list(entries)
    for number, entry in enumerate(entries):
        if not entry.repeat or not number or entry.first or method == "keep":
            continue
        before = kept[number - 1]
        if method == "tail" and before.stop - before.first > 1:
            kept[number - 1] = replace(before, stop=before.stop - 1)
        elif entry.stop > 1:
            kept[number] = replace(entry, first=1)
    return kept


def _copied(
    entries: Sequence[Entry], path: Path, container: Container, squeeze: bool, notes: list[str]
) -> tuple[int, Fraction, bool]:
    if len({entry.turned for entry in entries}) > 1:
        raise _CannotCopyError("players turn the clips differently")
    way = _Way()
    while True:
        try:
            film = _copy(entries, path, container, way, squeeze=squeeze)
        except _AnotherWayError as found:
            way = found.way
            continue
        if film.hidden:
            notes.append(
                f"{film.hidden} frames are stored and not shown: each is passed over in a thousandth of a frame's time"
            )
        notes.extend(film.anew)
        return film.frames, film.at, True


def _copy(entries: Sequence[Entry], path: Path, container: Container, way: _Way, *, squeeze: bool) -> _Film:
    film: _Film | None = None
    with landing(path) as beside:
        out: OutputContainer | None = None
        try:
            for entry in entries:
                with clip.opened(entry.clip, unlooked=film is not None and not way.looked) as (source, stream):
                    one = _read(source, stream, entry)
                    if film is None:
                        out = write.create(beside, container, one.times.rate, _index_bytes(entries, one.times.rate))
                        film = _begin(out, way, one)
                    _check(film, one, entries)
                    _add(film, one, squeeze=squeeze)
            assert film is not None
            if film.track:
                film.track.close()
        finally:
            if out is not None:
                out.close()
    return film


def _index_bytes(entries: Sequence[Entry], rate: Fraction) -> int:
    """More than the index of the film can need, with a track of sound: at most so much a frame and a second."""
    frames = sum(e.stop for e in entries)
    return _INDEX_BYTES * (1 + len(entries)) + _INDEX_BYTES_FRAME * frames + int(_INDEX_BYTES_S * frames / rate)


def _read(source: InputContainer, stream: VideoStream, entry: Entry) -> _Clip:
    if cut := clip.missing_bytes(entry.clip):
        raise StoryError.of(f"{entry.clip} is cut short: {cut}", clip.DAMAGED)
    packets: list[Packet[VideoStream]] = []
    times = clip.from_packets(source, stream, entry.clip, packets)
    if times is None or any(p.pts is None for p in packets):
        raise _CannotCopyError(f"{Path(entry.clip).name} has no times of its own")
    if not 0 <= entry.first < entry.stop <= len(times.ticks):
        fact = f"{entry.clip} has {len(times.ticks)} frames, not {entry.first} to {entry.stop}"
        raise StoryError.of(fact, "in and out points within the clip")
    return _Clip(entry, source, stream, packets, times)


def _begin(out: OutputContainer, way: _Way, one: _Clip) -> _Film:
    way = replace(way, sound=way.sound or bool(one.source.streams.audio))
    try:
        video = out.add_stream_from_template(one.stream, opaque=True)
    except ValueError:
        raise _CannotCopyError(f"{one.codec} does not go into {out.format.name}") from None
    rate = one.times.rate
    base = Fraction(1, 1000) if out.format.name == "webm" else Fraction(1, rate.numerator * write.TICKS_PER_FRAME)
    video.time_base = base
    if way.in_band:
        # The muxer must know that packets carry start codes: the filter tells it through the stream it is given.
        BitStreamFilterContext(_IN_BAND[one.codec], one.stream, video)
    return _Film(out, way, rate, base, video, one.stream.codec_context.extradata, Track(out) if way.sound else None)


def _check(film: _Film, one: _Clip, entries: Sequence[Entry]) -> None:
    """Whether this clip may follow the first as it is. Where sizes or rates differ, every clip's are told."""
    ours, its = film.video.codec_context, one.stream.codec_context
    if (ours.width, ours.height) != (its.width, its.height) or abs(one.times.rate / film.rate - 1) > _RATE_SLACK:
        conform.refuse_mixed([e.clip for e in entries])
    if ours.codec.canonical_name != one.codec:
        raise _CannotCopyError(f"clips are in {ours.codec.canonical_name} and {one.codec}")
    if its.pix_fmt is None and (not its.extradata or film.sets != its.extradata):
        # Only equal parameter sets say without a look that the pictures are alike.
        raise _AnotherWayError(replace(film.way, looked=True))
    if its.pix_fmt is not None and ours.pix_fmt != its.pix_fmt:
        raise _CannotCopyError(f"clips are in {ours.pix_fmt} and {its.pix_fmt}")
    if _differ(ours.colorspace, its.colorspace, colour.UNTOLD) or _differ(ours.color_range, its.color_range, 0):
        raise _CannotCopyError("clips have different colour tags")
    if film.sets != its.extradata and any(sets and sets.startswith(_MARK) for sets in (film.sets, its.extradata)):
        raise _CannotCopyError(f"{one.codec} is stored in different ways")
    if film.sets != its.extradata and not film.way.in_band:
        _in_band(film.way, one.codec)


def _differ(one: int, two: int, untold: int) -> bool:
    return one != two and untold not in {one, two}


def _in_band(way: _Way, codec: str) -> None:
    if codec in _IN_BAND:
        raise _AnotherWayError(replace(way, in_band=True))


def _add(film: _Film, one: _Clip, *, squeeze: bool) -> None:
    """One clip: its packets, what must be written anew after them, its sound."""
    if one.source.streams.audio and film.track is None:
        raise _AnotherWayError(replace(film.way, sound=True))
    ticks = [p.pts for p in one.packets if p.pts is not None]
    cut = splice.plan(one.times, ticks, one.entry.first, one.entry.stop, squeeze=squeeze)
    if cut.anew and one.codec != "h264":
        raise _CannotCopyError(f"{one.name} can't be cut there without encoding")
    if cut.anew and not film.way.in_band:
        _in_band(film.way, one.codec)
    stamps = {t: round((film.at + s) / film.base) for t, s in cut.shown.items()}
    start = round(film.at / film.base)
    stamps |= {t: start - len(cut.hidden) + n for n, t in enumerate(cut.hidden)}
    end = round((film.at + cut.length) / film.base)
    kept = _filtered(film, one, cut.copied)
    _send(film, kept, [stamps[t] for t in ticks[: cut.copied]], stamps[cut.anew[0]] if cut.anew else end)
    if cut.anew:
        again = conform.encode_like(one.entry.clip, one.times, cut.anew, _ANEW_CRF)
        _send(film, again, [stamps[cut.anew[p.pts or 0]] for p in again], end)
        film.anew.append(f"{one.name}: {len(cut.anew)} frames at the end were encoded again")
    if film.track:
        begin = one.times.ticks[one.entry.first] * one.times.time_base
        count = round((film.at + cut.length) * sound.RATE) - film.track.written
        film.track.add(sound.cut(one.entry.clip, begin, count))
    film.at += cut.length
    film.frames += len(cut.shown)
    film.hidden += len(cut.hidden)


def _filtered(film: _Film, one: _Clip, count: int) -> Sequence[Packet[Any]]:
    if not film.way.in_band:
        return one.packets[:count]
    with_sets = BitStreamFilterContext(_IN_BAND[one.codec], one.stream)
    return [made for packet in one.packets[:count] for made in with_sets.filter(packet)]


def _send(film: _Film, packets: Sequence[Packet[Any]], shown: Sequence[int], end: int) -> None:
    """Muxes packets with their times of showing; their times of decoding are the same times in order, brought forward.

    Two clips' own decode times would overlap where one is pulled forward by a frame.
    """
    in_order = [*sorted(shown), end]
    need = max((a - b for a, b in zip(in_order, shown, strict=False)), default=0)
    if need > film.way.delay:
        if film.begun:
            raise _AnotherWayError(replace(film.way, delay=need))
        film.way = replace(film.way, delay=need)
    film.begun = True
    for number, (packet, stamp) in enumerate(zip(packets, shown, strict=True)):
        packet.stream = film.video
        packet.time_base = film.base
        packet.pts = stamp
        packet.dts = in_order[number] - film.way.delay
        packet.duration = in_order[number + 1] - in_order[number]
        film.out.mux_one(packet)


def _encoded(
    order: Mapping[str, Any], entries: Sequence[Entry], path: Path, container: Container, notes: list[str]
) -> tuple[int, Fraction, bool]:
    how = order.get("conform")
    look = Look.of(order, entries[0].clip)
    if how:
        notes.append(f"encoded again: conformed to {look.width}x{look.height} at {look.rate} ({how})")
    else:
        conform.refuse_mixed([e.clip for e in entries], always=False)
    spans = [(e.clip, e.first, e.stop) for e in entries]
    frames, duration = conform.encode(spans, path, container, look, "crop" if how == "fill" else "pad")
    return frames, duration, False
