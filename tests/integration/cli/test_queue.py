"""`sirene queue`, `pause`, `resume`, `cancel --all` and `limits` against the contract."""

import pytest

from tests.integration.cli.conftest import Call, lines
from tests.integration.cli.contract_server import COMPLETE, MODEL, ContractServer, events, progress

QUEUE: dict[str, object] = {
    "running": [
        {
            "id": "kokoro:v1.0",
            "state": "downloading",
            "transfer": {
                **{"done_bytes": 50_000_000, "total_bytes": 100_000_000},
                **{"speed_bytes_s": 5e6, "eta_s": 10.0},
            },
        }
    ],
    "queued": [{"id": MODEL, "state": "queued", "reason": "out of hours", "transfer": None}],
    "paused": [{"id": "f5tts:default", "state": "paused", "reason": "paused", "transfer": None}],
}


async def test_the_queue_is_listed_in_its_order(server: ContractServer, call: Call) -> None:
    server.answer("GET /api/downloads", QUEUE)
    shown = (await call("queue")).stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["MODEL", "kokoro:v1.0", MODEL, "f5tts:default"]
    assert "50.0 MB of 100 MB" in shown[1]
    assert "queued: out of hours" in shown[2]
    server.answer("GET /api/downloads", {"running": [], "queued": [], "paused": []})
    assert "Nothing is being pulled." in (await call("queue")).stderr


async def test_a_pull_is_made_the_first(server: ContractServer, call: Call) -> None:
    server.answer(f"POST /api/models/{MODEL}/first", QUEUE)
    (told,) = lines(await call("queue", "--first", MODEL, "--json"))
    assert told == QUEUE


@pytest.mark.parametrize(
    ("action", "said"), [("pause", "is paused"), ("resume", "goes on"), ("cancel", "is cancelled")]
)
async def test_one_pull_or_all_of_them(
    server: ContractServer, call: Call, action: str, said: str
) -> None:
    job = {"id": MODEL, "job": "j1", "state": "downloading"}
    server.answer(f"POST /api/models/{MODEL}/{action}", job, 202)
    assert (await call(action, MODEL)).stdout == f"the pull of {MODEL} {said}\n"
    server.answer(f"POST /api/downloads/{action}", {"pulls": [job]}, 202)
    assert (await call(action, "--all")).stdout == f"the pull of {MODEL} {said}\n"
    server.answer(f"POST /api/downloads/{action}", {"pulls": []}, 202)
    assert "Nothing is being pulled." in (await call(action, "--all")).stderr
    assert (await call(action)).exit_code == 2
    server.refuse(f"POST /api/models/{MODEL}/{action}", 404, "pull_not_found", "no pull")
    assert (await call(action, MODEL)).exit_code == 4


async def test_limits_are_shown_and_changed(server: ContractServer, call: Call) -> None:
    server.answer("GET /api/downloads/limits", {"pulls": None, "max_rate": 0, "connections": 8})
    shown = (await call("limits")).stdout.splitlines()
    assert [line.split(maxsplit=1) for line in shown] == [
        ["rate", "no limit"],
        ["pulls", "default"],
        ["connections", "8"],
    ]
    server.answer("PATCH /api/downloads/limits", {"max_rate": 5_000_000})
    result = await call("limits", "--rate", "5MB", "--pulls", "3", "--connections", "default")
    assert "5.0 MB/s" in result.stdout
    assert server.bodies == [{"max_rate": 5_000_000, "pulls": 3, "connections": None}]
    assert (await call("limits", "--pulls", "many")).exit_code == 2


async def test_pulling_a_paused_model_resumes_it(server: ContractServer, call: Call) -> None:
    kind, fields = progress(31_000_000)
    server.pulls = [events((kind, fields | {"state": "paused"}), progress(40_000_000), COMPLETE)]
    server.answer(f"POST /api/models/{MODEL}/resume", {"id": MODEL, "job": "j1"}, 202)
    assert (await call("pull", MODEL)).exit_code == 0
    assert server.requests[-1] == f"POST /api/models/{MODEL}/resume"
