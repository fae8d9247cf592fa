"""`sirene token set` and `sirene token clear`."""

import json

from tests.integration.cli.conftest import Call
from tests.integration.cli.contract_server import ContractServer

ROUTE = "/api/settings/hub-token"
TOKEN = "hf_typed"


async def test_a_token_is_read_from_standard_input_and_never_shown(
    server: ContractServer, call: Call
) -> None:
    answer = {"verdict": "accepted", "kept": True, "source": "stored"}
    server.answer(f"PUT {ROUTE}", answer)
    result = await call("token", "set", input=f"{TOKEN}\n")
    assert result.exit_code == 0
    assert server.bodies == [{"token": TOKEN}]
    assert "accepts" in result.stderr
    assert TOKEN not in result.output
    server.answer(f"PUT {ROUTE}", answer)
    assert json.loads((await call("token", "set", "--json", input=TOKEN)).stdout) == answer


async def test_a_token_that_the_hub_refuses_fails(server: ContractServer, call: Call) -> None:
    server.answer(f"PUT {ROUTE}", {"verdict": "refused", "kept": False, "source": "none"})
    result = await call("token", "set", input=TOKEN)
    assert result.exit_code == 1
    assert "refuses" in result.stderr


async def test_no_token_asks_nobody(server: ContractServer, call: Call) -> None:
    result = await call("token", "set", input="\n")
    assert result.exit_code == 2
    assert server.requests == []


async def test_a_forgotten_token_leaves_that_of_the_environment(
    server: ContractServer, call: Call
) -> None:
    server.answer(f"DELETE {ROUTE}", {"source": "environment"})
    result = await call("token", "clear")
    assert result.exit_code == 0
    assert "environment" in result.stderr
