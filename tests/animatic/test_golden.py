"""Golden pictures: a change of what is drawn must raise the animatic's version, because keys of drawn takes hold it."""

from __future__ import annotations

import json

from runner.providers.animatic.version import VERSION

from .golden import GOLDEN, SCENES, digests, libraries

ACCEPT = "raise VERSION in runner/providers/animatic/version.py, then run: python -m tests.animatic.golden"


def test_pictures_change_only_with_the_version() -> None:
    kept = json.loads(GOLDEN.read_text())
    now = digests()
    changed = sorted(name for name in SCENES if kept["pictures"].get(name) != now[name])
    if kept["version"] == VERSION and kept["libraries"] == libraries():
        assert [] == changed, f"drawn otherwise than version {VERSION} drew them; {ACCEPT}"
    # Other libraries may round otherwise: then only the version is held to.
    assert kept["version"] == VERSION, f"golden.json is of version {kept['version']}; {ACCEPT}"


def test_every_golden_scene_is_a_picture_of_its_own() -> None:
    kept = json.loads(GOLDEN.read_text())
    assert set(SCENES) == set(kept["pictures"])
    assert len(SCENES) == len(set(kept["pictures"].values()))
