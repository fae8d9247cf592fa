"""`sirene up`, as a process, over small stand-ins for the services and a real nats-server."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio

from tests.integration.cli.running import Up
from tests.support.nats import NatsServer
from tests.support.waiting import until

MakeUp = Callable[..., Up]


@pytest.fixture
async def make_up(tmp_path: Path) -> AsyncIterator[MakeUp]:
    """A new Up; all share one folder, and nothing of any is left in the end."""
    made: list[Up] = []

    def make(**environ: str) -> Up:
        made.append(Up(tmp_path, environ))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One for all tests that only look."""
    folder = tmp_path_factory.mktemp("up")
    up = Up(folder, {"HF_TOKEN": "hf_secret"})
    yield await up.ready("--port", "0", "--pull", "piper:low")
    await up.close()


shared = pytest.mark.asyncio(loop_scope="module")


def order(journal: list[str], word: str) -> list[str]:
    return [line.split()[0] for line in journal if line.split()[1] == word]


async def test_everything_starts_and_ctrl_c_ends_it_in_order(make_up: MakeUp) -> None:
    up = await make_up().ready("--port", "0")
    for line in ("Page", "/schema", "/v1", "nats --server nats://127.0.0.1", "HF token     no"):
        assert line in up.output
    assert set(order(up.journal, "started")) == {"downloader", "inference", "runner", "api"}
    up.signal(signal.SIGINT)
    assert await up.ended() == 0
    assert order(up.journal, "ended") == ["api", "inference", "downloader"]
    assert up.left() == []
    assert not (up.data / "run" / "url").exists()


@shared
async def test_the_other_commands_find_the_port_that_was_taken(running: Up) -> None:
    listing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sirene_cli", "list", "--json"),
        env=running.environ,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await listing.communicate()
    assert (listing.returncode, output) == (0, b'{"models":[]}\n')


async def test_a_service_that_dies_starts_again_and_what_it_left_is_gone(make_up: MakeUp) -> None:
    up = await make_up().ready("--port", "0")
    runner = psutil.Process(up.pids("runner")[0])
    os.kill(up.pids("inference")[0], signal.SIGKILL)
    await until(lambda: len(up.pids("inference")) == 2)
    assert not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE
    await until(lambda: "inference ended (SIGKILL); it starts again in 1.0 s" in up.output)


async def test_without_the_bus_everything_ends(make_up: MakeUp) -> None:
    up = await make_up().ready("--port", "0")
    up.nats().kill()
    assert await up.ended() == 1
    assert "sirene: nats ended (SIGKILL)" in up.output
    assert up.left() == []


async def test_a_killed_supervisor_leaves_no_orphan_and_the_next_one_waits_for_that(
    make_up: MakeUp,
) -> None:
    first = await make_up().ready("--port", "0")
    started = [pid for name in ("downloader", "inference", "api") for pid in first.pids(name)]
    started += [*first.pids("runner"), first.nats().pid]
    first.signal(signal.SIGKILL)
    second = await make_up().ready("--port", "0")
    ours = {process.pid for process in second.left()}
    assert not ours.intersection(started)
    second.signal(signal.SIGINT)
    assert await second.ended() == 0
    assert second.left() == []


@shared
async def test_a_second_one_on_the_same_data_is_refused(running: Up, tmp_path: Path) -> None:
    second = await Up(tmp_path, {"SIRENE_DATA": str(running.data)}).start("--port", "0")
    assert await second.ended() == 1
    assert "runs on" in second.output
    assert "already" in second.output
    async with httpx.AsyncClient(base_url=running.url()) as client:
        assert (await client.get("/api/health/ready")).status_code == 200


async def test_a_second_ctrl_c_ends_everything_at_once(make_up: MakeUp) -> None:
    up = await make_up(STAND_IN_DEAF="inference").ready("--port", "0")
    up.signal(signal.SIGINT)
    await until(lambda: "deaf" in up.journal)
    up.signal(signal.SIGINT)
    assert await up.ended() == 130
    assert up.left() == []


async def test_a_service_that_cannot_start_is_named_with_its_last_line(make_up: MakeUp) -> None:
    up = await make_up(STAND_IN_BROKEN="downloader").start("--port", "0")
    assert await up.ended() == 1
    assert "sirene: downloader ended 3 times while starting (exit status 1)" in up.output
    assert "downloader is broken on purpose" in up.output.splitlines()[-1]
    assert up.left() == []


async def test_ctrl_c_while_starting_ends_it_too(make_up: MakeUp) -> None:
    up = await make_up(STAND_IN_BROKEN="downloader").start("--port", "0")
    await until(lambda: up.pids("downloader"), within_s=20)
    up.signal(signal.SIGINT)
    assert await up.ended() == 0
    assert up.left() == []


async def test_a_bus_that_runs_already_is_used_and_left_alone(
    make_up: MakeUp, own_nats_server: NatsServer
) -> None:
    up = await make_up(NATS_URL=own_nats_server.url).ready("--port", "0", "--only", "inference")
    assert not up.pids("api")
    assert not up.pids("downloader")
    up.signal(signal.SIGTERM)
    assert await up.ended() == 0
    assert psutil.pid_exists(own_nats_server.pid)


async def test_a_bus_that_does_not_answer_is_an_error(make_up: MakeUp) -> None:
    up = await make_up(NATS_URL="nats://someone:secret@127.0.0.1:9").start("--port", "0")
    assert await up.ended() == 1
    assert "no NATS server answers at nats://***@127.0.0.1:9" in up.output


async def test_a_port_that_was_asked_for_and_is_taken_is_an_error(make_up: MakeUp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = await make_up().start("--port", str(taken.getsockname()[1]))
        assert await up.ended() == 1
    assert "is taken" in up.output
    assert up.left() == []


@shared
async def test_lines_of_the_services_are_told_with_their_name(running: Up) -> None:
    assert "info    downloader a line of downloader" in running.output


@shared
async def test_a_model_can_be_pulled_at_the_start(running: Up) -> None:
    await until(lambda: "pull piper:low" in running.journal)
    await until(lambda: "piper:low: queued" in running.output)


@shared
async def test_the_hub_token_is_for_the_downloader_alone(running: Up) -> None:
    assert "HF token     yes" in running.output
    tokens = {
        name: psutil.Process(running.pids(name)[-1]).environ().get("HF_TOKEN")
        for name in ("downloader", "inference", "api")
    }
    assert tokens == {"downloader": "hf_secret", "inference": None, "api": None}
    assert "hf_secret" not in running.output


async def test_a_bus_that_has_no_place_for_its_store_is_an_error(make_up: MakeUp) -> None:
    up = make_up()
    up.data.mkdir()
    (up.data / "nats").touch()
    await up.start("--port", "0")
    assert await up.ended() == 1
    assert up.output.startswith("sirene: ")
    assert up.left() == []


async def test_a_data_directory_that_cannot_be_is_an_error(make_up: MakeUp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    up = await make_up().start("--data", str(tmp_path / "file" / "data"))
    assert await up.ended() == 1
    assert "cannot be written" in up.output
    assert "Traceback" not in up.output
