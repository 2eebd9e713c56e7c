"""Settings: of the project, of this machine, and which goes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import config
from runner.errors import StoryError


def told(folder: Path, text: str, **environ: str) -> str:
    (folder / "matchcut.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StoryError) as error:
        config.read(folder, environ)
    return str(error.value)


def test_without_a_file_there_is_a_job_for_each_processor(tmp_path: Path) -> None:
    assert config.read(tmp_path, {"HOME": "/home/mira"}).jobs >= 1


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "matchcut.toml").write_text("jobs = 3\n")

    assert 3 == config.read(tmp_path, {}).jobs
    assert 5 == config.read(tmp_path, {"MATCHCUT_JOBS": "5"}).jobs


def test_what_belongs_to_no_project_is_kept_where_the_system_says(tmp_path: Path) -> None:
    assert Path("/a/matchcut") == config.read(tmp_path, {"XDG_CONFIG_HOME": "/a", "HOME": "/b"}).home
    assert Path("/b/.config/matchcut") == config.read(tmp_path, {"HOME": "/b"}).home


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("job = 3\n", 'matchcut.toml:1:1: "job" is no setting\n  try: jobs'),
        ("jobs = 2\n\n[colour]\n", 'matchcut.toml: "colour" is no setting\n  try: jobs, store'),
        ("jobs = 0\n", "matchcut.toml:1:1: jobs is 0, but it must be a whole number from 1 to 256\n  try: 2"),
        ("jobs = 2.0\n", "matchcut.toml:1:1: jobs is 2.0, but it must be a whole number from 1 to 256\n  try: 2"),
        ("jobs = true\n", "matchcut.toml:1:1: jobs is true, but it must be a whole number from 1 to 256\n  try: 2"),
        ('jobs = "2"\n', 'matchcut.toml:1:1: jobs is "2", but it must be a whole number from 1 to 256\n  try: 2'),
        ("a = 1\njobs = \n", "matchcut.toml:2:8: this is not TOML: Invalid value"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    assert message == told(tmp_path, text)


def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path) -> None:
    assert "MATCHCUT_JOBS is many, but it must be a whole number from 1 to 256\n  try: 2" == told(
        tmp_path, "", MATCHCUT_JOBS="many"
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "matchcut.toml").write_bytes(b"jobs = '\xff'\n")
    with pytest.raises(StoryError, match=r"matchcut\.toml: this is not UTF-8 text"):
        config.read(tmp_path, {})
