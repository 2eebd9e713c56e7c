"""What the words of a prompt become: a place, an hour, colours, weather, and a move of the camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runner.providers.animatic import camera, palette, words
from runner.providers.animatic.chance import Chance
from runner.providers.animatic.draw import frames

from .orders import order


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("Slow cinematic dolly forward through a terminal", {"dolly": 1}),
        ("slow cinematic camera push forward", {"dolly": 1}),
        ("Camera: slow forward glide.", {"dolly": 1}),
        ("The camera pulls back to reveal the bay", {"dolly": -1}),
        ("A lane. Camera: dolly out", {"dolly": -1}),
        ("Camera: pan left", {"pan": -1}),
        ("the camera pans slowly to the right", {"pan": 1}),
        ("Camera: tilt up", {"tilt": 1}),
        ("Camera tilts down to the water", {"tilt": -1}),
        ("Camera: track left", {"truck": -1}),
        ("glides into a fast lateral tracking shot", {"truck": 1}),
        ("Camera: truck right", {"truck": 1}),
        ("Camera: crane up", {"crane": 1}),
        ("Camera: crane down", {"crane": -1}),
        ("Camera: slow orbit", {"orbit": 1}),
        ("Camera: arc left", {"orbit": -1}),
        ("Camera: zoom out", {"zoom": -1}),
        ("Camera: fast zoom", {"zoom": 1}),
        ("Handheld camera in the crowd", {"shake": 1}),
        ("A dog sleeps.", {"dolly": 1}),
    ],
)
def test_words_become_a_move(prompt: str, moves: dict[str, int]) -> None:
    move = camera.read(prompt)
    told = {name: int(np.sign(getattr(move, name))) for name in camera.Move.__dataclass_fields__}
    assert moves == {name: sign for name, sign in told.items() if sign}


@pytest.mark.parametrize("prompt", ["Camera: static", "A locked-off shot of a door", "Static camera, no camera shake"])
def test_a_locked_camera_does_not_move(prompt: str) -> None:
    assert camera.read(prompt).still


def test_slow_and_fast_scale_a_move() -> None:
    slow, plain, fast = (abs(camera.read(f"Camera: {pace} pan left").pan) for pace in ("slow", "", "fast"))
    assert 0 < slow < plain < fast


def test_a_fast_dog_does_not_hurry_the_camera() -> None:
    prompt = "A fast dog runs across the square towards the old town gate and its towers. Camera: slow pan left"
    assert camera.read("Camera: slow pan left") == camera.read(prompt)


def _shift(prompt: str, axis: int) -> float:
    """Where the picture went from start to end, in pixels: the shift that explains the means of rows or columns."""
    drawn = list(frames(_bare(prompt)))
    start, end = (drawn[at][0].astype(float).mean(axis=1 - axis) for at in (0, -1))
    best = min(range(-30, 31), key=lambda by: _misfit(start, end, by))
    return float(best)


def _misfit(start: np.ndarray[Any, Any], end: np.ndarray[Any, Any], by: int) -> float:
    size = start.size
    a, b = start[max(0, -by) : size - max(0, by)], end[max(0, by) : size - max(0, -by)]
    return float(np.abs((a - a.mean()) - (b - b.mean())).mean())


def _bare(prompt: str) -> dict[str, Any]:
    return order(f"Mountains at noon. {prompt}", width=192, height=108, duration=1.0)


@pytest.mark.parametrize(
    ("prompt", "axis", "sign"),
    [
        ("Camera: pan right", 1, -1),
        ("Camera: pan left", 1, 1),
        ("Camera: tilt up", 0, 1),
        ("Camera: tilt down", 0, -1),
        ("Camera: fast truck right", 1, -1),
        ("Camera: fast truck left", 1, 1),
    ],
)
def test_the_picture_goes_the_other_way_than_the_camera(prompt: str, axis: int, sign: int) -> None:
    assert sign == np.sign(_shift(prompt, axis))


def test_near_things_move_more_than_far_ones() -> None:
    lens = camera.Camera(camera.read("Camera: truck right"), 5.0, 0.0)
    travel = [abs(lens.at(1.0, far).dx - lens.at(0.0, far).dx) for far in (0.7, 1.0, 3.0, 20.0)]
    assert sorted(travel, reverse=True) == travel
    assert travel[0] > 10 * travel[-1]


@pytest.mark.parametrize("prompt", ["push in", "pull back", "Camera: orbit", "handheld push in", "Camera: crane up"])
def test_every_move_starts_and_ends_at_rest(prompt: str) -> None:
    lens = camera.choose(prompt, 5.0, Chance("k", 1))
    for t, near in ((0.0, 0.002), (1.0, 0.998)):
        here, there = lens.at(t, 1.0), lens.at(near, 1.0)
        assert abs(here.scale - there.scale) + abs(here.dx - there.dx) + abs(here.dy - there.dy) < 1e-5


def test_a_given_frame_is_met_whole_at_either_end() -> None:
    lens = camera.choose("pull back and pan left, handheld", 5.0, Chance("k", 1))
    assert camera.View(1.0, 0.0, 0.0) == lens.over(0.0, since=0.0)
    assert camera.View(1.0, 0.0, 0.0) == lens.over(1.0, since=1.0)


@pytest.mark.parametrize(
    ("prompt", "place", "hour", "weather"),
    [
        ("Night market in the rain, steam between the stalls", "market", "night", ("rain", "steam")),
        ("Dunes at daybreak, dust over the sand", "desert", "dawn", ("dust",)),
        ("A snowy pine forest under a full moon, moonlit", "forest", "moonlit", ("snow",)),
        ("Fishing boats in the harbour at twilight, mist", "harbour", "dusk", ("fog",)),
        ("Neon skyline over the avenue at midnight", "city", "night", ()),
        ("An abandoned orbital shipyard above a planet at daybreak, starships", "space", "dawn", ()),
        ("A hyperloop terminal at first light", "interior", "dawn", ()),
        ("Wheat fields at noon", "field", "noon", ()),
        ("Alpine peaks, golden afternoon", "mountain", "golden", ()),
        ("An idea of calm", "", "", ()),
    ],
)
def test_words_become_a_place_an_hour_and_weather(prompt: str, place: str, hour: str, weather: tuple[str, ...]) -> None:
    wanted = words.read(prompt)
    assert (place, hour, weather) == (wanted.place, wanted.hour, wanted.weather)


def test_what_the_prompt_rules_out_is_not_drawn() -> None:
    wanted = words.read("A street without rain, no snow, not a forest")
    assert ("city", ()) == (wanted.place, wanted.weather)


def test_colour_words_tint_the_picture() -> None:
    means = {}
    for colour in ("crimson", "cobalt", "jade"):
        _, u, v = list(frames(order(f"A harbour at dusk, all {colour}. Static camera.", duration=0.2)))[-1]
        means[colour] = (float(u.mean()), float(v.mean()))
    assert max(means, key=lambda colour: means[colour][1]) == "crimson"
    assert max(means, key=lambda colour: means[colour][0]) == "cobalt"
    assert min(means, key=lambda colour: means[colour][1]) in {"jade", "cobalt"}


def test_night_is_darker_than_noon() -> None:
    night, noon = (list(frames(order(f"A field at {hour}.", duration=0.2)))[-1][0].mean() for hour in ("night", "noon"))
    assert night < 0.6 * noon


def test_the_hour_of_the_words_is_the_hour_of_the_palette() -> None:
    for hour in ("night", "moonlit", "dawn", "dusk", "golden", "noon", "overcast"):
        chosen = palette.choose(words.read(f"a {hour} mountain"), "mountain", Chance("k", 1))
        assert hour == chosen.hour


@pytest.mark.parametrize(
    ("prompt", "size", "prop"),
    [
        ("Close-up of one jade paper lantern among the stalls", "close", "lantern"),
        ("Extreme close up of her eyes", "close", "face"),
        ("Her hand closes around a ticket.", "close", "hand"),
        ("Insert of a bowl of soup", "close", "bowl"),
        ("Medium close-up of a girl with an umbrella", "medium", "umbrella"),
        ("Wide shot of the bay, later a close-up", "wide", ""),
        ("A dog sleeps close to the river, high detail", "", ""),
    ],
)
def test_words_become_a_size_and_what_is_seen_close(prompt: str, size: str, prop: str) -> None:
    wanted = words.read(prompt)
    assert (size, prop) == (wanted.size, wanted.prop)


@pytest.mark.parametrize(
    ("prompt", "angle"),
    [("Low-angle shot of a tower", "low"), ("The square from above", "high"), ("A tower, low light", "")],
)
def test_words_become_an_angle(prompt: str, angle: str) -> None:
    assert angle == words.read(prompt).angle


@pytest.mark.parametrize(
    ("prompt", "light"),
    [
        ("one jade paper lantern going dark among the amber ones", "dims"),
        ("the lamp goes out", "dims"),
        ("all the lanterns light up", "brightens"),
        ("the lantern over her head as it glows jade again", "brightens"),
        ("A ferry goes out to sea", ""),
        ("The music fades", ""),
    ],
)
def test_words_change_a_light_within_the_shot(prompt: str, light: str) -> None:
    assert light == words.read(prompt).light


def test_a_river_among_trees_is_in_the_forest() -> None:
    assert "forest" == words.read("A boat on a river in the pine forest").place
    assert "harbour" == words.read("Boats in the harbour of a wooden town, trees on the shore").place


def _end(prompt: str, *, at: int = -1, **changes: Any) -> np.ndarray[Any, Any]:
    asked = order(prompt, duration=1.0)
    asked["slate"] = {"scene_title": "", **changes}
    return list(frames(asked))[at][0].astype(float)


def test_where_the_prompt_has_no_place_the_scene_title_gives_it() -> None:
    prompt = "A dog sleeps at dawn. Static camera."
    assert not np.array_equal(_end(prompt), _end(prompt, scene_title="The market"))
    named = "A dog sleeps on the market at dawn. Static camera."
    assert np.array_equal(_end(named), _end(named, scene_title="The harbour"))


@pytest.mark.parametrize("what", ["lantern", "hand", "umbrella", "bowl", "lamp", "flower", "face"])
def test_a_close_up_is_another_picture_than_the_place(what: str) -> None:
    close, plain = (_end(f"{how} a {what}, a street at dusk. Static camera.") for how in ("Close-up of", "There is"))
    assert np.abs(close - plain).mean() > 8


def test_a_light_that_goes_out_makes_the_end_darker_than_the_start() -> None:
    for change, sign in (("going dark", -1), ("lights up", 1)):
        for where in ("Close-up of", "All along the lane"):
            prompt = f"{where} a lantern {change}, a market at night. Static camera."
            start, end = _end(prompt, at=0), _end(prompt)
            assert sign == np.sign(end.mean() - start.mean())


def test_one_who_kneels_or_lifts_a_lantern_stands_in_front_of_the_place() -> None:
    place = "a girl {} a lantern by a puddle at the canal bridge, a market at night. Static camera."
    seen = [_end(place.format(act)) for act in ("near", "kneeling with", "lifting up")]
    for at, one in enumerate(seen):
        for other in seen[at + 1 :]:
            assert np.abs(one - other).mean() > 2
