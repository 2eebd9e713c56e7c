"""A picture: a still that a person brought, or a frame of a clip, as rows of red, green and blue.

Everywhere in this folder a picture is an array of unsigned bytes of shape (height, width, 3), sRGB, rows from the top.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from ..errors import StoryError

Rgb = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PIXELS_MAX = 100_000_000
"""The largest picture that is opened, in pixels; more than twice that of 8K film."""

_MAY_MOVE = ("PNG", "WEBP", "GIF")
_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_ORIENTATION = 0x0112
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, OverflowError, struct.error, zlib.error)


class Size(NamedTuple):
    """What the header of a picture's file tells: pixels as shown (after orientation), bytes of the file, its format."""

    width: int
    height: int
    bytes: int
    format: str


def read(path: str | Path) -> Rgb:
    """The picture in a PNG, JPEG, WEBP, BMP or GIF file, turned the way it is shown, in sRGB.

    Raises StoryError for anything that is not one whole, opaque picture of 8 bits a channel.
    """
    with _opened(path) as image:
        _refuse(image, path)
        try:
            image.load()
            upright = ImageOps.exif_transpose(image) if _has_exif(image) else image
            return np.array(_in_srgb(upright, path), dtype=np.uint8, order="C")
        except _DAMAGED:
            raise StoryError.of(f"{path} is damaged or cut short", "save or copy the picture again") from None


def size(path: str | Path) -> Size:
    """Width and height as shown, bytes and format, from the header alone: no pixel is decoded."""
    with _opened(path) as image:
        width, height = image.size
        turned = _has_exif(image) and image.getexif().get(_ORIENTATION, 1) in {5, 6, 7, 8}
        name = "JPEG" if image.format == "MPO" else str(image.format)
    if turned:
        width, height = height, width
    return Size(width, height, Path(path).stat().st_size, name)


def digest(rgb: Rgb) -> str:
    """The name of a picture: sha256 of its size and pixels, whatever file they came in."""
    height, width, _ = rgb.shape
    name = hashlib.sha256(b"matchcut-rgb8\0" + struct.pack(">II", width, height))
    name.update(np.ascontiguousarray(rgb).data)
    return name.hexdigest()


def png(rgb: Rgb) -> bytes:
    """The picture as a PNG file, lossless; the same picture gives the same bytes with the same zlib.

    Every row is stored as the difference to the row above and packed by runs: measured four times as fast as Pillow's
    level 1 at the same size, and a clip that comes in waits for two of these.
    """
    height, width, _ = rgb.shape
    rows = rgb.reshape(height, width * 3)
    lines = np.empty((height, width * 3 + 1), np.uint8)
    lines[:, 0] = 2
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    packed = packer.compress(lines.data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def jpeg(rgb: Rgb) -> bytes:
    """The picture as a JPEG file for looking at: quality 85, colour at full resolution. Never handed on to a shot."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=85, subsampling=0)
    return out.getvalue()


def scale(rgb: Rgb, width: int, height: int) -> Rgb:
    """The whole picture at another size (Lanczos)."""
    if rgb.shape[:2] == (height, width):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS), dtype=np.uint8)


def thumbnail(rgb: Rgb, width: int) -> Rgb:
    """The whole picture, this many pixels wide, in its own shape."""
    return scale(rgb, width, max(1, round(rgb.shape[0] * width / rgb.shape[1])))


def fit(rgb: Rgb, width: int, height: int, how: Literal["crop", "pad"]) -> Rgb:
    """The picture in another shape: ``crop`` fills it and loses edges, ``pad`` keeps all between black bars."""
    own_height, own_width = rgb.shape[:2]
    if (own_width, own_height) == (width, height):
        return rgb
    if how == "crop":
        ratio = min(own_width / width, own_height / height)
        left, top = (own_width - width * ratio) / 2, (own_height - height * ratio) / 2
        box = (left, top, left + width * ratio, top + height * ratio)
        cut = Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS, box=box)
        return np.asarray(cut, dtype=np.uint8)
    ratio = min(width / own_width, height / own_height)
    inner = scale(rgb, min(width, max(1, round(own_width * ratio))), min(height, max(1, round(own_height * ratio))))
    framed = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    framed[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return framed


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    if not Path(path).is_file():
        raise StoryError.of(f"{path} does not exist or is not a file", "check the path of the picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit below names a way out
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_large(path) from None
    except PermissionError:
        raise StoryError.of(f"{path} may not be read", "check the permissions of the file") from None
    except _DAMAGED:
        raise StoryError.of(
            f"{path} is not a picture that can be read", "use a PNG, JPEG, WEBP, BMP or GIF file"
        ) from None
    with image:
        if image.width * image.height > PIXELS_MAX:
            raise _too_large(path)
        yield image


def _too_large(path: str | Path) -> StoryError:
    return StoryError.of(f"{path} has more than {PIXELS_MAX // 1_000_000} million pixels", "scale the picture down")


def _refuse(image: Image.Image, path: str | Path) -> None:
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        raise StoryError.of(f"{path} has an alpha channel", "flatten it onto a background and save it without alpha")
    if image.mode in _DEEP_MODES or _png_depth(path) == 16:
        raise StoryError.of(f"{path} has 16 bits a channel", "save it with 8 bits a channel")
    if image.format in _MAY_MOVE and getattr(image, "n_frames", 1) > 1:
        raise StoryError.of(f"{path} is animated", "save the one frame that is meant as a PNG")


def _png_depth(path: str | Path) -> int:
    # Pillow opens an RGB PNG of 16 bits as if it had 8, so the header has to be asked.
    with Path(path).open("rb") as file:
        head = file.read(25)
    return head[24] if len(head) == 25 and head.startswith(b"\x89PNG") else 8


def _has_exif(image: Image.Image) -> bool:
    # Asking a PNG for EXIF that is not in front of its pixels would decode it.
    return image.format in {"JPEG", "MPO", "WEBP"} or "exif" in image.info


def _in_srgb(image: Image.Image, path: str | Path) -> Image.Image:
    embedded = image.info.get("icc_profile")
    if embedded:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
            if "srgb" not in ImageCms.getProfileDescription(profile).casefold():
                plain = image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")
                converted = ImageCms.profileToProfile(plain, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            raise StoryError.of(f"{path} has a colour profile that can't be read", "save it as sRGB") from None
    if image.mode not in {"RGB", "L", "1", "P"}:
        raise StoryError.of(f"{path} is in {image.mode} colour without a profile", "save it as sRGB")
    return image.convert("RGB")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
