"""How a diff is told: as text, as data that fits its schema, and as Markdown that shows what people wrote."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cli.app import start
from runner.cli.pull_request import escaped
from runner.exports.words import wordwise
from runner.schema import check

from .repo import ENV, Repo

GOLDEN = Path(__file__).parent / "diffs"

SHOTS = (
    {"action": "A lamp burns in a window at night, rain on the glass, nobody there.", "takes": 2},
    {"action": "Rain runs down the glass."},
    {"action": "The lamp goes out."},
    {"from": "cut", "action": "A street."},
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A storyboard with a history; its work tree differs in every way."""
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    made = Repo(tmp_path)
    made.board(*SHOTS, pipeline="kling-2.1-master", title="Lamp | Rain", budget=10)
    made.commit()
    made.board(
        {**SHOTS[0], "action": "A candle burns in a window at night, rain on the glass, nobody there."},
        {**SHOTS[1], "notes": "ask @ines about #12 | <b>soon</b>"},
        {"shot": "0025", "action": "A *cat* looks up.", "duration": 10},
        {**SHOTS[3], "shot": "0045"},
        pipeline="kling-2.1-master", title="Lamp | Rain", budget=3,
    )  # fmt: skip
    return made


def same(name: str, said: str) -> None:
    """Where a text is meant to change: MATCHCUT_PIN=1 writes it down."""
    said = re.sub(r"\b[0-9a-f]{10}\b", "0123456789", said)
    if os.environ.get("MATCHCUT_PIN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(said, encoding="utf-8")
    assert (GOLDEN / name).read_text(encoding="utf-8") == said


def test_the_text_is_this(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diff"]) == 0
    said = capsys.readouterr()
    same("diff.txt", said.out)
    assert said.err == ""


def test_the_markdown_is_this(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diff", "--markdown"]) == 0
    same("diff.md", capsys.readouterr().out)


def test_the_data_fits_its_schema(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["diff"], ["diff", "HEAD..HEAD"], ["diff", "--provider", "animatic"]):
        assert start([*words, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert check(told, "diff.schema.json") == []
    assert start(["diff", "--json"]) == 0
    shots = {shot["shot"]: shot["fate"] for shot in json.loads(capsys.readouterr().out)["shots"]}
    assert shots == {"0010": "kept", "0020": "kept", "0025": "added", "0030": "removed", "0045": "kept"}


def test_the_one_word_may_be_the_storyboard(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diff"]) == 0
    said = capsys.readouterr().out
    for words in (["storyboard.yaml"], [str(repo.folder)], ["HEAD", "storyboard.yaml"], ["main", str(repo.folder)]):
        assert start(["diff", *words]) == 0
        assert said.splitlines()[2:-1] == capsys.readouterr().out.splitlines()[2:-1]


def test_slips_are_told_without_a_traceback(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diff", "mian"]) == 2
    assert 'git knows no revision "mian"\n  try: did you mean main?' in capsys.readouterr().err
    assert start(["diff", "--json", "--markdown"]) == 2
    assert "either --json or --markdown" in capsys.readouterr().err
    assert start(["diff", "HEAD", "nowhere/storyboard.yaml"]) == 2
    assert "nowhere/storyboard.yaml" in capsys.readouterr().err
    repo.file.write_text("storyboard: x\nscenes: {}\n", encoding="utf-8")
    assert start(["diff", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"]


def test_nothing_changed_is_said_in_a_line(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diff", "HEAD..HEAD"]) == 0
    assert "4 shots, none of which differs" in capsys.readouterr().out
    assert start(["diff", "HEAD..HEAD", "--markdown"]) == 0
    assert "**4 shots, none of which differs**, since `HEAD`, now at `HEAD`." in capsys.readouterr().out


def test_a_diff_of_very_many_shots_still_fits_a_comment(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    def shots(word: str) -> list[dict[str, str]]:
        return [{"action": f"{word} {n}: " + "rain and steam " * 20, "from": "cut"} for n in range(600)]

    repo.board(*shots("Old"))
    repo.commit()
    repo.board(*shots("New"))
    assert start(["diff", "--markdown"]) == 0
    said = capsys.readouterr().out

    assert len(said) < 65_536
    assert "… and 400 more shots" in said


def test_words_that_stayed_are_shortened_far_from_a_change() -> None:
    old = "one two three four five six seven eight nine ten lamp a b c d e f g h i j"

    assert wordwise(old, old.replace("lamp", "candle")) == [
        ("same", "… seven eight nine ten"), ("gone", "lamp"), ("come", "candle"), ("same", "a b c d …"),
    ]  # fmt: skip
    assert wordwise("a b", "a b") == [("same", "a b")]
    assert wordwise("", "a") == [("come", "a")]
    assert wordwise("x " * 5000, "y") == [("gone", ("x " * 5000).strip()), ("come", "y")]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
@settings(derandomize=True, deadline=None)
def test_short_texts_can_be_read_back_from_what_went_and_came(old: list[str], new: list[str]) -> None:
    pieces = wordwise(" ".join(old), " ".join(new))
    for kinds, words in (({"same", "gone"}, old), ({"same", "come"}, new)):
        told = " ".join(piece for kind, piece in pieces if kind in kinds).split()
        assert told == words or "…" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a | b", r"a \| b"),
        ("*bold* _x_ ~~y~~ `z`", r"\*bold\* \_x\_ \~\~y\~\~ \`z\`"),
        ("<script>alert(1)</script> & co", r"&lt;script\>alert(1)&lt;/script\> &amp; co"),
        ("[link](https://example.org)", r"\[link\](https://<!-- -->example.org)"),
        ("@mira, see #12 and GH-7", "@<!-- -->mira, see #<!-- -->12 and GH<!-- -->-7"),
        ("two\n\nlines\t", "two lines"),
        ("$x$", r"\$x\$"),
    ],
)
def test_what_people_wrote_is_shown_and_never_obeyed(text: str, said: str) -> None:
    assert escaped(text) == said


@given(st.text(alphabet="|`<*\\\n[]a@#", max_size=20))
@settings(derandomize=True, deadline=None)
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    told = re.sub(r"\\[\\`*_~|>\[\]$]", "", escaped(text)).replace("<!-- -->", "")

    assert not set(told) & set("|`<*\n[]\\")
