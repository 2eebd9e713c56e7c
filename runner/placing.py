"""The clips and frames of a film under their names, each as soon as it is there."""

from __future__ import annotations

from pathlib import Path

from . import cut, key, outputs
from .errors import StoryError
from .outputs import Outputs
from .store import hash_file
from .storyboard import Shot
from .takes import Take
from .work import Desk


class Placing:
    """Puts the clips of every take that fits, and the chosen one's frames, into the output folder, shot by shot."""

    def __init__(self, run: Desk) -> None:
        self.run = run
        project = run.loaded.project
        self.outputs = Outputs(project.out, run.store, key.digest({"out": str(project.out.resolve())})[:16])
        self.index = {shot.id: shot.index + 1 for shot in run.plan.board.shots}
        self.clips: dict[tuple[str, int], str] = {}
        """Paths by shot and take."""
        self.finals: dict[str, str] = {}
        self.frames: dict[tuple[str, str], str] = {}
        """Paths by shot and selector."""
        self.openings = {film.shots[0] for film in run.plan.board.films if film.shots}
        """Shots with which a film opens: their first frame is its poster."""
        self.damaged: set[str] = set()
        """Shots with a clip that is not what its name says: nothing is made of it."""

    def shot(self, name: str) -> None:
        """What there is of a shot by now; what stands there already is left."""
        run, shot = self.run, self.run.plan.board.by_id[name]
        decision = run.decisions[name]
        chosen = decision.take
        if chosen is None:
            return
        takes = [take for take in run.facts.takes.get(name, ()) if take.key == chosen.key]
        for take in takes or [chosen]:
            path = outputs.clip_name(self.index, shot.scene, name, take.take, cut.suffix(take.probe))
            if run.store.has(take.clip) and self._placed(name, path, take.clip):
                self.clips[name, take.take] = path
        self._frames(shot, chosen)
        product = cut.product(run.plan, name, decision, run.facts)
        if product is not None and product.clip != chosen.clip and run.store.has(product.clip):
            stem = outputs.clip_name(self.index, shot.scene, name, chosen.take, "")
            path = f"{stem}_{run.plan.pipeline.clip}{cut.suffix(product.probe)}"
            if self._placed(name, path, product.clip):
                self.finals[name] = path

    def sound(self, shot: str, clip: str) -> bool:
        """Whether a stored clip is whole, or was put right from its copy; else it is set aside, and that is told."""
        mine = (self.finals.get(shot), *(path for (name, _), path in self.clips.items() if name == shot))
        copies = (self.outputs.folder / path for path in mine if path is not None)
        good = next((copy for copy in copies if copy.is_file() and hash_file(copy) == clip), None)
        return self._sound(shot, clip, good)

    def _sound(self, shot: str, clip: str, copy: Path | None = None) -> bool:
        if self.run.store.sound(clip, copy):
            return True
        if self.run.sharing is not None and self.run.sharing.fetched(shot, clip):
            return True
        fact = "its clip is damaged in the store, and was set aside in .matchcut/store/damaged"
        drawn = "run again: it is drawn anew"
        own = "run again: it is taken in anew"
        bought = "matchcut store pull, or a backup: it was paid for, and is not bought again by itself"
        plan = self.run.plan
        remedy = own if plan.briefs[shot].footage is not None else drawn if plan.lane.draws else bought
        self.run.fail(shot, StoryError.of(fact, remedy, exit_code=1))
        self.damaged.add(shot)
        return False

    def _placed(self, shot: str, path: str, clip: str) -> bool:
        if not self.outputs.is_there(path, clip) and not self._sound(shot, clip):
            return False
        self.outputs.place(path, clip, self.run.store.path(clip))
        return True

    def _frames(self, shot: Shot, take: Take) -> None:
        """The frames that are handed on or asked for; the others can be taken out of the clip at any time."""
        wanted = self.run.plan.asked(shot.id) | {"last"} | ({"first"} if shot.id in self.openings else set())
        for selector, found in take.frames.items():
            if selector not in wanted:
                continue
            picture = self.run.store.picture(found["digest"])
            if picture.is_file():
                path = outputs.frame_name(shot.scene, shot.id, take.take, selector)
                self.outputs.place(path, hash_file(picture), picture)
                self.frames[shot.id, selector] = path
