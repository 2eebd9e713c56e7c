"""The end of a run: clips and frames under their names, the film, the manifest, the report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from . import cut, graphs, key, manifest
from .brief import settings_of
from .errors import StoryError
from .exports import EXPORTS, graph
from .facts import Done
from .kinds import assemble, exec  # noqa: A004
from .manifest import FilmMade, Told
from .pipeline import Step
from .placing import Placing
from .plan import Product
from .ports import TaskFailed, WorkerLost
from .schema import check
from .storyboard import Film
from .work import Desk, Event, Outcome

_LIBRARIES = ("av", "numpy", "pillow")


async def finish(run: Desk, placing: Placing | None = None) -> Outcome:
    """Put together what can be, and write it down.

    Where a shot is missing the last film and its manifest stay as they are; ``partial`` makes another one beside them.
    ``placing`` knows what has its name already.
    """
    placing = placing or Placing(run)
    for shot in run.plan.board.shots:
        placing.shot(shot.id)
    ending = _Ending(run, placing)
    if ending.whole or run.options.partial:
        try:
            await ending.films()
        except (StoryError, TaskFailed, WorkerLost, TimeoutError) as error:
            run.tell(Event("failed", "film", run.fail("film", error)))
            ending.give_up()
    ending.write()
    run.tell(Event("film", "film", ", ".join(str(path) for path in ending.paths)))
    return Outcome(
        run.plan, run.decisions, run.facts, run.made, ending.paths, ending.manifest, ending.report,
        ending.outputs.changed, tuple(run.problems), frozenset(run.told), codes=frozenset(run.codes),
    )  # fmt: skip


@dataclass
class _Ending:
    run: Desk
    placing: Placing

    def __post_init__(self) -> None:
        run = self.run
        found = cut.products(run.plan, run.decisions, run.facts)
        here = {name: product for name, product in found.items() if run.store.has(product.clip)}
        self.clips = {name: product for name, product in here.items() if {"rate", "frames"} <= product.probe.keys()}
        if bare := [name for name in here if name not in self.clips]:
            fact = f"the takes of {', '.join(bare)} say nothing of how their clips are"
            run.fail("film", StoryError.of(fact, "matchcut takes rebuild: it measures them", exit_code=1))
        shown = {name for film in run.plan.board.films for name in film.shots} - self.placing.damaged
        if lost := [name for name in found if name in shown and name not in here]:
            fact = f"the clips of {', '.join(lost)} were bought, and are not on this machine"
            run.fail("film", StoryError.of(fact, "matchcut store pull; `matchcut run` says more", exit_code=1))
        self.severed = cut.severed(run.plan, run.decisions, run.facts)
        states = [decision.state for decision in run.decisions.values()]
        names = {name for film in run.plan.board.films for name in film.shots}
        self.whole = not run.problems and "waiting" not in states and names <= self.clips.keys()
        self.partial = run.options.partial and not self.whole
        self.outputs = self.placing.outputs
        self.made: list[FilmMade] = []
        self.paths: list[Path] = []
        self.manifest: Path | None = None
        self.report: Path | None = None

    def give_up(self) -> None:
        """No film this time: what stands there stays."""
        self.whole = self.partial = False
        self.made.clear()
        self.paths.clear()

    # the film

    async def films(self) -> None:
        for film in self.run.plan.board.films:
            clips = dict(self.clips)
            slates: frozenset[str] = frozenset()
            if self.partial:
                slates = frozenset(film.shots) - clips.keys()
                for name in sorted(slates):
                    clips[name] = await self._slate(name)
            entries = cut.entries(self.run.plan, film, clips, self.severed)
            if not entries:
                continue
            file = await self._film(film, entries, clips)
            joins = cut.joins(self.run.plan, clips, entries, self.severed)
            self.made.append(FilmMade(film, entries, joins, file, slates))

    async def _film(
        self, film: Film, entries: Sequence[assemble.Entry], clips: Mapping[str, Product]
    ) -> dict[str, Any]:
        """Join the clips and run the pipeline's commands on the film; nothing is done that was done before."""
        probe = clips[entries[0].shot].probe
        brief = self.run.plan.briefs[entries[0].shot]
        steps = [step for step in self.run.plan.pipeline.film if step.kind in ("assemble", "exec")]
        recipe: dict[str, Any] = {"matchcut-film": 1, "steps": []}
        for step in steps:
            if step.kind == "assemble":
                size = (brief.width, brief.height)
                recipe["steps"].append(assemble.recipe(entries, step.settings, size, str(probe["rate"])))
            else:
                recipe["steps"].append(
                    exec.fingerprint(step.settings, {}, self.run.facts.environ, self.run.facts.files)
                )
        if not steps:
            return {}
        suffix = cut.film_suffix(probe)
        name = ("film" if film.id == "film" else f"film-{film.id}") + (".partial" if self.partial else "") + suffix
        named = key.digest(recipe)
        told = self.outputs.remembered(name, named)
        if told is None:
            told = await self._put_together(steps, entries, recipe, name, named)
        self.outputs.now[name] = told
        self.paths.append(self.run.loaded.project.out / name)
        return {"path": name, **{n: told[n] for n in ("digest", "bytes", "frames", "duration", "copied", "notes")}}

    async def _put_together(
        self, steps: Sequence[Step], entries: Sequence[assemble.Entry], recipe: Mapping[str, Any], name: str, named: str
    ) -> dict[str, Any]:
        run = self.run
        facts: dict[str, Any] = {}
        for shot, clip in {entry.shot: entry.clip for entry in entries}.items():
            if not self.placing.sound(shot, clip):
                self.clips.pop(shot, None)
                raise StoryError.of(f"shot {shot} has no sound clip", "run again", exit_code=1)
        with run.store.scratch() as folder:
            path = folder / name
            for at, step in enumerate(steps):
                if step.kind == "assemble":
                    order = {**recipe["steps"][at], "out": str(path)}
                    order["entries"] = [
                        {**entry, "clip": str(run.store.path(entry["clip"]))} for entry in order["entries"]
                    ]
                    facts = await run.job("film", "runner.media.join:join", order)
                else:
                    path, facts = await self._command(step, path, facts)
            self.outputs.place(name, facts["digest"], path)
        facts = {n: facts.get(n) for n in ("digest", "bytes", "frames", "duration", "copied", "notes")}
        return {**self.outputs.now[name], **facts, "recipe": named}

    async def _command(self, step: Step, path: Path, facts: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        """A command of the pipeline on the film as it is so far."""
        run = self.run
        run.store.keep(path, facts["digest"])
        named = exec.fingerprint(step.settings, {"clip": facts["digest"]}, run.facts.environ, run.facts.files)
        done = run.done.get(named)
        if done is None:
            given = await run.command(f"film.{step.name}", settings_of(step, None), {"clip": facts["digest"]})
            done = Done(named, given)
            run.store.finish(done)
        digest = done.outputs.get("clip") or next(iter(done.outputs.values()))
        order = {"clip": str(run.store.path(digest)), "into": str(run.store.pictures), "contact": None}
        got = await run.job("film", "runner.media.receive:receive", order)
        probe = got["probe"]
        notes = [*(facts.get("notes") or []), f"made by step {step.name}"]
        return run.store.path(digest), {
            "digest": digest, "bytes": got["bytes"], "frames": probe["frames"], "duration": probe["duration"],
            "copied": False, "notes": notes,
        }  # fmt: skip

    async def _slate(self, name: str) -> Product:
        """A slate that stands in for a missing shot: which one it is, and why it is not there."""
        run = self.run
        brief, decision = run.plan.briefs[name], run.decisions[name]
        with run.store.scratch() as folder:
            path = folder / "slate.mp4"
            order = {
                "width": brief.width, "height": brief.height, "fps": round(brief.rate), "seconds": brief.seconds,
                "container": brief.request.get("outputFormat", "MP4"), "slate": brief.slate.as_json(),
                "state": decision.state, "reason": decision.reason, "out": str(path),
                "quality": brief.request.get("outputQuality", 95),
            }  # fmt: skip
            await run.job(f"{name}: slate", "runner.providers.animatic.card:card", order)
            into = {"clip": str(path), "into": str(folder), "contact": None}
            got = await run.job(f"{name}: slate", "runner.media.receive:receive", into)
            run.store.keep(path, got["digest"])
        return Product(got["digest"], got["frames"], got["probe"], {})

    # files

    def write(self) -> None:
        run, plan = self.run, self.run.plan
        told = Told(
            run.decisions, run.facts, self.clips, self.made, self.placing.clips, self.placing.finals,
            self.placing.frames,
            {name: metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
        )  # fmt: skip
        document = manifest.make(plan, told, partial=self.partial)
        faults = check({**document, "shots": _one_of_each(document["shots"])}, "manifest.schema.json")
        assert not faults, f"BUG: the manifest does not fit its schema: {faults}"
        kinds = {step.kind for step in plan.pipeline.film}
        if "manifest" in kinds and (self.whole or self.partial):
            name = "manifest.partial.json" if self.partial else "manifest.json"
            self.outputs.write(name, manifest.text(document))
            self.manifest = run.loaded.project.out / name
        if "report" in kinds:
            self.outputs.write(
                "report.html", EXPORTS["report"](document, self._contacts(), graph.svg(graphs.of(plan, run.decisions)))
            )
            self.report = run.loaded.project.out / "report.html"
        if not self.whole:
            for name, before in self.outputs.known.items():
                self.outputs.now.setdefault(name, before)
        self.outputs.close()

    def _contacts(self) -> dict[str, bytes]:
        run = self.run
        digests = {product.clip for product in self.clips.values()}
        digests |= {d.take.clip for d in run.decisions.values() if d.take is not None}
        found = {digest: run.store.contact(digest) for digest in digests}
        strips = {digest: path.read_bytes() for digest, path in found.items() if path.is_file()}
        return strips | self._stills()

    def _stills(self) -> dict[str, bytes]:
        """Small pictures of frames at the shots' ends that no contact strip shows: stills, frames inside clips."""
        shots = self.run.plan.board.shots
        decisions = self.run.decisions
        ends = [(s.begins, decisions[s.id].first) for s in shots] + [(s.ends, decisions[s.id].last) for s in shots]
        odd = [
            end.pixels
            for point, end in ends
            if point and end and (point.origin != "shot" or point.frame not in ("first", "last"))
        ]
        paths = {digest: self.run.store.picture(digest) for digest in odd if digest is not None}
        if not paths:
            return {}
        from .media import picture

        there = {digest: path for digest, path in paths.items() if path.is_file()}
        return {digest: picture.jpeg(picture.thumbnail(picture.read(path), 320)) for digest, path in there.items()}


def _one_of_each(shots: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One shot of every form: whether a thousand of the same form fit the schema need not be asked a thousand times."""
    return list({_form(shot): shot for shot in shots}.values())


def _form(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((name, _form(item)) for name, item in value.items())
    return tuple(dict.fromkeys(map(_form, value))) if isinstance(value, list | tuple) else type(value)
