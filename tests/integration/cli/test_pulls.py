"""`sirene pull` and `cancel` against a server that speaks the contract."""

import asyncio
import signal

from tests.integration.cli.conftest import Call, Spawn, lines
from tests.integration.cli.contract_server import (
    COMPLETE,
    MODEL,
    ContractServer,
    events,
    model,
    progress,
    silence,
)
from tests.support.waiting import until

FAILED: dict[str, object] = {
    "state": "failed",
    "error": {"message": "the disk is full", "code": "disk_full", "hint": "Free 12 MB."},
}


async def test_a_pull_is_watched_to_its_end(server: ContractServer, call: Call) -> None:
    server.pulls = [events(progress(0), progress(31_000_000), COMPLETE)]
    result = await call("pull", MODEL)
    assert result.exit_code == 0
    assert "49% 31.0 MB of 63.2 MB, 8.0 MB/s, 6 s left" in result.stderr
    assert f"{MODEL} is installed (63.2 MB)" in result.stderr
    assert result.stdout == ""


async def test_a_pull_as_json_is_one_event_a_line(server: ContractServer, call: Call) -> None:
    server.pulls = [events(progress(5), COMPLETE)]
    told = lines(await call("pull", MODEL, "--json"))
    assert [one["event"] for one in told] == ["progress", "complete"]
    assert told[0]["done_bytes"] == 5
    assert told[1] == {"event": "complete", "id": MODEL, "job": "j1", **COMPLETE[1]}


async def test_a_broken_stream_is_taken_up_where_it_broke(
    server: ContractServer, call: Call
) -> None:
    server.pulls = [events(progress(5), breaks=True), events(progress(9)), events(COMPLETE)]
    told = lines(await call("pull", MODEL, "--json"))
    assert [one.get("done_bytes") for one in told] == [5, 9, None]
    assert server.last_event_ids == [None, "j1/5", "j1/9"]


async def test_a_pull_that_ended_unheard_is_told_from_the_models_state(
    server: ContractServer, call: Call
) -> None:
    server.pulls = [events(progress(5), breaks=True)]
    assert (await call("pull", MODEL)).exit_code == 0
    server.models[0] = model(MODEL, **FAILED)
    server.pulls = [events(progress(5), breaks=True)]
    result = await call("pull", MODEL)
    assert (result.exit_code, "the disk is full" in result.stderr) == (1, True)
    server.models[0] = model(MODEL, "absent")
    server.pulls = [events(progress(5), breaks=True)]
    result = await call("pull", MODEL)
    assert (result.exit_code, "was cancelled" in result.stderr) == (1, True)


async def test_a_pull_that_fails_says_why_and_what_to_do(
    server: ContractServer, call: Call
) -> None:
    server.pulls = [events(progress(5), ("error", FAILED))]
    result = await call("pull", MODEL)
    assert result.exit_code == 1
    assert result.stderr.endswith("sirene: the disk is full\n  Free 12 MB.\n")


async def test_a_model_that_is_not_there_is_status_4(server: ContractServer, call: Call) -> None:
    server.refuse("GET /api/models/nope/pull", 404, "model_not_found", "no model is named 'nope'")
    result = await call("pull", "nope", "--json")
    assert result.exit_code == 4
    assert lines(result)[0]["error"] == {
        "message": "no model is named 'nope'",
        "code": "model_not_found",
        "hint": "",
    }


async def test_what_cannot_be_a_model_is_wrong_use(call: Call) -> None:
    assert (await call("pull", "../etc")).exit_code == 2


async def test_ctrl_c_stops_the_watching_alone(server: ContractServer, spawn: Spawn) -> None:
    server.pulls = [silence]
    process = await spawn("pull", MODEL)
    await until(lambda: server.last_event_ids)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert f"sirene cancel {MODEL}" in errors.decode()
    assert server.requests == [f"GET /api/models/{MODEL}/pull"]


async def test_cancel_ends_the_running_pull(server: ContractServer, call: Call) -> None:
    server.answer(f"POST /api/models/{MODEL}/cancel", {"id": MODEL, "job": "j1"}, 202)
    result = await call("cancel", MODEL)
    assert (result.exit_code, result.stdout) == (0, f"the pull of {MODEL} is cancelled\n")
    server.refuse(f"POST /api/models/{MODEL}/cancel", 404, "pull_not_found", "nothing to cancel")
    assert (await call("cancel", MODEL)).exit_code == 4
