"""A long film whose every shot has its take: written by the project's own writers, with one small clip of a test card."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np

from runner import gather, takes
from runner.journal import Journal, Result, Submit
from runner.load import load
from runner.media.receive import receive
from runner.media.write import Writer
from runner.plan import Decision, Plan, decide
from runner.store import LocalStore
from runner.takes import Record, Take

Lane = Literal["animatic", "paid"]
COMMAND = [sys.executable, "-c", "from runner.cli import main; import sys; sys.exit(main())"]
_CARDS = Path(__file__).parent.parent / "server" / "cards"
_STEPS = (
    "shot:\n  clip: {uses: generate}\n  tail: {uses: frame, in: {clip: clip}}\nfilm:\n  manifest: {uses: manifest}\n"
)
_PIPELINES: dict[Lane, str] = {
    "animatic": "pipeline: long\nprovider: animatic\nmodel: matchcut:animatic\n" + _STEPS,
    "paid": "pipeline: long\nprovider: runware\nmodel: tiny.json\n" + _STEPS,
}
SENT_AT = 1_700_000_000.0


def storyboard(shots: int, pipeline: str = "long.yaml", more: str = "") -> str:
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


@dataclass(frozen=True)
class LongFilm:
    """A project in a folder: the shots of one storyboard, two tasks each, and one manifest."""

    folder: Path
    shots: int
    lane: Lane

    @property
    def file(self) -> Path:
        return self.folder / "storyboard.yaml"

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "RUNWARE_API_KEY": "none", "MATCHCUT_JOBS": "1"}

    def write(self) -> None:
        """The files that people write."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tiny.json").write_bytes((_CARDS / "tiny.json").read_bytes())
        (self.folder / "long.yaml").write_text(_PIPELINES[self.lane], encoding="utf-8")
        more = "defaults: {duration: 1}" + ("\naspect: '1:1'" if self.lane == "paid" else "")
        self.file.write_text(storyboard(self.shots, more=more), encoding="utf-8")

    def edit(self, words: str) -> None:
        """Other words for the camera of one shot, in the middle."""
        middle = f'      - shot: "{self.shots // 2:05d}"\n        camera: '
        head, _, rest = self.file.read_text(encoding="utf-8").partition(middle)
        self.file.write_text(f"{head}{middle}{words}\n{rest.partition(chr(10))[2]}", encoding="utf-8")

    def fill(self) -> None:
        """A take for every shot, as a run would have written it, and then the real command until it has settled."""
        self.write()
        loaded = load(self.file, environ=self.environ)
        store = _Quick(loaded.project.store.root)
        store.make()
        card = _TestCard(store)
        decisions: dict[str, Decision] = {}
        bought: list[tuple[str, Take]] = []
        for name in loaded.plan.order:
            made = self._take(loaded.plan, card, name, decisions)
            store.record(made)
            store.note(loaded.lane.provider, loaded.project.stem, name, key=made.key)
            if self.lane == "paid":
                store.write(takes.path(self.file, name), takes.text(Record(name, (made,))).encode())
            bought.append((name, made))
        if self.lane == "paid":
            asyncio.run(_journal(store.root / gather.JOURNAL, loaded.plan, bought))
        for _ in range(2):
            self.command("run")

    def command(self, *words: str) -> str:
        """What the command says about this project."""
        argv = [*COMMAND, *words, "storyboard.yaml"]
        done = subprocess.run(argv, cwd=self.folder, env=self.environ, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def _take(self, plan: Plan, card: _TestCard, name: str, decisions: dict[str, Decision]) -> Take:
        asked = decide(plan, name, decisions, plan.facts)
        assert asked.key is not None
        clip = card.clip(name)
        uuid = "-".join(asked.key.digest[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
        made = Take(
            take=1, key=asked.key.digest, clip=clip, provider=plan.lane.maker, model=plan.briefs[name].card.id,
            parts=asked.key.parts, words=plan.briefs[name].words.used, bytes=card.bytes, frames=card.got["frames"],
            probe=card.got["probe"], inspect=card.got["inspect"], task_uuid=uuid, video_uuid=uuid,
            seed=int(asked.key.digest[:8], 16), usd="0.1000" if self.lane == "paid" else None,
            response={"taskUUID": uuid, "cost": 0.1},
        )  # fmt: skip
        facts: Any = plan.facts
        facts.by_key[made.key] = (made,)
        decisions[name] = decide(plan, name, decisions, facts)
        return made


class _Quick(LocalStore):
    """Writes without waiting for the disk: nothing of a benchmark need outlive a power cut."""

    def write(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


class _TestCard:
    """One small clip, decoded once; each shot's own has a free box of its own at the end, and so its own digest."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        path = store.temporary / "card.mp4"
        rows = np.tile(np.linspace(16, 235, 64).astype(np.uint8), (64, 1))
        picture = np.stack([rows, rows.T, 255 - rows], axis=2)
        with Writer(path, 64, 64, 24, "MP4", quality=50) as writer:
            for _ in range(24):
                writer.write_rgb(picture)
        self.got = receive({"clip": str(path), "into": str(store.pictures), "contacts": str(store.contacts)})
        self._bytes = path.read_bytes()
        self._strip = store.contact(self.got["digest"]).read_bytes()
        self.bytes = len(self._bytes) + 16

    def clip(self, name: str) -> str:
        """The digest of a shot's clip, which is in the store now."""
        data = self._bytes + (16).to_bytes(4, "big") + b"free" + name.encode().ljust(8)[:8]
        digest = hashlib.sha256(data).hexdigest()
        self.store.write(self.store.path(digest), data)
        self.store.write(self.store.contact(digest), self._strip)
        return digest


async def _journal(path: Path, plan: Plan, bought: list[tuple[str, Take]]) -> None:
    """The journal of all that was bought, each settled."""
    journal = Journal(path)
    price = Decimal("0.10")
    submits = [
        Submit(
            str(take.task_uuid), "runware", "storyboard", name, take.key, (1,), take.model,
            dict(plan.briefs[name].request), take.key, price, "sent", SENT_AT,
        )
        for name, take in bought
    ]  # fmt: skip
    await asyncio.gather(*(journal.intend(submit) for submit in submits))
    results = [
        Result(str(take.task_uuid), str(take.video_uuid), 1, take.seed, price, take.response, "made", None, SENT_AT)
        for _, take in bought
    ]
    await asyncio.gather(*(journal.made(result.uuid, result) for result in results))
    await asyncio.gather(*(journal.recorded(result.uuid, result.video) for result in results))
    await asyncio.gather(*(journal.became(result.uuid, "recorded") for result in results))
    journal.close()
