"""The golden pictures of the animatic: a few small drawn frames, kept by digest beside the version that drew them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy
import PIL

from runner.providers.animatic.draw import frames
from runner.providers.animatic.version import VERSION

from .orders import order

GOLDEN = Path(__file__).with_name("golden.json")

SCENES = {
    "market": "Night market in the rain, lanterns, amber and jade light, a crowd. Camera: slow push in",
    "city": "Neon avenue at dusk, crimson signs. Camera: pan right",
    "harbour": "Fishing boats in the harbour at dawn, a sailor on the pier. Camera: crane up",
    "forest": "A birch grove in autumn, leaves falling, golden light. Camera: track left",
    "desert": "Dunes and stone arches at noon, dust. Camera: orbit",
    "mountain": "Alpine peaks, mist, moonlit. Camera: pull back",
    "snowfield": "Tundra under snowfall at dawn, a lone hiker. Camera: tilt down",
    "field": "Wheat meadow at dusk, violet. Handheld",
    "interior": "A terminal at first light, a traveler in a saffron coat. Camera: dolly forward",
    "room": "A quiet room by the window, embers glow. Static camera",
    "lantern": "Close-up of one jade lantern going dark, a market lane at night, amber. Camera: slow tilt up",
    "hand": "Her hand closes around a ticket, a quay at dawn. Static camera",
    "bowl": "Insert of a bowl of noodles, steam, a market at night. Camera: slow push in",
    "face": "Close-up of her face, a harbour at dusk. Static camera",
    "canal": "A girl in a yellow cape kneeling by a puddle with a dim lantern, a canal bridge, a market at night",
    "lift": "Wide shot of a girl lifting a lantern over her head as it glows jade again, a canal bridge, market, night",
    "medium": "Medium shot of a woman in a red coat on a quay at dawn",
    "river": "A girl in a boat on a stream in a birch forest in autumn",
    "space": "A shipyard in orbit above a rust planet, starships. Camera: zoom in",
}


def digests() -> dict[str, str]:
    """The digest of four frames of every scene, 160x90."""
    found = {}
    for name, prompt in SCENES.items():
        digest = hashlib.sha256()
        for index, planes in enumerate(frames(order(prompt, duration=1.6))):
            if index in {0, 12, 24, 37}:
                for plane in planes:
                    digest.update(plane.tobytes())
        found[name] = digest.hexdigest()
    return found


def libraries() -> dict[str, str]:
    """The libraries whose arithmetic the pictures rest on."""
    return {"numpy": numpy.__version__, "pillow": PIL.__version__}


def main() -> None:
    """Writes the pictures of today as golden."""
    kept = {"version": VERSION, "libraries": libraries(), "pictures": digests()}
    GOLDEN.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
