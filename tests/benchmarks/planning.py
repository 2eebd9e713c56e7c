"""How long a plan takes, how much memory it needs, and how soon a run knows that nothing is to be done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from .rounds import Row, process_s, ratio

_LOAD_AND_CHECK = """
import json, sys, yaml, pathlib, jsonschema
from referencing import Registry, Resource
board = yaml.load(open(sys.argv[1], 'rb'), Loader=yaml.CSafeLoader)
schema = json.loads(pathlib.Path(sys.argv[2]).read_text())
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(board))
assert not errors, errors[0]
"""
_PEAK = """
import resource, sys
from runner.cli.app import start
code = start(sys.argv[1:])
if sys.platform == 'linux':  # what getrusage tells there is handed down by the parent
    lines = open('/proc/self/status').read().splitlines()
    print(int(next(line for line in lines if line.startswith('VmHWM')).split()[1]) / 1024, file=sys.stderr)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2, file=sys.stderr)
"""
_SMALL = """
pipeline: small
provider: animatic
model: matchcut:animatic
shot:
  clip: {uses: generate, with: {width: 640, height: 360, outputQuality: 40}}
  tail: {uses: frame, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
"""


def storyboard(shots: int, pipeline: str = "kling-2.1-master", more: str = "") -> str:
    """Scenes of ten shots in a chain, with words of the length people write."""
    lines = [
        "storyboard: long", "title: A long film", f"pipeline: {pipeline}", more,
        "values: {look: 'amber and jade light, wet stone, steam, realistic lighting', cast: {mira: a girl in yellow}}",
        'prompt: "{{ shot.action }} Camera: {{ shot.camera }}. {{ look }}"',
        "negative: [low detail, blurry faces, watermark]", "scenes:",
    ]  # fmt: skip
    for n in range(shots):
        if n % 10 == 0:
            lines += [f'  - scene: "{n // 10:04d}"', "    title: A lane at night", "    shots:"]
        lines += [
            f'      - shot: "{n:05d}"', "        camera: slow forward glide",
            f'        action: "{{{{ cast.mira }}}} passes stall {n} while the rain runs down the paper lanterns."',
        ]  # fmt: skip
    return "\n".join(line for line in lines if line) + "\n"


def measure(*, quick: bool = False) -> list[Row]:
    """The rows of the table. ``quick`` measures few rounds of small boards: to see that it runs."""
    shots, few, rounds = (50, 4, 1) if quick else (1000, 100, 9)
    schema = subprocess.run(
        [sys.executable, "-c", "from runner import shipped; print(shipped.folder('schemas') / 'storyboard.schema.json')"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    command = [sys.executable, "-c", "from runner.cli import main; import sys; sys.exit(main())"]
    with tempfile.TemporaryDirectory() as folder:
        board = Path(folder) / "long.yaml"
        board.write_text(storyboard(shots), encoding="utf-8")
        plan = [*command, "plan", str(board)]
        bare = [sys.executable, "-c", _LOAD_AND_CHECK, str(board), schema]
        cold = ratio(lambda: process_s(plan), lambda: process_s(bare), rounds)
        peak = float(
            subprocess.run(
                [sys.executable, "-c", _PEAK, "plan", str(board)], check=True, capture_output=True, text=True
            ).stderr.split()[-1]
        )
        small = Path(folder) / "few.yaml"
        small.write_text(storyboard(few, "small.yaml", "defaults: {duration: 1}"), encoding="utf-8")
        (Path(folder) / "small.yaml").write_text(_SMALL, encoding="utf-8")
        run = [*command, "run", "few.yaml"]
        process_s(run, folder)
        process_s(run, folder)
        pass_ = [sys.executable, "-I", "-c", "pass"]
        noop = ratio(lambda: process_s(run, folder), lambda: process_s(pass_), rounds * 3)
    return [
        (f"cold plan of {shots:,} shots / load its YAML and check it with jsonschema", cold, 2.5, "x"),
        ("peak memory of that plan", peak, 120, "MB"),
        (f"nothing to do, {few} shots, whole process / python -I -c pass", noop, 4, "x"),
    ]


if __name__ == "__main__":
    pass
