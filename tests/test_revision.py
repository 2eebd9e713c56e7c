"""A storyboard as it was at a revision: with real git, whatever state the repository is in."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import runner
from runner.errors import StoryError

from .repo import ENV, Repo
from .world import pipeline as own_pipeline


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit: two shots."""
    made = Repo(tmp_path / "film")
    made.board("A lamp burns.", "Rain falls.")
    made.commit()
    return made


def picture(colour: tuple[int, int, int], folder: Path) -> bytes:
    file = folder / "made.png"
    Image.new("RGB", (1280, 720), colour).save(file)
    content = file.read_bytes()
    file.unlink()
    return content


def effects(found: runner.Diff) -> dict[str, str]:
    return {shot.shot: shot.effect if shot.fate == "kept" else shot.fate for shot in found.told}


# --- which two versions ----------------------------------------------------------------------------------------------


def test_the_work_tree_is_compared_with_the_last_commit(repo: Repo) -> None:
    assert repo.diff().empty
    repo.board("A lamp burns.", "Snow falls.")
    found = repo.diff()

    assert {"0020": "direct"} == effects(found)
    assert (None, repo.git("rev-parse", "HEAD")) == (found.new.commit, found.old.commit)


def test_two_revisions_are_compared_with_each_other_or_from_where_they_parted(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "idea")
    repo.board("A lamp burns.", "Snow falls.")
    repo.commit()
    repo.git("switch", "--quiet", "main")
    repo.board("A candle burns.", "Rain falls.")
    repo.commit()

    assert {"0010": "direct", "0020": "direct"} == effects(repo.diff("main..idea"))
    assert {"0020": "direct"} == effects(repo.diff("main...idea"))
    assert effects(repo.diff("idea..main")) == effects(repo.diff("idea.."))
    assert {"0010": "direct", "0020": "inherited"} == effects(repo.diff("main~1"))


def test_nothing_is_checked_out_or_written(repo: Repo) -> None:
    def everything() -> dict[str, int]:
        files = (Path(top) / name for top, _, names in os.walk(repo.folder) for name in names)
        return {str(file): file.stat().st_mtime_ns for file in files}

    repo.board("A lamp burns.", "Snow falls.")
    before = everything()
    repo.diff()

    assert before == everything()


@pytest.mark.parametrize(
    ("revision", "fact"),
    [
        ("mian", 'git knows no revision "mian"\n  try: did you mean main?'),
        ("v1.1", 'git knows no revision "v1.1"\n  try: did you mean v1.0?'),
        ("HEAD~9", 'git knows no revision "HEAD~9"\n  try: main, v1.0'),
        ("HEAD:storyboard.yaml", 'git knows no revision "HEAD:storyboard.yaml"\n  try: main, v1.0'),
        ("", 'git knows no revision ""\n  try: main, v1.0'),
        ("--output=x", 'git knows no revision "--output=x"\n  try: main, v1.0'),
    ],
)
def test_an_unknown_revision_is_told_with_what_there_is(revision: str, fact: str, repo: Repo) -> None:
    repo.git("tag", "v1.0")

    assert [fact] == repo.told(revision)


def test_a_branch_of_the_remote_that_was_not_fetched_is_told_with_how(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "nowhere")

    assert ['git knows no revision "origin/review"\n  try: git fetch origin review'] == repo.told("origin/review")


def test_a_shallow_clone_compares_what_it_has_and_says_how_to_get_more(repo: Repo, tmp_path: Path) -> None:
    repo.board("A lamp burns.", "Snow falls.")
    repo.commit()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", repo.folder.as_uri(), "clone"], cwd=tmp_path, env=ENV, check=True)  # fmt: skip
    clone = Repo(tmp_path / "clone", fresh=False)

    assert clone.diff().empty
    (told,) = clone.told("HEAD~1")
    assert "this clone is shallow\n  try: git fetch --unshallow" in told


def test_a_repository_without_a_commit_and_a_folder_without_a_repository_are_told(tmp_path: Path) -> None:
    empty = Repo(tmp_path / "empty")
    empty.board("A lamp burns.")
    loose = Repo(tmp_path / "loose", fresh=False)
    loose.board("A lamp burns.")

    assert ["this repository has no commit yet\n  try: git commit"] == empty.told()
    assert ["FOLDER is not in a git repository\n  try: git init, then commit the storyboard"] == loose.told()


def test_without_git_that_is_what_is_told(repo: Repo) -> None:
    with pytest.raises(StoryError, match="git is not installed") as told:
        runner.diff(repo.file, environ={**ENV, "PATH": str(repo.folder)})
    assert 1 == told.value.exit_code


