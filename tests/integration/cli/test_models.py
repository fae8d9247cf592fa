"""`sirene list`, `rm`, `ps`, `load` and `unload` against a server that speaks the contract."""

import json
import re
import time

from click.testing import CliRunner

from sirene_cli.main import sirene
from tests.integration.cli.conftest import Call, lines
from tests.integration.cli.contract_server import MODEL, ContractServer, model

LOADED = {
    "id": MODEL,
    "state": "loaded",
    "replica": "r1",
    "host": "box",
    "device": "cpu",
    "memory_bytes": 160_000_000,
    "in_flight": 0,
    "idle_s": 12.4,
}


async def test_list_shows_what_is_installed_or_on_its_way(
    server: ContractServer, call: Call
) -> None:
    server.models.append(model("f5tts:default", "downloading", transfer={"percent": 41.7}))
    result = await call("list")
    assert [line.split()[:4] for line in result.stdout.splitlines()] == [
        ["MODEL", "STATE", "SIZE", "BACKEND"],
        [MODEL, "installed", "63.2", "MB"],
        ["f5tts:default", "downloading", "42%", "63.2"],
    ]


async def test_list_all_shows_the_catalogue(call: Call) -> None:
    assert "kokoro:v1.0" in (await call("list", "--all")).stdout


async def test_list_as_json_is_what_the_api_tells(server: ContractServer, call: Call) -> None:
    assert lines(await call("list", "--json", "--all")) == [{"models": server.models}]
    assert lines(await call("list", "--json")) == [{"models": server.models[:1]}]


async def test_an_empty_list_says_where_to_look(server: ContractServer, call: Call) -> None:
    server.models = [model("kokoro:v1.0", "absent")]
    result = await call("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "sirene list --all" in result.stderr


async def test_what_could_steer_a_terminal_is_shown_escaped(
    server: ContractServer, call: Call
) -> None:
    server.models[0]["license"] = "[red]MIT\x1b[2J\n"
    assert "[red]MIT\\x1b[2J\\n" in (await call("list")).stdout


async def test_rm_asks_with_the_bytes_only_where_someone_can_answer(
    server: ContractServer, call: Call
) -> None:
    result = await call("rm", MODEL, input="y\n")
    assert result.exit_code == 2
    assert f"sirene rm {MODEL} --yes" in result.stderr
    assert server.requests == [f"GET /api/models/{MODEL}"]


async def test_rm_deletes_what_was_confirmed(server: ContractServer, call: Call) -> None:
    result = await call("rm", "--yes", MODEL)
    assert (result.exit_code, result.stdout) == (0, f"{MODEL} is deleted, 63.2 MB are free again\n")
    assert server.requests[-1] == f"DELETE /api/models/{MODEL}"
    assert (await call("rm", "--yes", "nope")).exit_code == 4


async def test_ps_shows_where_models_are_and_how_idle(server: ContractServer, call: Call) -> None:
    assert (await call("ps")).stdout == ""
    server.loaded = [LOADED]
    rows = (await call("ps")).stdout.splitlines()
    assert rows[1].split() == [
        MODEL,
        *["loaded", "cpu", "160", "MB", "0", "12", "s", "-", "r1", "on", "box"],
    ]
    assert lines(await call("ps", "--json")) == [{"models": [LOADED], "replicas": []}]


async def test_load_asks_again_while_the_load_goes_on(server: ContractServer, call: Call) -> None:
    request = f"POST /api/models/{MODEL}/load"
    server.refuse(request, 503, "model_loading", "it loads")
    server.answer(
        request, {"id": MODEL, "device": "cpu", "memory_bytes": 160_000_000, "load_s": 2.5}
    )
    result = await call("load", MODEL)
    assert (result.exit_code, result.stdout) == (0, f"{MODEL} is loaded on cpu: 160 MB, in 2.5 s\n")


async def test_busy_is_status_5(server: ContractServer, call: Call) -> None:
    server.refuse(f"POST /api/models/{MODEL}/load", 503, "models_busy", "all are in use")
    assert (await call("load", MODEL)).exit_code == 5


async def test_unload_tells_what_was_freed_and_what_was_not(
    server: ContractServer, call: Call
) -> None:
    freed = {"id": MODEL, "replica": "r1", "freed_bytes": 160_000_000}
    failed = {"id": MODEL, "replica": "r2", "error": {"message": "in use", "code": "model_in_use"}}
    server.answer("POST /models/unload", {"unloaded": [freed], "errors": []})
    server.answer("POST /models/unload", {"unloaded": [freed], "errors": [failed]})
    result = await call("unload", MODEL)
    assert (result.exit_code, result.stdout) == (0, f"{MODEL} is unloaded, 160 MB are free again\n")
    result = await call("unload", "--all")
    assert (result.exit_code, result.stderr) == (1, "sirene: in use\n")
    assert server.bodies == [{"model": MODEL}, {"all": True}]


async def test_load_pin_unpin_and_unload_say_how_long_a_model_stays(
    server: ContractServer, call: Call
) -> None:
    path = f"POST /api/models/{MODEL}"
    server.answer(f"{path}/load", {"id": MODEL, "device": "cpu", "memory_bytes": 1, "load_s": 1})
    assert (await call("load", MODEL, "--keep-alive", "-1", "--pin")).exit_code == 0
    assert server.queries[-1] == {"keep_alive": "-1", "pin": "true"}
    pinned = {"id": MODEL, "pinned": True, "replicas": ["r1", "r2"]}
    server.answer(f"{path}/pin", pinned)
    assert (await call("pin", MODEL)).stdout == f"{MODEL} is pinned on r1, r2\n"
    server.answer(f"{path}/unpin", pinned | {"pinned": False, "replicas": ["r1"]})
    assert (await call("unpin", MODEL)).stdout == f"{MODEL} may leave again on r1\n"
    server.answer(f"{path}/unpin", pinned | {"pinned": False, "replicas": []})
    assert (await call("unpin", MODEL)).stderr == "It is not loaded.\n"
    server.answer("POST /models/unload", {"unloaded": [], "errors": []})
    await call("unload", MODEL, "--force")
    assert server.bodies == [{"model": MODEL, "force": True}]


async def test_ps_shows_how_long_a_model_stays(server: ContractServer, call: Call) -> None:
    server.loaded = [
        LOADED | {"pinned": True},
        LOADED | {"expires_at": time.time() + 299.6, "is_next": True},
    ]
    rows = (await call("ps")).stdout.splitlines()
    assert "pinned" in rows[1]
    assert re.search(r"(5 min 00|4 min 5\d) s, leaves first", rows[2])


async def test_unload_needs_a_model_or_all(call: Call) -> None:
    assert (await call("unload")).exit_code == 2
    assert (await call("unload", MODEL, "--all")).exit_code == 2


def test_an_api_that_is_not_there_is_status_3() -> None:
    runner = CliRunner(env={"SIRENE_URL": "127.0.0.1:9"})
    result = runner.invoke(sirene, ["list", "--json"])
    assert result.exit_code == 3
    assert "sirene up" in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "api_unreachable"


async def test_a_stranger_at_the_address_is_recognised(server: ContractServer, call: Call) -> None:
    server.answer("GET /api/models", ["something", "else"])
    result = await call("list")
    assert result.exit_code == 1
    assert "does not speak Sirene's API" in result.stderr
