"""A pipeline: steps in the order of their needs, and which of them counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner import document, pipeline, shipped
from runner.errors import StoryError
from runner.kinds import KINDS
from runner.pipeline import Limits, Pipeline

from . import world

EXEC: dict[str, Any] = {"argv": ["cp"], "gives": {"clip": "out.mp4"}}


def read(**changes: Any) -> Pipeline:
    found, told = tell(**changes)
    assert [] == told
    assert found is not None
    return found


def tell(**changes: Any) -> tuple[Pipeline | None, list[str]]:
    text = document.dump(world.pipeline(**changes))
    found, problems = pipeline.read(document.parse(text.encode(), "p.yaml"), KINDS, folder=Path())
    return found, [str(problem) for problem in problems]


def test_the_only_generate_gives_the_clip_and_the_only_last_frame_is_handed_on() -> None:
    found = read()

    assert ("clip", "clip", "clip") == (found.generate, found.clip, found.handed)
    assert ["clip", "tail", "check"] == [step.name for step in found.shot]


def test_a_step_takes_the_clip_of_generate_unless_it_says_otherwise() -> None:
    shot = {
        "tail": {"uses": "frame", "in": {"clip": "grade"}},
        "check": {"uses": "inspect"},
        "grade": {"uses": "exec", "in": {"clip": "clip"}, "with": EXEC},
        "clip": {"uses": "generate"},
    }
    found = read(shot=shot)

    assert {"clip": "grade"} == found.step("tail").inputs
    assert {"clip": "clip"} == found.step("check").inputs
    assert ["clip", "grade", "tail", "check"] == [step.name for step in found.shot]
    assert "grade" == found.handed
    assert "clip" == found.clip


def test_gives_says_which_step_counts() -> None:
    shot = {
        "clip": {"uses": "generate"},
        "grade": {"uses": "exec", "in": {"clip": "clip"}, "with": EXEC},
        "tail": {"uses": "frame"},
        "other": {"uses": "frame", "in": {"clip": "grade"}},
    }
    found = read(shot=shot, gives={"clip": "grade", "last": "other"})

    assert ("clip", "grade", "grade") == (found.generate, found.clip, found.handed)


def test_a_frame_at_another_place_is_not_handed_on() -> None:
    shot = {"clip": {"uses": "generate"}, "head": {"uses": "frame", "with": {"at": "first"}}}

    assert "clip" == read(shot=shot).handed


def test_limits_have_defaults() -> None:
    assert Limits(4, 60) == read().limits
    assert Limits(2, 60) == read(limits={"in_flight": 2}).limits


def test_what_is_wrong_with_settings_does_not_hide_the_rest() -> None:
    shot = {"clip": {"uses": "generate", "with": {"numberResults": 2, "CFGScale": 0.5}}}
    found, told = tell(shot=shot)

    assert ["p.yaml:8:7: numberResults can't stand here\n  try: takes: 3 in the shot"] == told
    assert found is not None
    assert {"CFGScale": 0.5} == found.step("clip").settings


@pytest.mark.parametrize(
    "shot",
    [
        {"clip": {"uses": "make"}},
        {"clip": {}},
        {"clip": {"uses": "generate"}, "a": {"uses": "exec", "in": {"clip": "a"}, "with": EXEC}},
        {"clip": {"uses": "generate"}, "a": {"uses": "inspect", "in": {"clip": "b"}}},
        {"clip": {"uses": "generate"}, "a": {"uses": "exec", "with": {"argv": ["cp"]}}},
    ],
)
def test_steps_that_do_not_make_a_graph_give_no_pipeline(shot: dict[str, Any]) -> None:
    found, told = tell(shot=shot)

    assert found is None
    assert 1 == len(told)


@pytest.mark.parametrize("path", sorted(shipped.folder("pipelines").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_pipelines_are_right(path: Path) -> None:
    found, problems = pipeline.read(document.read(path), KINDS, folder=path.parent, is_shipped=True)

    assert [] == problems
    assert found is not None
    assert path.stem == found.id


def test_a_pipeline_is_found_by_its_name_or_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("")

    assert (tmp_path / "own.yaml", False) == pipeline.find("own.yaml", tmp_path)
    assert (shipped.folder("pipelines") / "animatic.yaml", True) == pipeline.find("animatic", tmp_path)
    with pytest.raises(StoryError, match="did you mean animatic"):
        pipeline.find("animatik", tmp_path)
    with pytest.raises(StoryError, match=r"one of animatic, kling-2\.0-master, kling-2\.1-master, or a path"):
        pipeline.find("../pipelines/animatic", tmp_path)
