"""A film made up for these tests: two scenes, six shots, a branch, one bridge, one shot missing and one failed."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from runner.exports.graph import Edge, Graph, Node

Doc = dict[str, Any]

# Sky, hill and lamp of each shot: pictures that can be told apart, and that one remembers.
PALETTES = {
    "0010": ((26, 34, 58), (201, 138, 59), (44, 104, 86)),
    "0020": ((44, 104, 86), (226, 171, 92), (23, 29, 44)),
    "0030": ((58, 30, 48), (214, 96, 70), (30, 60, 70)),
    "0040": ((18, 42, 60), (120, 190, 180), (210, 160, 80)),
}


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def strip(shot: str, size: tuple[int, int] = (1280, 720), after: str = "") -> bytes:
    """Seven thumbnails of 320 pixels: the first is the last of the shot before, as at a real join."""
    width, height = 320, round(320 * size[1] / size[0])
    strip = Image.new("RGB", (7 * width, height))
    for n, t in enumerate((0.0, 0.02, 0.04, 0.5, 0.96, 0.98, 1.0)):
        before = _scenery(after, 1.0, width, height) if after else _scenery(shot, 0.0, width, height)
        strip.paste(Image.blend(before, _scenery(shot, t, width, height), min(1.0, 1.6 * t)), (n * width, 0))
    out = io.BytesIO()
    strip.save(out, "JPEG", quality=85)
    return out.getvalue()


def _scenery(shot: str, t: float, width: int, height: int) -> Image.Image:
    sky, lamp, hill = (np.array(c, dtype=float) for c in PALETTES.get(shot, PALETTES["0010"]))
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    glow = np.exp(-(((x - 0.25 - 0.4 * t) ** 2) * 30 + ((y - 0.35) ** 2) * 18))[..., None]
    picture = sky * (1 - 0.5 * y[..., None]) * (1 - glow) + lamp * glow
    for depth, lift in ((0.55, 0.55), (0.72, 0.8), (0.88, 1.15)):
        ridge = depth - 0.06 * np.sin(9 * (x + t * (1.3 - depth)) + 7 * depth) - 0.03 * np.sin(23 * x + 5 * depth)
        picture = np.where((y > ridge)[..., None], hill * lift * (1.15 - 0.6 * y[..., None]), picture)
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).ellipse(_lamp(t, width, height), fill=(255, 226, 170))
    return image


def _lamp(t: float, width: int, height: int) -> tuple[float, float, float, float]:
    x, y, r = (0.25 + 0.4 * t) * width, 0.35 * height, 0.018 * width
    return x - r, y - r, x + r, y + r


def clip(name: str, path: str, *, seconds: float = 5.0, size: tuple[int, int] = (1280, 720)) -> Doc:
    return {
        "path": path,
        "digest": digest(name),
        "bytes": 2_310_442,
        "container": "MP4",
        "codec": "H.264",
        "width": size[0],
        "height": size[1],
        "rate": "24/1",
        "frames": round(seconds * 24),
        "duration": seconds,
        "colour": {"matrix": "bt709", "range": "limited", "chroma": "left"},
    }


def shot(name: str, scene: str, begins: Doc, **more: Any) -> Doc:
    """A shot that is made and current, unless ``more`` says otherwise."""
    prompt = more.pop("prompt", f"The camera glides forward through the rain in shot {name}. Amber and jade light.")
    made = {
        "shot": name,
        "scene": scene,
        "title": f"Shot {name}",
        "fields": {"action": prompt, "camera": "slow forward glide", "lens": 35},
        "state": "current",
        "prompt": prompt,
        "negative": "low detail, blurry faces, watermark",
        "from": begins,
        "depth": 0,
        "root": "0010",
        "request": {"taskType": "videoInference", "positivePrompt": prompt, "model": "klingai:4@3", "duration": 5},
        "key": digest(f"key {name}"),
        "take": 1,
        "wanted": 1,
        "circled": False,
        "seconds": 5.0,
        "provider": "runware",
        "model": "klingai:4@3",
        "task_uuid": "50836053-a0ee-4cf5-b9d6-ae7c5d140ada",
        "video_uuid": "b7db282d-2943-4f12-992f-77df3ad3ec71",
        "seed": 8_251_034,
        "usd": 0.924,
        "clip": clip(name, f"clips/lantern-market_{scene}_{name}_tk01.mp4"),
        "frames": {
            "last": {"index": 119, "time": 4.9583, "digest": digest(f"last {name}"), "path": f"frames/{name}_last.png"}
        },
        "inspect": inspection([0.4, -0.1, 0.7]),
        "alternates": [],
    } | more
    return {field: value for field, value in made.items() if value is not None}


def measured(likeness: str, psnr: float | None, ssim: float, colour: list[float]) -> Doc:
    return {"likeness": likeness, "psnr": psnr, "ssim": ssim, "luma": sum(colour) / 3, "colour": colour}


def inspection(colour: list[float], **more: Any) -> Doc:
    """What is measured on receipt of a clip that repeats the frame it was given."""
    head = measured("repeat", 46.2, 0.993, colour)
    return {"head": head, "foot": None, "black": [], "frozen": 0.0, "cuts": [], "findings": []} | more


UNMADE: Doc = dict.fromkeys(
    (
        "clip",
        "frames",
        "inspect",
        "alternates",
        "take",
        "usd",
        "task_uuid",
        "video_uuid",
        "seed",
        "root",
        "request",
        "key",
    )
)


def after(other: str, frame: str = "last") -> Doc:
    return {"origin": "shot", "shot": other, "frame": frame, "digest": digest(f"{frame} {other}")}


def join(pair: tuple[str, str], likeness: str, psnr: float | None, ssim: float, colour: list[float]) -> Doc:
    return {
        "tail": pair[0],
        "head": pair[1],
        "continues": True,
        "shown_once": likeness == "repeat",
        "measured": measured(likeness, psnr, ssim, colour),
        "drift": {"luma": 0.7, "colour": [1.1, 0.4, -0.6]},
    }


def manifest() -> Doc:
    """A fresh copy each time, so that a test may change it."""
    return {
        "manifest": 1,
        "storyboard": {
            "id": "lantern-market",
            "title": "Lantern Market in the Rain",
            "file": "storyboard.yaml",
            "digest": digest("storyboard"),
        },
        "pipeline": {
            "id": "kling-2.0-master",
            "title": "720p shots on KlingAI 2.0 Master",
            "digest": digest("pipeline"),
            "provider": "runware",
            "model": "klingai:4@3",
        },
        "provider": "runware",
        "rehearsal": False,
        "partial": True,
        "scenes": [{"scene": "010", "title": "The lane"}, {"scene": "020", "title": "Over the bridge"}],
        "shots": _shots(),
        "films": [_film()],
        "totals": {"shots": 6, "made": 4, "seconds": 25.0, "takes": 6, "usd": 6.468},
    }


def _shots() -> list[Doc]:
    return [
        shot(
            "0010",
            "010",
            {"origin": "image", "image": "stills/lane.png", "digest": digest("lane")},
            title="Umbrella",
            prompt="A girl of eight in a yellow rain cape spins under an umbrella between the stalls. "
            "Camera: slow forward glide. Amber and jade light, wet stone, steam, realistic lighting.",
            notes="The umbrella has to read in silhouette.",
            response={"cost": 0.924, "status": "success"},
        ),
        shot(
            "0020",
            "010",
            after("0010"),
            title="Noodles",
            prompt="A vendor tosses noodles high into the steam. Camera: tilt up, then hold on the falling strands.",
            depth=1,
            take=2,
            wanted=3,
            circled=True,
            seconds=10.0,
            usd=1.848,
            clip=clip("0020", "clips/lantern-market_010_0020_tk02.mp4", seconds=10.0),
            alternates=[
                {
                    "take": 1,
                    "clip": digest("0020 take 1"),
                    "path": "clips/lantern-market_010_0020_tk01.mp4",
                    "usd": 0.924,
                    "seed": 12,
                },
                {"take": 3, "clip": digest("0020 take 3"), "usd": 0.924},
            ],
        ),
        shot(
            "0030",
            "010",
            after("0010"),
            title="The alley",
            prompt="She runs into the alley; lanterns swing above her. " * 22,
            state="stale",
            reason="prompt: “walks” became “runs”",
            depth=1,
            inspect=inspection(
                [9.4, 1.0, -0.8],
                head=measured("continuous", 29.8, 0.912, [9.4, 1.0, -0.8]),
                findings=[{"level": "error", "fact": "the colours of the first frame moved by R +9.4, G +1.0, B -0.8"}],
            ),
        ),
        shot(
            "0040",
            "020",
            after("0030", "2.5s"),
            title="夜の橋",
            prompt="夜の橋を渡る少女。雨が川面を叩き、提灯の光が揺れる。カメラはゆっくりと引く。",
            to=after("0010", "first"),
            depth=2,
            inspect=inspection(
                [2.6, -1.2, 0.3],
                head=measured("suspect", 19.4, 0.642, [2.6, -1.2, 0.3]),
                foot=measured("continuous", 31.0, 0.91, [0.2, 0.1, 0.0]),
                findings=[{"level": "warning", "fact": "the first frame is hardly like the picture that was sent"}],
            ),
        ),
        shot(
            "0050",
            "020",
            after("0040"),
            title="Rooftops",
            state="failed",
            reason="The provider refused it: “the prompt was flagged by moderation”. Nothing was charged.",
            depth=3,
            **(UNMADE | {"request": {"taskType": "videoInference", "model": "klingai:4@3", "duration": 5}}),
        ),
        shot(
            "0060",
            "020",
            {"origin": "url", "image": "https://pictures.example/dawn.png"},
            title="Dawn",
            state="missing",
            reason="It was never made.",
            **UNMADE,
        ),
    ]


def _film() -> Doc:
    return {
        "film": "lantern-market",
        "title": "Lantern Market in the Rain",
        "path": "film.partial.mp4",
        "digest": digest("film"),
        "bytes": 11_482_113,
        "frames": 597,
        "duration": 24.875,
        "copied": True,
        "notes": ["Slates stand in for 0050 and 0060."],
        "entries": [
            {"shot": "0010", "in": 0, "out": 120, "at": 0.0},
            {"shot": "0020", "in": 1, "out": 240, "at": 5.0},
            {"shot": "0030", "in": 0, "out": 120, "at": 14.9583},
            {"shot": "0040", "in": 1, "out": 120, "at": 19.9583},
            {"shot": "0050", "in": 0, "out": 48, "at": 24.9167, "slate": True},
            {"shot": "0060", "in": 0, "out": 48, "at": 26.9167, "slate": True},
        ],
        "joins": [
            join(("0010", "0020"), "repeat", 46.2, 0.993, [0.4, -0.1, 0.7]),
            {"tail": "0020", "head": "0030", "continues": False},
            join(("0030", "0040"), "suspect", 19.4, 0.642, [2.6, -1.2, 0.3]),
            {"tail": "0050", "head": "0060", "continues": False},
        ],
    }


def contacts() -> dict[str, bytes]:
    return dict(_contacts())


@cache
def _contacts() -> dict[str, bytes]:
    return {
        digest("0010"): strip("0010"),
        digest("0020"): strip("0020", after="0010"),
        digest("0030"): strip("0030", after="0010"),
        digest("0040"): strip("0040", after="0030"),
        digest("0020 take 1"): strip("0020"),
        digest("2.5s 0030"): _alone("0030"),
        digest("lane"): _alone("0010"),
    }


def _alone(shot: str) -> bytes:
    out = io.BytesIO()
    _scenery(shot, 0.5, 320, 180).save(out, "JPEG", quality=85)
    return out.getvalue()


def graph(document: Doc) -> Graph:
    scenes = {scene["scene"]: f"{scene['scene']} {scene.get('title', '')}" for scene in document["scenes"]}
    nodes = tuple(
        Node(s["shot"], s["title"], scenes[s["scene"]], s["state"], s.get("seconds"), s.get("usd"))
        for s in document["shots"]
    )
    edges = [
        Edge(s[kind]["shot"], s["shot"], kind, s[kind]["frame"])
        for s in document["shots"]
        for kind in ("from", "to")
        if s.get(kind, {}).get("origin") == "shot"
    ]
    return Graph(document["storyboard"]["title"], nodes, tuple(edges))
