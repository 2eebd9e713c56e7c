"""Pictures are read as they are shown, named by their pixels, and refused where they hold more than a picture."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from runner.errors import StoryError
from runner.media import picture

from . import clips

SCENE = clips.scene(64, 48)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "GIF"])
def test_every_lossless_format_gives_the_same_pixels_and_digest(kind: str, tmp_path: Path) -> None:
    few = np.ascontiguousarray(SCENE // 64 * 64)
    image = Image.fromarray(few)
    path = tmp_path / f"still.{kind.lower()}"
    if kind == "GIF":
        image.quantize(colors=256).save(path)
    else:
        image.save(path, lossless=True) if kind == "WEBP" else image.save(path)
    assert np.array_equal(few, picture.read(path))
    assert picture.size(path) == (64, 48, path.stat().st_size, kind)


def test_the_digest_is_that_of_its_definition() -> None:
    pixels = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    expected = hashlib.sha256(b"matchcut-rgb8\0" + struct.pack(">II", 2, 1) + bytes([1, 2, 3, 4, 5, 6])).hexdigest()
    assert expected == picture.digest(pixels)
    assert expected == picture.digest(np.repeat(pixels, 2, axis=0)[::2])


def test_a_png_of_ours_is_read_back_the_same_by_anyone() -> None:
    data = picture.png(SCENE)
    assert data == picture.png(SCENE)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    assert np.array_equal(SCENE, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_the_way_it_is_shown(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    Image.fromarray(SCENE).save(path, exif=exif)
    turned = {
        1: SCENE,
        2: SCENE[:, ::-1],
        3: SCENE[::-1, ::-1],
        4: SCENE[::-1],
        5: SCENE.transpose(1, 0, 2),
        6: np.rot90(SCENE, -1),
        7: SCENE.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(SCENE),
    }[orientation]
    assert np.array_equal(turned, picture.read(path))
    assert (turned.shape[1], turned.shape[0]) == picture.size(path)[:2]


def test_an_embedded_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The same primaries under another name and with red and blue swapped: conversion must swap them back.
    at = {tag: lab.index(tag) for tag in (b"rXYZ", b"bXYZ")}
    swapped = bytearray(lab)
    swapped[at[b"rXYZ"] : at[b"rXYZ"] + 4], swapped[at[b"bXYZ"] : at[b"bXYZ"] + 4] = b"bXYZ", b"rXYZ"
    named = bytes(swapped).replace("sRGB".encode("utf-16-be"), "oRGB".encode("utf-16-be"))
    path = tmp_path / "profiled.png"
    Image.fromarray(SCENE).save(path, icc_profile=named)
    difference = np.abs(picture.read(path).astype(int) - SCENE[:, :, ::-1])
    assert difference.max() <= 2


@pytest.mark.parametrize(
    ("mode", "fact"), [("RGBA", "alpha channel"), ("LA", "alpha channel"), ("I;16", "16 bits a channel")]
)
def test_alpha_and_16_bit_are_refused(mode: str, fact: str, tmp_path: Path) -> None:
    path = tmp_path / "more.png"
    image = Image.fromarray(SCENE)
    (Image.new("I;16", (4, 4)) if mode == "I;16" else image.convert(mode)).save(path)
    with pytest.raises(StoryError, match=fact) as told:
        picture.read(path)
    assert told.value.problems[0].remedy


def test_a_colour_png_of_16_bits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    data = bytearray(picture.png(SCENE))
    data[24] = 16
    path.write_bytes(data)
    with pytest.raises(StoryError, match=r"16 bits|not a picture"):
        picture.read(path)


def test_what_is_not_a_whole_picture_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.fromarray(clips.scene(300, 300)).save(whole, quality=95)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:4000])
    (tmp_path / "words.png").write_text("words")
    (tmp_path / "empty.png").touch()
    frames = [Image.fromarray(clips.numbered(n)) for n in range(3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    facts = {
        "cut.jpg": "cut short",
        "words.png": "not a picture",
        "empty.png": "not a picture",
        "moving.gif": "animated",
        "absent.png": "does not exist",
    }
    for name, fact in facts.items():
        with pytest.raises(StoryError, match=fact):
            picture.read(tmp_path / name)


@pytest.mark.parametrize("side", [12_000, 30_000])
def test_a_picture_that_would_fill_the_memory_is_refused(side: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(path)
    for ask in (picture.read, picture.size):
        with pytest.raises(StoryError, match="million pixels"):
            ask(path)


def test_a_picture_is_cropped_or_padded_about_its_middle() -> None:
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = (0, 200, 0)
    assert picture.fit(wide, 40, 40, "crop").min(axis=(0, 1)).tolist() == [0, 200, 0]
    padded = picture.fit(wide, 100, 100, "pad")
    assert (padded[:30].max(), padded[70:].max()) == (0, 0)
    assert np.array_equal(wide, padded[30:70])
    assert picture.thumbnail(wide, 50).shape == (20, 50, 3)
