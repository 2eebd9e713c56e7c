"""Two people, one shared store: nothing is bought twice, whoever crashes whenever; and nothing is bought again unasked."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from runner.errors import StoryError
from runner.lease import Leases
from runner.remote import SharedStore
from runner.shelf import Folder, Sheet
from runner.store import LocalStore
from runner.work import Options, Outcome

from .faulty import Faulty
from .market import Crash, Market, Shop, jumping

SHOTS = """
- {shot: "0010", action: A lamp burns.}
- {shot: "0020", action: Rain falls., takes: 2}
- {shot: "0030", action: It goes out.}
"""
AGAIN = Options(again=True)


def sharing(folder: Path) -> Callable[[LocalStore], SharedStore]:
    return lambda local: SharedStore(Folder(folder), local, sleep=lambda _: None)


def pair(tmp_path: Path, shots: str = SHOTS, making: float = 60.0) -> tuple[Market, Market]:
    """Two clones that buy at one shop and share a store."""
    first = Shop(making=making)
    second = Shop(making=making, tasks=first.tasks)
    markets = [Market(tmp_path / name, shots, shop) for name, shop in (("anna", first), ("ben", second))]
    for market in markets:
        market.shared = sharing(tmp_path / "shared")
    return markets[0], markets[1]


def at_once(*markets: Market, start: float = 0.0) -> list[Outcome]:
    async def both() -> list[Outcome]:
        return await asyncio.gather(*(market.going() for market in markets))

    return jumping(both(), start)


def leases(folder: Path) -> list[str]:
    return [name for name, _ in Folder(folder / "shared").names("leases")]


def notes(market: Market) -> list[str]:
    return [f"{event.shot} {event.text}".strip() for event in market.events if event.what == "note"]


def test_what_one_bought_the_other_fetches_and_buys_nothing(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path)
    assert 0 == anna.run().exit_code
    paid = anna.shop.total
    assert 0 == ben.run().exit_code
    assert paid == Decimal("0.40") == ben.shop.total
    assert anna.films() == ben.films()
    assert anna.record() == ben.record()
    for name in ("0010", "0020", "0030"):
        texts = [(m.folder / "storyboard.takes" / f"{name}.yaml").read_text(encoding="utf-8") for m in (anna, ben)]
        assert texts[0] == texts[1], "the takes files merge without a conflict"
    assert [] == leases(tmp_path)
    assert "0010 take 1 was bought by somebody else, and came from" in notes(ben)[0]


def test_of_two_who_buy_the_same_shots_at_once_one_pays_and_the_other_waits(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path)
    assert [0, 0] == [outcome.exit_code for outcome in at_once(anna, ben)]
    assert anna.shop.total == Decimal("0.40")
    assert anna.films() == ben.films()
    waited = [note for note in notes(anna) + notes(ben) if "is being bought by" in note]
    assert waited != []
    assert "waiting for it" in waited[0]
    assert [] == leases(tmp_path)


def test_the_lease_is_renewed_while_a_clip_takes_longer_than_it_lives(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}', making=1100)
    assert [0, 0] == [outcome.exit_code for outcome in at_once(anna, ben)]
    assert anna.shop.total == Decimal("0.10")


def test_waiting_for_somebody_else_has_an_end_that_is_said(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}', making=9000)
    ended = at_once(anna, ben)
    (told,) = [outcome for outcome in ended if outcome.exit_code]
    assert 4 == told.exit_code
    assert "after 1800 s (WAIT_S_MAX) of waiting" in str(told.problems[0])
    assert anna.shop.total == Decimal("0.10")


@pytest.mark.parametrize("trip", [1, -1, 2, -2, 3, -3, 4, -4, 5, -5])
def test_a_crashed_purchase_is_not_bought_by_the_other_who_is_told(trip: int, tmp_path: Path) -> None:
    anna, ben = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    with pytest.raises(Crash):
        anna.run(trip=trip)
    ben.now = anna.now + 10_000
    told = ben.run()
    assert anna.shop.total <= Decimal("0.10")
    if told.exit_code:
        assert 4 == told.exit_code
        assert "who has not been heard of lately: it may be paid for" in str(told.problems[0])
        assert "try: ask them to run again, which puts it into the store; or run --buy-again" in str(told.problems[0])
    anna.now = ben.now + 10
    if 6 == anna.run().exit_code:  # sent long ago, as far as anybody knows: a person decides
        assert {} == anna.shop.tasks
        assert 4 == ben.run().exit_code
        return
    ben.now = anna.now + 10
    assert 0 == ben.run().exit_code
    assert anna.shop.total == Decimal("0.10")
    assert [] == leases(tmp_path)


def test_a_crashed_purchase_is_bought_again_only_where_a_person_says_so(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    with pytest.raises(Crash):
        anna.run(trip=-2)
    ben.now = anna.now + 10_000
    assert 4 == ben.run().exit_code
    assert 0 == ben.run(options=AGAIN).exit_code
    assert [] == leases(tmp_path)


def test_what_was_bought_while_the_store_was_down_is_pushed_by_the_next_run(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}')

    class Full(Folder):
        def put(self, name: str, source: Path) -> bool:
            raise OSError("no space left")

    anna.shared = lambda local: SharedStore(Full(tmp_path / "shared"), local, sleep=lambda _: None)
    assert 0 == anna.run().exit_code
    assert "take 1 is bought and kept here, and not in the shared store yet (`matchcut store push`)" in notes(anna)[0]
    ben.now = anna.now + 10_000
    assert 4 == ben.run().exit_code
    anna.shared = sharing(tmp_path / "shared")
    assert 0 == anna.run().exit_code
    assert 0 == ben.run().exit_code
    assert anna.shop.total == Decimal("0.10")
    assert [] == leases(tmp_path)


def test_nothing_is_bought_while_the_store_does_not_answer(tmp_path: Path) -> None:
    anna, _ = pair(tmp_path)
    anna.shared = lambda local: SharedStore(Faulty(Folder(tmp_path), 1, rate=1.0), local, sleep=lambda _: None)
    told = anna.run()
    assert 1 == told.exit_code
    assert "faulty:// failed 4 times" in str(told.problems[0])
    assert {} == anna.shop.tasks


@pytest.mark.parametrize("seed", range(8))
def test_two_at_once_over_a_store_with_troubles_never_pay_twice(seed: int, tmp_path: Path) -> None:
    anna, ben = pair(tmp_path)
    faulty = [Faulty(Folder(tmp_path / "shared"), seed * 2 + n, rate=0.15) for n in range(2)]
    for market, one in zip((anna, ben), faulty, strict=True):
        market.shared = lambda local, one=one: SharedStore(one, local, sleep=lambda _: None)  # type: ignore[misc]
    now = 0.0
    for _ in range(12):
        ended = at_once(anna, ben, start=now)
        now += 20_000
        if not any(outcome.exit_code for outcome in ended):
            break
    assert anna.shop.total == Decimal("0.40")
    assert anna.films() == ben.films()


def test_no_spend_fetches_what_others_bought_and_buys_nothing(tmp_path: Path) -> None:
    anna, ben = pair(tmp_path)
    told = ben.run(options=Options(spend=False))
    assert 4 == told.exit_code
    assert {} == anna.shop.tasks
    anna.run()
    assert 0 == ben.run(options=Options(spend=False)).exit_code
    assert anna.films() == ben.films()
    assert [] == leases(tmp_path)


# Bought again


def lost(market: Market, *shots: str) -> None:
    """The clips of some shots are gone, wherever they were."""
    store = LocalStore(market.folder / ".matchcut")
    for shot in shots:
        for path in (market.folder / "out" / "clips").glob(f"*_{shot}_*"):
            path.unlink()
        from runner import takes

        for take in takes.read(takes.path(market.file, shot), shot).takes:
            store.path(take.clip).unlink(missing_ok=True)


def test_lost_clips_are_bought_again_only_where_a_person_says_so_as_takes_of_their_own(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS)
    market.run()
    lost(market, "0020")
    with pytest.raises(StoryError) as caught:
        market.run()
    assert 4 == caught.value.exit_code
    assert 'storyboard.yaml:9:16: shot "0020": the clips of take 1' in str(caught.value).replace(
        str(tmp_path) + "/", ""
    )
    assert market.shop.total == Decimal("0.40")

    ended = market.run(options=AGAIN, budget="0.70")
    assert 0 == ended.exit_code
    assert market.shop.total == Decimal("0.70")
    assert {"0010": [1], "0020": [1, 2, 3, 4], "0030": [1, 2]} == market.takes(), "0030 follows another picture now"
    text = (tmp_path / "storyboard.takes" / "0020.yaml").read_text(encoding="utf-8")
    assert 2 == text.count("lost: true")
    again = market.run()
    assert (0, 0) == (again.exit_code, again.made)
    assert market.shop.total == Decimal("0.70")


def test_buying_again_keeps_to_the_budget(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS)
    market.run()
    lost(market, "0020")
    ended = market.run(options=AGAIN, budget="0.50")
    assert 4 == ended.exit_code
    assert market.shop.total <= Decimal("0.50")


APART = """
- {shot: "0010", action: A lamp burns.}
- {shot: "0020", from: cut, action: Rain falls.}
- {shot: "0030", from: cut, action: It goes out.}
"""


def test_what_the_budget_left_lost_is_bought_again_only_where_a_person_says_so_again(tmp_path: Path) -> None:
    market = Market(tmp_path, APART, in_flight=1)
    market.run()
    lost(market, "0010", "0020", "0030")
    assert 4 == market.run(options=AGAIN, budget="0.50").exit_code
    assert Decimal("0.50") == market.shop.total, "two of three are bought again"
    with pytest.raises(StoryError, match="the clip of 1 shot is missing; nothing was done") as caught:
        market.run()
    assert 4 == caught.value.exit_code
    assert Decimal("0.50") == market.shop.total
    assert 0 == market.run(options=AGAIN).exit_code
    assert Decimal("0.60") == market.shop.total
    assert 0 == market.run().made
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "storyboard.takes").glob("*.yaml")]
    assert [1, 1, 1] == [text.count("lost: true") for text in texts]


def test_what_was_bought_again_and_not_fetched_yet_is_fetched_without_a_word(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    market.run()
    lost(market, "0010")
    with pytest.raises(Crash):
        market.run(options=AGAIN, trip=3)
    assert Decimal("0.20") == market.shop.total
    assert 0 == market.run().exit_code
    assert Decimal("0.20") == market.shop.total
    assert {"0010": [1, 2]} == market.takes()
    assert 0 == market.run().made


def test_a_take_marked_as_lost_with_none_in_its_place_is_not_bought_again_unasked(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    market.run()
    (clip,) = LocalStore(tmp_path / ".matchcut").objects.glob("*/*")
    whole = clip.read_bytes()
    lost(market, "0010")
    file = tmp_path / "storyboard.takes" / "0010.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("\n    key:", "\n    lost: true\n    key:", 1), encoding="utf-8"
    )
    with pytest.raises(StoryError, match="the clip of 1 shot is missing"):
        market.run()
    clip.write_bytes(whole)
    assert (0, 0) == (market.run().exit_code, market.run().made), "it came back"
    assert "lost" not in file.read_text(encoding="utf-8")
    assert Decimal("0.10") == market.shop.total


def test_a_clip_damaged_here_is_pulled_at_once_where_others_have_it(tmp_path: Path) -> None:
    anna, _ = pair(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    anna.run()
    before = anna.films()
    (clip,) = LocalStore(anna.folder / ".matchcut").objects.glob("*/*")
    whole = clip.read_bytes()
    clip.chmod(0o644)
    clip.write_bytes(b"damaged")
    shutil.rmtree(anna.folder / "out")
    ended = anna.run()
    assert (0, 0) == (ended.exit_code, ended.made), ended.problems
    assert whole == clip.read_bytes()
    assert before == anna.films()
    assert any("set aside in .matchcut/store/damaged; pulled 1 file from" in note for note in notes(anna))


def test_a_shared_folder_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    market = Market(tmp_path / "anna", '- {shot: "0010", action: A lamp burns.}')
    market.run()
    lost(market, "0010")
    market.shared = sharing(tmp_path / "unmounted")
    with pytest.raises(StoryError) as caught:
        market.run()
    told = caught.value.problems[-1]
    assert f"; the shared store file://{tmp_path}/unmounted is not there: no such folder; nothing was done" in told.fact
    assert str(told.remedy).startswith("mount it, or see to `store:`; or matchcut store push")
    assert not any("nor in" in problem.fact for problem in caught.value.problems)
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("again", [False, True])
def test_a_takes_folder_that_cannot_be_written_is_told_before_anything_is_bought(again: bool, tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}')
    folder = tmp_path / "storyboard.takes"
    if again:
        market.run()
        lost(market, "0010")
        shutil.rmtree(folder)
    folder.write_text("in the way", encoding="utf-8")
    before = market.shop.total
    with pytest.raises(StoryError) as caught:
        market.run(options=AGAIN)
    assert 1 == caught.value.exit_code
    assert [f"{folder}: what should be a folder is a file; nothing was bought"] == [
        problem.fact for problem in caught.value.problems
    ]
    assert before == market.shop.total


def test_looking_whether_takes_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    market = Market(tmp_path, '- {shot: "0010", action: A lamp burns.}', Shop(fails=frozenset({"0010"})))
    assert 1 == market.run().exit_code
    assert not (tmp_path / "storyboard.takes").exists()


def test_frames_that_are_missing_are_taken_out_of_the_clip_again(tmp_path: Path) -> None:
    market = Market(tmp_path, SHOTS)
    market.run()
    store = LocalStore(tmp_path / ".matchcut")
    before = sorted(path.name for path in store.pictures.glob("*.png"))
    for path in store.pictures.glob("*.png"):
        path.unlink()
    market.write(SHOTS.replace("It goes out.", "It burns on."))
    assert 0 == market.run().exit_code
    assert set(before) <= {path.name for path in store.pictures.glob("*.png")}


# The lease itself


def test_a_lease_that_has_run_out_before_anything_was_sent_is_taken_over(tmp_path: Path) -> None:
    place = Folder(tmp_path / "shared")
    anna, ben = (Leases(place, LocalStore(tmp_path / name), who=name) for name in ("anna", "ben"))
    mine = anna.take("k", 1000)
    assert "anna" == mine.who
    assert "anna" == ben.take("k", 1599).who
    assert "ben" == ben.take("k", 1601).who
    with pytest.raises(StoryError, match="the lease in the shared store was lost before anything was sent: ben since"):
        anna.renew(mine, 1602, sent=True)
    anna.give_back("k")
    assert ["leases/k"] == [name for name, _ in place.names("leases")], "only its owner gives it back"


def test_a_lease_under_which_something_was_sent_is_taken_over_only_by_force(tmp_path: Path) -> None:
    place = Folder(tmp_path / "shared")
    anna, ben = (Leases(place, LocalStore(tmp_path / name), who=name) for name in ("anna", "ben"))
    anna.renew(anna.take("k", 1000), 1000, sent=True)
    assert "anna" == ben.take("k", 9000).who
    assert "sent" == anna.take("k", 9000).state, "its owner takes it up again, and knows what it was"
    assert "anna" == ben.take("k", 9001, force=True).who, "it is alive"
    assert "ben" == ben.take("k", 99_000, force=True).who


def test_a_lease_that_cannot_be_read_stands_until_a_person_decides(tmp_path: Path) -> None:
    place = Folder(tmp_path / "shared")
    place.create("leases/k", b"half a le")
    ben = Leases(place, LocalStore(tmp_path / "ben"), who="ben")
    assert "somebody (the lease cannot be read)" == ben.take("k", 1000).who
    assert "ben" == ben.take("k", 1000, force=True).who
    sheet = place.get("leases/k")
    assert isinstance(sheet, Sheet)
