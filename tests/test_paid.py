"""Paying, through the command and over real HTTP: an example whole, whatever is wrong, Ctrl-C, keys, and calls back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner import api, env
from runner.clock import RealClock
from runner.errors import StoryError
from runner.executors import EXECUTORS
from runner.server import webhooks
from runner.server.standin import bound, serving

from .shop import COMMAND, FAST, ROOT, Project, Service, service


def command(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, without the key of whoever tests."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MATCHCUT_", "RUNWARE_"))}
    return subprocess.run(
        [*COMMAND, *words], cwd=folder, env=known | {"PYTHONPATH": str(ROOT)} | environ, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def buying(folder: Path, shop: Service, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {"MATCHCUT_RUNWARE_URL": f"{shop.url}/v1", "RUNWARE_API_KEY": "secret-key", **environ}
    return command(folder, *words, **environ)


def spoken(folder: Path) -> list[Path]:
    """Files of a project in which the key stands."""
    return [path for path in folder.rglob("*") if path.is_file() and b"secret-key" in path.read_bytes()]


# The example


def test_lantern_market_is_bought_through_the_real_client_and_the_books_agree(tmp_path: Path) -> None:
    folder = tmp_path / "lantern-market"
    shutil.copytree(ROOT / "examples" / "lantern-market", folder, ignore=shutil.ignore_patterns(".matchcut", "out"))
    memory = folder / ".matchcut" / "memory"
    memory.mkdir(parents=True)
    with service("--making", "100", "--speed", "100") as shop:
        place = shop.url.removeprefix("http://")
        known = {f"{place} klingai:5@3 {seconds}": [[0.5, 1.0]] * 5 for seconds in (5, 10)}
        (memory / "durations.json").write_text(json.dumps(known), encoding="utf-8")

        waits = buying(folder, shop, "run", "storyboard.yaml")
        assert waits.returncode == 5, waits.stderr
        assert "0020 waiting: 2 takes made; one must be circled" in waits.stdout
        assert buying(folder, shop, "circle", "0020", "2").returncode == 0
        done = buying(folder, shop, "run", "storyboard.yaml")
        assert done.returncode == 0, done.stderr
        ledger = shop.ledger()
        again = buying(folder, shop, "run", "storyboard.yaml")
        assert again.stdout.startswith("nothing to do: 5 shots are current")
        assert ledger == shop.ledger()
        costs = json.loads(buying(folder, shop, "costs", "--json").stdout)

    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert 6 * 0.924 == pytest.approx(ledger["total"])
    assert ledger["total"] == pytest.approx(costs["usd"]) == pytest.approx(manifest["totals"]["usd"])
    assert {task["taskUUID"] for task in ledger["tasks"]} == {charge["task_uuid"] for charge in costs["charges"]}
    assert all(charge["usd"] == pytest.approx(charge["estimate"]) for charge in costs["charges"])
    assert ["current"] * 5 == [shot["state"] for shot in manifest["shots"]]
    assert [] == spoken(folder)


def command_lines() -> list[str]:
    """What every process of this machine was called with."""
    if not Path("/proc/self/cmdline").exists():
        return subprocess.run(["ps", "-axo", "args="], capture_output=True, text=True, check=True).stdout.splitlines()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_the_key_stands_in_no_process_list(tmp_path: Path) -> None:
    key = uuid.uuid4().hex
    with service("--making", "30") as shop:
        project = Project(tmp_path / "p", shop, shots=1)
        words = [*COMMAND, "run", "storyboard.yaml", "--out", str(tmp_path / "told")]
        with subprocess.Popen(words, cwd=project.folder, env=project.environ | {"RUNWARE_API_KEY": key}) as process:
            try:
                while not shop.ledger()["tasks"]:
                    assert process.poll() is None
                shown = command_lines()
            finally:
                process.kill()
    assert any(str(tmp_path / "told") in line for line in shown), "the list shows the run"
    assert not any(key in line for line in shown)


def test_the_hosts_that_a_pipeline_lists_are_what_the_client_is_told(tmp_path: Path) -> None:
    with service(*FAST) as shop:
        folder = Project(tmp_path / "p", shop, shots=1).folder
    text = (folder / "tiny.yaml").read_text(encoding="utf-8")
    (folder / "tiny.yaml").write_text(f"hosts: [cdn.me.example, '*.bucket.example']\n{text}", encoding="utf-8")
    loaded = api.load(folder / "storyboard.yaml", environ={})
    told = api.setting(loaded, EXECUTORS["local"](1), RealClock())
    assert ("cdn.me.example", "*.bucket.example") == told.hosts


# What is wrong


def test_a_missing_key_is_said_and_nothing_is_sent(tmp_path: Path) -> None:
    with service(*FAST) as shop:
        folder = Project(tmp_path / "p", shop, shots=2).folder
        done = command(folder, "run", "storyboard.yaml", MATCHCUT_RUNWARE_URL=f"{shop.url}/v1")
        assert shop.ledger()["tasks"] == []
    assert 1 == done.returncode
    assert "there is no RUNWARE_API_KEY in the environment" in done.stderr
    assert "try: export RUNWARE_API_KEY=..., or a .env file that holds it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_said_and_the_right_one_goes_on(tmp_path: Path) -> None:
    with service(*FAST, MATCHCUT_STANDIN_KEY="secret-key") as shop:
        project = Project(tmp_path / "p", shop, shots=2)
        done = buying(project.folder, shop, "run", "storyboard.yaml", RUNWARE_API_KEY="wrong-key-of-mine")
        assert 1 == done.returncode
        assert "the service does not let this key in: The API key is not valid." in done.stderr
        assert "try: a valid RUNWARE_API_KEY" in done.stderr
        assert "wrong-key-of-mine" not in done.stderr
        assert shop.ledger()["tasks"] == []
        assert 0 == buying(project.folder, shop, "run", "storyboard.yaml").returncode
        project.check()


def test_a_model_that_is_gone_is_said_with_what_to_do(tmp_path: Path) -> None:
    with service(*FAST, "--without", "klingai:5@3") as shop:
        folder = Project(tmp_path / "p", shop, shots=1).folder
        (folder / "tiny.yaml").write_text(
            (folder / "tiny.yaml").read_text(encoding="utf-8").replace("tiny.json", "klingai:5@3"), encoding="utf-8"
        )
        text = (folder / "storyboard.yaml").read_text(encoding="utf-8").replace("duration: 1", "duration: 5")
        (folder / "storyboard.yaml").write_text(text, encoding="utf-8")
        done = buying(folder, shop, "run", "storyboard.yaml")
        assert shop.ledger()["tasks"] == []
    assert 1 == done.returncode
    assert "modelNotFound" in done.stderr
    assert "may have left the service's catalogue: `matchcut models` lists what is known here" in done.stderr
    assert "Traceback" not in done.stderr


def test_refused_content_names_its_shot_and_the_services_words_and_is_not_sent_again(tmp_path: Path) -> None:
    with service(*FAST) as shop:
        project = Project(tmp_path / "p", shop, shots=6)
        text = (project.folder / "storyboard.yaml").read_text(encoding="utf-8")
        (project.folder / "storyboard.yaml").write_text(
            text.replace("Words of shot 4", "An explicit thing"), encoding="utf-8"
        )
        done = buying(project.folder, shop, "run", "storyboard.yaml")
        asked = httpx.get(f"{shop.url}/stats").json()["requests"]["videoInference"]
    assert 1 == done.returncode
    said = 'shot "0004" failed: the content of this shot was refused: The provider does not make such content.'
    assert said in done.stderr
    assert "so it is not retried" in done.stderr
    assert {"0000": 1, "0001": 1, "0002": 3, "0003": 1} == {n: len(t) for n, t in project.takes().items() if t}
    assert 5 == asked


def test_html_instead_of_json_is_sat_out(tmp_path: Path) -> None:
    with service(*FAST, "--trouble", "1", "--trouble-kinds", "html", "--seed", "3") as shop:
        project = Project(tmp_path / "p", shop, shots=1)
        done = project.run(sys.executable, "-c", "from tests.killer import main; main()", "0")
        assert 0 == done.returncode, done.stderr
        project.check()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The next line on stderr that holds these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(words)


def test_a_service_that_is_down_is_waited_for_until_it_is_there(tmp_path: Path) -> None:
    port = free_port()
    project = Project(tmp_path / "p", Service(f"http://127.0.0.1:{port}"), shots=2)
    with project.begin() as process:
        said = line_with(process, "cannot be reached")
        assert "trying again in 1 s" in said
        with service(*FAST, "--port", str(port)) as shop:
            assert 0 == process.wait(60)
            project.service = shop
            project.check()


def test_ctrl_c_while_the_service_is_down_leaves_at_once_and_nothing_is_in_flight(tmp_path: Path) -> None:
    port = free_port()
    project = Project(tmp_path / "p", Service(f"http://127.0.0.1:{port}"), shots=2)
    with project.begin() as process:
        line_with(process, "cannot be reached")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert 130 == process.returncode
    assert "stopped: what was made is kept" in said
    assert "in flight" not in said
    assert "Traceback" not in said
    with service(*FAST, "--port", str(port)) as shop:
        project.service = shop
        project.ends()
        project.check()


def test_the_first_ctrl_c_says_what_is_in_flight_and_paid_for_and_the_next_run_fetches_it(tmp_path: Path) -> None:
    with service("--making", "2", "--registering", "0.1") as shop:
        project = Project(tmp_path / "p", shop, shots=9, making=2)
        with project.begin() as process:
            while len(shop.ledger()["tasks"]) < 3:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
        assert 130 == process.returncode
        paid = shop.ledger()["tasks"]
        for name, task in zip(
            ("0000", "0004", "0008"), sorted(paid, key=lambda t: said.index(t["taskUUID"])), strict=True
        ):
            assert f"in flight: {name}, 1 take, about $0.10, sent 20" in said
            assert f"task {task['taskUUID']}" in said
        assert "stopped: what was made is kept" in said
        assert "Traceback" not in said
        status = json.loads(buying(project.folder, shop, "status", "--json").stdout)
        assert {task["taskUUID"] for task in paid} == {flight["task_uuid"] for flight in status["in_flight"]}
        plan = buying(project.folder, shop, "plan").stdout
        assert "in flight: 0000, 1 take, about $0.10, sent 20" in plan
        before = {task["taskUUID"] for task in paid}
        project.ends()
        assert before <= {task["taskUUID"] for task in shop.ledger()["tasks"]}
        project.check()


def test_a_second_ctrl_c_leaves_at_once_and_as_safely(tmp_path: Path) -> None:
    words = ("--making", "2", "--speed", "2", "--registering", "0.1", "--trouble", "1", "--trouble-kinds", "slow")
    with service(*words) as shop:
        project = Project(tmp_path / "p", shop, shots=1)
        with project.begin() as process:
            while not httpx.get(f"{shop.url}/stats").json()["requests"].get("videoInference"):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=5)
        assert 130 == process.returncode
        assert "in flight: 0000, 1 take, about $0.10" in said, "what was on its way may have arrived"
        project.ends()
        project.check()


def test_a_disk_that_refuses_during_a_paid_run_loses_nothing(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d)); from runner.cli import main; import sys; sys.exit(main())"
    with service(*FAST) as shop:
        for size in (300, 12_000, 60_000):
            project = Project(tmp_path / str(size), shop, shots=4)
            httpx.post(f"{shop.url}/reset")
            done = project.run(sys.executable, "-c", limit % (size, size), "run")
            assert 0 != done.returncode
            assert "Traceback" not in done.stderr, done.stderr
            project.ends()
            project.check()


# Keys


def test_a_env_file_that_is_named_brings_the_key_and_never_overrides(tmp_path: Path) -> None:
    with service(*FAST, MATCHCUT_STANDIN_KEY="secret-key") as shop:
        folder = Project(tmp_path / "p", shop, shots=1).folder
        (folder / ".env").write_text("RUNWARE_API_KEY=secret-key\n", encoding="utf-8")
        (tmp_path / "my.env").write_text(
            f'export RUNWARE_API_KEY="secret-key" # mine\nMATCHCUT_RUNWARE_URL={shop.url}/v1\n'
        )
        url = f"{shop.url}/v1"
        assert 1 == command(folder, "run", "storyboard.yaml", MATCHCUT_RUNWARE_URL=url).returncode, (
            "only if it is named"
        )
        told = command(folder, "doctor", "--json", "--env", "../my.env")
        assert (True, 100_000.0) == tuple(json.loads(told.stdout)["runware"][name] for name in ("let_in", "balance"))
        stays = command(folder, "run", "storyboard.yaml", "--env", "../my.env", RUNWARE_API_KEY="another-key")
        assert 1 == stays.returncode
        assert 0 == command(folder, "run", "storyboard.yaml", MATCHCUT_ENV="../my.env").returncode
        (folder / ".env").unlink()
        assert [] == spoken(folder)


def test_the_lines_of_a_env_file(tmp_path: Path) -> None:
    file = tmp_path / "my.env"
    file.write_text(
        '# mine\n\nA=1\nexport B = two words # said\nC=\'#three $A\'\nD="a\\nb\\"c" # x\nE=\nF=a#b\nG=set here\n'
    )
    found = env.read(file, {"G": "set before"})
    assert {
        "A": "1",
        "B": "two words",
        "C": "#three $A",
        "D": 'a\nb"c',
        "E": "",
        "F": "a#b",
        "G": "set before",
    } == found
    file.write_text("A=1\nsecret-value\nB='open\n")
    with pytest.raises(StoryError) as caught:
        env.read(file, {})
    told = [(problem.place and problem.place.line, problem.fact) for problem in caught.value.problems]
    assert [(2, "this line is no NAME=value"), (3, "the value of B has a quote that is not closed")] == told
    assert "secret-value" not in str(caught.value)
    with pytest.raises(StoryError, match=r"none\.env cannot be read"):
        env.read(tmp_path / "none.env", {})


def test_the_doctor_says_plainly_what_the_service_says(tmp_path: Path) -> None:
    with service(*FAST, "--balance", "12.5", MATCHCUT_STANDIN_KEY="secret-key") as shop:
        good = buying(tmp_path, shop, "doctor")
        assert 0 == good.returncode
        assert "127.0.0.1 lets the key in" in good.stdout
        assert "$12.50 left in the account" in good.stdout
        bad = buying(tmp_path, shop, "doctor", RUNWARE_API_KEY="another-key")
        assert 1 == bad.returncode
        assert "FAILED  the service does not let this key in" in bad.stdout
        none = command(tmp_path, "doctor")
        assert 0 == none.returncode
        assert "there is no RUNWARE_API_KEY: api.runware.ai was not asked" in none.stdout
    down = buying(tmp_path, shop, "doctor", "--json")
    assert 1 == down.returncode
    assert "127.0.0.1 cannot be reached" in json.loads(down.stdout)["runware"]["problem"]


def test_a_foreign_address_in_a_pipeline_gets_the_key_only_once_it_is_trusted(tmp_path: Path) -> None:
    folder = Project(tmp_path / "p", Service("http://127.0.0.1:1"), shots=1).folder
    text = (folder / "tiny.yaml").read_text(encoding="utf-8")
    (folder / "tiny.yaml").write_text(
        text.replace("provider: runware", "provider: runware\nurl: https://clips.invalid/v1")
    )
    home = {"XDG_CONFIG_HOME": str(tmp_path / "home"), "RUNWARE_API_KEY": "secret-key"}
    done = command(folder, "run", "storyboard.yaml", **home)
    assert 4 == done.returncode
    assert (
        "tiny.yaml:4:6: this pipeline sends the key to https://clips.invalid/v1, which is not the service's"
        in done.stderr
    )
    assert "try: --trust, if you know who that is" in done.stderr
    assert 0 == command(folder, "plan", "storyboard.yaml", **home).returncode


# Calls back


def pipeline(project: Project, settings: str) -> None:
    file = project.folder / "tiny.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("{uses: generate}", f"{{uses: generate, with: {{{settings}}}}}"), encoding="utf-8")


def test_a_call_wakes_the_run_early_and_the_run_asks_the_service_itself(tmp_path: Path) -> None:
    with service("--making", "5", "--registering", "0.1") as shop:
        project = Project(tmp_path / "p", shop, shots=1, making=60)
        listener, base = bound("127.0.0.1", 0)
        with serving(webhooks.app(project.folder), listener):
            pipeline(project, f'webhookURL: "{webhooks.shown(base, project.folder)}"')
            done = project.run()
        stats = httpx.get(f"{shop.url}/stats").json()
        assert 0 == done.returncode, done.stderr
        assert [200] == [call["answer"] for call in stats["calls"]]
        assert 1 <= stats["requests"]["getResponse"] <= 2
        (take,) = project.takes()["0000"]
        assert "webhookURL" not in json.dumps(take)
        token = webhooks.token(project.folder)
        files = (path for path in project.folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes())
        assert {"tiny.yaml", webhooks.TOKEN_FILE} == {path.name for path in files}, "whoever knows it may call"
        sent = json.loads((project.folder / "out" / "manifest.json").read_bytes())["shots"][0]["request"]
        assert f"{base}/hook/…" == sent["webhookURL"]


def test_each_shot_is_uploaded_to_an_address_of_its_own(tmp_path: Path) -> None:
    came: dict[str, Any] = {}
    all_there = threading.Event()

    async def take(request: Request) -> Response:
        came[request.path_params["name"]] = len(await request.body())
        if len(came) == 2:
            all_there.set()
        return Response(status_code=200)

    with service(*FAST) as shop:
        project = Project(tmp_path / "p", shop, shots=2)
        listener, base = bound("127.0.0.1", 0)
        with serving(Starlette(routes=[Route("/up/{name}", take, methods=["PUT"])]), listener):
            address = f"{base}/up/" + "{{ shot.id }}.mp4?signed=secret-key"
            pipeline(project, f'uploadEndpoint: "{address}"')
            done = project.run()
            assert 0 == done.returncode, done.stderr
            assert all_there.wait(20)
        pipeline_text = (project.folder / "tiny.yaml").read_text(encoding="utf-8")
        (project.folder / "tiny.yaml").write_text(pipeline_text.replace("/up/", "/elsewhere/"), encoding="utf-8")
        assert project.run().returncode == 0
        assert 2 == len(shop.ledger()["tasks"]), "where a clip is sent does not count for its key"
    assert {"0000.mp4", "0001.mp4"} == set(came)
    assert {"tiny.yaml"} == {path.name for path in spoken(project.folder)}, "signatures are written nowhere"
