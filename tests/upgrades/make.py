"""Writes down what this version of matchcut writes, so that later versions are held to reading it.

    python -m tests.upgrades.make

A folder of the version's name appears beside this file: two storyboards, one for each model card, bought from the
stand-in, with all that is written but clips, pictures and film. Do this once for a version that changed a format; then
commit the folder and never touch it again. `test_upgrades.py` collects the folders.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from PIL import Image

import runner

from ..shop import COMMAND, ROOT, Service, service

HERE = Path(__file__).parent
KEPT = ("store/takes", "store/done", "lanes", "outputs", "memory")
BOARDS = {
    "master-2-1": """\
storyboard: upgrade-2-1
pipeline: kling-2.1-master
budget: 20
values: {look: "amber light, wet stone – 灯笼"}
prompt: "{{ shot.action }} {{ look }}"
negative: [low detail, watermark]
scenes:
  - scene: "010"
    shots:
      - {shot: "0010", from: stills/lane.png, action: A lantern swings over the lane., takes: 2}
      - {shot: "0020", action: "Rain begins, slowly.", with: {clip: {CFGScale: 0.7}}}
      - {shot: "0030", from: "0010@2.5s", action: A cat looks up., duration: 10}
""",
    "master-2-0": """\
storyboard: upgrade-2-0
pipeline: kling-2.0-master
aspect: "9:16"
budget: 20
scenes:
  - scene: "010"
    shots:
      - {shot: a, action: A door opens on a bright yard.}
      - {shot: b, action: The yard from above., to: a@first}
      - {shot: c, from: cut, action: "A ladder, seen from below."}
""",
}


def main() -> None:
    """Buy both storyboards from a stand-in and keep what was written."""
    into = HERE / runner.__version__
    if into.exists():
        raise SystemExit(f"{into} is there already: what a version wrote is not changed afterwards")
    with tempfile.TemporaryDirectory() as scratch, service("--making", "1", "--speed", "10") as shop:
        folder = Path(scratch) / "project"
        (folder / "stills").mkdir(parents=True)
        Image.linear_gradient("L").resize((1920, 1080)).convert("RGB").save(folder / "stills" / "lane.png")
        for stem, text in BOARDS.items():
            (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
            _run(folder, shop, "run", f"{stem}.yaml")
        _run(folder, shop, "circle", "0010", "2", "master-2-1.yaml")
        _run(folder, shop, "run", "master-2-1.yaml")  # what follows is made on the circled take
        _keep(folder, into)
    print(f"{into}: {sum(path.is_file() for path in into.rglob('*'))} files")  # noqa: T201


def _run(folder: Path, shop: Service, *words: str) -> None:
    environ = {
        **os.environ,
        "MATCHCUT_RUNWARE_URL": f"{shop.url}/v1",
        "RUNWARE_API_KEY": "any",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([*COMMAND, *words], cwd=folder, env=environ, check=True)


def _keep(folder: Path, into: Path) -> None:
    """Copy everything with a format; ``.matchcut`` becomes ``matchcut``, since git ignores the former."""
    with closing(sqlite3.connect(folder / ".matchcut" / "journal.sqlite")) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    into.mkdir()
    shutil.copytree(folder / "stills", into / "stills")
    for stem in BOARDS:
        shutil.copy(folder / f"{stem}.yaml", into)
        shutil.copytree(folder / f"{stem}.takes", into / f"{stem}.takes")
        shutil.copy(folder / "out" / stem / "manifest.json", into / f"{stem}.manifest.json")
    (into / "matchcut").mkdir()
    shutil.copy(folder / ".matchcut" / "journal.sqlite", into / "matchcut")
    for name in KEPT:
        if (folder / ".matchcut" / name).is_dir():
            shutil.copytree(folder / ".matchcut" / name, into / "matchcut" / name)
    keys = {path.stem: _keys(path) for path in sorted(into.glob("*.manifest.json"))}
    (into / "keys.json").write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")


def _keys(manifest: Path) -> dict[str, str]:
    told = json.loads(manifest.read_text(encoding="utf-8"))
    return {shot["shot"]: shot["key"] for shot in told["shots"]}


if __name__ == "__main__":
    main()
