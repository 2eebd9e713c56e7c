"""Pictures that were handed in: uploaded ones under their UUIDs, and those that stand in a request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..card import PictureLimits
from .protocol import UUID4, Refusal

SIDE_MAX = 2048
"""Pixels: the stored copy of an uploaded picture is scaled down to this, as the provider documents."""

PIXELS_MAX = 100_000_000
FORMATS = frozenset({"JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a file that the animatic can read, with the size (pixels, bytes) that it came in."""

    path: Path
    width: int
    height: int
    bytes: int


class Images:
    """Pictures in a folder: ``<uuid>.png`` for uploads, ``<digest>.png`` for those inside requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, Picture] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, uuid: str, image: str) -> Refusal | None:
        """Keep an upload (data URI, base64; an address is believed) under its UUID; or say why not."""
        if image.startswith(("http://", "https://")):
            return None
        data = decoded(image)
        if data is None:
            return Refusal("invalidImage", "image is no data URI, base64 text or address.", "image")
        picture = opened(data)
        if picture is None:
            return Refusal("invalidImage", "image can't be read: JPEG, PNG, WEBP, BMP and GIF are taken.", "image")
        if max(picture.size) > SIDE_MAX:
            picture = picture.convert("RGB")  # what is converted is no longer the file that was sent
            picture.thumbnail((SIDE_MAX, SIDE_MAX))
        self._write(self.folder / f"{uuid}.png", picture, data)
        return None

    def upload(self, uuid: str) -> Path | None:
        """The file of an uploaded picture."""
        path = self.folder / f"{uuid.lower()}.png"
        return path if UUID4.fullmatch(uuid) and path.is_file() else None

    def given(self, image: str) -> Picture | Refusal | None:
        """A picture of a request; None for an address elsewhere, which is never fetched."""
        if image.startswith(("http://", "https://")):
            uuid = image.rpartition("/")[2].partition(".")[0]
            path = self.upload(uuid)
            return None if path is None else self._file(path)
        if UUID4.fullmatch(image):
            path = self.upload(image)
            if path is None:
                return Refusal("mediaNotFound", f"There is no image {image}.", "inputs.frameImages", status=404)
            return self._file(path)
        data = decoded(image)
        digest = "" if data is None else hashlib.sha256(data).hexdigest()
        if digest in self._seen:
            return self._seen[digest]
        picture = None if data is None else opened(data)
        if data is None or picture is None:
            message = "The image is no UUID, address, data URI or base64 text of a picture."
            return Refusal("invalidFrameImages", message, "inputs.frameImages")
        path = self.folder / f"{digest}.png"
        self._write(path, picture, data)
        self._seen[digest] = Picture(path, *picture.size, len(data))
        return self._seen[digest]

    def clear(self) -> None:
        for path in self.folder.glob("*.png"):
            path.unlink()
        self._seen.clear()

    def _file(self, path: Path) -> Picture:
        if path.name not in self._seen:
            with Image.open(path) as picture:
                self._seen[path.name] = Picture(path, *picture.size, path.stat().st_size)
        return self._seen[path.name]

    def _write(self, path: Path, picture: Image.Image, data: bytes) -> None:
        if picture.format == "PNG" and picture.mode == "RGB":
            path.write_bytes(data)  # exactly what was sent, so that a clip begins on exactly that
        else:
            picture.convert("RGB").save(path, "PNG")


def decoded(image: str) -> bytes | None:
    """The bytes of a data URI or of base64 text; None when it is neither."""
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def opened(data: bytes) -> Image.Image | None:
    """The picture, read; None when it is no picture of a form that is taken, or far too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
        if picture.format not in FORMATS or picture.width * picture.height > PIXELS_MAX:
            return None
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return picture


def misfit(picture: Picture, limits: PictureLimits) -> Refusal | None:
    """What of a picture the model doesn't take: its sides, or its weight."""
    for name, side in (("Width", picture.width), ("Height", picture.height)):
        if not limits.side_min <= side <= limits.side_max:
            message = f"A frame image must be {limits.side_min} to {limits.side_max} pixels a side, not {side}."
            more = {"min": limits.side_min, "max": limits.side_max}
            return Refusal(f"invalidFrameImage{name}", message, "inputs.frameImages", more=more)
    if picture.bytes > limits.bytes_max:
        message = f"A frame image may have {limits.bytes_max} bytes, not {picture.bytes}."
        return Refusal("invalidFrameImageSize", message, "inputs.frameImages", more={"max": limits.bytes_max})
    return None
