"""Merges with real git: what two people did on two branches is joined, or the conflict is named; nothing is misread."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner import api, takes
from runner.cli.app import start
from runner.errors import Problem, StoryError
from runner.load import load
from runner.plan import Plan
from runner.takes import Circle, Record, Take

from .market import CARD, Market

MERGES = int(os.environ.get("MATCHCUT_MERGES", "40"))
"""Random merges of each kind."""
SHOTS = [f"{n}0" for n in range(10, 16)]
ACTIONS = dict(zip(SHOTS, ["A lamp", "A cat", "A door", "Rain", "A gull", "Steam"], strict=True))
HEAD = "storyboard: market\npipeline: market.yaml\naspect: '1:1'\ndefaults: {duration: 5, takes: 3}\n"

Files = Mapping[str, str]


def board(actions: Mapping[str, str], *, lines: bool = False) -> str:
    """A storyboard; ``lines``: with a line for each shot."""
    form = '      - {{shot: "{0}", from: cut, action: {1}}}\n'
    if not lines:
        form = '      - shot: "{0}"\n        from: cut\n        action: {1}\n        camera: static\n'
    shots = "".join(form.format(name, action) for name, action in actions.items())
    return f'{HEAD}scenes:\n  - scene: "010"\n    shots:\n{shots}'


@dataclass
class Repo:
    """A project in git. Both branches of every merge are written in one go; the merges are git's own."""

    folder: Path

    def git(self, *words: str, data: str | None = None) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        environ |= {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run(["git", *words], cwd=self.folder, env=environ, input=data, capture_output=True, text=True)

    def begin(self) -> None:
        assert self.git("init", "-q", "-b", "main").returncode == 0
        assert self.git("add", "-A").returncode == 0
        assert self.git("commit", "-q", "-m", "base").returncode == 0

    def write(self, pairs: Sequence[tuple[Files, Files]]) -> None:
        """Commit both sides of every merge on top of what there is."""
        head = self.git("rev-parse", "HEAD").stdout.strip()
        text = ""
        for n, sides in enumerate(pairs):
            for side, files in zip(("ours", "theirs"), sides, strict=True):
                text += f"commit refs/heads/{side}/{n}\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\nfrom {head}\n"
                for name, content in files.items():
                    text += f"M 100644 inline {name}\ndata {len(content.encode())}\n{content}\n"
        done = self.git("fast-import", "--quiet", "--force", data=text)
        assert done.returncode == 0, done.stderr

    def merged(self, pairs: Sequence[tuple[Files, Files]]) -> Iterator[bool]:
        """For each pair whether git merges it without a conflict; the work tree is then as git leaves it."""
        self.write(pairs)
        self.git("checkout", "-q", "--detach")
        for n in range(len(pairs)):
            assert self.git("reset", "-q", "--hard", f"ours/{n}").returncode == 0
            yield self.git("merge", "-q", "--no-edit", f"theirs/{n}").returncode == 0


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """A project whose eight shots were bought, three takes each."""
    market = Market(tmp_path_factory.mktemp("bought"), "")
    market.file.write_text(board(ACTIONS), encoding="utf-8")
    pipeline = market.folder / "market.yaml"  # a shipped card is read once, one beside the storyboard for every plan
    pipeline.write_text(pipeline.read_text(encoding="utf-8").replace(CARD, "klingai:5@3"), encoding="utf-8")
    assert market.run().exit_code == 0
    return market


@pytest.fixture
def repo(bought: Market, tmp_path: Path) -> Repo:
    shutil.copytree(bought.folder, tmp_path / "project", ignore=shutil.ignore_patterns("out"))
    found = Repo(tmp_path / "project")
    found.begin()
    return found


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


def record(repo: Repo, shot: str) -> Record:
    return takes.read(repo.folder / "storyboard.takes" / f"{shot}.yaml", shot)


def file(shot: Record) -> Files:
    return {f"storyboard.takes/{shot.shot}.yaml": takes.text(shot)}


def circled(shot: Record, number: int) -> Record:
    chosen = next(take for take in shot.takes if take.take == number)
    return shot.with_circle(chosen.key, Circle(chosen.clip))


def another(shot: Record, chance: random.Random) -> Take:
    """One more take of a shot, as another machine bought it."""
    name = f"{chance.getrandbits(256):064x}"
    return replace(shot.takes[0], take=4, clip=name, task_uuid=name[:8], video_uuid=name[:16], seed=4)


def told(repo: Repo) -> tuple[Plan | None, list[Problem]]:
    """What `matchcut check` finds."""
    try:
        plan = load(repo.folder / "storyboard.yaml", environ={}).plan
    except StoryError as error:
        return None, list(error.problems)
    return plan, list(plan.warnings)


def named(problems: list[Problem], where: str) -> bool:
    """Whether a merge conflict is named, with its place and both sides, and nothing else is said."""
    fact = r"a merge conflict is not resolved here: HEAD \(from line \d+\) against theirs/\d+ \(from line \d+\)"
    return bool(problems) and all(
        re.fullmatch(fact, p.fact) and p.place and p.place.file.endswith(where) and p.place.line and p.remedy
        for p in problems
    )


def two(chance: random.Random) -> tuple[str, str]:
    """Two neighbouring shots, in either order."""
    at = chance.randrange(len(SHOTS) - 1)
    first, second = SHOTS[at : at + 2]
    return (first, second) if chance.random() < 0.5 else (second, first)


# The storyboard


def test_edits_of_neighbouring_shots_merge_clean(repo: Repo, chance: random.Random) -> None:
    pairs, wanted = [], []
    for n in range(MERGES):
        ours, theirs = two(chance)
        one, other = {**ACTIONS, ours: f"Words {n} of ours"}, {**ACTIONS, theirs: f"Words {n} of theirs"}
        pairs.append(({"storyboard.yaml": board(one)}, {"storyboard.yaml": board(other)}))
        wanted.append({**one, theirs: other[theirs]})

    for clean, actions in zip(repo.merged(pairs), wanted, strict=True):
        plan, problems = told(repo)
        assert clean
        assert plan is not None, problems
        assert actions == {shot.id: shot.fields["action"] for shot in plan.board.shots}
        changed = {name for name, words in actions.items() if words != ACTIONS[name]}
        assert changed == {name for name, decision in plan.decisions.items() if decision.state == "stale"}


def test_edits_of_neighbouring_lines_are_a_conflict_that_is_named(repo: Repo, chance: random.Random) -> None:
    """With a shot on each line git sees neighbours as one place: all conflict. That is why `init` writes blocks."""
    (repo.folder / "storyboard.yaml").write_text(board(ACTIONS, lines=True), encoding="utf-8")
    repo.git("commit", "-qam", "lines")
    pairs = []
    for n in range(MERGES):
        ours, theirs = two(chance)
        sides = ({**ACTIONS, ours: f"Words {n} of ours"}, {**ACTIONS, theirs: f"Words {n} of theirs"})
        pairs.append(tuple({"storyboard.yaml": board(side, lines=True)} for side in sides))

    for clean in repo.merged(pairs):  # type: ignore[arg-type]
        assert not clean
        assert named(told(repo)[1], "storyboard.yaml")


def added(at: int, name: str) -> dict[str, str]:
    items = list(ACTIONS.items())
    return dict([*items[:at], (name, f"Something new, {name}"), *items[at:]])


def test_shots_added_in_different_places_merge_clean_and_one_id_twice_is_told(
    repo: Repo, chance: random.Random
) -> None:
    pairs, ids = [], []
    for _ in range(MERGES):
        here, there = chance.sample(range(len(SHOTS) + 1), 2)
        names = [chance.choice(["new1", "new2", "NEW1"]) for _ in range(2)]
        sides = (added(here, names[0]), added(there, names[1]))
        pairs.append(tuple({"storyboard.yaml": board(side)} for side in sides))
        ids.append(names)

    doubles = 0
    for clean, names in zip(repo.merged(pairs), ids, strict=True):  # type: ignore[arg-type]
        plan, problems = told(repo)
        assert clean
        if names[0].casefold() == names[1].casefold():
            doubles += 1
            assert ["is there already in line"] == [re.findall("is there.*line", p.fact)[0] for p in problems]
        else:
            assert plan is not None, problems
            assert {*SHOTS, *names} == set(plan.decisions)
            assert set(SHOTS) == {name for name, decision in plan.decisions.items() if decision.state == "current"}
    assert 0 < doubles < MERGES


def test_shots_added_in_the_same_place_are_a_conflict_that_is_named(repo: Repo, chance: random.Random) -> None:
    pairs = []
    for _ in range(MERGES):
        at = chance.randrange(len(SHOTS) + 1)
        pairs.append(tuple({"storyboard.yaml": board(added(at, name))} for name in ("new1", "new2")))

    for clean in repo.merged(pairs):  # type: ignore[arg-type]
        assert not clean
        assert named(told(repo)[1], "storyboard.yaml")


# Takes and circles


def test_circles_of_different_shots_merge_clean_and_both_count(repo: Repo, chance: random.Random) -> None:
    pairs, wanted = [], []
    for _ in range(MERGES):
        choices = {shot: chance.randint(1, 3) for shot in two(chance)}
        sides = [file(circled(record(repo, shot), number)) for shot, number in choices.items()]
        pairs.append((sides[0], sides[1]))
        wanted.append(choices)

    for clean, choices in zip(repo.merged(pairs), wanted, strict=True):
        plan, problems = told(repo)
        assert clean
        assert plan is not None, problems
        assert choices == {name: d.take.take for name, d in plan.decisions.items() if d.take and d.circled}


def test_the_same_shot_circled_differently_is_a_conflict_that_is_named_and_a_person_settles_it(
    repo: Repo, chance: random.Random
) -> None:
    pairs, wanted = [], []
    for _ in range(MERGES):
        shot = chance.choice(SHOTS)
        mine, other = chance.sample([1, 2, 3], 2)
        pairs.append((file(circled(record(repo, shot), mine)), file(circled(record(repo, shot), other))))
        wanted.append((shot, mine, other))

    for clean, (shot, mine, other) in zip(repo.merged(pairs), wanted, strict=True):
        assert not clean
        assert named(told(repo)[1], f"{shot}.yaml")
        with pytest.raises(StoryError, match=r"the two sides circle another take: clip \w+ or clip \w+") as error:
            api.rebuild(repo.folder / "storyboard.yaml")
        assert re.match(rf"storyboard.takes/{shot}.yaml:\d:1: ", str(error.value))
        side, number = (("ours", mine), ("theirs", other))[chance.randrange(2)]
        api.rebuild(repo.folder / "storyboard.yaml", side=side)  # type: ignore[arg-type]
        plan, problems = told(repo)
        assert plan is not None, problems
        chosen = plan.decisions[shot]
        assert chosen.take is not None
        assert (number, True) == (chosen.take.take, chosen.circled)


def test_new_takes_of_different_shots_merge_clean_and_of_one_shot_both_are_kept(
    repo: Repo, chance: random.Random
) -> None:
    """Takes of different shots never conflict: a file each. Takes of one shot always do, and are joined by command."""
    pairs, wanted = [], []
    for n in range(2 * MERGES):
        ours, theirs = two(chance) if n % 2 else [chance.choice(SHOTS)] * 2
        new = [another(record(repo, shot), chance) for shot in (ours, theirs)]
        sides = [file(record(repo, shot).with_take(take)) for shot, take in zip((ours, theirs), new, strict=True)]
        pairs.append((sides[0], sides[1]))
        wanted.append((ours, theirs, new))

    conflicts = {True: 0, False: 0}
    for clean, (ours, theirs, new) in zip(repo.merged(pairs), wanted, strict=True):
        if not clean:
            conflicts[ours == theirs] += 1
            assert named(told(repo)[1], f"{ours}.yaml")
            assert (ours,) == api.rebuild(repo.folder / "storyboard.yaml").written
        plan, problems = told(repo)
        assert plan is not None, problems
        known = {take.clip: take.take for shot in {ours, theirs} for take in record(repo, shot).takes}
        assert {take.clip for take in new} <= known.keys()
        if ours == theirs:
            assert [1, 2, 3, 4, 5] == sorted(known.values())
            first, second = sorted(take.clip for take in new)
            assert known[first] < known[second]
        assert Decimal("1.80") + Decimal("0.10") * 2 == plan.facts.spent
    assert {True: MERGES, False: 0} == conflicts


def test_a_circle_and_a_new_take_of_the_same_shot_merge_clean(repo: Repo, chance: random.Random) -> None:
    pairs, wanted = [], []
    for _ in range(MERGES):
        shot, number = chance.choice(SHOTS), chance.randint(1, 3)
        mine = record(repo, shot)
        new = another(mine, chance)
        pairs.append((file(circled(mine, number)), file(mine.with_take(new))))
        wanted.append((shot, number, new))

    for clean, (shot, number, new) in zip(repo.merged(pairs), wanted, strict=True):
        plan, problems = told(repo)
        assert clean
        assert plan is not None, problems
        assert new in record(repo, shot).takes
        chosen = plan.decisions[shot]
        assert chosen.take is not None
        assert (number, True) == (chosen.take.take, chosen.circled)


def test_an_approval_that_git_merges_onto_another_clip_is_caught(repo: Repo, chance: random.Random) -> None:
    """One side circles a take; on the other that take was made again, and is another clip. Git sees no conflict."""
    pairs, wanted = [], []
    for _ in range(MERGES):
        shot, number = chance.choice(SHOTS), chance.randint(1, 3)
        mine = record(repo, shot)
        clip = f"{chance.getrandbits(256):064x}"
        other = tuple(replace(take, clip=clip) if take.take == number else take for take in mine.takes)
        pairs.append((file(circled(mine, number)), file(replace(mine, takes=other))))
        wanted.append((shot, mine.takes[number - 1].clip))

    for clean, (shot, clip) in zip(repo.merged(pairs), wanted, strict=True):
        plan, problems = told(repo)
        assert clean, "this is the danger: git has nothing to say"
        assert plan is None
        fact = f"clip {clip[:12]} is circled, but it is not among the takes: an approval of another clip"
        assert [(fact, f"storyboard.takes/{shot}.yaml")] == [(p.fact, p.place.file) for p in problems if p.place]


# The whole way, by command


def test_two_people_and_the_command(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    board_file = str(repo.folder / "storyboard.yaml")

    def branch(name: str, act: Callable[[], int]) -> None:
        repo.git("checkout", "-q", "-b", name, "main")
        assert act() == 0
        repo.git("add", "-A")
        assert repo.git("commit", "-q", "-m", name).returncode == 0

    branch("ines", lambda: start(["circle", "100", "2", board_file]))
    branch("mira", lambda: start(["circle", "110", "3", board_file]))
    branch("jun", lambda: start(["circle", "100", "3", board_file]))
    assert repo.git("merge", "-q", "--no-edit", "mira").returncode == 0
    assert start(["check", board_file]) == 0
    assert repo.git("merge", "-q", "--no-edit", "ines").returncode == 1
    capsys.readouterr()

    assert start(["check", board_file]) == 2
    said = capsys.readouterr().err
    assert re.match(
        r"storyboard.takes/100.yaml:\d:1: a merge conflict is not resolved here: HEAD \(from line \d\)", said
    )
    assert "try: matchcut takes rebuild: it keeps the takes of both sides" in said
    assert start(["takes", "rebuild", board_file]) == 2
    assert "try: matchcut takes rebuild --ours, or --theirs" in capsys.readouterr().err
    assert start(["takes", "rebuild", board_file, "--theirs"]) == 0
    assert capsys.readouterr().out == "100: written with 3 takes\n1 file written, 5 as they were\n"
    assert start(["takes", board_file]) == 0
    marked = [line.split()[:3] for line in capsys.readouterr().out.splitlines() if "circled" in line]
    assert [["100", "2", "circled"], ["110", "3", "circled"]] == marked