# --- where the storyboard is -----------------------------------------------------------------------------------------


def test_a_storyboard_may_lie_deep_in_a_repository_with_a_detached_head_and_other_work_trees(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "all", "films/lamp/storyboard.yaml")
    repo.write({"films/lamp/own.yaml": _pipeline(4), "other/storyboard.yaml": "no"})
    repo.board("A lamp burns.", pipeline="own.yaml")
    commit = repo.commit()
    repo.git("checkout", "--quiet", "--detach")
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    subprocess.run(["git", "worktree", "add", "--quiet", str(tmp_path / "side"), commit], cwd=tmp_path / "bare.git", env=ENV, check=True)  # fmt: skip
    side = Repo(tmp_path / "side", repo.name, fresh=False)

    for place in (repo, side):
        assert place.diff().empty
        place.write({"films/lamp/own.yaml": _pipeline(8)})
        found = place.diff()
        assert {"0010": "direct"} == effects(found)
        assert ["limits.per_minute", "shot.clip.with.duration"] == [change.field for change in found.pipeline]
        assert "films/lamp/storyboard.yaml" == found.old.file


def _pipeline(seconds: int, **more: Any) -> str:
    from runner.document import dump

    shot = {"clip": {"uses": "generate", "with": {"duration": seconds}}, "tail": {"uses": "frame"}}
    return dump(own_pipeline(shot=shot, limits={"per_minute": seconds}, **more))


def test_two_revisions_are_compared_where_there_is_no_work_tree(repo: Repo, tmp_path: Path) -> None:
    repo.board("A lamp burns.", "Snow falls.")
    repo.commit()
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))

    assert {"0020": "direct"} == effects(Repo(tmp_path / "bare.git", fresh=False).diff("main~1..main"))


def test_in_a_hook_the_repository_is_found_all_the_same(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "all", "films/storyboard.yaml")
    repo.board("A lamp burns.")
    repo.commit()
    hook = {**ENV, "GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}

    assert runner.diff(repo.file, environ=hook).empty


def test_a_storyboard_that_was_not_there_is_all_new(repo: Repo) -> None:
    repo.write({"other.yaml": repo.file.read_text(encoding="utf-8").replace("lanterns", "other")})
    found = runner.diff(repo.folder / "other.yaml", environ=ENV)

    assert not found.existed
    assert {"0010": "added", "0020": "added"} == effects(found)


def test_a_storyboard_under_another_name_is_found_by_its_id(repo: Repo) -> None:
    repo.file.rename(repo.folder / "lanterns.yaml")
    found = runner.diff(repo.folder / "lanterns.yaml", environ=ENV)

    assert found.empty
    assert ("storyboard.yaml", "lanterns.yaml") == (found.old.file, found.new.file)


def test_a_storyboard_that_the_newer_revision_lacks_is_told(repo: Repo) -> None:
    repo.git("rm", "--quiet", "storyboard.yaml")
    repo.commit()

    assert ["storyboard.yaml does not exist at main"] == repo.told("main~1..main")


# --- what belongs to it ----------------------------------------------------------------------------------------------


def test_pictures_and_pipelines_are_those_of_the_revision(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "film")
    repo.write({"stills/a b.png": picture((1, 2, 3), tmp_path), "unused.bin": b"x" * 1000})
    repo.board({"from": "stills/a b.png"}, {"from": "cut"})
    repo.commit()
    repo.write({"stills/a b.png": picture((9, 8, 7), tmp_path)})
    found = repo.diff()

    assert {"0010": "direct"} == effects(found)
    assert ["first frame"] == [change.field for change in found.shots[0].asked]


def test_takes_are_those_of_now_whatever_the_revision_says_of_them(repo: Repo) -> None:
    repo.write({"storyboard.takes/0010.yaml": "this is no takes file"})
    repo.commit()
    (repo.folder / "storyboard.takes/0010.yaml").unlink()

    assert repo.diff().empty


def test_links_inside_the_repository_are_followed_and_others_are_told(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "all", "film/storyboard.yaml")
    repo.write({"shared/lane.png": picture((1, 2, 3), tmp_path), "outside.png": b""})
    (repo.folder / "film").mkdir()
    (repo.folder / "film/near").symlink_to("../shared")
    (repo.folder / "film/far.png").symlink_to("../../far.png")
    (repo.folder / "film/known.png").symlink_to(tmp_path / "far.png")
    (tmp_path / "far.png").write_bytes(picture((4, 5, 6), tmp_path))
    repo.board({"from": "near/lane.png"})
    repo.commit()
    assert repo.diff(allow_outside=True).empty

    repo.board({"from": "known.png"})
    repo.commit()
    assert repo.diff(allow_outside=True).empty

    repo.board({"from": "far.png"})
    repo.commit()
    assert [
        "HEAD:film/storyboard.yaml:8:11: far.png is a link that leads out of the repository\n  try: a file of its own"
    ] == repo.told(allow_outside=True)


def test_a_pipeline_beside_the_project_is_read_from_the_revision(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "all", "film/storyboard.yaml")
    repo.write({"house/own.yaml": _pipeline(4)})
    repo.board("A lamp burns.", pipeline="../house/own.yaml")
    repo.commit()
    repo.write({"house/own.yaml": _pipeline(8)})

    assert {"0010": "direct"} == effects(repo.diff())


def test_a_picture_in_large_file_storage_is_taken_from_the_stock_or_told(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "film")
    content = picture((1, 2, 3), tmp_path)
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    repo.write({"lane.png": pointer})
    repo.board({"from": "lane.png"})
    repo.commit()
    repo.write({"lane.png": content})

    assert repo.diff().empty
    repo.write({"lane.png": picture((9, 9, 9), tmp_path)})
    (told,) = repo.told()
    assert told == (
        "HEAD:storyboard.yaml:8:11: lane.png is kept by Git LFS, and this clone does not have it as it was at HEAD\n"
        "  try: git lfs fetch origin HEAD"
    )
    repo.write({f".git/lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}": content})
    assert {"0010": "direct"} == effects(repo.diff())


def test_a_picture_in_a_submodule_is_told(tmp_path: Path) -> None:
    stills = Repo(tmp_path / "stills")
    stills.write({"lane.png": picture((1, 2, 3), tmp_path)})
    stills.commit()
    repo = Repo(tmp_path / "film")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(stills.folder), "stills")
    repo.board({"from": "stills/lane.png"})
    repo.commit()
    (told,) = repo.told()

    assert told == (
        "HEAD:storyboard.yaml:8:11: stills/lane.png lies in the submodule stills, "
        "which a comparison of revisions does not look into\n  try: keep it in this repository"
    )


# --- what is wrong with them -----------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_revision_is_told_with_its_place_there(repo: Repo) -> None:
    repo.write({"own.yaml": _pipeline(5, provdier="x")})
    repo.board({"action": "{{ lok }}"}, values={"look": "amber"}, pipeline="own.yaml")
    repo.commit()
    repo.board("A lamp burns.")

    assert ["HEAD:own.yaml:18:1: ", "HEAD:storyboard.yaml:9:17: "] == [
        told[: told.index(" ") + 1] for told in repo.told()
    ]
    assert 'HEAD:storyboard.yaml:9:17: "lok" is not defined\n  try: did you mean look?' in repo.told()


def test_what_is_wrong_with_both_is_told_at_once(repo: Repo) -> None:
    repo.board({"from": "0099"})
    repo.commit()
    repo.board({"from": "0098"})
    told = repo.told()

    assert 2 == len(told)
    assert told[0].startswith("FOLDER/storyboard.yaml:")
    assert told[1].startswith("HEAD:storyboard.yaml:")


def test_a_merge_that_is_not_settled_is_told_with_its_lines(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "idea")
    repo.board("A lamp burns.", "Snow falls.")
    repo.commit()
    repo.git("switch", "--quiet", "main")
    repo.board("A lamp burns.", "Hail falls.")
    repo.commit()
    subprocess.run(["git", "merge", "--quiet", "idea"], cwd=repo.folder, env=ENV, capture_output=True)

    assert "<<<<<<<" in repo.file.read_text(encoding="utf-8")
    assert any(told.startswith("FOLDER/storyboard.yaml:") and "conflict" in told for told in repo.told())
    assert {"0020": "direct"} == effects(repo.diff("main..idea"))


def test_one_variant_is_compared_and_an_included_file_counts(repo: Repo) -> None:
    tones = {"tone": {"warm": {"values": {"light": "amber"}}, "cold": {"values": {"light": "blue"}}}}
    repo.write({"words.yaml": "values: {street: a lane}"})
    repo.board("{{ light }} lamps in {{ street }}.", "Rain falls.", variants=tones, include=["words.yaml"])
    assert ["this storyboard has several variants: one must be named"] == [text.split("\n")[0] for text in repo.told()]
    assert {"0010": "direct", "0020": "inherited"} == effects(repo.diff(variant="cold"))
    repo.commit()
    assert repo.diff(variant="cold").empty
    repo.write({"words.yaml": "values: {street: an alley}"})
    assert {"0010": "direct", "0020": "inherited"} == effects(repo.diff(variant="warm"))
